"""Nodes that do not behave: each is dealt with, and neither the run, nor its neighbours, nor the loop go with it."""

from __future__ import annotations

import asyncio
import contextlib
import linecache

import msgspec
import pytest

from graphrun_nb import GraphRunFailed, MemoryStore, RetryPolicy, graph, graph_fn, run, tool
from graphrun_nb.engine.limit import GRACE_S

from .shuffling import LoopClock, run_on, shuffled_loop

MAX_ROW = 64 * 1024


class Own(BaseException):
    """Of a library that does not think much of Exception."""


class Silent(Exception):
    """Has no text."""

    def __str__(self):
        raise Own("no text")

    __repr__ = __str__


class Deaf:
    """A node that is deaf to being cancelled, until somebody lets it go."""

    def __init__(self, late=None):
        self.late = late
        self.begun = 0
        self.let_go = False

    async def listen(self):
        self.begun += 1
        while not self.let_go:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.5)
        return self.late


@tool(outputs=["x"])
async def fine(x=0):
    await asyncio.sleep(0.01)
    return x + 1


def failing(error):
    @tool(outputs=["x"])
    async def fails():
        raise error

    return fails


def ended(target, deaf, seed=1, until=None, **options):
    """Run `target` on a loop without a wall clock; return its future, and at which instants it ended."""
    store = MemoryStore()
    with shuffled_loop(seed) as loop:

        async def main():
            future = run(target, store=store, clock=LoopClock(loop), **options)
            if until is not None:
                await until(future)
            with contextlib.suppress(GraphRunFailed, asyncio.CancelledError):
                await asyncio.wait_for(future, 60)
            ended_at = loop.now - 1_000
            deaf.let_go = True
            await asyncio.sleep(1)
            return future, ended_at

        return run_on(loop, main())


def beside_fine(hostile, **controls):
    with graph(name="hostile") as g:
        g.expose("y", hostile(_id="hostile", **controls).x)
        g.expose("x", fine(_id="fine").x)
    return g


@pytest.mark.parametrize("seed", range(5))
def test_a_node_whose_time_is_up_and_who_swallows_that_fails_after_a_grace(seed):
    deaf = Deaf(late="too late")
    hostile = tool(outputs=["x"], name="hostile")(deaf.listen)
    future, ended_at = ended(beside_fine(hostile, _timeout=0.2), deaf, seed)
    assert future.node("hostile").status == "FAILED"
    assert f"nor {GRACE_S:g} s after it was cancelled" in future.node("hostile").error.message
    assert isinstance(future.exception().__cause__, TimeoutError)
    assert ended_at == pytest.approx(0.2 + GRACE_S)
    assert future.node("fine").status == "DONE"
    assert future.node("hostile").outputs == {}


def test_what_comes_after_it_gets_its_slot():
    deaf = Deaf()
    hostile = tool(outputs=["x"], name="hostile")(deaf.listen)
    future, ended_at = ended(beside_fine(hostile, _timeout=0.2), deaf, max_concurrency=1)
    assert future.node("fine").status == "DONE"
    assert ended_at < 5


def test_it_is_tried_again_beside_its_former_self_and_what_that_gives_is_dropped():
    deaf = Deaf(late="too late")

    @tool(outputs=["x"])
    async def hostile():
        if deaf.begun:
            deaf.let_go = True  # the first attempt returns while the second is under way
            await asyncio.sleep(0.1)
            return "second"
        return await deaf.listen()

    retry = RetryPolicy(max_attempts=2, backoff_first_s=0.0)
    future, _ = ended(beside_fine(hostile, _timeout=2, _retry=retry), deaf)
    assert future.result() == {"y": "second", "x": 1}
    assert [type(each.event).__name__ for each in future.events].count("AttemptSucceeded") == 2


def test_a_body_that_swallows_the_end_of_its_time_fails_too():
    deaf = Deaf()

    @graph_fn("agent", inputs=[], outputs=["x"])
    async def agent():
        return {"x": await deaf.listen()}

    future, ended_at = ended(beside_fine(agent, _timeout=0.2), deaf)
    assert future.node("hostile").status == "FAILED"
    assert ended_at < 5


def test_a_call_that_its_body_gave_up_and_that_goes_on_all_the_same_loses_its_slot():
    deaf = Deaf()
    hostile = tool(outputs=["x"], name="hostile")(deaf.listen)

    @graph_fn("agent", inputs=[], outputs=["x"])
    async def agent():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await hostile()
        return {"x": (await fine(x=1))["x"]}

    future, ended_at = ended(agent, deaf, max_concurrency=1)
    assert future.result() == {"x": 2}
    assert future.node("hostile").status == "CANCELLED"
    assert ended_at == pytest.approx(0.1 + GRACE_S + 0.01)


def test_a_run_that_is_cancelled_ends_without_it():
    deaf = Deaf(late="too late")
    hostile = tool(outputs=["x"], name="hostile")(deaf.listen)

    async def cancel(future):
        await asyncio.sleep(0.1)
        future.cancel()

    future, ended_at = ended(beside_fine(hostile), deaf, until=cancel)
    assert (future.status, future.node("hostile").status) == ("CANCELLED", "CANCELLED")
    assert ended_at == pytest.approx(0.1 + GRACE_S)
    assert future.node("hostile").outputs == {}


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
        Own("own"),
        Silent(),
        ExceptionGroup("several", [ValueError()]),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_whatever_a_node_raises_is_its_failure_and_nobody_elses(error):
    future = run(beside_fine(failing(error)).build())
    with pytest.raises(GraphRunFailed) as caught:
        await asyncio.wait_for(future, 10)
    assert caught.value.__cause__ is error
    assert caught.value.failed_nodes == ("hostile",)
    assert future.node("fine").status == "DONE"


@pytest.mark.parametrize("notes", [5, "text", [Silent()], ["note"] * 10_000], ids=["number", "text", "silent", "many"])
async def test_notes_that_are_none_do_no_harm(notes):
    error = ValueError("noted")
    error.__notes__ = notes
    future = run(beside_fine(failing(error)).build())
    with pytest.raises(GraphRunFailed, match="noted"):
        await asyncio.wait_for(future, 10)
    assert len(future.node("hostile").error.notes) <= 20


async def test_names_and_lines_as_long_as_a_program_can_make_them_leave_the_event_below_64_kb():
    long = "x" * 300_000
    error_type = type(long, (ValueError,), {"__module__": long})
    made = {"error_type": error_type}
    linecache.cache[long] = (1, None, [f"{long}\n"] * 50, long)
    exec(compile(f"def {long}(n):\n    if n: {long}(n - 1)\n    raise error_type()", long, "exec"), made)  # noqa: S102

    @tool(outputs=["x"])
    async def fails():
        made[long](50)

    future = run(beside_fine(fails).build())
    with pytest.raises(GraphRunFailed):
        await asyncio.wait_for(future, 10)
    assert max(len(msgspec.json.encode(each.event)) for each in future.events) < MAX_ROW
    del linecache.cache[long]


async def test_huge_texts_and_outputs_leave_events_below_64_kb():
    error = ValueError("x" * 20_000_000)
    error.__cause__ = ValueError("y" * 20_000_000)

    @tool(outputs=["x"])
    async def huge():
        return "z" * 100_000_000

    @tool(outputs=["x"])
    async def takes(x):
        raise error

    with graph(name="huge") as g:
        g.expose("x", takes(x=huge().x, _id="takes").x)
    future = run(g.build())
    with pytest.raises(GraphRunFailed):
        await asyncio.wait_for(future, 30)
    assert max(len(msgspec.json.encode(each.event)) for each in future.events) < MAX_ROW


async def test_recursion_without_end_fails_its_node_alone():
    @tool(outputs=["x"])
    async def deep():
        def deeper():
            return deeper()

        return deeper()

    future = run(beside_fine(deep).build())
    with pytest.raises(GraphRunFailed, match="RecursionError"):
        await asyncio.wait_for(future, 10)
    assert future.node("fine").status == "DONE"


async def test_an_output_that_cannot_be_told_of_fails_its_node_alone():
    class Odd(dict):
        def keys(self):
            raise Own("no keys")

        __iter__ = __len__ = items = keys

    @tool(outputs=["x"])
    async def odd():
        return Odd(x=1)

    future = run(beside_fine(odd).build())
    with pytest.raises(GraphRunFailed) as caught:
        await asyncio.wait_for(future, 10)
    assert isinstance(caught.value.__cause__, Own)
    assert future.node("fine").status == "DONE"


async def test_a_condition_that_cannot_be_evaluated_fails_its_node_alone():
    class Incomparable:
        def __gt__(self, other):
            raise Own("not that one")

    with graph(name="compared") as g:
        condition = {"op": "gt", "left": g.arg("value"), "right": 1}
        g.expose("y", fine(_id="hostile", _condition=condition).x)
        g.expose("x", fine(_id="fine").x)
    future = run(g.build(), {"value": Incomparable()})
    with pytest.raises(GraphRunFailed):
        await asyncio.wait_for(future, 10)
    assert [future.node(each).status for each in ("hostile", "fine")] == ["FAILED", "DONE"]


async def test_a_value_whose_repr_raises_can_be_passed_on():
    class Silence:
        def __repr__(self):
            raise Own("no repr")

    with graph(name="passed") as g:
        g.expose("x", tool(outputs=["x"])(lambda value: 1)(g.arg("value")).x)
    assert await asyncio.wait_for(run(g.build(), {"value": Silence()}), 10) == {"x": 1}
