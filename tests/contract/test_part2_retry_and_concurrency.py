"""Part 2 of the contract, *RetryPolicy* and *Concurrency*, a test a sentence."""

from __future__ import annotations

import asyncio
import threading

import pytest

from graphrun_nb import GraphRunFailed, NodeStatus, RetryPolicy, graph, run, run_async, tool
from graphrun_nb.protocols import Lost, Value
from graphrun_nb.testing import settle
from graphrun_nb.tools import ask_text
from tests.contract.conftest import add_async, names, until


def flaky(failures, error=OSError, **controls):
    """Make a graph of one node that fails so many times."""

    @tool(outputs=["attempt"])
    async def tries(context):
        if context.attempt <= failures:
            raise error
        return context.attempt

    with graph(name="flaky") as g:
        g.expose("attempt", tries(_id="tries", **controls).attempt)
    return g.build()


def test_its_defaults():
    policy = RetryPolicy()
    assert (policy.max_attempts, policy.backoff_first_s, policy.backoff_base, policy.backoff_max_s) == (1, 1.0, 2.0, 60)
    assert (policy.jitter, policy.retry_on, policy.give_up_on) == (0, (Exception,), ())


async def test_max_attempts_counts_attempts_in_all():
    policy = RetryPolicy(max_attempts=3, backoff_first_s=0)
    assert await run_async(flaky(2), retry=policy) == {"attempt": 3}
    with pytest.raises(GraphRunFailed):
        await run_async(flaky(3), retry=policy)
    with pytest.raises(ValueError, match="at least 1"):
        RetryPolicy(max_attempts=0)


async def test_pauses_begin_with_backoff_first_s_grow_by_backoff_base_and_end_at_backoff_max_s(begin):
    policy = RetryPolicy(max_attempts=5, backoff_first_s=2, backoff_base=3, backoff_max_s=10)
    held = await begin(flaky(4), retry=policy)
    for attempt, pause in enumerate([2, 6, 10, 10], start=1):
        assert held.future.node("tries").attempts == attempt
        await held.clock.advance(pause - 0.5)
        assert held.future.node("tries").attempts == attempt
        await held.clock.advance(0.5)
    assert await held.future == {"attempt": 5}


async def test_jitter_is_a_share_from_0_to_1(begin):
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="jitter"):
            RetryPolicy(jitter=wrong)
    held = await begin(flaky(1), retry=RetryPolicy(max_attempts=2, backoff_first_s=60, jitter=0.5))
    await held.clock.advance(29)
    assert held.future.node("tries").attempts == 1
    await held.clock.advance(32)
    assert await held.future == {"attempt": 2}


async def test_retry_on_names_exception_types():
    policy = RetryPolicy(max_attempts=2, backoff_first_s=0, retry_on=(OSError,))
    assert await run_async(flaky(1, FileNotFoundError), retry=policy) == {"attempt": 2}
    with pytest.raises(GraphRunFailed):
        await run_async(flaky(1, ValueError), retry=policy)


async def test_give_up_on_names_exception_types():
    policy = RetryPolicy(max_attempts=2, backoff_first_s=0, give_up_on=(FileNotFoundError,))
    assert await run_async(flaky(1, OSError), retry=policy) == {"attempt": 2}
    with pytest.raises(GraphRunFailed):
        await run_async(flaky(1, FileNotFoundError), retry=policy)


async def test_it_holds_per_run_and_per_node():
    generous = RetryPolicy(max_attempts=3, backoff_first_s=0)
    assert await run_async(flaky(2), retry=generous) == {"attempt": 3}
    assert await run_async(flaky(2, _retry=generous)) == {"attempt": 3}
    with pytest.raises(GraphRunFailed):
        await run_async(flaky(2, _retry=RetryPolicy(max_attempts=2, backoff_first_s=0)), retry=generous)


class Losing:
    """An executor that loses the first calls."""

    name = "losing"

    def __init__(self, losses):
        self.left = losses

    async def submit(self, call):
        self.left -= 1
        return Lost("the machine is gone") if self.left >= 0 else Value(call.function(**call.arguments))

    def close(self): ...


@pytest.fixture
def plain():
    @tool(outputs=["x"])
    def fine():
        return 1

    with graph(name="plain") as g:
        g.expose("x", fine(_id="fine").x)
    return g.build()


async def test_an_attempt_lost_to_a_crash_does_not_spend_the_budget(plain):
    future = run(plain, executor=Losing(2), retry=RetryPolicy(max_attempts=1))
    assert await future == {"x": 1}
    assert names(future).count("AttemptLost") == 2


async def test_a_node_lost_3_times_is_parked_as_failed_poisoned_instead_of_looping(plain):
    future = run(plain, executor=Losing(100), retry=RetryPolicy(max_attempts=50))
    with pytest.raises(GraphRunFailed):
        await future
    node = future.node("fine")
    assert (node.status, node.attempts) == (NodeStatus.FAILED, 3)
    assert "poisoned" in node.error.type_name


async def test_max_concurrency_bounds_running_nodes_and_is_4_by_default():
    async def highest(**overrides):
        running, seen = set(), []

        @tool(outputs=["x"])
        async def busy(n):
            running.add(n)
            seen.append(len(running))
            await settle()
            running.remove(n)

        with graph(name="many") as g:
            for n in range(12):
                busy(n=n)
        await run_async(g, **overrides)
        return max(seen)

    assert await highest() == 4
    assert await highest(max_concurrency=7) == 7


async def test_max_concurrency_bounds_nodes_whose_answers_came_early():
    running, seen = set(), []

    @tool(outputs=["x"])
    async def asks(n, context):
        await asyncio.sleep(0)
        await context.wait("text", prompt="?")
        running.add(n)
        seen.append(len(running))
        await settle()
        running.remove(n)

    with graph(name="answered early") as g:
        for n in range(4):
            asks(n=n, _id=f"asks {n}")
    future = run(g, max_concurrency=1)
    for n in range(4):
        future.resume(f"asks {n}", "early")
    await future
    assert seen == [1, 1, 1, 1]


async def test_a_waiting_or_backing_off_node_holds_no_slot(begin):
    @tool(outputs=["x"])
    async def fails_once(context):
        if context.attempt == 1:
            raise OSError

    with graph(name="slots") as g:
        ask_text(prompt="?", _id="ask")
        fails_once(_id="back off", _retry=RetryPolicy(max_attempts=2, backoff_first_s=60))
        add_async(a=1, b=2, _id="runs")
    held = await begin(g, max_concurrency=1)
    assert [str(node.status) for node in held.future.graph.nodes] == ["WAITING", "RETRYING", "DONE"]
    held.future.cancel()
    await until(held.future.done)


async def test_sync_tools_run_in_a_thread_so_the_loop_stays_free():
    go_on = threading.Event()

    @tool(outputs=["x"])
    def blocks():
        return go_on.wait(10)

    with graph(name="blocking") as g:
        g.expose("x", blocks().x)
    future = run(g)
    for _ in range(5):
        await asyncio.sleep(0.001)
    assert not future.done()
    go_on.set()
    assert await future == {"x": True}


@pytest.mark.parametrize("where", ["of the run", "of the node"])
async def test_executor_loop_opts_out(where):
    @tool(outputs=["thread"])
    def here():
        return threading.get_ident()

    with graph(name="on the loop") as g:
        g.expose("thread", here(**({"_executor": "loop"} if where == "of the node" else {})).thread)
    overrides = {"executor": "loop"} if where == "of the run" else {}
    assert await run_async(g, **overrides) == {"thread": threading.get_ident()}


async def test_start_order_is_deterministic_order_of_definition():
    started = []

    @tool(outputs=["x"])
    async def note(n):
        started.append(n)
        await asyncio.sleep(0)

    with graph(name="many") as g:
        gate = note(n="gate")
        for n in range(20):
            note(n=n, _after=gate)
    for _ in range(3):
        started.clear()
        await run_async(g)
        assert started == ["gate", *range(20)]


async def test_failure_skips_descendants_and_lets_independent_branches_finish():
    @tool(outputs=["x"])
    async def fails():
        raise ValueError

    with graph(name="branches") as g:
        bad = fails(_id="bad")
        below = add_async(a=bad.x, b=1, _id="below")
        add_async(a=below.total, b=1, _id="further below")
        add_async(a=add_async(a=1, b=1, _id="other").total, b=1, _id="below other")
    future = run(g)
    with pytest.raises(GraphRunFailed) as raised:
        await future
    assert raised.value.failed_nodes == ("bad",)
    assert {node.node_id: str(node.status) for node in future.graph.nodes} == {
        "bad": "FAILED",
        "below": "SKIPPED",
        "further below": "SKIPPED",
        "other": "DONE",
        "below other": "DONE",
    }


def test_fail_fast_stops_early_in_a_script_where_the_run_is_alone_on_its_loop():
    @tool(outputs=["x"])
    async def fails():
        await asyncio.sleep(0.01)
        raise ValueError

    with graph(name="branches") as g:
        fails(_id="bad")
        ask_text(prompt="?", _id="ask")
    future = run(g, fail_fast=True)
    with pytest.raises(GraphRunFailed):
        future.result(10)
    assert future.node("ask").status is NodeStatus.CANCELLED


async def test_fail_fast_stops_early():
    @tool(outputs=["x"])
    async def fails():
        raise ValueError

    with graph(name="branches") as g:
        fails(_id="bad")
        ask_text(prompt="?", _id="ask")
        add_async(a=1, b=1, _id="later", _after="ask")
    future = run(g, fail_fast=True)
    with pytest.raises(GraphRunFailed):
        await future
    assert {node.node_id: str(node.status) for node in future.graph.nodes} == {
        "bad": "FAILED",
        "ask": "CANCELLED",
        "later": "CANCELLED",
    }
