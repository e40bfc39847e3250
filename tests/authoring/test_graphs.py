"""Writing graphs: handles, controls, and every mistake that can be told before anything runs."""

from __future__ import annotations

import asyncio
import functools
import json
import linecache
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from graphrun_nb import GraphValidationError, NodeContext, TaskGraph, arg, graph, graphify, run_async, tool
from graphrun_nb.authoring.signature import source_of
from graphrun_nb.errors import Misuse

if TYPE_CHECKING:
    from graphrun_nb.core.events import NodeInfo


@tool(outputs=["total"])
def add(a: int, b: int = 0) -> dict:
    """Add two numbers."""
    return {"total": a + b}


@tool(outputs=["lo", "hi"])
def bounds(values):
    return {"lo": min(values), "hi": max(values)}


def test_outside_a_graph_a_tool_is_a_function_that_gives_its_outputs():
    assert add(1, b=2) == {"total": 3}
    assert add.__doc__ == "Add two numbers."


async def test_outside_a_graph_an_async_tool_gives_an_awaitable():
    @tool(outputs=["x"])
    async def one():
        return 1

    assert await one() == {"x": 1}


def test_a_graph_is_traced_once_per_build():
    traced = []

    @graphify("g", inputs=["x"], outputs=["y"])
    def g(x):
        traced.append(1)
        return {"y": add(a=x).total}

    assert isinstance(g(), TaskGraph)
    assert isinstance(g.build(), TaskGraph)
    assert len(traced) == 2
    assert g.io() == {"inputs": {"required": ["x"], "optional": {}}, "outputs": ["y"]}


async def test_handles_resolve_inside_lists_tuples_and_dicts():
    @tool(outputs=["seen"])
    def look(value):
        return json.dumps(value)

    with graph(name="g") as g:
        n = add(a=1, b=2)
        g.expose("seen", look({"list": [n.total, 1], "tuple": (n,), "deep": {"k": [n["total"]]}}).seen)
        g.expose("pair", [n, "plain"])
    assert await run_async(g.build()) == {
        "seen": '{"list": [3, 1], "tuple": [3], "deep": {"k": [3]}}',
        "pair": [3, "plain"],
    }


async def test_outputs_unpack_in_order_and_optional_inputs_have_defaults():
    @graphify("g", inputs={"values": [3, 1, 2]}, outputs=["lo", "hi"])
    def g(values):
        lo, hi = bounds(values)
        return {"lo": lo, "hi": hi}

    assert await run_async(g) == {"lo": 1, "hi": 3}
    assert await run_async(g, {"values": [5]}) == {"lo": 5, "hi": 5}


async def test_closures_lambdas_methods_and_decorated_functions_work():
    factor = 10

    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    class Scale:
        def __init__(self, by):
            self.by = by

        @tool(outputs=["y"])
        def scale(self, x):
            return x * self.by

    @tool(outputs=["y"])
    @logged
    def times(x):
        return x * factor

    with graph(name="g") as g:
        y = times(2).y
        y = tool(outputs=["y"], name="half")(lambda x: x / 2)(y).y
        g.expose("y", Scale(3).scale(y).y)
    assert await run_async(g.build()) == {"y": 30.0}


async def test_arg_declares_a_required_input():
    with graph(name="g") as g:
        g.expose("y", add(a=arg("x")).total)
    assert await run_async(g.build(), {"x": 4}) == {"y": 4}


def test_after_may_name_nodes_that_are_defined_later():
    with graph(name="g") as g:
        add(a=1, _id="second", _after="first")
        add(a=1, _id="first")
    assert g.build().topological_order() == ["first", "second"]


def test_inspection_of_a_graph():
    with graph(name="g") as g:
        first = add(a=1, _id="first", _labels=["math"], _group="stage")
        second = add(a=first.total, _id="second")
        add(a=second.total, b=first.total, _id="third")
    built = g.build()
    assert [node.node_id for node in built.nodes] == ["first", "second", "third"]
    assert built.dependents("first") == ["second", "third"]
    assert sorted(built.upstream("third")) == ["first", "second"]
    assert built.edges() == [("first", "second"), ("second", "third"), ("first", "third")]
    assert built.node("first").status == "PENDING"
    assert built.node("first").spec.labels == ("math",)
    with pytest.raises(KeyError, match="no node 'thrid'"):
        built.node("thrid")


def refused(code, build):
    with pytest.raises(GraphValidationError) as caught:
        build()
    assert caught.value.code == code
    assert caught.value.stage == "validation"
    return caught.value


def in_graph(body):
    def build():
        with graph(name="g") as g:
            body(g)
        return g.build()

    return build


@pytest.mark.parametrize(
    ("code", "body", "message", "hint"),
    [
        ("tool_missing_argument", lambda _: add(b=1), "needs 'a'", "pass a=…"),
        ("tool_unknown_argument", lambda _: add(a=1, bb=2), "no argument 'bb'", "did you mean 'b'?"),
        ("tool_too_many_arguments", lambda _: add(1, 2, 3), "takes 2 arguments", "a, b"),
        ("tool_argument_twice", lambda _: add(1, a=2), "got 'a' twice", "argument 1 is 'a' already"),
        ("tool_unknown_control", lambda _: add(a=1, _ide="x"), "no node control '_ide'", "did you mean '_id'?"),
        ("tool_unknown_output", lambda _: add(a=1).totl, "no output 'totl'", "did you mean 'total'?"),
        ("tool_ambiguous_output", lambda _: add(a=bounds([1])), "2 outputs", "bounds.lo"),
        ("graph_duplicate_node_id", lambda _: [add(a=1, _id="x"), add(a=1, _id="x")], "'x'", "its own _id"),
        ("graph_invalid_name", lambda _: add(a=1, _id="a\nb"), "cannot be called", "character 2 is"),
        ("graph_dangling_reference", lambda _: add(a=1, _after="nowhere"), "'nowhere'", "it has: add"),
        ("graphify_unsupported_condition_expr", lambda _: add(a=1, _condition="x > 1"), "'x > 1'", "op"),
        ("graphify_unsupported_condition_expr", lambda _: add(a=1, _condition={"op": "gt"}), "left and right", '"gt"'),
        ("tool_bad_control", lambda _: add(a=1, _retry="3"), "RetryPolicy", "_retry=3"),
        ("tool_bad_control", lambda _: add(a=1, _timeout=0), "seconds", "_timeout=30"),
    ],
)
def test_a_mistake_is_told_when_the_graph_is_built(code, body, message, hint):
    error = refused(code, in_graph(body))
    assert message in str(error)
    assert hint in error.hints[0].replace("graph 'g' has", "it has")


def test_a_cycle_is_named_as_a_path_in_the_direction_of_values():
    def body(_):
        first = add(a=1, _id="a", _after="c")
        second = add(a=first.total, _id="b")
        add(a=second.total, _id="c")

    error = refused("graph_cycle", in_graph(body))
    assert "a → b → c → a" in str(error)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("a branch on", lambda x: add(a=1) if x else add(a=2)),
        ("a loop over", lambda x: [add(a=each) for each in x]),
        ("len() of", len),
        ("a comparison of", lambda x: x == 3),
        ("a comparison of", lambda x: x > 3),
    ],
)
def test_control_flow_over_a_value_that_is_not_there_yet_names_the_line(what, body):
    @graphify("g", inputs=["x"], outputs=["y"])
    def g(x):
        return {"y": body(x)}

    error = refused("graphify_control_flow_non_deterministic", g.build)
    assert what in str(error)
    assert "line " in str(error)
    assert "tool" in error.hints[0]


def test_an_async_def_cannot_be_graphified():
    async def body(): ...

    error = refused("graphify_async_def", lambda: graphify("g")(body))
    assert "plain def" in error.hints[0]


def test_returned_outputs_must_be_the_declared_ones():
    @graphify("g", outputs=["total"])
    def wrong():
        return {"totl": add(a=1)}

    assert refused("graphify_unknown_output", wrong.build).hints == ("did you mean 'total'?",)

    @graphify("g", outputs=["total", "rest"])
    def missing():
        return {"total": add(a=1)}

    assert "'rest'" in str(refused("graphify_missing_output", missing.build))


def test_a_graph_that_declares_no_outputs_is_told_how_to_declare_those_it_gives():
    @graphify("g")
    def silent():
        one = add(a=1)
        return {"total": one, "twice": one}

    assert refused("graphify_unknown_output", silent.build).hints == ("write outputs=['total', 'twice']",)


def test_inputs_and_parameters_must_agree():
    assert refused("graphify_input_mismatch", lambda: graphify("g", inputs=["xs"])(lambda x: {"y": x})).hints[0] == (
        "did you mean 'x'?"
    )


def test_generator_functions_and_nameless_arguments_are_refused_at_decoration():
    def generator():
        yield 1

    def nameless(*args):
        return args

    with pytest.raises(TypeError, match="generator function"):
        tool(outputs=["x"])(generator)
    with pytest.raises(TypeError, match="take a list: args"):
        tool(outputs=["x"])(nameless)


def test_the_fingerprint_sees_meaning_and_not_layout():
    def code(source, name):
        lines = [line + "\n" for line in source.splitlines()]
        linecache.cache[name] = (len(source), None, lines, name)
        namespace = {}
        exec(compile(source, name, "exec"), namespace)  # noqa: S102 (as a notebook does)
        return tool(outputs=["y"])(namespace["f"]).code

    plain = code("def f(x):\n    return x + 1", "<ipython-input-1>")
    assert code("def f(x):\n    # a comment\n    return  (x + 1)", "<ipython-input-2>") == plain
    assert code("def f(x):\n    return x + 2", "<ipython-input-3>") != plain


def test_the_fingerprint_is_the_same_in_every_process():
    program = (
        "from tests.authoring.test_graphs import add\n"
        "from graphrun_nb import graph\n"
        "with graph(name='g') as g:\n"
        "    g.expose('y', add(a={1, 2, 3}, b={'k': 1.5}).total)\n"
        "print(g.build().fingerprint())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


def test_cosmetic_changes_keep_a_nodes_fingerprint():
    def info(**controls) -> NodeInfo:
        with graph(name="g") as g:
            add(a=1, _id="n", **controls)
        return g.build().spec.nodes[0].fingerprint()

    assert info() == info(_retry=3) == info(_labels=["x"]) == info(_group="g") == info(_name="other")
    assert info() != info(_condition=True)


def test_a_functions_source_is_dedented_wherever_it_stands():
    def inner():
        if True:

            @tool(outputs=["y"])
            def f(x):
                return x + 1

        return f

    linecache.cache["<cell>"] = (1, None, ["def f(x):\n", "    return x + 1\n"], "<cell>")
    namespace = {}
    exec(compile("def f(x):\n    return x + 1\n", "<cell>", "exec"), namespace)  # noqa: S102 (as a notebook does)
    source, _, _ = source_of(inner().function)
    assert source.startswith("@tool(")
    assert source_of(namespace["f"])[0] == "def f(x):\n    return x + 1\n"


async def test_a_body_may_be_a_lambda_a_closure_or_decorated():
    factor = 10

    def doubled(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @graphify("decorated", inputs=["x"], outputs=["y"])
    @doubled
    def decorated(x):
        return {"y": add(a=x, b=factor)}

    short = graphify("short", inputs=["x"], outputs=["y"])(lambda x: add(a=x, b=factor))
    assert await run_async(decorated, {"x": 1}) == {"y": 11}
    assert await run_async(short, {"x": 1}) == {"y": 11}


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        (lambda: (yield), "graphify_generator", "return a dict"),
        (lambda x, /: {"y": x}, "graphify_input_mismatch", "leave out the /"),
        (lambda: {"y": 1}, "graphify_input_mismatch", "its parameters are: none"),
        (lambda x, k: {"y": x}, "graphify_input_mismatch", "add 'k' to inputs"),
    ],
)
def test_a_body_that_cannot_be_traced_is_refused_at_decoration(body, code, hint):
    assert hint in refused(code, lambda: graphify("g", inputs=["x"], outputs=["y"])(body)).hints[0]


def test_a_body_returns_a_dict_or_its_only_output_or_nothing():
    assert graphify("one", outputs=["y"])(lambda: add(a=1)).build().io_signature()["outputs"] == {"y": "add.total"}
    assert graphify("nothing")(lambda: None).build().nodes == ()
    error = refused("graphify_bad_return", graphify("two", outputs=["a", "b"])(lambda: (1, 2)).build)
    assert error.hints == ("write return {'a': …, 'b': …}",)


def test_building_outside_of_a_graph_is_told():
    with pytest.raises(GraphValidationError, match="no graph is being built"):
        arg("x")
    with pytest.raises(TypeError, match="node control"):
        add(a=1, _id="x")


async def test_graphs_built_at_the_same_time_do_not_mix():
    async def build(name):
        with graph(name=name) as g:
            add(a=1, _id=f"{name} 1")
            await asyncio.sleep(0)
            add(a=1, _id=f"{name} 2")
        return [node.node_id for node in g.build().nodes]

    assert await asyncio.gather(build("a"), build("b")) == [["a 1", "a 2"], ["b 1", "b 2"]]


async def test_the_inputs_of_a_graph_are_by_default_its_functions_parameters():
    @graphify("sums", outputs=["y"])
    def sums(x, k=10):
        return add(a=x, b=k)

    assert sums.io()["inputs"] == {"required": ["x"], "optional": {"k": 10}}
    assert await run_async(sums, {"x": 1}) == {"y": 11}
    assert await run_async(sums, {"x": 1, "k": 2}) == {"y": 3}


def test_a_graph_that_declares_no_outputs_and_returns_something_is_told_to_declare_it():
    error = refused("graphify_bad_return", graphify("g")(lambda: add(a=1)).build)
    assert error.hints == ("declare what it gives, outputs=['x'], and write return {'x': …}",)


def test_graphify_without_parentheses_is_told_what_to_write():
    with pytest.raises(Misuse, match="parentheses") as caught:
        graphify(lambda x: add(a=x))
    assert caught.value.hints == ("@graphify(outputs=[...]) names what it gives",)


async def test_a_tool_with_a_context_tells_outside_of_a_run_that_only_a_run_has_one():
    @tool
    async def think(question, context: NodeContext):
        return question

    @tool
    def alone(question, context=None):
        return question, context

    with pytest.raises(Misuse, match="think takes a NodeContext, 'context', which only a run has"):
        await think("why")
    with pytest.raises(Misuse):
        await think.aio(question="why")
    assert await think("why", "a context") == {"result": "why"}
    assert alone("why") == {"result": ("why", None)}
