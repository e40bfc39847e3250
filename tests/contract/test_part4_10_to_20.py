"""Part 4 of the contract, items 10 to 20.

Elsewhere: 15 and `future.retry` of 17 with run identity, 20 in ``test_part3_magic.py``. Left out, since about kept
runs: 13 and 14.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from enum import StrEnum

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    NodeStatus,
    RequestIdentity,
    RunStatus,
    arg,
    graph,
    graph_fn,
    graphify,
    list_runs,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_approval
from tests.contract.conftest import add, add_async, gate, names, sums, until


def of(body):
    with graph(name="outer") as g:
        g.expose("x", tool(outputs=["x"])(body)(_id="only").x)
    return g.build()


async def test_10_spawn_run_gives_a_run_id_and_wait_run_its_outputs(store):
    async def body(context):
        run_id = await context.spawn_run(sums, {"x": 1}, run_id="inner")
        return [run_id, await context.wait_run(run_id)]

    assert await run_async(of(body), store=store) == {"x": ["inner", {"y": 12}]}


async def test_10_wait_run_takes_timeout_s():
    async def body(context):
        run_id = await context.spawn_run(gate, {"amount": 5})
        try:
            await context.wait_run(run_id, timeout_s=0.01)
        except TimeoutError:
            await context.cancel_run(run_id)
            return "in vain"

    assert await run_async(of(body)) == {"x": "in vain"}


async def test_10_run_and_wait_gives_outputs_and_takes_overrides(store):
    async def body(context):
        return [await context.run_and_wait(sums, {"x": 1}, run_id="inner", session_id="s")]

    assert await run_async(of(body), store=store) == {"x": [{"y": 12}]}
    assert {row.run_id: row.session_id for row in list_runs(store=store)}["inner"] == "s"


async def test_10_the_target_is_an_object_or_the_name_of_a_graph_defined_in_this_process():
    @graphify("known by its name", inputs=["x"], outputs=["y"])
    def named(x):
        return {"y": add_async(a=x, b=1).total}

    async def body(context):
        by_name = await context.run_and_wait("known by its name", {"x": 1})
        return [by_name, await context.run_and_wait(named, {"x": 1}), await context.run_and_wait(named(), {"x": 1})]

    assert await run_async(of(body)) == {"x": [{"y": 2}, {"y": 2}, {"y": 2}]}

    async def unknown(context):
        await context.run_and_wait("no such graph")

    with pytest.raises(GraphRunFailed) as raised:
        await run_async(of(unknown))
    assert isinstance(raised.value.__cause__, GraphRunError)


async def test_10_nested_runs_carry_their_parent(store):
    async def body(context):
        await context.run_and_wait(sums, {"x": 1}, run_id="inner")

    await run_async(of(body), store=store, run_id="outer")
    assert {row.run_id: row.parent for row in list_runs(store=store)} == {"outer": None, "inner": ("outer", "only")}


async def test_11_nodes_is_a_tuple_of_node_views_and_node_one_of_them():
    future = run(sums, {"x": 1})
    await future
    assert type(future.graph.nodes) is tuple
    for view in (*future.graph.nodes, future.graph.node("first"), future.node("first")):
        assert (view.node_id, view.name) in [("first", "first"), ("second", "second")]
        assert (view.status, view.attempts, view.error, view.logs) == (NodeStatus.DONE, 1, None, ())
        assert view.inputs.keys() == {"a", "b"}
        assert view.outputs.keys() == {"total"}
        assert view.duration_s >= 0


async def test_11_graph_status_and_future_status_are_a_run_status(begin):
    held = await begin(gate, {"amount": 5})
    assert sums.build().status is RunStatus.PENDING
    assert held.future.graph.status is held.future.status is RunStatus.WAITING
    held.future.cancel()
    await until(held.future.done)
    assert held.future.status is RunStatus.CANCELLED


@pytest.mark.parametrize("kind", [NodeStatus, RunStatus])
def test_11_both_enums_are_str_enums_whose_value_is_their_name(kind):
    assert issubclass(kind, StrEnum)
    assert all(each.value == each.name for each in kind)
    assert {"PENDING", "RUNNING", "WAITING", "DONE", "FAILED", "CANCELLED"} <= {each.name for each in kind}


async def test_11_context_attempt_starts_at_1():
    async def body(context):
        return context.attempt

    assert await run_async(of(body)) == {"x": 1}


async def test_12_declare_inputs_takes_required_and_optional():
    with graph(name="g") as g:
        g.declare_inputs(required=["x"], optional={"y": 5})
        g.expose("z", add_async(a=arg("x"), b=arg("y")).total)
    assert await run_async(g, {"x": 1}) == {"z": 6}
    with pytest.raises(GraphBuildError, match="needs 'x'"):
        await run_async(g)


async def test_12_arg_declares_a_required_x_where_it_was_not_declared():
    with graph(name="g") as g:
        g.expose("z", add_async(a=arg("x"), b=1).total)
    assert [(each.name, each.required) for each in g.build().spec.inputs] == [("x", True)]


def test_12_after_may_name_ids_defined_later_and_all_is_checked_when_the_graph_is_built():
    with graph(name="g") as g:
        add(a=1, b=1, _id="one", _after="two")
        add(a=1, b=1, _id="two")
        add(a=1, b=1, _id="three", _after="four")
    with pytest.raises(GraphBuildError, match="four"):
        g.build()


async def test_16_fail_fast_cancels_running_nodes():
    cleaned = []

    @tool(outputs=["x"])
    async def fails():
        await asyncio.sleep(0)
        raise ValueError

    @tool(outputs=["x"])
    async def runs():
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(1)

    with graph(name="g") as g:
        runs(_id="runs")
        fails()
    future = run(g, fail_fast=True)
    with pytest.raises(GraphRunFailed):
        await future
    assert (future.node("runs").status, cleaned) == (NodeStatus.CANCELLED, [1])


async def test_16_result_of_a_cancelled_run_raises_cancelled_error_of_concurrent_futures():
    future = run(gate, {"amount": 5})
    future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(10)


async def test_16_await_of_a_cancelled_run_raises_cancelled_error_of_asyncio():
    future = run(gate, {"amount": 5})
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future


@tool(outputs=["x"])
async def broken():
    raise ValueError


def broken_gate():
    with graph(name="broken gate") as g:
        broken(_id="bad")
        ask_approval(prompt="?", _id="ask")
    return g.build()


async def test_16_a_run_with_a_failed_node_is_cancelled_as_any_other(begin, store):
    held = await begin(broken_gate())
    assert held.future.node("bad").status is NodeStatus.FAILED
    held.future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held.future
    assert held.future.status is list_runs(store=store)[0].status is RunStatus.CANCELLED


async def test_16_a_run_with_a_failed_node_raises_timeout_error_when_its_time_is_up(begin, store):
    held = await begin(broken_gate(), timeout=60)
    await held.clock.advance(61)
    with pytest.raises(TimeoutError):
        await held.future
    assert list_runs(store=store)[0].status is RunStatus.CANCELLED


def test_16_timeout_raises_timeout_error():
    with pytest.raises(TimeoutError):
        run(gate, {"amount": 5}, timeout=0.01).result(10)


def test_17_graph_function_sync_blocks_for_the_outputs():
    @graph_fn(name="blocking", outputs=["y"])
    async def blocking(x):
        return (await add_async(a=x, b=1))["total"]

    assert blocking.sync(x=1) == {"y": 2}


def test_17_request_identity_is_a_pydantic_model_of_these_fields():
    from pydantic import BaseModel

    assert issubclass(RequestIdentity, BaseModel)
    assert list(RequestIdentity.model_fields) == ["user_id", "org_id", "roles", "client_id", "mode"]
    assert RequestIdentity(user_id="ada").mode == "local"


def test_18_loops_over_ordinary_python_values_in_a_body_are_fine():
    @graphify("loops", inputs=["x"], outputs=["y"])
    def loops(x):
        total = x
        for n in [1, 2, 3]:
            if n % 2:
                total = add(a=total, b=n).total
        return {"y": total}

    assert run(loops, {"x": 0}).result(10) == {"y": 4}


def loop(x):
    for each in x:
        add(a=each, b=1)
    return {"y": x}


def branch(x):
    if x > 3:
        return {"y": 1}
    return {"y": 2}


def length(x):
    return {"y": add(a=len(x), b=1).total}


@pytest.mark.parametrize(
    ("body", "line", "instead"),
    [(loop, "for each in x:", ".map("), (branch, "if x > 3:", "_condition"), (length, "len(x)", "tool")],
)
def test_18_a_loop_branch_or_len_over_a_ref_is_refused_with_the_line_and_what_to_write_instead(body, line, instead):
    with pytest.raises(GraphBuildError) as refused:
        graphify("refused", inputs=["x"], outputs=["y"])(body).build()
    assert refused.value.code == "graphify_control_flow_non_deterministic"
    assert line in str(refused.value)
    number = body.__code__.co_firstlineno + 1
    assert f"line {number}" in str(refused.value) or f":{number}" in str(refused.value)
    assert instead in " ".join(refused.value.hints)


async def test_19_opening_a_view_never_changes_a_run(kernel):
    reply = kernel.run("""
        f = run(gate, {"amount": 5})
        while not f.waits: await asyncio.sleep(0)
        before = list(f.events)
        views = [f.inspect() for _ in range(3)]
        f
    """)
    assert reply.status == "ok"
    assert kernel.run("list(f.events) == before, str(f.status)").text == "(True, 'WAITING')"
    assert kernel.run("f.resume('approve', True)\nawait f").text == "{'ok': True}"


async def test_19_any_number_of_views_of_a_run_agree(begin):
    held = await begin(gate, {"amount": 5})
    again = held.future.graph, held.future.run.graph
    held.future.resume("approve", True)
    await held.future
    assert {repr([node.status for node in each.nodes]) for each in again} == {"[<NodeStatus.DONE: 'DONE'>]"}
    assert names(held.future)[-1] == "RunFinished"
