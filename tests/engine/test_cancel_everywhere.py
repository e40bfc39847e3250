"""Six shapes of graphs, cancelled at every step that their loop takes."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from graphrun_nb import (
    MemoryStore,
    NodeContext,
    RetryPolicy,
    SqliteStore,
    each,
    graph_fn,
    graphify,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.state import fold
from graphrun_nb.core.status import TERMINAL
from graphrun_nb.engine.live import UNFINISHED

from .shuffling import LoopClock, run_on, shuffled_loop

MAX_STEPS = 400
N_ORDERS = 6


class Cleanup:
    """Counts what nodes began and what they cleaned up."""

    begun = ended = 0

    def __init__(self):
        self.digests = {}

    def on_events(self, batch, state):
        """Note what the run's own memory has come to."""
        self.digests[state.run_id] = state.digest()

    def on_signal(self, signal): ...

    @contextlib.contextmanager
    def scope(self):
        self.begun += 1
        try:
            yield
        finally:
            self.ended += 1


def shapes(cleanup):
    @tool(outputs=["v"])
    async def step(x=0):
        with cleanup.scope():
            await asyncio.sleep(0.01)
            await asyncio.sleep(0)
            return x + 1

    @tool(outputs=["v"])
    async def flaky(context: NodeContext, x=0):
        with cleanup.scope():
            await asyncio.sleep(0)
            if context.attempt == 1:
                raise ValueError("once more")
            return x + 1

    @tool(outputs=["v"])
    async def asks(context: NodeContext, x=0):
        with cleanup.scope():
            return (await context.wait("text", prompt="?", deadline=1, on_deadline="default", default="late"))["text"]

    @graphify("chain", inputs={}, outputs=["y"])
    def chain():
        v = 0
        for i in range(4):
            v = (flaky if i == 2 else step)(x=v, _retry=RetryPolicy(max_attempts=2, backoff_first_s=0.5)).v
        return {"y": v}

    @graphify("wide", inputs={}, outputs=["y"])
    def wide():
        return {"y": [step(x=i).v for i in range(7)]}

    @graphify("mapped", inputs={}, outputs=["y"])
    def mapped():
        return {"y": step.map(x=each([1, 2, 3, 4, 5])).v}

    @graphify("nested", inputs={}, outputs=["y"])
    def nested():
        return {"y": step(x=chain().y).v}

    @graph_fn("body", inputs=[], outputs=["y"])
    async def body():
        with cleanup.scope():
            first, _ = await asyncio.gather(step(x=1), flaky(x=2, _retry=RetryPolicy(max_attempts=2)))
            return {"y": (await step(x=first["v"]))["v"]}

    @graphify("waiting", inputs={}, outputs=["y"])
    def waiting():
        return {"y": [asks(x=step().v).v, asks().v]}

    return [chain, wide, mapped, nested, body, waiting]


SHAPES = ["chain", "wide", "mapped", "nested", "body", "waiting"]


def cancelled_at(shape, n_steps, how, seed, store=None):
    """Run a shape, cancel it at a step of its loop, and return whether it was still there to be cancelled."""
    cleanup = Cleanup()
    target = next(each for each in shapes(cleanup) if each.name == shape)
    store = store or MemoryStore()
    run_id = f"r{seed}"
    options = {"store": store, "run_id": run_id, "max_concurrency": 3, "observers": [cleanup]}
    with shuffled_loop(seed) as loop:
        clock = LoopClock(loop)

        async def by_future():
            future = run(target, clock=clock, **options)
            loop.at_step[loop.n_steps + n_steps] = future.cancel
            return await future

        async def by_task():
            task = asyncio.create_task(run_async(target, clock=clock, **options))
            loop.at_step[loop.n_steps + n_steps] = task.cancel
            return await task

        try:
            run_on(loop, by_future() if how == "future" else by_task())
            was_cancelled = False
        except asyncio.CancelledError:
            was_cancelled = True
            loop.run_until_complete(asyncio.sleep(3600))
    state = fold(run_id, store.read(run_id))
    if state.seq:  # a task may be cancelled before it has begun
        # and when the run is done and only the news has not come to it yet
        verdicts = {"CANCELLED"} if was_cancelled else {"DONE"}
        assert state.finished in verdicts | ({"DONE"} if how == "task" else set())
        assert all(node.status in TERMINAL for node in state.nodes.values())
        assert not any(node.waits for node in state.nodes.values())
    assert cleanup.begun == cleanup.ended
    assert not [each for each in UNFINISHED if each.run_id == run_id]
    assert cleanup.digests.get(run_id, state.digest()) == state.digest()
    return was_cancelled


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_on_disk_can_be_cancelled_at_every_step_and_disk_and_memory_agree(shape, tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    for n_steps in range(1, MAX_STEPS):
        try:
            if not cancelled_at(shape, n_steps, "future", n_steps, store):
                break
        except BaseException as error:
            error.add_note(f"cancelled at step {n_steps}")
            raise
    assert 5 < n_steps < MAX_STEPS - 1
    store.close()


@pytest.mark.parametrize("how", ["future", "task"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_can_be_cancelled_at_every_step_of_its_loop(shape, how):
    n_cancelled = 0
    for n_steps in range(1, MAX_STEPS):
        was_cancelled = False
        for seed in range(n_steps * N_ORDERS, (n_steps + 1) * N_ORDERS):
            try:
                was_cancelled |= cancelled_at(shape, n_steps, how, seed)
            except BaseException as error:
                error.add_note(f"cancelled by {how} at step {n_steps}, seed {seed}")
                raise
        if not was_cancelled:
            break
        n_cancelled += 1
    assert 5 < n_cancelled < MAX_STEPS - 1
