"""Definitions of graphs: what is refused, what a condition says, what a fingerprint stands for."""

from __future__ import annotations

import math
import operator
import subprocess
import sys

import msgspec
import pytest

from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import (
    Arg,
    Condition,
    GraphSpec,
    InputSpec,
    Literal,
    Many,
    NodeSpec,
    Ref,
    closest,
    holds,
    refs,
    resolve,
    validate,
)
from graphrun_nb.errors import GraphValidationError


def node(node_id, *needs, **rest):
    """A node that takes the output `out` of each node it needs."""
    inputs = tuple((f"x{i}", Ref(each, "out")) for i, each in enumerate(needs))
    return NodeSpec(**{"node_id": node_id, "name": node_id, "inputs": inputs, "outputs": ("out",), **rest})


def spec(*nodes, **rest):
    return GraphSpec(**{"name": "g", "nodes": nodes, **rest})


def literal(value):
    return Literal(value, repr(value))


def refused(graph):
    with pytest.raises(GraphValidationError) as caught:
        validate(graph)
    assert caught.value.stage == "validation"
    return caught.value


def test_a_graph_that_is_well_passes():
    many = Many("dict", ((1, Ref("b", "out")), ("k", Arg("x"))))
    test = Condition("and", (Condition("gt", (Ref("a", "out"), literal(0))), Condition("truthy", (Arg("x"),))))
    graph = spec(
        node("a"),
        node("b", "a", after=("c",)),
        node("c", condition=test),
        node("d", inputs=(("all", many),)),
        inputs=(InputSpec("x"),),
        outputs=(("y", Many("list", ((None, Ref("d", "out")),))),),
    )
    validate(graph)


def test_an_empty_graph_passes():
    validate(spec())


def test_an_id_used_twice_is_named():
    error = refused(spec(node("a"), node("b"), node("a")))
    assert error.code == "graph_duplicate_node_id"
    assert "two nodes with the id 'a'" in str(error)


@pytest.mark.parametrize("name", ["", "x" * 201, "tab\there", "line\nend", "nul\0", "\x7f", "\u2028", "\ud800"])
def test_what_is_no_name_names_neither_graph_nor_node(name):
    assert refused(spec(node(name))).code == "graph_invalid_name"
    assert refused(spec(name=name)).code == "graph_invalid_name"


@pytest.mark.parametrize("name", ["x" * 200, " ", "ungewöhnlich ✓ 🎈", "<b>&amp;", "work[3]", "outer/inner"])
def test_any_other_text_does(name):
    validate(spec(node(name), name=name))


@pytest.mark.parametrize(
    "user",
    [
        node("user", "lod"),
        node("user", condition=Condition("truthy", (Ref("lod", "out"),))),
        node("user", condition=Condition("not", (Condition("truthy", (Ref("lod", "out"),)),))),
        node("user", inputs=(("x", Many("list", ((None, Many("dict", (("k", Ref("lod", "out")),))),))),)),
        node("user", after=("lod",)),
    ],
    ids=["argument", "condition", "nested condition", "inside a list", "after"],
)
def test_a_reference_that_leads_nowhere_says_whose_it_is_and_what_is_close(user):
    error = refused(spec(node("load"), user))
    assert error.code == "graph_dangling_reference"
    assert "node 'user'" in str(error)
    assert "'lod', and there is no such node" in str(error)
    assert error.hints == ("did you mean 'load'?",)


def test_an_output_of_the_graph_can_lead_nowhere_too():
    error = refused(spec(node("load"), outputs=(("y", Ref("zzz", "out")),)))
    assert error.code == "graph_dangling_reference"
    assert "output 'y' uses 'zzz'" in str(error)
    assert error.hints == ("graph 'g' has: load",)


def test_an_undeclared_output_of_a_node_is_told_what_it_has():
    error = refused(spec(node("load", outputs=("rows", "total")), node("user", inputs=(("x", Ref("load", "row")),))))
    assert error.code == "graph_dangling_reference"
    assert "output 'row' of 'load', which has: rows, total" in str(error)
    assert error.hints == ("did you mean 'rows'?",)


@pytest.mark.parametrize(
    ("nodes", "path"),
    [
        ((node("a", "a"),), "a → a"),
        ((node("a", "b"), node("b", "a")), "a → b → a"),
        ((node("free"), node("a", "free", "c"), node("b", "a"), node("c", "b")), "a → b → c → a"),
        ((node("a", after=("b",)), node("b", "a")), "a → b → a"),
        ((node("a", condition=Condition("truthy", (Ref("b", "out"),))), node("b", "a")), "a → b → a"),
    ],
    ids=["itself", "two", "three beside a free one", "by order", "by a condition"],
)
def test_a_cycle_is_shown_as_a_closed_path_in_the_direction_of_the_values(nodes, path):
    error = refused(spec(*nodes))
    assert error.code == "graph_cycle"
    shown = str(error).partition("has a cycle: ")[2].split(" → ")
    wanted = path.split(" → ")
    assert shown[0] == shown[-1]
    assert len(shown) == len(wanted)
    turn = shown.index(wanted[0])
    assert [*shown[turn:-1], *shown[: turn + 1]] == wanted


def test_a_very_deep_chain_is_checked_without_recursion():
    n = 20_000
    chain = [node("n0"), *(node(f"n{i}", f"n{i - 1}") for i in range(1, n))]
    validate(spec(*chain))
    assert refused(spec(node("n0", f"n{n - 1}"), *chain[1:])).code == "graph_cycle"


VALUES = {"five": {"out": 5}, "none": {"out": None}, "list": {"out": [5, 6]}}
COMPARISONS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


@pytest.mark.parametrize("op", COMPARISONS)
@pytest.mark.parametrize("other", [4, 5, 6])
def test_comparisons_mean_what_python_means(op, other):
    condition = Condition(op, (Ref("five", "out"), literal(other)))
    assert holds(condition, VALUES, {}) is COMPARISONS[op](5, other)


@pytest.mark.parametrize(("value", "inside"), [(5, True), (7, False)])
def test_in_and_not_in_look_into_the_right_side(value, inside):
    args = (literal(value), Ref("list", "out"))
    assert holds(Condition("in", args), VALUES, {}) is inside
    assert holds(Condition("not_in", args), VALUES, {}) is not inside


@pytest.mark.parametrize(("value", "truth"), [(0, False), ("", False), ([0], True), (math.nan, True)])
def test_truthy_falsy_and_not_ask_for_the_truth_of_one_value(value, truth):
    args = (Arg("x"),)
    assert holds(Condition("truthy", args), {}, {"x": value}) is truth
    assert holds(Condition("falsy", args), {}, {"x": value}) is not truth
    assert holds(Condition("not", args), {}, {"x": value}) is not truth


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_and_and_or_join_conditions_and_plain_values(left, right):
    args = (Condition("truthy", (literal(left),)), literal(right))
    assert holds(Condition("and", args), {}, {}) is (left and right)
    assert holds(Condition("or", args), {}, {}) is (left or right)


def test_and_and_or_stop_where_python_stops():
    fails = Condition("lt", (literal(None), literal(1)))
    assert holds(Condition("and", (literal(False), fails)), {}, {}) is False
    assert holds(Condition("or", (literal(True), fails)), {}, {}) is True
    assert holds(Condition("and", ()), {}, {}) is True
    assert holds(Condition("or", ()), {}, {}) is False


def test_a_comparison_that_makes_no_sense_raises():
    with pytest.raises(TypeError, match="not supported between"):
        holds(Condition("lt", (Ref("none", "out"), literal(1))), VALUES, {})


def test_the_output_of_a_skipped_node_is_none():
    assert resolve(Ref("skipped", "out"), VALUES, {}) is None
    assert holds(Condition("eq", (Ref("skipped", "out"), literal(None))), VALUES, {})


def test_bindings_resolve_wherever_they_stand_and_keep_the_shape():
    inner = Many("tuple", ((None, Arg("x")), (None, literal("as it is"))))
    binding = Many("dict", (("a", Ref("five", "out")), (2, Many("list", ((None, inner),)))))
    assert resolve(binding, VALUES, {"x": 1}) == {"a": 5, 2: [(1, "as it is")]}
    assert [each.node_id for each in refs(binding)] == ["five"]


def test_a_node_needs_each_node_once_in_order_of_its_arguments():
    info = node(
        "n",
        "b",
        "a",
        "b",
        after=("z",),
        condition=Condition("eq", (Ref("c", "out"), Ref("a", "out"))),
        retry=RetryPolicy(max_attempts=4),
    ).info(RetryPolicy(max_attempts=2))
    assert (info.needs, info.after) == (("b", "a", "c"), ("z",))
    assert (info.conditional, info.max_attempts) == (True, 4)
    assert node("n").info(RetryPolicy(max_attempts=2)).max_attempts == 2


BASE = node("n", "a", code="c1", after=("p", "q"), condition=Condition("truthy", (Ref("a", "out"),)))
SAME = {
    "name": "another",
    "retry": RetryPolicy(max_attempts=3),
    "labels": ("slow",),
    "group": "g",
    "executor": "loop",
    "after": ("q", "p"),
}
OTHER = {
    "node_id": "m",
    "kind": "wait",
    "code": "c2",
    "inputs": (("x0", Ref("b", "out")),),
    "outputs": ("out", "more"),
    "after": ("p",),
    "condition": None,
}


@pytest.mark.parametrize("field", SAME)
def test_what_does_not_change_the_result_does_not_change_the_fingerprint(field):
    assert msgspec.structs.replace(BASE, **{field: SAME[field]}).fingerprint() == BASE.fingerprint()


@pytest.mark.parametrize("field", OTHER)
def test_what_changes_the_result_changes_the_fingerprint(field):
    assert msgspec.structs.replace(BASE, **{field: OTHER[field]}).fingerprint() != BASE.fingerprint()


def test_bindings_that_differ_never_share_a_fingerprint():
    bindings = [
        Ref("a", "out"),
        Ref("a", "other"),
        Arg("a"),
        literal("a"),
        literal(1),
        literal("1"),
        Many("list", ((None, Arg("a")),)),
        Many("tuple", ((None, Arg("a")),)),
        Many("dict", (("a", Arg("a")),)),
        Many("dict", ((1, Arg("a")),)),
        Many("dict", (("1", Arg("a")),)),
        Many("list", ((None, Arg("a")), (None, Arg("a")))),
        Many("list", ((None, Many("list", ((None, Arg("a")),))),)),
    ]
    prints = {node("n", inputs=(("x", binding),)).fingerprint() for binding in bindings}
    assert len(prints) == len(bindings)


def test_every_operator_and_the_order_of_operands_count_in_a_fingerprint():
    ops = ["eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "truthy", "falsy", "not", "and", "or"]
    conditions = [Condition(op, (Arg("a"), Arg("b"))) for op in ops] + [Condition("lt", (Arg("b"), Arg("a")))]
    assert len({node("n", condition=each).fingerprint() for each in conditions}) == len(conditions)


def test_the_graphs_fingerprint_covers_its_name_version_inputs_outputs_and_nodes():
    base = {"name": "g", "inputs": (InputSpec("x"),), "outputs": (("y", Ref("a", "out")),), "nodes": (node("a"),)}
    changes = [
        {},
        {"name": "h"},
        {"version": "2"},
        {"inputs": (InputSpec("z"),)},
        {"inputs": (InputSpec("x", required=False, default=1, default_digest="1"),)},
        {"inputs": (InputSpec("x", required=False, default=2, default_digest="2"),)},
        {"outputs": (("z", Ref("a", "out")),)},
        {"nodes": (node("a", code="c"),)},
        {"nodes": (node("a"), node("b"))},
        {"nodes": (node("b"), node("a"))},
    ]
    prints = [GraphSpec(**{**base, **change}).fingerprint() for change in changes]
    assert len(set(prints)) == len(prints)
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in prints)


def test_a_fingerprint_is_the_same_in_another_process():
    code = (
        "from graphrun_nb.core.spec import *\n"
        "test = Condition('in', (Arg('x'), Many('dict', (('k', Ref('a', 'out')), ('l', Literal(1, 'd1'))))))\n"
        "node = NodeSpec(node_id='n', name='n', outputs=('out',), after=('b', 'a'), condition=test)\n"
        "print(GraphSpec(name='g', nodes=(node,)).fingerprint())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("lod", ["load", "store"], "did you mean 'load'?"),
        ("zzz", ["load", "store"], ""),
        ("x", [], ""),
        ("lod", {"load": 1}, "did you mean 'load'?"),
    ],
)
def test_a_close_name_is_offered_and_a_far_one_is_not(word, known, answer):
    assert closest(word, known) == answer
