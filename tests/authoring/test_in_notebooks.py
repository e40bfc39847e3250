"""What a notebook shows of graphs: their picture, and for a mistake the user's own lines, by the names of cells."""

from __future__ import annotations

import base64
import html
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from IPython.core.formatters import DisplayFormatter

from graphrun_nb import graph, graphify, run, tool
from graphrun_nb.view import scene
from tests.notebook import kernels

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(
    r'<div style="[^"]*"><img alt="([^"]*)" style="[^"]*" src="data:image/svg\+xml;base64,([^"]*)"></div>'
)


@tool(outputs=["total"])
def add(a, b=0):
    return a + b


@graphify("sums", inputs=["x"], outputs=["y"])
def sums(x):
    return {"y": add(a=add(a=x, b=1, _id="<first>").total, b=10, _id="second", _condition=x).total}


def shown(thing):
    """Return what a notebook is given for the last expression of a cell, by media type."""
    data, _ = DisplayFormatter().format(thing)
    return data


def seen(data):
    """Return the alternative text and the node titles of the image in `data`."""
    alternative, drawing = IMAGE.fullmatch(data["text/html"]).groups()
    document = ET.fromstring(base64.b64decode(drawing))  # noqa: S314 (our own drawing)
    titles = [
        each.find(f"{SVG}title").text for each in document.iter(f"{SVG}g") if each.find(f"{SVG}title") is not None
    ]
    return html.unescape(alternative), titles


def test_a_graph_shows_itself_as_an_image_with_the_table_as_its_text():
    built = sums.build()
    alternative, titles = seen(shown(built))
    assert alternative == built.pretty()
    assert titles == ["<first>: pending", "second: pending"]
    assert shown(built)["text/plain"] == "<TaskGraph sums: 2 nodes>"


def test_a_graph_that_ran_shows_its_statuses():
    future = run(sums, {"x": 0})
    future.result()
    alternative, titles = seen(shown(future.graph))
    assert titles == ["<first>: done", "second: skipped"]
    assert alternative.splitlines()[0] == "sums(x), 2 nodes, done"


def test_a_graphified_function_shows_the_graph_that_it_builds():
    assert seen(shown(sums)) == seen(shown(sums.build()))
    assert shown(sums)["text/plain"] == "<graph sums(x) -> y>"


@pytest.mark.parametrize("body", [lambda x: x + 1, lambda x: {"y": x.nothing}, lambda x: {}["y"], lambda x: {"z": x}])
def test_a_graphified_function_that_does_not_build_shows_its_repr(body):
    broken = graphify("broken", inputs=["x"], outputs=["y"])(body)
    assert shown(broken) == {"text/plain": "<graph broken(x) -> y>"}
    assert broken._repr_html_() is None


def test_handles_show_their_repr():
    with graph(name="g"):
        node = add(a=1)
    assert shown(node) == {"text/plain": "<node add>"}
    assert shown(node.total) == {"text/plain": "<add.total>"}


def test_a_graph_of_very_many_nodes_is_shown_from_afar_in_a_picture_that_stays_small():
    with graph(name="g") as g:
        for _ in range(scene.MAX_LAID_OUT + 1):
            add(a=1)
    page = shown(g.build())["text/html"]
    assert '<img alt="g(), 4001 nodes' in page
    assert len(page) < 100 * scene.MAX_LAID_OUT


SETUP = """
from graphrun_nb import graphify, run, tool

@tool(outputs=["total"])
def add(a, b=0):
    return a + b

@graphify("sums", inputs=["x"], outputs=["y"])
def sums(x):
    return {"y": add(a=x, _id="only").total}

@graphify("branches", inputs=["x"])
def branches(x):
    if x > 3:
        return {}

@graphify("misspelt")
def misspelt():
    return undefined_name
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with kernels.started(Path(sys.executable), tmp_path_factory.mktemp("kernel")) as started:
        assert started.run(SETUP.strip()).status == "ok"
        yield started


def published(kernel, code, kind):
    cell = kernel.submit(code)
    kernel.reply(cell)
    return [m["content"] for m in kernel.published if kernels.of(m, cell) and m["msg_type"] == kind]


@pytest.mark.parametrize("code", ["sums.build()", "sums"])
def test_a_real_kernel_sends_the_image_and_plain_text(kernel, code):
    (result,) = published(kernel, code, "execute_result")
    assert result["data"]["text/plain"] in ("<TaskGraph sums: 1 node>", "<graph sums(x) -> y>")
    alternative, titles = seen(result["data"])
    assert alternative.startswith("sums(x), 1 node\n")
    assert titles == ["only: pending"]


@pytest.mark.parametrize("code", ["branches.build()", "run(branches, {'x': 1})"])
def test_a_mistake_in_a_cell_is_told_by_the_cells_name_and_without_lines_of_ours(kernel, code):
    (error,) = published(kernel, code, "error")
    assert error["ename"] == "GraphOperationError"
    assert "In[1], line 13, `if x > 3:`: a comparison of <input x>" in error["evalue"]
    assert "graphrun_nb/" not in _plain(error["traceback"])


@pytest.mark.parametrize("code", ["misspelt()", "run(misspelt)"])
def test_an_exception_in_a_body_goes_from_the_users_cell_to_the_users_line(kernel, code):
    (error,) = published(kernel, code, "error")
    assert error["ename"] == "NameError"
    text = _plain(error["traceback"])
    assert f"----> 1 {code}" in text
    assert "return undefined_name" in text
    assert "graphrun_nb/" not in text


def _plain(lines):
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
