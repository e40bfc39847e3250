"""Conditions and order: every operator, what a condition depends on, what skipping does, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from graphrun_nb import GraphValidationError, graph, graphify, run_async, tool
from graphrun_nb.authoring.graph_text import condition_text


@tool(outputs=["out"])
def give(value):
    return value


@tool(outputs=["lo", "hi"])
def bounds(values):
    return {"lo": min(values), "hi": max(values)}


async def passes(condition, **inputs):
    """Tell whether a node with a condition over input ``x`` and node ``n`` runs."""

    @graphify("g", inputs={"x": None}, outputs=["ran"])
    def g(x):
        n = give(value=x, _id="n")
        return {"ran": give(value=True, _condition=condition(x, n)).out}

    return (await run_async(g, inputs))["ran"] is True


@pytest.mark.parametrize(
    ("op", "x", "right", "expected"),
    [
        ("eq", 3, 3, True),
        ("eq", 3, 4, False),
        ("ne", 3, 4, True),
        ("lt", 3, 4, True),
        ("lt", 4, 4, False),
        ("le", 4, 4, True),
        ("gt", 4, 3, True),
        ("gt", 3, 3, False),
        ("ge", 3, 3, True),
        ("in", "a", ["a", "b"], True),
        ("in", "c", ["a", "b"], False),
        ("not_in", "c", ["a", "b"], True),
    ],
)
async def test_comparisons_take_left_and_right(op, x, right, expected):
    assert await passes(lambda _, n: {"op": op, "left": n.out, "right": right}, x=x) is expected


@pytest.mark.parametrize(
    ("op", "x", "expected"),
    [
        ("truthy", [1], True),
        ("truthy", [], False),
        ("falsy", 0, True),
        ("falsy", 1, False),
        ("not", 0, True),
        ("not", 1, False),
    ],
)
async def test_truthy_falsy_and_not_take_a_value(op, x, expected):
    assert await passes(lambda x, _: {"op": op, "value": x}, x=x) is expected


async def test_and_and_or_take_args_and_operators_nest():
    def between(x, n):
        return {
            "op": "or",
            "args": [
                {"op": "and", "args": [{"op": "gt", "left": n.out, "right": 3}, {"op": "lt", "left": x, "right": 6}]},
                {"op": "not", "value": {"op": "ne", "left": x, "right": 100}},
                False,
            ],
        }

    assert [await passes(between, x=x) for x in (3, 4, 5, 6, 100)] == [False, True, True, False, True]


async def test_a_bool_or_a_bare_handle_is_a_condition():
    assert await passes(lambda _x, _n: True) is True
    assert await passes(lambda _x, _n: False) is False
    assert await passes(lambda _x, _n: np.bool_(True)) is True
    assert await passes(lambda x, _: x, x=1) is True
    assert await passes(lambda _, n: n, x=0) is False
    assert await passes(lambda _, n: n.out, x=1) is True


async def test_refs_resolve_inside_lists_of_a_condition():
    assert await passes(lambda x, n: {"op": "in", "left": 2, "right": [n.out, x]}, x=2) is True
    assert await passes(lambda x, n: {"op": "eq", "left": {"k": [n.out]}, "right": {"k": [x]}}, x=2) is True


def test_a_ref_in_a_condition_is_a_dependency():
    with graph(name="g") as g:
        give(value=1, _id="guarded", _after="check")
        check = give(value=1, _id="check")
        give(value=1, _id="inside", _condition={"op": "not", "value": {"op": "in", "left": 1, "right": [check.out]}})
    built = g.build()
    assert built.topological_order() == ["check", "guarded", "inside"]
    assert built.upstream("inside") == ["check"]
    assert built.dependents("check") == ["guarded", "inside"]


async def test_false_skips_the_node_and_its_descendants_and_their_outputs_are_none():
    @graphify("g", inputs=["x"], outputs=["skipped", "below", "beside", "both"])
    def g(x):
        skipped = give(value=x, _id="skipped", _condition={"op": "gt", "left": x, "right": 3})
        below = give(value=skipped.out, _id="below")
        beside = give(value=x, _id="beside")
        return {"skipped": skipped, "below": below, "beside": beside, "both": [skipped, beside]}

    assert await run_async(g, {"x": 4}) == {"skipped": 4, "below": 4, "beside": 4, "both": [4, 4]}
    assert await run_async(g, {"x": 3}) == {"skipped": None, "below": None, "beside": 3, "both": [None, 3]}


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ({"op": ">", "left": 1, "right": 2}, "no operator '>'", "write \"gt\" for '>'"),
        ({"op": "==", "left": 1, "right": 2}, "no operator '=='", "write \"eq\" for '=='"),
        ({"op": "not in", "left": 1, "right": 2}, "no operator 'not in'", "write \"not_in\" for 'not in'"),
        ({"op": "truth", "value": 1}, "no operator 'truth'", "did you mean 'truthy'?"),
        ({"op": "GT", "left": 1, "right": 2}, "no operator 'GT'", "did you mean 'gt'?"),
        ({"op": "xyzzy"}, "no operator 'xyzzy'", "the operators are: eq, ne, lt, le, gt, ge, in, not_in, truthy"),
        ({"op": 3}, "no operator 3", "the operators are"),
        ({"op": ["gt"]}, "no operator ['gt']", "the operators are"),
        ({"left": 1, "right": 2}, "no operator None", "name the operator"),
        ({}, "no operator None", "name the operator"),
        ({"op": "gt", "left": 1}, "'gt' takes left and right, and got 'left'", '{"op": "gt", "left": …, "right": …}'),
        ({"op": "gt", "value": 1}, "'gt' takes left and right, and got 'value'", '"left": …'),
        ({"op": "not", "args": [1]}, "'not' takes value, and got 'args'", '{"op": "not", "value": …}'),
        ({"op": "not"}, "'not' takes value, and got nothing", '"value": …'),
        ({"op": "and", "left": 1, "right": 2}, "'and' takes args", '{"op": "and", "args": […]}'),
        ({"op": "and", "args": True}, "'and' takes a list of tests in args, not True", '"args": [first, second]'),
        ({"op": "or", "args": []}, "'or' takes a list of tests in args, not []", '"args": [first, second]'),
        (
            {"op": "and", "args": [True, {"op": "gte", "left": 1, "right": 1}]},
            "no operator 'gte'",
            "write \"ge\" for 'gte'",
        ),
        (
            "x > 1",
            "a bool, a ref or a dict with an operator, not 'x > 1'",
            '{"op": "gt", "left": node.out, "right": 3}',
        ),
        (1, "a bool, a ref or a dict with an operator, not 1", "write for example"),
        ([True], "a bool, a ref or a dict with an operator, not [True]", "write for example"),
        (np.array([True]), "a bool, a ref or a dict with an operator, not array([ True])", "write for example"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused_with_what_to_write(condition, message, hint):
    with pytest.raises(GraphValidationError) as caught, graph(name="g"):
        give(value=1, _condition=condition)
    assert caught.value.code == "graphify_unsupported_condition_expr"
    assert message in str(caught.value)
    assert hint in caught.value.hints[0]


def test_a_function_as_condition_is_refused():
    with pytest.raises(GraphValidationError, match="not <function") as caught, graph(name="g"):
        give(value=1, _condition=lambda: True)
    assert caught.value.code == "graphify_unsupported_condition_expr"


def test_a_condition_over_a_node_with_several_outputs_asks_for_one():
    with pytest.raises(GraphValidationError, match="'bounds' has 2 outputs") as caught, graph(name="g"):
        give(value=1, _condition=bounds(values=[1]))
    assert caught.value.hints == ("choose one: bounds.lo, bounds.hi",)


def test_none_as_a_control_is_as_if_it_were_not_there():
    with graph(name="g") as g:
        give(value=1, _condition=None, _after=None, _id=None, _name=None, _labels=None, _retry=None, _timeout=None)
    assert g.build().node("give").spec.condition is None


async def test_after_takes_handles_ids_and_lists_and_may_name_what_comes_later():
    ran = []

    @tool(outputs=["done"])
    async def note(name):
        ran.append(name)
        return True

    @graphify("g")
    def g():
        a = note(name="a", _id="a", _after=["c", "b"])
        b = note(name="b", _id="b", _after="c")
        note(name="c", _id="c")
        note(name="d", _id="d", _after=(a, b.done))
        return {}

    assert [node.spec.after for node in g.build().nodes] == [("c", "b"), ("c",), (), ("a", "b")]
    await run_async(g)
    assert ran == ["c", "b", "a", "d"]


@pytest.mark.parametrize(
    ("after", "code", "message", "hint"),
    [
        ("frist", "graph_dangling_reference", "'second' is to run after 'frist'", "did you mean 'first'?"),
        (["first", "x"], "graph_dangling_reference", "'x', and there is no such node", "'g' has: first, second"),
        ("second", "graph_cycle", "second → second", "break the cycle"),
        (3, "tool_bad_control", "takes handles or node ids, alone or in a list, not 3", "_after=node"),
        ([None], "tool_bad_control", "not None", "_after=node"),
    ],
)
def test_a_wrong_after_is_told_when_the_graph_is_built(after, code, message, hint):
    def build():
        with graph(name="g") as g:
            give(value=1, _id="first")
            give(value=2, _id="second", _after=after)
        g.build()

    with pytest.raises(GraphValidationError) as caught:
        build()
    assert caught.value.code == code
    assert message in str(caught.value)
    assert hint in caught.value.hints[0]


def test_after_an_input_has_no_meaning():
    with pytest.raises(GraphValidationError, match="<input x> is there from the start"), graph(name="g") as g:
        give(value=1, _after=g.arg("x"))


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"_retry": 0}, "_retry=…) takes a RetryPolicy or a number of attempts, not 0"),
        ({"_retry": True}, "not True"),
        ({"_timeout": -1}, "_timeout=…) takes seconds > 0, not -1"),
        ({"_timeout": True}, "not True"),
        ({"_timeout": "3"}, "not '3'"),
        ({"_labels": 3}, "_labels=…) takes a text or a list of texts, not 3"),
    ],
)
def test_a_control_that_cannot_be_meant_is_refused_with_an_example(controls, message):
    with pytest.raises(GraphValidationError) as caught, graph(name="g"):
        give(value=1, **controls)
    assert caught.value.code == "tool_bad_control"
    assert message in str(caught.value)
    assert caught.value.hints[0].startswith("write _")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (True, "True"),
        ({"op": "truthy", "value": 1}, "1"),
        ({"op": "falsy", "value": "a"}, "not 'a'"),
        ({"op": "not", "value": {"op": "eq", "left": 1, "right": 2}}, "not 1 == 2"),
        ({"op": "and", "args": [True, {"op": "or", "args": [1, 2]}, 3]}, "True and (1 or 2) and 3"),
        ({"op": "not_in", "left": 1, "right": [1]}, "1 not in [1]"),
    ],
)
def test_a_condition_reads_as_python(condition, text):
    with graph(name="g") as g:
        give(value=1, _id="n", _condition=condition)
    found = g.build().node("n").spec.condition
    assert found is not None
    assert condition_text(found) == text
