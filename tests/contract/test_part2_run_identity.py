"""Part 2 of the contract, *Run identity*, and what other parts say of calling a run again, a test a sentence.

Part 2, *Errors*: the codes and stages of resuming. Part 4: 15, 17, 27, 32. Runs left behind by their loop are in
``test_part2_interrupted_runs.py``. Left out: live elsewhere, other processes, killed kernels.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc

import numpy  # noqa: ICN001 (read as a word)
import pandas  # noqa: ICN001
import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    InvalidToken,
    NodeStatus,
    RetryPolicy,
    RunFuture,
    RunStatus,
    SpecChanged,
    graph,
    graph_fn,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_approval
from tests.contract.conftest import gate, names, sums, until


class Steps:
    """A chain of three nodes that remember their calls; `broken` ones fail, `factor` changes their code."""

    def __init__(self):
        self.calls = []
        self.broken = set()

    def chain(self, **versions):
        def step(name):
            @tool(outputs=["n"], version=versions.get(name, "1"))
            async def counts(n):
                self.calls.append(name)
                if name in self.broken:
                    raise ValueError(name)
                return n + (10 if versions.get(name) else 1)

            return counts

        with graph(name="chain") as g:
            n = g.arg("n")
            for name in "abc":
                n = step(name)(n=n, _id=name).n
            g.expose("n", n)
        return g.build()

    def called(self):
        calls, self.calls[:] = list(self.calls), []
        return calls


def check(error, code, stage):
    """Look at a build-time error as *Errors* of part 2 describes it."""
    assert (error.code, error.stage) == (code, stage)
    assert str(error).startswith(f"[build:{stage}:{code}] ")
    assert error.hints


@pytest.fixture
def steps():
    return Steps()


async def test_a_completed_run_returns_its_stored_outputs_without_running_a_node(steps, store):
    again = {"run_id": "r", "store": store}
    assert await run_async(steps.chain(), {"n": 0}, **again) == {"n": 3}
    assert steps.called() == ["a", "b", "c"]
    assert await run_async(steps.chain(), {"n": 0}, **again) == {"n": 3}
    assert steps.called() == []
    assert len(list_runs(store=store)) == 1


async def test_of_an_incomplete_run_done_nodes_are_never_run_again_and_failed_ones_run(steps, store):
    steps.broken = {"b"}
    with pytest.raises(GraphRunFailed):
        await run_async(steps.chain(), {"n": 0}, run_id="r", store=store)
    assert steps.called() == ["a", "b"]
    steps.broken.clear()
    assert await run_async(steps.chain(), {"n": 0}, run_id="r", store=store) == {"n": 3}
    assert steps.called() == ["b", "c"]


async def test_failed_nodes_run_again_with_a_fresh_retry_budget(steps, store):
    twice = RetryPolicy(max_attempts=2, backoff_first_s=0)
    steps.broken = {"b"}
    for _ in range(2):
        with pytest.raises(GraphRunFailed):
            await run_async(steps.chain(), {"n": 0}, run_id="r", store=store, retry=twice)
    assert steps.called() == ["a", "b", "b", "b", "b"]


async def test_a_spec_that_changed_is_refused_with_the_changed_nodes_named(steps, store):
    steps.broken = {"c"}
    with pytest.raises(GraphRunFailed):
        await run_async(steps.chain(), {"n": 0}, run_id="r", store=store)
    before = len(store.read("r"))
    with pytest.raises(SpecChanged, match="'b'") as refused:
        await run_async(steps.chain(b="2"), {"n": 0}, run_id="r", store=store)
    assert refused.value.changed_nodes == ("b",)
    assert len(store.read("r")) == before


@pytest.mark.parametrize(("on_changed", "called", "n"), [("rerun", ["b", "c"], 12), ("keep", ["c"], 3)])
async def test_on_changed_reruns_changed_nodes_and_their_descendants_or_keeps(steps, store, on_changed, called, n):
    steps.broken = {"c"}
    with pytest.raises(GraphRunFailed):
        await run_async(steps.chain(), {"n": 0}, run_id="r", store=store)
    steps.broken.clear()
    steps.called()
    changed = steps.chain(b="2")
    assert await run_async(changed, {"n": 0}, run_id="r", store=store, on_changed=on_changed) == {"n": n}
    assert steps.called() == called


async def test_15_a_completed_run_with_a_changed_spec_is_refused_kept_or_run_from_the_change(steps, store):
    again = {"run_id": "r", "store": store}
    await run_async(steps.chain(), {"n": 0}, **again)
    steps.called()
    with pytest.raises(SpecChanged):
        await run_async(steps.chain(b="2"), {"n": 0}, **again)
    assert await run_async(steps.chain(b="2"), {"n": 0}, on_changed="keep", **again) == {"n": 3}
    assert steps.called() == []
    assert await run_async(steps.chain(b="2"), {"n": 0}, on_changed="rerun", **again) == {"n": 12}
    assert steps.called() == ["b", "c"]


async def test_15_a_cancelled_run_called_again_goes_on_and_its_cancelled_nodes_run(begin, store):
    held = await begin(gate, {"amount": 5}, run_id="r")
    held.future.cancel()
    await until(held.future.done)
    future = run(gate, {"amount": 5}, run_id="r", store=store)
    future.resume("approve", True)
    assert await future == {"ok": True}


async def test_a_run_id_that_is_under_way_here_is_the_same_run_or_refused_if_it_has_other_inputs_or_nodes(begin, store):
    held = await begin(gate, {"amount": 5}, run_id="r")
    again = run(gate, {"amount": 5}, run_id="r", store=store)
    for target, inputs, kind in ((gate, {"amount": 6}, GraphRunError), (sums, {"x": 1}, SpecChanged)):
        with pytest.raises(kind, match="run 'r'") as refused:
            run(target, inputs, run_id="r", store=store)
        assert refused.value.hints
    held.future.resume("approve", True)
    assert await again == await held.future == {"ok": True}


def careful(version, calls):
    @tool(outputs=["n"], version=version)
    async def counts(n):
        calls.append(version)
        return n + int(version)

    with graph(name="careful") as g:
        counted = counts(n=g.arg("n"), _id="count").n
        answer = ask_approval(prompt="Pay?", _id="approve", _after=counted)
        g.expose("n", counted)
        g.expose("ok", answer.approved)
    return g.build()


async def test_a_spec_that_changed_while_its_run_waits_here_is_refused_with_the_changed_nodes_named(begin, store):
    held = await begin(careful("1", []), {"n": 1}, run_id="r")
    token = held.future.waits[0].token
    with pytest.raises(SpecChanged) as refused:
        run(careful("2", []), {"n": 1}, run_id="r", store=store)
    assert refused.value.changed_nodes == ("count",)
    resume(token, True, store=store)
    assert await held.future == {"n": 2, "ok": True}


@pytest.mark.parametrize(("on_changed", "n", "ran"), [("keep", 2, ["1"]), ("rerun", 3, ["1", "2"])])
async def test_on_changed_chooses_what_becomes_of_a_run_that_waits_here(begin, store, on_changed, n, ran):
    calls = []
    held = await begin(careful("1", calls), {"n": 1}, run_id="r")
    token = held.future.waits[0].token
    later = run(careful("2", calls), {"n": 1}, run_id="r", store=store, on_changed=on_changed)
    await until(lambda: later.waits and calls == ran)
    assert (later.waits[0].token == token) == (on_changed == "keep")
    later.resume("approve", True)
    assert await later == await held.future == {"n": n, "ok": True}


async def test_a_run_is_not_taken_up_with_another_graph_while_something_moves(store):
    begun = asyncio.Event()

    @tool(outputs=["n"])
    async def works(n):
        await begun.wait()
        return n

    def graph_of(version):
        with graph(name="moving") as g:
            g.expose("n", works(n=version, _id="work").n)
        return g.build()

    future = run(graph_of(1), run_id="r", store=store)
    await until(lambda: future.node("work").status is NodeStatus.RUNNING)
    with pytest.raises(GraphRunError, match="is under way"):
        run(graph_of(2), run_id="r", store=store, on_changed="rerun")
    begun.set()
    assert await future == {"n": 1}


@pytest.mark.parametrize("kind", ["array", "table", "nested"])
async def test_a_run_called_again_with_other_data_is_refused_and_with_the_same_data_is_the_same_run(store, kind):
    def data(middle):
        values = numpy.zeros(100_000)
        values[50_000] = middle
        values[1] = float("nan")
        return {"array": values, "table": pandas.DataFrame({"x": values}), "nested": {"k": [values]}}[kind]

    @tool(outputs=["r"])
    async def size(x):
        return len(x)

    with graph(name="sizes") as g:
        g.expose("r", size(x=g.arg("x")).r)
    sizes = g.build()
    first = await run_async(sizes, {"x": data(1)}, run_id="r", store=store)
    assert await run_async(sizes, {"x": data(1)}, run_id="r", store=store) == first
    with pytest.raises(GraphBuildError, match="began with another 'x'"):
        await run_async(sizes, {"x": data(2)}, run_id="r", store=store)


async def test_an_input_that_is_not_a_number_is_the_same_when_the_run_is_called_again(store):
    @tool(outputs=["r"])
    async def same(x):
        return x

    with graph(name="same") as g:
        g.expose("r", same(x=g.arg("x")).r)
    await run_async(g, {"x": float("nan")}, run_id="r", store=store)
    assert (await run_async(g, {"x": float("nan")}, run_id="r", store=store))["r"] != 0


async def test_a_plain_value_in_a_graph_that_changed_is_noticed(store):
    @tool(outputs=["r"])
    async def year(day):
        return day.year

    def on(day):
        with graph(name="day") as g:
            g.expose("r", year(day=day, _id="year").r)
        return g.build()

    assert await run_async(on(dt.date(2024, 1, 1)), run_id="r", store=store) == {"r": 2024}
    with pytest.raises(SpecChanged):
        await run_async(on(dt.date(2025, 1, 1)), run_id="r", store=store)


async def test_27_tokens_of_a_run_that_timed_out_are_invalid_and_it_asks_anew_when_called_again(begin, store):
    held = await begin(gate, {"amount": 5}, run_id="r", timeout=60)
    token = held.future.waits[0].token
    await held.clock.advance(61)
    with pytest.raises(TimeoutError):
        await held.future
    with pytest.raises(InvalidToken):
        resume(token, True, store=store)
    again = await begin(gate, {"amount": 5}, run_id="r")
    assert again.future.waits[0].token != token
    resume(again.future.waits[0].token, True, store=store)
    assert await again.future == {"ok": True}


async def test_27_a_run_that_timed_out_goes_on_when_called_again(store):
    with pytest.raises(TimeoutError):
        await run_async(gate, {"amount": 5}, run_id="r", store=store, timeout=0.01)
    future = run(gate, {"amount": 5}, run_id="r", store=store)
    future.resume("approve", True)
    assert await future == {"ok": True}


async def test_17_future_retry_returns_a_new_run_future_of_the_same_run(steps, store):
    steps.broken = {"b"}
    first = run(steps.chain(), {"n": 0}, run_id="r", store=store)
    with pytest.raises(GraphRunFailed):
        await first
    steps.broken.clear()
    second = first.retry()
    assert isinstance(second, RunFuture)
    assert (second is first, second.run_id) == (False, "r")
    assert await second == {"n": 3}
    assert steps.called() == ["a", "b", "b", "c"]
    third = second.retry(from_="b")
    assert await third == {"n": 3}
    assert steps.called() == ["b", "c"]


@pytest.mark.parametrize("wrong", [3, "nope", ["nope"], [3], [[]], object()])
async def test_17_a_retry_from_what_is_no_node_is_refused_with_a_hint(steps, store, wrong):
    future = run(steps.chain(), {"n": 0}, store=store)
    await future
    with pytest.raises(GraphRunError, match="has no node") as refused:
        future.retry(from_=wrong)
    assert refused.value.hints


async def test_17_a_retry_from_another_thread_lives_on_the_loop_of_its_run(steps, store):
    loops = []

    @tool(outputs=["x"])
    async def fails_once(context):
        loops.append(asyncio.get_running_loop())
        if len(loops) == 1:
            raise ValueError

    with graph(name="once") as g:
        fails_once()
    first = run(g, store=store)
    with pytest.raises(GraphRunFailed):
        await first
    await (await asyncio.to_thread(first.retry))
    assert loops == [asyncio.get_running_loop()] * 2


async def test_the_code_resume_no_failed_nodes_exists(store):
    future = run(sums, {"x": 1}, store=store, run_id="r")
    await future
    with pytest.raises(GraphBuildError) as refused:
        future.retry()
    check(refused.value, "resume_no_failed_nodes", "resume_guard")


async def test_resume_from_run_id_runs_the_failed_nodes_of_another_run(steps, store):
    steps.broken = {"b"}
    with pytest.raises(GraphRunFailed):
        await run_async(steps.chain(), {"n": 0}, run_id="r1", store=store)
    steps.broken.clear()
    steps.called()
    again = {"store": store, "run_id": "r2", "resume_from_run_id": "r1", "resume_mode": "failed_nodes"}
    assert await run_async(steps.chain(), {"n": 0}, **again) == {"n": 3}
    assert steps.called() == ["b", "c"]
    assert {row.run_id: row.status for row in list_runs(store=store)} == {"r1": "FAILED", "r2": "DONE"}


async def test_the_code_resume_source_run_missing_exists(store):
    with pytest.raises(GraphBuildError) as refused:
        await run_async(sums, {"x": 1}, store=store, resume_from_run_id="nobody")
    check(refused.value, "resume_source_run_missing", "resume_prepare")


async def test_graph_fn_is_not_resumable(store):
    @graph_fn(name="not resumable", outputs=["x"])
    async def fails():
        raise ValueError

    for expected in (GraphRunFailed, GraphBuildError):
        with pytest.raises(expected):
            await run_async(fails, run_id="r", store=store)


async def test_32_a_value_that_was_not_kept_refuses_the_resume_naming_the_nodes_unless_they_may_run_again(steps, store):
    steps.broken = {"b"}
    with pytest.raises(GraphRunFailed):
        await run_async(steps.chain(), {"n": 0}, store=store)
    (row,) = list_runs(store=store)
    steps.broken.clear()
    steps.called()
    await asyncio.sleep(0)  # the loop holds the exception, and so the run, until its present round is over
    gc.collect()
    again = {"run_id": row.run_id, "store": store}
    with pytest.raises(GraphBuildError, match="'a'") as refused:
        await run_async(steps.chain(), {"n": 0}, **again)
    check(refused.value, "resume_snapshot_policy_violation", "resume_guard")
    assert await run_async(steps.chain(), {"n": 0}, on_unsaved="rerun", **again) == {"n": 3}
    assert steps.called() == ["a", "b", "c"]


async def test_open_run_gives_the_same_for_a_finished_run(steps, store):
    future = run(steps.chain(), {"n": 0}, run_id="r", store=store)
    await future
    opened = open_run("r", store=store)
    assert isinstance(opened, RunFuture)
    assert (opened.run_id, opened.status, opened.result(0)) == ("r", RunStatus.DONE, {"n": 3})
    assert (opened.node("b").status, dict(opened.node("b").outputs)) == (NodeStatus.DONE, {"n": 2})
    assert (names(opened), opened.waits) == (names(future), ())


async def test_open_run_of_nobody_is_an_error(store):
    with pytest.raises(GraphRunError, match="'nobody'"):
        open_run("nobody", store=store)
