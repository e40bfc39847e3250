"""Part 2 of the contract, *Authoring*: `@tool`, handles and node controls, a test a sentence."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunFailed,
    NodeContext,
    NodeHandle,
    NodeStatus,
    RetryPolicy,
    graph,
    graphify,
    run,
    run_async,
    tool,
)
from tests.contract.conftest import add, add_async


@tool(outputs=["low", "high"])
async def bounds(values):
    return {"low": min(values), "high": max(values)}


@tool(outputs=["it"])
async def same(it):
    return it


def test_tool_takes_outputs_inputs_name_and_version():
    parameters = inspect.signature(tool).parameters
    defaults = {name: parameters[name].default for name in ("inputs", "name", "version")}
    assert "outputs" in parameters
    assert defaults == {"inputs": None, "name": None, "version": "1"}


async def test_inputs_are_the_names_of_arguments_where_the_function_does_not_tell():
    @tool(outputs=["all"], inputs=["low", "high"])
    async def takes_anything(**values):
        return [values]

    with graph(name="g") as g:
        g.expose("all", takes_anything(1, high=2).all)
        with pytest.raises(GraphBuildError, match="no argument 'hihg'"):
            takes_anything(low=1, hihg=2)
    assert await run_async(g) == {"all": [{"low": 1, "high": 2}]}


def test_name_is_what_its_nodes_are_called_and_version_is_part_of_what_they_are():
    def built(version):
        with graph(name="g") as g:
            tool(outputs=["x"], name="my tool", version=version)(lambda: 1)()
        return g.build()

    first, same, second = built("1"), built("1"), built("2")
    assert [(node.node_id, node.name) for node in first.nodes] == [("my tool", "my tool")]
    assert first.fingerprint() == same.fingerprint() != second.fingerprint()


async def test_tool_goes_on_a_sync_or_async_function():
    with graph(name="both") as g:
        g.expose("y", add(a=add_async(a=1, b=2).total, b=3).total)
    assert await run_async(g) == {"y": 6}


async def test_outside_a_graph_it_simply_runs_and_returns_a_dict_of_its_outputs():
    assert add(a=1, b=2) == {"total": 3}


async def test_outside_a_graph_an_async_one_gives_an_awaitable_of_it():
    awaitable = add_async(a=1, b=2)
    assert inspect.isawaitable(awaitable)
    assert await awaitable == {"total": 3}


def test_while_a_graph_is_built_it_adds_a_node_and_returns_a_node_handle():
    with graph(name="g") as g:
        handle = bounds(values=[1])
    assert isinstance(handle, NodeHandle)
    assert [node.node_id for node in g.build().nodes] == ["bounds"]


async def test_a_handle_has_its_outputs_as_attributes_items_and_by_unpacking():
    with graph(name="g") as g:
        handle = bounds(values=[3, 1, 2])
        low, high = handle
        g.expose("a", handle.low)
        g.expose("b", handle["low"])
        g.expose("c", low)
        g.expose("d", high)
    assert await run_async(g) == {"a": 1, "b": 1, "c": 1, "d": 3}


@pytest.mark.parametrize("ask", [lambda handle: handle.hihg, lambda handle: handle["hihg"]])
def test_an_undeclared_output_is_an_error_with_a_did_you_mean(ask):
    with graph(name="g"):
        handle = bounds(values=[1])
        with pytest.raises(GraphBuildError, match="no output 'hihg'") as refused:
            ask(handle)
    assert "did you mean 'high'?" in refused.value.hints


async def test_with_one_declared_output_a_non_dict_return_value_is_that_output():
    with graph(name="g") as g:
        g.expose("y", same(it=[1, 2]).it)
    assert await run_async(g) == {"y": [1, 2]}


@pytest.mark.parametrize("returned", [{"low": 1}, {"low": 1, "high": 2, "mean": 3}, None])
async def test_missing_or_extra_outputs_are_an_error_at_run_time_naming_both_sets(returned):
    @tool(outputs=["low", "high"])
    async def wrong():
        return returned

    with graph(name="g") as g:
        wrong()
    with pytest.raises(GraphRunFailed) as raised:
        await run_async(g)
    said = str(raised.value.__cause__)
    assert "['high', 'low']" in said
    assert str(sorted(returned)) in said if returned else "NoneType" in said


@pytest.mark.parametrize("arguments", [{"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_missing_or_unknown_arguments_are_an_error_when_the_graph_is_built(arguments):
    with graph(name="g"), pytest.raises(GraphBuildError):
        add(**arguments)


async def test_handles_resolve_as_arguments_and_inside_lists_tuples_and_dicts():
    with graph(name="g") as g:
        one = add_async(a=0, b=1).total
        g.expose("y", same(it=[one, (one, g.arg("x")), {"k": [one], "plain": 5}]).it)
    assert await run_async(g, {"x": "in"}) == {"y": [1, (1, "in"), {"k": [1], "plain": 5}]}


async def test_handles_resolve_as_expose_values():
    with graph(name="g") as g:
        one = add_async(a=0, b=1).total
        g.expose("bare", one)
        g.expose("inside", {"list": [one, g.arg("x")], "tuple": (one,)})
    assert await run_async(g, {"x": 7}) == {"bare": 1, "inside": {"list": [1, 7], "tuple": (1,)}}


async def test_handles_resolve_in_the_dict_a_graphify_body_returns_and_plain_values_pass_through():
    @graphify("mixed", inputs=["x"], outputs=["refs", "input", "plain"])
    def mixed(x):
        one = add_async(a=x, b=1)
        return {"refs": [one.total, {"again": one.total}], "input": x, "plain": {"k": None}}

    assert await run_async(mixed, {"x": 1}) == {"refs": [2, {"again": 2}], "input": 1, "plain": {"k": None}}


def test_the_controls_id_name_labels_and_group_are_the_nodes():
    with graph(name="g") as g:
        add(a=1, b=2, _id="sum", _name="The sum", _labels=["cheap", "daily"], _group="maths")
    (node,) = g.build().nodes
    assert (node.node_id, node.name, node.spec.labels, node.spec.group) == (
        "sum",
        "The sum",
        ("cheap", "daily"),
        "maths",
    )


async def test_after_takes_a_handle_an_id_or_a_list():
    order = []

    @tool(outputs=["n"])
    async def note(n):
        order.append(n)

    with graph(name="g") as g:
        note(5, _after=["three", "four"])
        note(4, _id="four", _after="three")
        two = note(2, _id="two")
        note(3, _id="three", _after=two)
    await run_async(g)
    assert order == [2, 3, 4, 5]


async def test_the_control_retry_is_the_nodes_own():
    tries = []

    @tool(outputs=["n"])
    async def flaky():
        tries.append(1)
        if len(tries) < 2:
            raise OSError
        return len(tries)

    with graph(name="g") as g:
        g.expose("n", flaky(_retry=RetryPolicy(max_attempts=2, backoff_first_s=0)).n)
    assert await run_async(g) == {"n": 2}


@tool(outputs=["x"])
async def hangs():
    await asyncio.Event().wait()


@tool(outputs=["x"])
def blocks():
    threading.Event().wait(0.2)


@pytest.mark.parametrize("slow", [hangs, blocks])
async def test_the_control_timeout_is_seconds_for_an_attempt(slow):
    with graph(name="g") as g:
        slow(_timeout=0.01)
    with pytest.raises(GraphRunFailed) as raised:
        await run_async(g)
    assert isinstance(raised.value.__cause__, TimeoutError)


@pytest.mark.parametrize("slow", [hangs, blocks])
def test_the_control_timeout_holds_in_a_script_where_the_run_is_alone_on_its_loop(slow):
    with graph(name="g") as g:
        slow(_id="slow", _timeout=0.01, _retry=RetryPolicy(max_attempts=2, backoff_first_s=0))
    future = run(g)
    with pytest.raises(GraphRunFailed) as raised:
        future.result(10)
    assert isinstance(raised.value.__cause__, TimeoutError)
    assert future.node("slow").attempts == 2


async def test_the_control_executor_is_where_the_node_runs():
    @tool(outputs=["thread"])
    def where():
        return threading.get_ident()

    with graph(name="g") as g:
        g.expose("loop", where(_executor="loop").thread)
        g.expose("thread", where().thread)
    outputs = await run_async(g)
    assert outputs["loop"] == threading.get_ident() != outputs["thread"]


@pytest.mark.parametrize(
    "control", ["_id", "_name", "_labels", "_after", "_condition", "_retry", "_timeout", "_executor", "_group"]
)
def test_node_controls_are_for_build_mode_only(control):
    with pytest.raises(TypeError, match=control):
        add(a=1, b=2, **{control: "x"})


OPERATORS = {
    "eq": ({"left": 3, "right": 3}, {"left": 3, "right": 4}),
    "ne": ({"left": 3, "right": 4}, {"left": 3, "right": 3}),
    "lt": ({"left": 3, "right": 4}, {"left": 3, "right": 3}),
    "le": ({"left": 3, "right": 3}, {"left": 4, "right": 3}),
    "gt": ({"left": 4, "right": 3}, {"left": 3, "right": 3}),
    "ge": ({"left": 3, "right": 3}, {"left": 3, "right": 4}),
    "in": ({"left": 3, "right": [3]}, {"left": 3, "right": [4]}),
    "not_in": ({"left": 3, "right": [4]}, {"left": 3, "right": [3]}),
    "truthy": ({"value": 3}, {"value": 0}),
    "falsy": ({"value": 0}, {"value": 3}),
    "not": ({"value": 0}, {"value": 3}),
    "and": ({"args": [1, 3]}, {"args": [0, 3]}),
    "or": ({"args": [0, 3]}, {"args": [0, 0]}),
}


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("op", OPERATORS)
async def test_condition_is_an_operator_over_refs(op, holds):
    operands = OPERATORS[op][not holds]
    with graph(name="g") as g:
        three = add_async(a=1, b=2).total
        zero = add_async(a=0, b=0).total
        refs = {3: three, 0: zero}
        given = {
            name: [refs.get(each, each) for each in value] if isinstance(value, list) else refs.get(value, value)
            for name, value in operands.items()
        }
        g.expose("ran", add_async(a=1, b=0, _condition={"op": op, **given}).total)
    assert await run_async(g) == {"ran": 1 if holds else None}


async def test_condition_is_a_bool():
    with graph(name="g") as g:
        g.expose("yes", add_async(a=1, b=1, _condition=True).total)
        g.expose("no", add_async(a=1, b=1, _condition=False).total)
    assert await run_async(g) == {"yes": 2, "no": None}


async def test_a_ref_in_a_condition_is_a_dependency():
    with graph(name="g") as g:
        first = add_async(a=1, b=2, _id="first")
        add_async(a=1, b=1, _id="second", _condition={"op": "gt", "left": first.total, "right": 1})
    built = g.build()
    assert built.edges() == [("first", "second")]
    future = run(built)
    await future
    assert future.node("second").status is NodeStatus.DONE


async def test_false_is_skipped_and_so_are_its_descendants_and_an_output_fed_by_a_skipped_node_is_none():
    with graph(name="g") as g:
        top = add_async(a=1, b=1, _id="top", _condition={"op": "eq", "left": g.arg("x"), "right": 2})
        below = add_async(a=top.total, b=1, _id="below")
        g.expose("y", below.total)
        g.expose("in_a_list", [top.total, 5])
    future = run(g, {"x": 1})
    outputs = await future
    assert outputs["y"] is None
    assert {node.node_id: str(node.status) for node in future.graph.nodes} == {"top": "SKIPPED", "below": "SKIPPED"}
    assert outputs["in_a_list"] == [None, 5]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: tool(outputs="total"),
        lambda: tool(outputs=3),
        lambda: tool(outputs=["node_id"]),
        lambda: lambda _: tool(outputs=["x"])(3),
    ],
)
def test_a_tool_that_is_defined_wrongly_is_a_build_error_with_code_stage_and_hints(wrong):
    with pytest.raises(GraphBuildError) as refused:
        wrong()(lambda: 1)
    error = refused.value
    assert isinstance(error, TypeError)
    assert error.hints
    assert str(error).startswith(f"[build:{error.stage}:{error.code}] ")


async def test_arguments_by_position_alone_are_arguments_like_others():
    @tool(outputs=["it"])
    def minus(a, b=1, /, *, c=0):
        return a - b - c

    with graph(name="minus") as g:
        g.expose("x", minus(add(a=3, b=4).total, c=2).it)
        g.expose("y", minus(a=3, b=2).it)
        g.expose("z", tool(outputs=["list"])(sorted)([2, 1], reverse=False).list)
    assert await run_async(g) == {"x": 4, "y": 1, "z": [1, 2]}
    assert minus(3, 2) == {"it": 1}


async def test_a_parameter_annotated_as_an_optional_node_context_is_injected_too():
    @tool(outputs=["it"])
    async def who(x, ctx: NodeContext | None = None, other: int | None = None):
        return (ctx.node_id, other)

    @tool(outputs=["it"])
    async def in_words(ctx: "Optional[NodeContext]" = None):  # noqa: F821, UP037 (as users write it)
        return ctx.node_id

    with graph(name="who") as g:
        g.expose("x", who(x=1, _id="me").it)
        g.expose("y", in_words(_id="you").it)
    assert await run_async(g) == {"x": ("me", None), "y": "you"}
