"""Part 2 of the contract, *Authoring*: `@graph_fn`, a test a sentence."""

from __future__ import annotations

import threading

import pytest

from graphrun_nb import GraphBuildError, GraphInputBindError, NodeContext, graph, graph_fn, run, run_async, tool
from tests.contract.conftest import add, add_async


@tool(outputs=["thread"])
def where():
    return threading.get_ident()


async def test_graph_fn_is_ordinary_async_or_sync_python():
    @graph_fn(name="looping", outputs=["y"])
    async def looping(n):
        total = 0
        for i in range(n):
            if i % 2:
                total = (await add_async(a=total, b=i))["total"]
        return total

    @graph_fn(name="plain", outputs=["y"])
    def plain(n):
        return sum(add(a=i, b=0)["total"] for i in range(n))

    assert await run_async(looping, {"n": 6}) == {"y": 9}
    assert await run_async(plain, {"n": 4}) == {"y": 6}


async def test_tool_calls_inside_run_at_once_and_appear_as_nodes_in_the_run_as_it_goes():
    seen = []

    @graph_fn(name="growing", outputs=["y"])
    async def growing(context):
        for n in range(2):
            await add_async(a=n, b=n)
            seen.append(len(future.graph.nodes))
        return 1

    future = run(growing)
    await future
    assert seen == [2, 3]
    assert [(node.node_id, str(node.status)) for node in future.graph.nodes] == [
        ("growing", "DONE"),
        ("add_async", "DONE"),
        ("add_async_2", "DONE"),
    ]


async def test_a_parameter_annotated_node_context_or_named_context_is_injected():
    @graph_fn(name="annotated", outputs=["run_id"])
    async def annotated(here: NodeContext):
        return here.run_id

    @graph_fn(name="named", outputs=["run_id"])
    async def named(context):
        return context.run_id

    @tool(outputs=["run_id"])
    async def a_tool(here: NodeContext):
        return here.run_id

    with graph(name="g") as g:
        g.expose("run_id", a_tool().run_id)
    for target in (annotated, named, g):
        future = run(target)
        assert await future == {"run_id": future.run_id}


async def test_a_sync_tool_in_an_async_body_runs_right_there_and_aio_runs_it_in_a_thread():
    @graph_fn(name="threads", outputs=["here", "there"])
    async def threads():
        return {"here": where()["thread"], "there": (await where.aio())["thread"]}

    outputs = await threads()
    assert outputs["here"] == threading.get_ident() != outputs["there"]


async def test_a_sync_body_runs_in_a_thread():
    @graph_fn(name="blocking", outputs=["thread"])
    def blocking():
        return threading.get_ident()

    assert (await blocking())["thread"] != threading.get_ident()


@pytest.mark.parametrize(
    ("inputs", "code"), [({}, "graph_inputs_missing_required"), ({"x": 1, "z": 2}, "graph_inputs_unknown")]
)
async def test_await_fn_refuses_inputs_that_do_not_fit_as_run_async_does(inputs, code):
    @graph_fn(name="takes", inputs=["x"], outputs=["y"])
    async def takes(x):
        return x

    for call in (lambda: takes(**inputs), lambda: run_async(takes, inputs)):
        with pytest.raises(GraphInputBindError) as refused:
            await call()
        assert refused.value.code == code


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_generator_is_no_graph_function(kind):
    def plain():
        yield 1

    async def later():
        yield 1

    with pytest.raises(GraphBuildError, match="generator") as refused:
        graph_fn(name="gen")(plain if kind == "sync" else later)
    assert refused.value.hints
