"""Part 2 of the contract, *Authoring*: `@graphify`, `graph`, `map` and where functions may stand.

That a mapped node is shown as one node with counts is in ``tests/browser`` and ``tests/view``.
"""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
import textwrap

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    GraphSpec,
    TaskGraph,
    arg,
    each,
    graph,
    graph_fn,
    graphify,
    run,
    run_async,
    tool,
)
from tests.contract.conftest import add_async, sums


@tool(outputs=["out"])
async def work(x, k=1):
    return x * k


def test_graphify_takes_name_inputs_outputs_and_version():
    assert list(inspect.signature(graphify).parameters) == ["name", "inputs", "outputs", "version"]
    assert list(inspect.signature(graph_fn).parameters) == ["name", "inputs", "outputs", "version"]


async def test_the_body_is_traced_once_per_build():
    traced = []

    @graphify("traced", outputs=["y"])
    def body():
        traced.append(1)
        return {"y": add_async(a=1, b=2).total}

    built = body.build()
    assert len(traced) == 1
    await run_async(built)
    await run_async(built)
    assert len(traced) == 1


async def test_inputs_are_a_list_of_required_ones():
    with pytest.raises(GraphBuildError, match="needs 'x'"):
        await run_async(sums)


async def test_inputs_are_a_dict_of_optional_ones_with_defaults():
    @graphify("defaults", inputs={"x": 5, "y": 6}, outputs=["z"])
    def defaults(x, y):
        return {"z": add_async(a=x, b=y).total}

    assert await run_async(defaults) == {"z": 11}
    assert await run_async(defaults, {"y": 1}) == {"z": 6}


def test_calling_or_building_it_gives_a_task_graph():
    assert isinstance(sums(), TaskGraph)
    assert isinstance(sums.build(), TaskGraph)


def test_it_has_spec_and_io():
    assert isinstance(sums.spec(), GraphSpec)
    assert sums.io() == {"inputs": {"required": ["x"], "optional": {}}, "outputs": ["y"]}


async def test_the_builder_is_a_context_manager_with_arg_expose_and_declare_inputs():
    with graph(name="by hand") as g:
        g.declare_inputs(["y"])
        g.expose("z", add_async(a=arg("x"), b=g.arg("y")).total)
    assert [(each.name, each.required) for each in g.build().spec.inputs] == [("y", True), ("x", True)]
    assert await run_async(g, {"x": 1, "y": 2}) == {"z": 3}


async def test_map_fans_out_over_a_list_known_only_at_run_time_to_one_node_with_a_child_per_element():
    @tool(outputs=["out"])
    async def items(n):
        return list(range(n))

    with graph(name="fan") as g:
        g.expose("all", work.map(x=items(n=arg("n")).out, k=3, _id="work").out)
    built = g.build()
    assert [node.node_id for node in built.nodes] == ["items", "work"]
    future = run(built, {"n": 3})
    assert await future == {"all": [0, 3, 6]}
    assert [node.node_id for node in future.graph.nodes] == ["items", "work", "work[0]", "work[1]", "work[2]"]


async def test_its_output_is_the_list_in_order(begin):
    from graphrun_nb.tools import ask_text

    with graph(name="fan") as g:
        g.expose("all", ask_text.map(prompt=["a?", "b?", "c?"], _id="ask").text)
    future = (await begin(g)).future
    for child in ("ask[2]", "ask[0]", "ask[1]"):
        future.resume(child, child)
    assert await future == {"all": ["ask[0]", "ask[1]", "ask[2]"]}


async def test_arguments_wrapped_in_each_fan_out_and_several_are_zipped():
    with graph(name="pairs") as g:
        g.expose("all", work.map(x=each([1, 2, 3]), k=each([10, 20, 30])).out)
        g.expose("second", work.map(x=[1, 2], k=each([1, 2])).out)
    assert await run_async(g) == {"all": [10, 40, 90], "second": [[1, 2], [1, 2, 1, 2]]}


async def test_zipped_lists_have_equal_lengths():
    with graph(name="pairs") as g:
        work.map(x=each([1, 2, 3]), k=each([10]))
    with pytest.raises(GraphRunFailed, match="different lengths: x has 3, k has 1") as raised:
        await run_async(g)
    assert "each(...)" in raised.value.__cause__.__notes__[0]


async def test_with_none_wrapped_the_first_keyword_argument_fans_out():
    with graph(name="first") as g:
        g.expose("by_x", work.map(x=[1, 2], k=3).out)
        g.expose("by_k", work.map(k=[1, 2], x=3).out)
    assert await run_async(g) == {"by_x": [3, 6], "by_k": [3, 6]}


@pytest.mark.parametrize("value", [3, "text", {"a": 1}, None])
async def test_what_is_no_list_cannot_fan_out_and_the_way_to_mark_one_is_told(value):
    with graph(name="first") as g:
        work.map(x=g.arg("value"), k=[1, 2])
    with pytest.raises(
        GraphRunFailed, match=f"maps over 'x', which takes a list, and got a {type(value).__name__}"
    ) as raised:
        await run_async(g, {"value": value})
    assert "x=each(...)" in raised.value.__cause__.__notes__[0]


async def test_closures_lambdas_methods_and_decorated_functions_work():
    def decorator(function):
        @functools.wraps(function)
        async def wrapped(*args, **kwargs):
            return await function(*args, **kwargs) + 1

        return wrapped

    def closing_over(n):
        @tool(outputs=["y"])
        async def closure(x):
            return x + n

        return closure

    class Scale:
        factor = 10

        @tool(outputs=["y"])
        def times(self, x):
            return x * self.factor

    @tool(outputs=["y"])
    @decorator
    async def decorated(x):
        return x

    square = tool(outputs=["y"])(lambda x: x * x)
    with graph(name="all kinds") as g:
        x = g.arg("x")
        g.expose("all", [closing_over(5)(x=x).y, square(x=x).y, Scale().times(x=x).y, decorated(x=x).y])
    assert await run_async(g, {"x": 3}) == {"all": [8, 9, 30, 4]}


def passing_on(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@tool(outputs=["y"])
@passing_on
async def wrapped(x):
    return x + 1


@pytest.mark.parametrize("executor", ["thread", "loop"])
async def test_an_async_function_in_a_decorator_that_is_not_async_works(executor):
    with graph(name="decorated") as g:
        g.expose("y", wrapped(x=1, _timeout=10).y)
    assert await run_async(g, executor=executor) == {"y": 2}
    assert await wrapped(x=1) == await wrapped.aio(x=1) == {"y": 2}

    @graph_fn(name="calls", outputs=["y"])
    async def calls():
        with pytest.raises(GraphRunError, match="returned a coroutine"):
            wrapped(x=1, _id="refused")
        return (await wrapped.aio(x=1))["y"]

    assert await calls() == {"y": 2}


async def test_the_callable_is_kept_and_never_re_imported_by_name(monkeypatch):
    @tool(outputs=["y"])
    async def shadowed():
        return "the first"

    with graph(name="kept") as g:
        g.expose("y", shadowed().y)
    built = g.build()
    monkeypatch.setitem(globals(), "shadowed", None)

    @tool(outputs=["y"])
    async def shadowed():
        return "the second"

    assert await run_async(built) == {"y": "the first"}


def test_functions_of_notebook_cells_work(kernel):
    kernel.run("""
        import traceback
        @tool(outputs=["y"])
        def inner(x):
            if x < 0:
                raise ValueError("negative")
            return x + 1

        @graphify("celled", inputs=["x"], outputs=["y"])
        def celled(x):
            return {"y": inner(x=x).y}
    """)
    assert kernel.run("await run(celled, {'x': 1})").text == "{'y': 2}"
    kernel.run("""
        try:
            await run(celled, {"x": -1})
        except Exception as error:
            frames = [(each.name, each.line) for each in traceback.extract_tb(error.__cause__.__traceback__)]
    """)
    assert kernel.run("frames").text == "[('inner', 'raise ValueError(\"negative\")')]"


def test_the_source_is_dedented(kernel):
    plain = '@tool(outputs=["y"])\ndef inner(x):\n    return x + 1\n'
    built = "with graph(name='g') as g:\n    inner(x=1)\nprint(g.build().spec.fingerprint())"
    indented = "if True:\n" + textwrap.indent(plain, "    ")
    kernel.run("from graphrun_nb import graph")
    assert kernel.run(plain + built).stdout == kernel.run(indented + built).stdout != ""


def test_cells_may_have_an_ipython_input_filename():
    script = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
shell.run_cell('''
from graphrun_nb import graph, run, tool
@tool(outputs=["y"])
def inner(x):
    return x + 1
with graph(name="g") as g:
    g.expose("y", inner(x=1).y)
print(inner.function.__code__.co_filename.startswith("<ipython-input-"), run(g).result(10))
''')
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.returncode) == ("True {'y': 2}\n", 0)
