"""What a body must not do with values that are not there yet: which line it is, and what to write instead."""

from __future__ import annotations

import contextlib
import copy
import linecache
import logging
import traceback

import pytest

from graphrun_nb import GraphBuildError, GraphValidationError, each, graph, graphify, run, run_async, tool
from graphrun_nb.errors import GraphOperationError, Misuse

CONTROL_FLOW = "graphify_control_flow_non_deterministic"
CONDITION = "graphify_unsupported_condition_expr"
OPERATION = "graphify_operation_on_ref"
SIGNS = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@")


@tool(outputs=["total"])
def add(a, b=0):
    return a + b


@tool(outputs=["lo", "hi"])
def bounds(values):
    return {"lo": min(values), "hi": max(values)}


def traced(source, *, filename="<ipython-input-7-abc>"):
    """Trace ``def body(x, h)`` with `source` in it, as if it had been a cell; `h` is a node."""
    lines = ["def body(x, h):", *(f"    {line}" for line in source.splitlines())]
    text = "\n".join(lines) + "\n"
    linecache.cache[filename] = (len(text), None, [f"{line}\n" for line in lines], filename)
    namespace = {"add": add, "bounds": bounds, "each": each}
    exec(compile(text, filename, "exec"), namespace)  # noqa: S102 (as a notebook does)

    @graphify("g", inputs=["x"])
    def g(x):
        namespace["body"](x, add(a=1, _id="h"))
        return {}

    return g


def refused(source, **keywords):
    with pytest.raises(GraphBuildError) as caught:
        traced(source, **keywords).build()
    return caught.value


@pytest.mark.parametrize(
    ("source", "what", "hint"),
    [
        ("if x: pass", "a branch on <input x>", "_condition=x, or branch inside a tool"),
        ("if h.total > 3: pass", "a comparison of <h.total>", '_condition={"op": "gt", "left": h.total, "right": 3}'),
        ("if not x: pass", "a branch on <input x>", '_condition={"op": "not", "value": x}'),
        ("if 1 < 2 and x: pass", "a branch on <input x>", "_condition="),
        ("y = 1 if x else 2", "a branch on <input x>", "_condition=x"),
        ("while x: pass", "a while loop on <input x>", "tool.map(...)"),
        ("assert x", "an assertion on <input x>", "check it inside a tool"),
        ("[i for i in (1, 2) if x]", "a filter on <input x>", "filter inside a tool"),
        ("[i for i in (1, 2) if x == i]", "a comparison of <input x>", "filter inside a tool"),
        ("[x == i for i in (1, 2)]", "a comparison of <input x>", "as a condition, write _condition={"),
        ("y = (x == 3) if True else 2", "a comparison of <input x>", "as a condition, write _condition={"),
        ("y = x and 3", "`and` with <input x>", '_condition={"op": "and", "args": [x, 3]}'),
        ("y = x or 3", "`or` with <input x>", '_condition={"op": "or", "args": [x, 3]}'),
        ("y = not x", "`not` of <input x>", '_condition={"op": "not", "value": x}'),
        ("bool(x)", "bool() of <input x>", "inside a tool"),
        ("any([x])", "any() of <input x>", "inside a tool"),
        ("if h: pass", "a branch on <node h>", "_condition=h"),
        ("for i in x: add(a=i, b=2)", "a loop over <input x>", "add.map(a=x, b=2)"),
        ("[add(b=2, a=i) for i in h.total]", "a loop over <h.total>", "add.map(b=2, a=each(h.total))"),
        ("[i for i in x]", "a loop over <input x>", "tool.map(...)"),
        ("sorted(x)", "sorted() over <input x>", "inside a tool"),
        ("print(*x)", "print() over <input x>", "inside a tool"),
        ("next(x)", "next() over <input x>", "inside a tool"),
        ("a, b = x", "unpacking <input x>", "@tool(outputs=[...])"),
        ("for i in range(x): pass", "range() of <input x>", "tool.map(x=numbers.out)"),
        ("len(x)", "len() of <input x>", "take the length inside a tool"),
        ("for i in range(len(h)): pass", "len() of <node h>", "tool.map(...)"),
        ("x == 3", "a comparison of <input x>", '{"op": "eq", "left": x, "right": 3}'),
        ("x != 3", "a comparison of <input x>", '{"op": "ne", "left": x, "right": 3}'),
        ("3 < x", "a comparison of <input x>", '{"op": "lt", "left": 3, "right": x}'),
        ("h.total <= 3", "a comparison of <h.total>", '{"op": "le", "left": h.total, "right": 3}'),
        ("h >= 3", "a comparison of <node h>", '{"op": "ge", "left": h, "right": 3}'),
        ("h == h", "a comparison of <node h>", '{"op": "eq", "left": h, "right": h}'),
        ("0 < x < 9", "a comparison of <input x>", '{"op": "and", "args": [{"op": "lt", "left": 0, "right": x}, {'),
        ("3 in x", "a search in <input x>", '{"op": "in", "left": 3, "right": x}'),
        ("3 not in h", "a search in <node h>", '{"op": "not_in", "left": 3, "right": h}'),
        ("max(x, 3)", "max() of <input x>", "inside a tool"),
    ],
)
def test_control_flow_names_the_line_and_what_to_write_instead(source, what, hint):
    error = refused(source)
    assert error.code == CONTROL_FLOW
    assert f"line 2, `{source}`: {what}, whose value is not known before the graph runs" in str(error)
    assert hint in error.hints[0]


@pytest.mark.parametrize(
    ("expression", "instead"),
    [
        ("h.total > 3", '{"op": "gt", "left": h.total, "right": 3}'),
        ("h.total not in [1, 2]", '{"op": "not_in", "left": h.total, "right": [1, 2]}'),
        ("not h.total", '{"op": "not", "value": h.total}'),
        ("bool(h.total)", "h.total"),
        (
            "h.total > 3 and not x",
            '{"op": "and", "args": [{"op": "gt", "left": h.total, "right": 3}, {"op": "not", "value": x}]}',
        ),
        ("x or h.total == 'a'", """{"op": "or", "args": [x, {"op": "eq", "left": h.total, "right": 'a'}]}"""),
    ],
)
def test_a_python_test_as_condition_is_answered_with_the_dict_that_means_it(expression, instead):
    error = refused(f"add(a=1, _condition={expression})")
    assert error.code == CONDITION
    assert error.hints == (f"write _condition={instead}",)


async def test_the_dict_that_is_suggested_works():
    @graphify("g", inputs=["x"], outputs=["y", "n"])
    def g(x):
        h = add(a=x)
        yes = {"op": "and", "args": [{"op": "gt", "left": h.total, "right": 3}, {"op": "not", "value": False}]}
        return {"y": add(a=h.total, _condition=yes).total, "n": h.total}

    assert await run_async(g, {"x": 4}) == {"y": 4, "n": 4}
    assert await run_async(g, {"x": 3}) == {"y": None, "n": 3}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        *((f"x {sign} 1", "arithmetic with <input x>") for sign in SIGNS),
        *((f"1 {sign} h.total", "arithmetic with <h.total>") for sign in SIGNS),
        ("x += 1", "arithmetic with <input x>"),
        ("-x", "arithmetic with <input x>"),
        ("~h", "arithmetic with <node h>"),
        ("divmod(x, 2)", "divmod() of <input x>"),
        ("abs(x)", "abs() of <input x>"),
        ("round(x)", "round() of <input x>"),
        ("int(x)", "int() of <input x>"),
        ("float(h.total)", "float() of <h.total>"),
        ("complex(x)", "complex() of <input x>"),
        ("[1, 2][x]", "an element at position <input x>"),
        ("x[0]", "an element of <input x>"),
        ("x['k'] = 1", "an element of <input x>"),
        ("del x[0]", "an element of <input x>"),
        ("x.shape", "attribute 'shape' of <input x>"),
        ("h.total.append(1)", "attribute 'append' of <h.total>"),
        ("x()", "a call of <input x>"),
        ("h(a=1)", "a call of <node h>"),
        ("f'{x}'", "text made of <input x>"),
        ("f'Pay {h.total:>10}?'", "text made of <h.total>"),
        ("'{}'.format(x)", "text made of <input x>"),
        ("'%s' % x", "text made of <input x>"),
        ("str(h)", "text made of <node h>"),
        ("bytes(x)", "text made of <input x>"),
        ("open(x)", "text made of <input x>"),
        ("with x: pass", "a with block over <input x>"),
        ("x + 1 if True else 2", "arithmetic with <input x>"),
    ],
)
def test_what_needs_the_value_itself_is_refused_with_the_line(source, what):
    error = refused(source)
    assert error.code == OPERATION
    assert f"line 2, `{source}`: {what}, whose value is not known before the graph runs" in str(error)
    assert "tool" in error.hints[0]


@pytest.mark.parametrize(
    ("source", "quoted"),
    [
        ("y = 3 * (x + 1)", "`x + 1`"),
        ("x += 1", "`x += 1`"),
        ("h.total.append(1)", "`h.total.append(1)`"),
        ("y = int(h.total) + 2", "`int(h.total)`"),
    ],
)
def test_the_expression_that_belongs_inside_a_tool_is_quoted(source, quoted):
    assert refused(source).hints == (f"do it inside a tool, where the value is there: {quoted}",)


@pytest.mark.parametrize(
    "source", ["np.sqrt(x)", "np.mean(x)", "np.array([1, x])", "np.arange(3) * x", "np.arange(3) == x"]
)
def test_arrays_are_not_made_of_handles(source):
    error = refused(f"import numpy as np; {source}")
    assert error.code in (OPERATION, CONTROL_FLOW)
    assert "<input x>" in str(error)


@pytest.mark.parametrize(
    ("body", "what", "hint"),
    [
        (
            lambda x: add(a=1) if x is None else add(a=x),
            "a comparison of",
            '_condition={"op": "eq", "left": x, "right": None}',
        ),
        (lambda x: add(a=1, _condition=x is not None), "a comparison of", '{"op": "ne", "left": x, "right": None}'),
        (lambda x: add(a=1) if isinstance(x, int) else add(a=x), "isinstance() of", "branch inside a tool"),
    ],
)
def test_tests_that_a_handle_is_not_asked_about_are_found_in_the_source(body, what, hint):
    error = None
    for inputs in (["x"], {"x": None}):
        with pytest.raises(GraphOperationError) as caught:
            graphify("g", inputs=inputs, outputs=["y"])(body).build()
        error = caught.value
    assert error.code in (CONTROL_FLOW, CONDITION)
    assert f"{what} <input x>, whose value is not known before the graph runs" in str(error)
    assert "test_mistakes.py, line " in str(error)
    assert hint in error.hints[0]


def test_tests_of_names_that_mean_something_else_are_fine():
    @graphify("g", inputs=["x", "y"])
    def g(x, y, other=None):
        given = add(a=x) if other is None else None
        y = None
        if y is None and given is not None and not isinstance(other, int):
            add(a=[each for each in (1, None) if each is not None])
        given = [*filter(lambda x: x is None, [1, 2])]
        return {}

    assert len(g.build().nodes) == 2


def test_arithmetic_inside_a_condition_is_told_as_a_condition():
    error = refused("add(a=1, _condition={'op': 'gt', 'left': h.total + 1, 'right': 3})")
    assert error.code == CONDITION
    assert "compute it in a tool" in error.hints[0]


async def test_await_of_a_handle_says_that_nodes_wait_by_themselves():
    with pytest.raises(GraphOperationError, match=r"await of <node h>") as caught, graph(name="g"):
        await add(a=1, _id="h")
    assert "leave out the await" in caught.value.hints[0]


def test_the_error_is_a_validation_error_and_also_what_python_would_raise():
    assert isinstance(refused("x + 1"), GraphValidationError)
    assert isinstance(refused("x + 1"), TypeError)
    assert isinstance(refused("x.shape"), AttributeError)
    assert isinstance(refused("h.totl"), AttributeError)


def test_a_call_inside_a_longer_statement_names_its_own_line():
    error = refused("y = [\n    1,\n    len(\n        x\n    ),\n]")
    assert "line 4, `len(`: len() of <input x>" in str(error)


def test_a_mistake_in_a_function_that_the_body_calls_names_that_functions_line():
    error = refused("def inner(value):\n    return value + 1\n\ninner(x)")
    assert "line 3, `return value + 1`" in str(error)


def test_without_source_the_line_number_is_there_and_the_code_is_control_flow():
    namespace = {"add": add}
    exec("def body(x):\n    add(a=1, _condition=x > 3)", namespace)  # noqa: S102 (code without source)

    with pytest.raises(GraphOperationError) as caught:
        graphify("g", inputs=["x"])(namespace["body"]).build()
    assert caught.value.code == CONTROL_FLOW
    assert "<string>, line 2: a comparison of <input x>" in str(caught.value)


def test_a_long_line_is_cut():
    error = refused(f"y = x + {' + '.join(['1'] * 60)}")
    assert "…`: arithmetic with <input x>" in str(error)
    assert len(str(error)) < 300


def test_loops_over_ordinary_values_are_fine():
    g = traced("for i in range(3):\n    if i > 1:\n        add(a=i)\nlen([x, h]), [x][0], (x, h)[1]").build()
    assert [node.node_id for node in g.nodes] == ["h", "add"]


def test_a_nodes_outputs_unpack_and_list():
    g = traced(
        "lo, hi = bounds(values=x)\n[*bounds(values=x)], list(bounds(values=x)), tuple(h)\nadd(a=lo, b=hi)"
    ).build()
    assert g.upstream("add") == ["bounds"]


def test_handles_are_looked_at_harmlessly(caplog, capsys):
    seen = {}

    @graphify("g", inputs=["x"])
    def g(x):
        h = add(a=x, _id="h")
        seen.update({x: 1, h: 2})
        seen["repr"] = [repr(x), repr(h), f"{h.total!r}", "%r" % [x]]
        print(x, h)  # noqa: T201 (people do it to look)
        logging.getLogger("tests").warning("saw %s", h.total)
        seen["copies"] = [copy.copy(x), copy.deepcopy({"k": [h]})["k"][0]]
        add(a=seen["copies"])
        assert not hasattr(x, "_repr_html_")
        assert not hasattr(h, "_ipython_display_")
        assert not hasattr(x, "shape")
        assert getattr(h, "rows", None) is None
        return {}

    g.build()
    assert seen["repr"] == ["<input x>", "<node h>", "<h.total>", "[<input x>]"]
    assert capsys.readouterr().out == "<input x> <node h>\n"
    assert "saw <h.total>" in caplog.text
    assert [repr(each) for each in seen["copies"]] == ["<input x>", "<node h>"]


def test_after_the_build_a_handle_can_be_shown():
    with graph(name="g"):
        h = add(a=1, _id="h")
    assert str(h) == "<node h>"
    assert f"{h.total:>10}" == " <h.total>"


def test_private_names_of_a_handle_are_plain_attribute_errors():
    with graph(name="g"):
        h = add(a=1)
    with pytest.raises(AttributeError):
        h.total._private  # noqa: B018 (reading it is the point)
    with pytest.raises(AttributeError):
        h._repr_html_  # noqa: B018 (as above)


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("add(b=1)", "tool_missing_argument", "add() needs 'a'"),
        ("add(a=1, bb=2)", "tool_unknown_argument", "add() has no argument 'bb'"),
        ("add(a=1, _ide='n')", "tool_unknown_control", "add() has no node control '_ide'"),
        ("h.totl", "tool_unknown_output", "add has no output 'totl'"),
        ("h[0]", "tool_unknown_output", "add has no output 0"),
        ("add(a=bounds(values=x))", "tool_ambiguous_output", "'bounds' has 2 outputs"),
        ("add(a=1, _id='h')", "graph_duplicate_node_id", "graph 'g' has two nodes with the id 'h'"),
        ("add(a={x})", "tool_bad_argument", "<input x> is an element of a set"),
        ("add(a={x: 1})", "tool_bad_argument", "<input x> is the key of a dict"),
    ],
)
def test_every_mistake_in_a_body_names_its_line(source, code, message):
    error = refused(source)
    assert error.code == code
    assert f"line 2, `{source}`: {message}" in str(error)
    assert error.hints


def test_a_mistake_in_a_with_block_names_its_line():
    with pytest.raises(GraphValidationError) as caught, graph(name="g"):
        add(bb=1)
    assert "test_mistakes.py, line " in str(caught.value)
    assert "`add(bb=1)`" in str(caught.value)


def test_wrong_outputs_name_the_line_of_the_definition():
    @graphify("g", outputs=["total"])
    def g():
        return {"totl": add(a=1)}

    with pytest.raises(GraphValidationError, match=r"line \d+, `@graphify\(\"g\", outputs=\[\"total\"\]\)`: graph 'g'"):
        g.build()


def test_the_traceback_of_a_mistake_ends_at_the_users_line():
    error = refused("add(bb=1)")
    assert traceback.extract_tb(error.__traceback__)[-1].line == "add(bb=1)"
    error = refused("x + 1")
    assert traceback.extract_tb(error.__traceback__)[-1].line == "x + 1"


def test_an_exception_in_a_body_keeps_its_type_and_line():
    g = traced("add(a=1)\n{}['nothing']")
    with pytest.raises(KeyError) as caught:
        g.build()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "{}['nothing']"
    assert type(caught.value) is KeyError

    with pytest.raises(NameError, match="undefined_name"):
        traced("undefined_name").build()


def test_a_failed_build_leaves_no_graph_open():
    with contextlib.suppress(GraphBuildError):
        traced("x + 1").build()
    assert add(a=1, b=2) == {"total": 3}


def test_a_handle_of_one_graph_is_refused_in_another_and_both_are_named():
    with graph(name="one"):
        h = add(a=1, _id="h")

    for use in (
        lambda: add(a=h.total),
        lambda: add(a=[1, {"k": h}]),
        lambda: add(a=1, _after=h),
        lambda: add(a=1, _after=[h.total]),
        lambda: add(a=1, _condition=h.total),
        lambda: add(a=1, _condition={"op": "and", "args": [{"op": "gt", "left": 1, "right": h}]}),
    ):
        with pytest.raises(GraphValidationError) as caught, graph(name="two"):
            use()
        assert caught.value.code == "graph_foreign_handle"
        assert "belongs to graph 'one', and is used in graph 'two'" in str(caught.value)
        assert "give 'two' an input" in caught.value.hints[0]


def test_a_foreign_handle_as_output_is_refused():
    with graph(name="one") as one:
        x = one.arg("x")
    with pytest.raises(GraphValidationError, match="<input x> belongs to graph 'one', and is used in graph 'two'"):
        graph(name="two").expose("y", x)


def test_a_handle_of_an_earlier_build_is_refused():
    kept = []

    @graphify("g", inputs=["x"])
    def g(x):
        kept.append(x)
        add(a=kept[0])
        return {}

    g.build()
    with pytest.raises(GraphValidationError, match="belongs to an earlier build of the same graph"):
        g.build()


def test_a_handle_of_the_outer_graph_reaches_a_nested_one_as_an_input_only():
    @graphify("inner", inputs=["v"], outputs=["y"])
    def inner(v):
        return {"y": add(a=v, b=1).total}

    @graphify("outer", inputs=["x"], outputs=["y"])
    def outer(x):
        return {"y": inner(v=add(a=x, b=1).total).y}

    assert run(outer, {"x": 1}).result() == {"y": 3}

    @graphify("leaky", inputs=["x"])
    def leaky(x):
        graphify("hole", outputs=["y"])(lambda: {"y": add(a=x).total})()
        return {}

    with pytest.raises(GraphValidationError, match="<input x> belongs to graph 'leaky', and is used in graph 'hole'"):
        leaky.build()


def test_a_handle_is_no_value_outside_of_a_graph():
    with graph(name="g") as g:
        h = add(a=g.arg("x"), _id="h")
    g.expose("y", h.total)

    for use in (lambda: add(a=h.total), lambda: add(h), lambda: run(g, {"x": h.total})):
        with pytest.raises(GraphValidationError, match="inside graph 'g', and no graph is being built here") as caught:
            use()
        assert caught.value.code == "graph_not_building"
        assert "run the graph" in caught.value.hints[0]


@pytest.mark.parametrize("depth", [3_000, None], ids=["deep", "in itself"])
def test_an_argument_that_cannot_be_looked_through_is_one_clear_error(depth):
    value = []
    if depth is None:
        value.append(value)
    for _ in range(depth or 0):
        value = [value]
    with graph(name="g"), pytest.raises(GraphValidationError, match="nested too deeply, or contains itself") as caught:
        add(a=value)
    assert "object of a class of your own" in caught.value.__notes__[0]


def test_a_callable_whose_parameters_nobody_knows_is_refused_with_what_to_write():
    with pytest.raises(Misuse, match=r"wrap it: lambda x: int\(x\)"):
        tool(outputs=["x"])(int)


def test_an_error_of_a_library_that_met_a_handle_says_what_that_is():
    with pytest.raises(TypeError, match="Handle is not JSON serializable") as caught:
        traced("import json\njson.dumps({'total': h.total})").build()
    assert len(caught.value.__notes__) == 1
    assert caught.value.__notes__[0].startswith("hint: a handle stands for a value that is not there")


def test_an_error_of_the_body_itself_gets_no_hint_from_us():
    with pytest.raises(ValueError, match="abc") as caught:
        traced("int('abc')").build()
    assert not hasattr(caught.value, "__notes__")
