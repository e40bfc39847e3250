"""Random graphs on a loop that runs what is ready in any order, against a plain reading of the same graph.

Each seed is one program: what it computes, what fails, asks, comes too late, is skipped, mapped or nested, in what
order things happen, and whether it is cancelled, or its loop ends under it, and another one goes on.
``GRAPHRUN_SEEDS=17 pytest …`` runs one of them, ``GRAPHRUN_SEEDS=0-20000`` many.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random

import pytest

from graphrun_nb import (
    GraphRunError,
    GraphRunFailed,
    MemoryStore,
    NodeContext,
    NodeStatus,
    RetryPolicy,
    each,
    graph,
    graph_fn,
    graphify,
    run,
    tool,
)
from graphrun_nb.core.state import fold

from .shuffling import LoopClock, ShuffledLoop, run_on, shuffled_loop

N_SEEDS = 2000
NOBODY = "nobody answers"
KINDS = [
    *("plain", "plain", "slow", "flaky", "bad", "asks", "if", "map", "nested", "body"),
    *("late", "may be late", "expires"),
]
BATCH = 100


class Program:
    """A random graph, what has to come of it, and what its nodes noticed."""

    def __init__(self, seed):
        self.random = random.Random(seed)  # noqa: S311 (a program, no secret)
        self.max_concurrency = self.random.randint(1, 4)
        self.retry = RetryPolicy(max_attempts=3, backoff_first_s=self.random.choice([0.0, 0.01, 5.0]))
        self.expected = {}
        self.status = {}
        self.n_active = self.most_active = 0
        self.completed = {}
        with graph(name="random") as builder:
            self.handles = []
            for i in range(self.random.randint(1, 10)):
                self._add(f"n{i}")
            for node_id, handle in self.handles:
                builder.expose(node_id, handle)
        self.graph = builder.build()

    def _add(self, node_id):
        chosen = self.random.sample(self.handles, min(len(self.handles), self.random.randint(0, 3)))
        needs = [name for name, _ in chosen]
        values = [handle for _, handle in chosen]
        kind = self.random.choice(KINDS)
        controls = {"_id": node_id}
        if self.handles and self.random.random() < 0.2:
            before = self.random.choice(self.handles)[0]
            controls["_after"] = before
            needs = [*needs, before]
        skipped = any(self.status[each] is not NodeStatus.DONE for each in needs)
        known = None if skipped else sum(self.expected[name] for name, _ in chosen)
        status = NodeStatus.SKIPPED if skipped else NodeStatus.DONE
        add = self._tool(node_id, kind)
        match kind:
            case "if" if chosen:
                limit = self.random.randint(0, 20)
                controls["_condition"] = {"op": "gt", "left": values[0], "right": limit}
                if not skipped and not self.expected[needs[0]] > limit:
                    status = NodeStatus.SKIPPED
                handle = add(values=values, **controls).total
            case "map":
                n = self.random.randint(0, 5)
                work = self._tool(node_id, "element")
                # The list itself stands in the graph: what is random is how its elements interleave.
                mapped = work.map(values=each([[i] for i in range(n)]), **controls | {"_id": f"{node_id}m"})
                self.status[f"{node_id}m"] = NodeStatus.SKIPPED if self._is_skipped(controls) else NodeStatus.DONE
                if self.status[f"{node_id}m"] is NodeStatus.SKIPPED:
                    status, known = NodeStatus.SKIPPED, None
                elif known is not None:
                    known += sum(1 + i for i in range(n))
                handle = self._tool(node_id, "sums")(values=values, lists=mapped.total, _id=node_id).total
            case "nested":
                handle = self._nested(node_id)(values=values, **controls).total
                known = None if known is None else known + 2
            case "body":
                handle = self._body(node_id)(values=values, **controls).total
                known = None if known is None else known + 1
            case "late":
                status = NodeStatus.SKIPPED if skipped else NodeStatus.FAILED
                handle = add(values=values, _timeout=0.25, **controls).total
            case "bad" | "expires":
                status = NodeStatus.SKIPPED if skipped else NodeStatus.FAILED
                handle = add(values=values, **controls).total
            case _:
                handle = add(values=values, **controls).total
        self.status[node_id] = status
        if status is NodeStatus.DONE:
            self.expected[node_id] = known + (0 if kind == "nested" else 1)
        self.handles.append((node_id, handle))

    def _is_skipped(self, controls):
        before = controls.get("_after")
        return before is not None and self.status[before] is not NodeStatus.DONE

    def _tool(self, node_id, kind):
        pauses = [self.random.choice([0.0, 0.0, 0.001, 1.0]) for _ in range(2)]
        n_failures = self.random.randint(1, 2)

        @tool(outputs=["total"], name=f"{kind}_{node_id}")
        async def work(values, context: NodeContext, lists=()):
            with self._slot():
                for pause in pauses if kind in ("slow", "element", "asks") else ():
                    await asyncio.sleep(pause)
                if kind == "bad" or (kind == "flaky" and context.attempt <= n_failures):
                    raise ValueError(node_id)
            if kind in ("asks", "may be late"):
                deadline = {"deadline": 0.5, "on_deadline": "default", "default": f"to {node_id}"}
                answer = await context.wait("text", prompt=node_id, **(deadline if kind == "may be late" else {}))
                assert answer == {"text": f"to {node_id}"}
            if kind == "expires":
                await context.wait("text", prompt=NOBODY, deadline=pauses[0])
            if kind == "late":
                with self._slot():
                    await asyncio.sleep(3)
            with self._slot():
                if kind == "asks":
                    await asyncio.sleep(pauses[0])
                self.completed[context.node_id] = self.completed.get(context.node_id, 0) + 1
                return 1 + sum(values) + sum(lists)

        return work

    def _nested(self, node_id):
        inner = [self._tool(node_id, self.random.choice(["plain", "slow", "flaky"])) for _ in range(2)]

        @graphify(f"nested_{node_id}", inputs=["values"], outputs=["total"])
        def nested(values):
            first = inner[0](values=values, _id="first")
            return {"total": inner[1](values=[first.total], _id="second").total}

        return nested

    def _body(self, node_id):
        inner = self._tool(node_id, "slow")

        @graph_fn(f"body_{node_id}", inputs=["values"], outputs=["total"])
        async def body(values):
            return {"total": 1 + (await inner(values=values))["total"]}

        return body

    @contextlib.contextmanager
    def _slot(self):
        self.n_active += 1
        self.most_active = max(self.most_active, self.n_active)
        try:
            yield
        finally:
            self.n_active -= 1

    def start(self, loop, store):
        return run(
            self.graph,
            run_id="r",
            store=store,
            clock=LoopClock(loop),
            retry=self.retry,
            max_concurrency=self.max_concurrency,
        )

    async def finish(self, loop, store):
        future = self.start(loop, store)
        answers = asyncio.create_task(self._answer(future))
        try:
            with contextlib.suppress(GraphRunFailed):
                await future
        finally:
            answers.cancel()
        return future

    async def _answer(self, future):
        while True:
            await asyncio.sleep(self.random.choice([0.0, 0.5]))
            wanted = [each for each in future.waits if each.prompt != NOBODY]
            if wanted:
                with contextlib.suppress(GraphRunError):  # its deadline has just passed
                    future.resume(wanted[0].node_id, f"to {wanted[0].node_id}")

    async def leave(self, loop, store, n_steps, *, cancels):
        """Let the run go for some steps of its loop, and then cancel it, or end that as `asyncio.run` does."""
        future = self.start(loop, store)
        answers = asyncio.create_task(self._answer(future))
        while loop.n_steps < n_steps and not future.done():  # noqa: ASYNC110 (it counts steps)
            await asyncio.sleep(0)
        answers.cancel()
        if cancels:
            future.cancel()
            with contextlib.suppress(GraphRunFailed, asyncio.CancelledError):
                await future
        return future


def check(seed):
    program = Program(seed)
    store = MemoryStore()
    n_steps = program.random.choice([0, program.random.randint(2, 60)])
    if n_steps:
        with shuffled_loop(seed) as loop:
            end_as_asyncio_run_does(loop, program.leave(loop, store, n_steps, cancels=seed % 2 == 0))
    done_before = dict(program.completed)
    were_done = [node_id for node_id, node in fold("r", store.read("r")).nodes.items() if node.status == "DONE"]
    with shuffled_loop(seed + 1) as loop:
        future = run_on(loop, program.finish(loop, store))
    state = future.run.state
    assert {
        node_id: node.status for node_id, node in state.nodes.items() if node_id in program.status
    } == program.status
    if "FAILED" not in program.status.values():
        assert future.result() == {node_id: program.expected.get(node_id) for node_id, _ in program.handles}
    else:
        assert isinstance(future.exception(), GraphRunFailed)
    assert program.most_active <= program.max_concurrency
    assert program.n_active == 0
    assert fold("r", store.read("r")).digest() == state.digest()
    for node_id in were_done:
        assert program.completed.get(node_id) == done_before.get(node_id), f"{node_id} ran again"


def end_as_asyncio_run_does(loop: ShuffledLoop, main):
    loop.run_until_complete(main)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def batches():
    asked = os.environ.get("GRAPHRUN_SEEDS", f"0-{N_SEEDS - 1}")
    first, _, last = asked.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    return [seeds[i : i + BATCH] for i in range(0, len(seeds), BATCH)]


@pytest.mark.parametrize("seeds", batches(), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_a_graph_gives_what_it_says_in_whatever_order_things_happen(seeds):
    for seed in seeds:
        try:
            check(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}: GRAPHRUN_SEEDS={seed} pytest tests/engine/test_shuffled.py")
            raise
