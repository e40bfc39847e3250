"""Graph functions: ordinary Python whose tool calls are nodes of the run."""

from __future__ import annotations

import asyncio
import threading
import traceback

import pytest

from graphrun_nb import GraphBuildError, GraphRunFailed, RetryPolicy, arg, graph, graph_fn, run, run_async, tool
from tests.engine.conftest import ManualClock, settle


@tool(outputs=["total"])
def add(a, b):
    return a + b


@tool(outputs=["y"])
async def tenfold(x):
    await asyncio.sleep(0)
    if x == 13:
        raise ValueError("thirteen")
    return x * 10


@tool(outputs=["never"])
async def forever():
    await asyncio.Event().wait()


def statuses(future):
    return {node.node_id: str(node.status) for node in future.graph.nodes}


async def test_tool_calls_inside_run_at_once_and_appear_as_nodes_in_the_run():
    seen = []

    @graph_fn(name="steps", inputs=["x"], outputs=["y"])
    async def steps(x):
        first = add(a=x, b=1)
        seen.append([node.node_id for node in future.graph.nodes])
        return (await tenfold(x=first["total"]))["y"]

    future = run(steps, {"x": 1})
    assert await future == {"y": 20}
    assert seen == [["steps", "add"]]
    assert statuses(future) == {"steps": "DONE", "add": "DONE", "tenfold": "DONE"}
    assert future.node("tenfold").inputs == {"x": 2}
    assert future.node("tenfold").spec.after == ("add",)


async def test_a_graph_function_can_be_awaited_with_its_inputs():
    @graph_fn(outputs=["y"])
    async def double(x, factor=2):
        return x * factor

    assert await double(x=4) == {"y": 8}
    assert await double(4, factor=3) == {"y": 12}
    assert await run_async(double, {"x": 1}) == {"y": 2}


def test_sync_blocks_for_the_outputs():
    @graph_fn(outputs=["y"])
    async def double(x):
        return x * 2

    assert double.sync(x=4) == {"y": 8}


async def test_calls_that_are_gathered_run_side_by_side_within_the_slots():
    running, most = 0, 0

    @tool(outputs=["x"])
    async def busy(i):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        return i

    @graph_fn(outputs=["all"])
    async def wide():
        return [each["x"] for each in await asyncio.gather(*(busy(i=i) for i in range(12)))]

    assert await run_async(wide, max_concurrency=3) == {"all": list(range(12))}
    assert most == 3


async def test_an_async_call_begins_without_being_awaited():
    @graph_fn(outputs=["sum"])
    async def both():
        one, two = tenfold(x=1), tenfold(x=2)
        return (await two)["y"] + (await one)["y"]

    future = run(both)
    assert await future == {"sum": 30}
    assert future.node("tenfold_2").spec.after == ()


async def test_a_sync_tool_in_an_async_body_runs_right_there_and_aio_runs_it_in_a_thread():
    @tool(outputs=["thread"])
    def where():
        return threading.get_ident()

    @graph_fn(outputs=["here", "there"])
    async def places():
        return {"here": where()["thread"], "there": (await where.aio())["thread"]}

    places_seen = await run_async(places)
    assert places_seen["here"] == threading.get_ident() != places_seen["there"]


async def test_a_sync_body_runs_in_a_thread_and_its_calls_block_it_alone():
    @graph_fn(outputs=["y", "thread"])
    def body(x):
        return {"y": tenfold(x=add(a=x, b=1)["total"])["y"], "thread": threading.get_ident()}

    future = run(body, {"x": 1})
    outputs = await future
    assert outputs["y"] == 20
    assert outputs["thread"] != threading.get_ident()
    assert statuses(future) == {"body": "DONE", "add": "DONE", "tenfold": "DONE"}


async def test_a_call_that_fails_raises_its_own_exception_in_the_body_which_may_go_on():
    @graph_fn(outputs=["got"])
    async def careful():
        try:
            await tenfold(x=13)
        except ValueError as error:
            return str(error)

    future = run(careful, fail_fast=True)
    assert await future == {"got": "thirteen"}
    assert statuses(future) == {"careful": "DONE", "tenfold": "FAILED"}


async def test_a_failure_that_nobody_catches_fails_the_run_with_the_tools_exception():
    @graph_fn()
    async def careless():
        await tenfold(x=13)

    with pytest.raises(GraphRunFailed, match=r"node 'tenfold' of run .* failed: ValueError: thirteen") as caught:
        await run_async(careless)
    assert caught.value.failed_nodes == ("careless", "tenfold")
    assert isinstance(caught.value.__cause__, ValueError)


async def test_calls_are_retried_by_the_runs_policy():
    left = [ValueError("once"), ValueError("twice")]

    @tool(outputs=["y"])
    async def flaky():
        if left:
            raise left.pop()
        return "well"

    @graph_fn(outputs=["y"])
    async def body():
        return (await flaky())["y"]

    clock = ManualClock()
    future = run(body, clock=clock, retry=RetryPolicy(max_attempts=3, backoff_first_s=60))
    await settle()
    assert statuses(future)["flaky"] == "RETRYING"
    await clock.advance(600)
    assert await future == {"y": "well"}
    assert future.node("flaky").attempts == 3


async def test_a_context_is_injected_and_the_body_can_ask():
    @graph_fn(outputs=["name", "node"])
    async def asks(context):
        return {"name": await context.channel().ask_text("Who?"), "node": context.node_id}

    future = run(asks)
    await settle()
    assert [wait.prompt for wait in future.waits] == ["Who?"]
    assert future.status == "WAITING"
    future.resume("asks", "Ada")
    assert await future == {"name": "Ada", "node": "asks"}


async def test_a_graph_function_inside_another_is_a_node_with_its_calls_below_it():
    @graph_fn(outputs=["y"])
    async def inner(x):
        return (await tenfold(x=x))["y"]

    @graph_fn(outputs=["y"])
    async def outer(x):
        return (await inner(x=(await inner(x=x))["y"]))["y"]

    future = run(outer, {"x": 1})
    assert await future == {"y": 100}
    assert list(statuses(future)) == ["outer", "inner", "inner/tenfold", "inner_2", "inner_2/tenfold"]


async def test_a_graph_function_can_be_a_node_of_a_graph():
    @graph_fn(outputs=["y"])
    async def agent(x):
        return (await tenfold(x=x))["y"]

    with graph(name="around") as g:
        first = add(a=arg("x"), b=1)
        g.expose("y", add(a=agent(x=first.total).y, b=1, _id="last").total)
    future = run(g, {"x": 1}, max_concurrency=1)
    assert await future == {"y": 21}
    assert list(statuses(future)) == ["add", "agent", "last", "agent/tenfold"]


async def test_cancelling_the_run_cancels_the_body_and_its_calls():
    @graph_fn()
    async def body():
        await forever()

    future = run(body)
    await settle()
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert set(statuses(future).values()) == {"CANCELLED"}


async def test_a_call_whose_caller_gives_it_up_is_cancelled_and_the_body_goes_on():
    @graph_fn(outputs=["y"])
    async def body():
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        return (await tenfold(x=1))["y"]

    future = run(body, max_concurrency=1)
    async with asyncio.timeout(10):
        assert await future == {"y": 10}
    assert statuses(future) == {"body": "DONE", "forever": "CANCELLED", "tenfold": "DONE"}


async def test_a_body_whose_caller_gives_it_up_takes_its_calls_with_it():
    left_behind = []

    @graph_fn()
    async def inner():
        left_behind.append(asyncio.create_task(forever()))
        await asyncio.Event().wait()

    @graph_fn(outputs=["y"])
    async def outer():
        task = asyncio.create_task(inner())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        return (await tenfold(x=1))["y"]

    future = run(outer, max_concurrency=1)
    async with asyncio.timeout(10):
        assert await future == {"y": 10}
    assert statuses(future) == {
        "outer": "DONE",
        "inner": "CANCELLED",
        "inner/forever": "CANCELLED",
        "tenfold": "DONE",
    }


async def test_a_failed_body_takes_its_open_calls_with_it():
    @graph_fn()
    async def body():
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        raise KeyError(task.get_name())

    future = run(body)
    with pytest.raises(GraphRunFailed):
        await future
    assert statuses(future) == {"body": "FAILED", "forever": "CANCELLED"}


async def test_the_run_waits_for_calls_that_the_body_did_not_wait_for():
    @graph_fn(outputs=["y"])
    async def body():
        tasks.append(asyncio.create_task(tenfold(x=1)))
        await asyncio.sleep(0)
        return "early"

    tasks = []
    future = run(body)
    assert await future == {"y": "early"}
    assert statuses(future) == {"body": "DONE", "tenfold": "DONE"}


@pytest.mark.parametrize(
    ("declared", "returned", "outputs"),
    [
        (["y"], 1, {"y": 1}),
        (["y"], {"y": 1}, {"y": 1}),
        (["y"], None, {"y": None}),
        ([], None, {}),
        ([], {"a": 1}, {"a": 1}),
        ([], 5, {"result": 5}),
        (["a", "b"], {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ],
)
async def test_outputs_are_normalised(declared, returned, outputs):
    @graph_fn(outputs=declared)
    async def body():
        return returned

    assert await run_async(body) == outputs


async def test_outputs_other_than_declared_are_an_error_that_names_both_sets():
    @graph_fn(outputs=["a", "b"])
    async def body():
        return {"a": 1}

    with pytest.raises(GraphRunFailed, match=r"declares the outputs \['a', 'b'\], and returned the keys \['a'\]"):
        await run_async(body)


async def test_a_tool_that_calls_a_tool_is_refused_with_what_to_write_instead(one_node):
    def nested():
        return add(a=1, b=2)["total"]

    with pytest.raises(GraphRunFailed, match="tool_nested_tool_call_disallowed") as caught:
        await run_async(one_node(nested))
    assert "add.function(...)" in caught.value.__cause__.__notes__[0]


async def test_controls_for_graphs_are_refused_in_a_running_body():
    @graph_fn()
    async def body():
        add(a=1, b=2, _after="x")

    with pytest.raises(GraphRunFailed, match="is for graphs, and this call runs at once"):
        await run_async(body)


async def test_calls_take_ids_labels_and_retries_of_their_own():
    @graph_fn()
    async def body():
        await tenfold(x=1, _id="mine", _labels="a")

    future = run(body)
    await future
    assert future.node("mine").spec.labels == ("a",)


def test_inputs_that_the_function_does_not_take_are_refused():
    with pytest.raises(GraphBuildError, match="no such parameter"):
        graph_fn(inputs=["y"])(lambda x: x)
    with pytest.raises(GraphBuildError, match="needs 'x', and inputs does not declare it"):
        graph_fn(inputs=[])(lambda x: x)


async def test_two_runs_at_once_keep_their_calls_apart():
    @graph_fn(outputs=["y"])
    async def body(x):
        return (await tenfold(x=x))["y"]

    one, two = run(body, {"x": 1}), run(body, {"x": 2})
    assert (await one, await two) == ({"y": 10}, {"y": 20})
    assert one.node("tenfold").inputs == {"x": 1}
    assert two.node("tenfold").inputs == {"x": 2}


@tool(outputs=["a", "b"])
def both(kind):
    return {"tuple": (1, 2), "less": {"a": 1}, "more": {"a": 1, "b": 2, "c": 3}}[kind]


async def failure_of(body, node_id="body"):
    future = run(graph_fn(name="body")(body))
    with pytest.raises(GraphRunFailed) as caught:
        await future
    return caught.value.__cause__, future.node(node_id).error


async def awaited_in_vain():
    return await add(a=1, b=2)


async def by_attribute():
    return (await tenfold(x=1)).y


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (awaited_in_vain, "a sync tool is called without await"),
        (by_attribute, "write ['y'] instead of .y"),
    ],
)
async def test_a_slip_in_a_running_body_is_told_what_to_write(body, hint):
    cause, shown = await failure_of(body)
    assert hint in cause.__notes__[0]
    assert shown.notes == tuple(cause.__notes__)


async def test_an_error_that_is_no_slip_gets_no_hint():
    async def body():
        return {}["y"] + len(5)

    cause, shown = await failure_of(body)
    assert not hasattr(cause, "__notes__")
    assert shown.notes == ()


async def test_the_traceback_of_a_failed_call_leads_from_the_body_to_the_tool_without_our_frames():
    async def body():
        await asyncio.gather(tenfold(x=13), tenfold(x=1))

    cause, shown = await failure_of(body)
    assert [frame.name for frame in traceback.extract_tb(cause.__traceback__)] == ["body", "tenfold"]
    assert [frame.function for frame in shown.frames] == ["body", "tenfold"]


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("tuple", "name them: return {'a': …, 'b': …}"),
        ("less", "return 'b' as well, or take it out of outputs=[...]"),
        ("more", "leave out 'c', or add it to outputs=[...]"),
    ],
)
async def test_outputs_that_do_not_fit_say_what_to_return_and_show_no_frame_of_ours(kind, hint):
    async def body():
        return both(kind)

    cause, shown = await failure_of(body, node_id="both")
    assert cause.hints == (hint,)
    assert shown.frames == ()


async def test_a_graph_function_needs_no_parentheses():
    @graph_fn
    async def double(x, factor=2):
        return {"y": x * factor}

    assert double.name == "double"
    assert await run_async(double, {"x": 4}) == {"y": 8}
