"""Names that people give: any text of 1 to 200 characters without control characters, shown as text alone."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree as ET

import pytest

from graphrun_nb import GraphValidationError, graph, graphify, run_async, tool
from graphrun_nb.core.spec import GraphSpec, InputSpec, validate

ODD = [
    "x" * 200,
    "two words",
    "naïve 名前 🙂",
    '"quoted" and \\back\\slashed\\',
    "<script>alert(1)</script>",
    "a/b[3].c:d->e;{f}|g%h&amp;#i@j\\N",
    " leading and trailing ",
    "{x!r}",
    "__class__",
]
WRONG = ["", "x" * 201, "two\nlines", "tab\t", "nul\0", "\x1b[31m", "line\u2028separator", "\ud800", None, 3, ["a"]]


@tool(outputs=["out"])
def give(value):
    return value


@pytest.mark.parametrize("name", ODD)
async def test_any_text_may_name_a_node_a_graph_and_their_ends(name):
    with graph(name=name) as g:
        node = give(value=g.arg(name), _id=name, _name=name, _labels=[name], _group=name)
        give(value=node.out, _id="below", _after=name)
        g.expose(name, node.out)
    built = g.build()
    assert built.name == name
    assert built.node(name).name == name
    assert built.select(name) == [name]
    assert built.dependents(name) == ["below"]
    assert await run_async(built, {name: 5}) == {name: 5}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_text_in_pictures_and_exports(name):
    with graph(name=name) as g:
        node = give(value=1, _id=name, _group=name)
        give(value=node.out, _id="below")
    built = g.build()
    assert name in built.pretty()
    assert list(built.to_networkx().edges) == [(name, "below")]
    html = built._repr_html_()
    assert "<script" not in html
    assert html.count("<img") == 1
    if shutil.which("dot"):
        drawn = subprocess.run(
            ["dot", "-Tsvg"], input=built.to_dot(), capture_output=True, text=True, check=True
        ).stdout
        document = ET.fromstring(drawn)  # noqa: S314 (Graphviz's own output)
        texts = ["".join(each.itertext()) for each in document.iter("{http://www.w3.org/2000/svg}text")]
        assert [" ".join(text.split()) for text in texts].count(" ".join(name.split())) == 2


def _give(**controls):
    with graph(name="g"):
        give(value=1, **controls)


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        lambda name: graph(name=name),
        lambda name: graphify(name)(dict) if isinstance(name, str) else graph(name=name),
        lambda name: graphify("g", outputs=[name])(dict),
        lambda name: graphify("g", inputs=[name])(lambda **_: {}) if isinstance(name, str) else graph(name=name),
        lambda name: graphify("g", inputs={name: 1})(lambda **_: {}) if isinstance(name, str) else graph(name=name),
        lambda name: graph(name="g").arg(name),
        lambda name: graph(name="g").declare_inputs([name]),
        lambda name: graph(name="g").expose(name, 1),
        lambda name: _give(_id="" if name is None else name),
        lambda name: _give(_name="" if name is None else name),
        lambda name: _give(_group="" if name is None else name),
        lambda name: _give(_executor="" if name is None else name),
        lambda name: _give(_labels=["" if name is None else name] if not isinstance(name, list) else [""]),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_and_told_why(use, wrong):
    with pytest.raises(GraphValidationError) as caught:
        use(wrong)
    assert caught.value.code == "graph_invalid_name"
    assert "cannot be called" in str(caught.value)
    assert str(caught.value).isprintable()
    assert "1 to 200 characters without control characters" in caught.value.hints[0]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("", "it is empty"),
        ("x" * 201, "it has 201 characters"),
        ("two\nlines", "its character 4 is '\\n'"),
        (3, "it is of type int"),
    ],
)
def test_the_fault_of_a_name_is_told(wrong, fault):
    with pytest.raises(GraphValidationError) as caught:
        graph(name=wrong)
    assert fault in caught.value.hints[0]


def test_a_long_wrong_name_is_cut_in_the_message():
    with pytest.raises(GraphValidationError) as caught:
        graph(name="x" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "spec",
    [
        GraphSpec(name="a\nb"),
        GraphSpec(name="g", inputs=(InputSpec("a\tb"),)),
        GraphSpec(name="g", outputs=(("", None),)),  # type: ignore[arg-type] (never looked at)
    ],
)
def test_a_definition_from_elsewhere_is_held_to_the_same(spec):
    with pytest.raises(GraphValidationError) as caught:
        validate(spec)
    assert caught.value.code == "graph_invalid_name"


@pytest.mark.parametrize(
    ("use", "message", "hint"),
    [
        (
            lambda: graphify("g", outputs="total")(dict),
            "a list of names is meant, not the text 'total'",
            "['total']",
        ),
        (lambda: graphify("g", inputs="x")(lambda x: {}), "a list of names is meant, not the text 'x'", "['x']"),
        (lambda: graph(name="g").declare_inputs("xy"), "a list of names is meant, not the text 'xy'", "['xy']"),
        (
            lambda: graphify("g", outputs=["y", "y"])(dict),
            "outputs of graph 'g': 'y' is there twice",
            "leave one",
        ),
        (
            lambda: graphify("g", inputs=["x", "x"])(lambda x: {}),
            "inputs of graph 'g': 'x' is there twice",
            "leave one",
        ),
        (lambda: graph(name="g").declare_inputs(["x"], {"x": 1}), "'x' is there twice", "leave one"),
    ],
)
def test_lists_of_names_are_lists_without_repetition(use, message, hint):
    with pytest.raises(GraphValidationError) as caught:
        use()
    assert message in str(caught.value)
    assert hint in caught.value.hints[0]


def test_an_output_is_exposed_once():
    g = graph(name="g")
    g.expose("y", 1)
    with pytest.raises(GraphValidationError, match="graph 'g' has an output 'y' already"):
        g.expose("y", 2)


def test_an_input_that_looks_like_a_node_control_is_refused():
    with pytest.raises(GraphValidationError, match="names that begin with _ are node controls") as caught:
        graphify("g", inputs=["_x"])(lambda _x: {})
    assert "without the leading _" in caught.value.hints[0]


def test_an_output_that_would_hide_a_nodes_own_id_is_refused():
    with pytest.raises(TypeError, match="'node_id' is the node's own id"):
        tool(outputs=["node_id"])(lambda: 1)


async def test_outputs_may_be_called_like_anything_else_of_a_handle():
    @tool(outputs=["name", "_outputs", "owner", "items"])
    def many():
        return {"name": 1, "_outputs": 2, "owner": 3, "items": 4}

    with graph(name="g") as g:
        node = many()
        g.expose("all", [node.name, node["_outputs"], node.owner, node.items])
    assert await run_async(g) == {"all": [1, 2, 3, 4]}
