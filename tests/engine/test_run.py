"""What `run` and `run_async` give, and how they run the nodes of a graph."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading

import pytest

from graphrun_nb import (
    GraphInputBindError,
    GraphMaterializationError,
    GraphRunFailed,
    NodeStatus,
    RunStatus,
    graph,
    graphify,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import AttemptStarted
from graphrun_nb.errors import ResultInsideNode


@tool(outputs=["total"])
def add(a: int, b: int) -> dict:
    return {"total": a + b}


@graphify(name="sums", inputs=["x"], outputs=["y"])
def sums(x):
    first = add(a=x, b=1, _id="first")
    return {"y": add(a=first.total, b=10, _id="second").total}


async def test_run_async_returns_the_outputs():
    assert await run_async(sums, {"x": 1}) == {"y": 12}


async def test_run_on_a_running_loop_stays_on_it_and_its_future_can_be_awaited():
    @tool(outputs=["x"])
    async def where():
        return asyncio.get_running_loop()

    @graphify("where", outputs=["x"])
    def place():
        return {"x": where().x}

    future = run(place)
    assert not future.done()
    assert (await future)["x"] is asyncio.get_running_loop()


def test_run_without_a_loop_gives_a_real_future():
    future = run(sums, {"x": 1})
    assert isinstance(future, concurrent.futures.Future)
    assert concurrent.futures.wait([future], timeout=10).done == {future}
    assert future.result() == {"y": 12}
    assert future.status is RunStatus.DONE


async def test_result_on_the_loops_own_thread_does_not_deadlock():
    assert run(sums, {"x": 1}).result(10) == {"y": 12}


async def test_result_inside_a_node_on_the_same_loop_is_refused_with_a_hint(one_node):
    async def inner():
        return run(sums, {"x": 1}).result()

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(one_node(inner))
    assert isinstance(caught.value.__cause__, ResultInsideNode)
    assert "await future" in caught.value.__cause__.hints[0]


async def test_sync_tools_run_in_threads_and_async_ones_on_the_loop():
    @tool(outputs=["t"])
    def sync():
        return threading.get_ident()

    @tool(outputs=["t"])
    async def on_loop():
        return threading.get_ident()

    with graph(name="g") as g:
        g.expose("sync", sync().t)
        g.expose("inline", sync(_executor="loop").t)
        g.expose("on_loop", on_loop().t)
    outputs = await run_async(g.build())
    assert outputs["sync"] != threading.get_ident()
    assert outputs["inline"] == outputs["on_loop"] == threading.get_ident()


async def test_nodes_start_in_order_of_definition():
    started = []

    @tool(outputs=["x"])
    async def note(n):
        started.append(n)

    with graph(name="g") as g:
        last = note(9, _id="last")
        for n in range(5):
            note(n, _after=last)
    await run_async(g.build(), max_concurrency=1)
    assert started == [9, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_nodes_run_at_a_time_than_max_concurrency(limit):
    running = highest = 0

    @tool(outputs=["x"])
    async def busy(n):
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        return n

    with graph(name="g") as g:
        for n in range(12):
            busy(n)
    await run_async(g.build(), max_concurrency=limit)
    assert highest == limit


async def test_each_node_has_context_variables_of_its_own():
    variable = contextvars.ContextVar("variable", default="unset")

    @tool(outputs=["seen"])
    async def touch(n):
        seen = variable.get()
        variable.set(n)
        await asyncio.sleep(0)
        return seen, variable.get()

    with graph(name="g") as g:
        for n in range(3):
            g.expose(f"n{n}", touch(n).seen)
    assert await run_async(g.build()) == {f"n{n}": ("unset", n) for n in range(3)}


async def test_a_timeout_inside_a_node_works(one_node):
    async def slow():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(one_node(slow))
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_an_observer_that_raises_does_not_hurt_the_run(caplog):
    class Broken:
        def on_events(self, batch, state):
            raise RuntimeError("broken observer")

        def on_signal(self, signal): ...

    assert await run_async(sums, {"x": 1}, observers=[Broken()]) == {"y": 12}
    assert len(caplog.records) == 1


async def test_a_false_condition_skips_the_node_and_all_below_it_and_gives_none():
    @tool(outputs=["n"])
    async def count():
        return 3

    with graph(name="g") as g:
        n = count().n
        big = add(a=n, b=1, _id="big", _condition={"op": "gt", "left": n, "right": 5})
        g.expose("y", add(a=big.total, b=1, _id="below").total)
        g.expose("n", n)
    future = run(g.build())
    assert await future == {"y": None, "n": 3}
    assert future.node("below").status is NodeStatus.SKIPPED


async def test_a_chain_of_many_nodes_needs_no_recursion():
    @tool(outputs=["n"])
    async def more(n):
        return n + 1

    with graph(name="chain") as g:
        n = more(0).n
        for _ in range(2999):
            n = more(n).n
        g.expose("n", n)
    assert await run_async(g.build()) == {"n": 3000}


async def test_every_start_is_recorded_before_the_function_runs(one_node):
    seen = []
    box = []

    async def look():
        seen.extend(type(each.event) for each in box[0].events)

    box.append(run(one_node(look)))
    await box[0]
    assert seen[-1] is AttemptStarted


@pytest.mark.parametrize(
    ("target", "inputs", "error", "code", "hint"),
    [
        (3, None, GraphMaterializationError, "run_async_invalid_target", "pass a @graphify function"),
        (add, None, GraphMaterializationError, "run_async_invalid_target", "a tool is one node"),
        (print, None, GraphMaterializationError, "run_async_invalid_target", "decorate it"),
        (sums, None, GraphInputBindError, "graph_inputs_missing_required", "pass x=…"),
        (sums, {"x": 1, "xx": 2}, GraphInputBindError, "graph_inputs_unknown", "did you mean 'x'?"),
    ],
)
def test_bad_targets_and_inputs_are_refused_before_anything_runs(target, inputs, error, code, hint):
    with pytest.raises(error) as caught:
        run(target, inputs)
    assert caught.value.code == code
    assert str(caught.value).startswith(f"[build:{caught.value.stage}:{code}] ")
    assert hint in caught.value.__notes__[0]
    assert isinstance(caught.value, TypeError if error is GraphMaterializationError else ValueError)


def test_an_unknown_override_is_a_type_error_that_names_the_closest_first():
    with pytest.raises(TypeError, match="no option 'max_concurency'") as caught:
        run(sums, {"x": 1}, max_concurency=2)
    assert caught.value.__notes__[0] == "hint: did you mean 'max_concurrency'?"


def test_an_input_given_as_an_option_is_told_where_inputs_go():
    with pytest.raises(TypeError, match="'x' is an input of graph 'sums'") as caught:
        run(sums, x=1)
    assert caught.value.__notes__ == ["hint: inputs go into a dict: run(sums, {'x': …})"]


@pytest.mark.parametrize(
    "overrides",
    [{"max_concurrency": 0}, {"run_id": "no spaces"}, {"on_wait": "sleep"}, {"timeout": -1}, {"executor": "moon"}],
)
def test_an_override_that_cannot_be_meant_is_refused(overrides):
    with pytest.raises(ValueError, match=next(iter(overrides))):
        run(sums, {"x": 1}, **overrides)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_tool_that_needs_nothing_is_refused_as_a_target_and_not_called(is_async):
    called = []

    @tool(outputs=["x"])
    def sync(a=0):
        called.append(a)

    @tool(outputs=["x"])
    async def later(a=0):
        called.append(a)

    with pytest.raises(GraphMaterializationError, match="cannot be run"):
        run(later if is_async else sync)
    assert called == []
