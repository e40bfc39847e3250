"""A TaskGraph under inspection: order, selections, subgraphs, and the graph as text, dot and networkx."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap

import pytest

from graphrun_nb import GraphRunFailed, RetryPolicy, graph, graphify, run, tool
from graphrun_nb.errors import BadSelection, UnknownNode


@tool(outputs=["total"])
def add(a, b=0):
    return a + b


@graphify("inner", inputs=["v"], outputs=["y"])
def inner(v):
    return {"y": add(a=add(a=v, b=1, _id="low").total, b=1, _id="high").total}


@graphify("sums", inputs={"x": 1, "limit": 3, "unused": 0}, outputs=["y", "small", "fixed", "both"])
def sums(x, limit, unused):
    first = add(a=x, b=1, _id="first", _labels=["math", "quick"], _group="left")
    second = add(a=first.total, b=10, _id="second", _name="Number two", _labels="math", _retry=3, _group="left")
    big = {"op": "gt", "left": second.total, "right": limit}
    third = add(a=1, _id="third one", _condition=big, _after="last")
    add(a=2, _id="last")
    return {"y": third, "small": first, "fixed": 3, "both": [first, {"k": second}]}


@pytest.fixture
def built():
    return sums.build()


def test_nodes_are_in_order_of_definition_and_found_by_id(built):
    assert [node.node_id for node in built.nodes] == ["first", "second", "third one", "last"]
    assert built.node("second").name == "Number two"
    assert built.node("second").status == "PENDING"
    assert built.node("second").attempts == 0
    with pytest.raises(KeyError) as caught:
        built.node("frist")
    assert str(caught.value) == "graph 'sums' has no node 'frist'"
    assert caught.value.hints == ("did you mean 'first'?",)


def test_topological_order_is_that_of_definition_as_far_as_it_can_be(built):
    assert built.topological_order() == ["first", "second", "last", "third one"]


def test_dependents_are_those_right_after_and_upstream_is_all_that_is_needed(built):
    assert built.dependents("first") == ["second"]
    assert built.dependents("second") == ["third one"]
    assert built.upstream("third one") == ["second", "last", "first"]
    assert built.upstream("last") == []


def test_what_needs_a_nested_graph_comes_after_its_parts():
    with graph(name="g") as g:
        add(a=1, _id="early", _after="nested")
        add(a=inner(v=1, _id="nested").y, _id="late")
        add(a=1, _id="picky", _after="nested/low")
    built = g.build()
    assert built.topological_order() == ["nested", "nested/low", "nested/high", "early", "late", "picky"]
    assert built.dependents("nested") == ["early", "nested/low", "late"]
    assert built.upstream("late") == ["nested", "nested/low", "nested/high"]
    assert built.upstream("picky") == ["nested/low", "nested"]
    assert built.upstream("nested/high") == ["nested/low", "nested"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("first", ["first"]),
        ("last first", ["first", "last"]),
        ("third one", ["third one"]),
        ('"third one" last', ["third one", "last"]),
        ('@"Number two"', ["second"]),
        ("@first", ["first"]),
        ("#math", ["first", "second"]),
        ("#quick last", ["first", "last"]),
        ("/ir/", ["first", "third one"]),
        ("/^l/ /^s/", ["second", "last"]),
        ("/d o/", ["third one"]),
        (" first \t first ", ["first"]),
    ],
)
def test_selections_are_unions_in_order_of_definition(built, text, ids):
    assert built.select(text) == ids


def test_ids_with_slashes_are_ids_and_regular_expressions_may_have_slashes():
    with graph(name="g") as g:
        inner(v=1, _id="a")
        add(a=1, _id="/odd/")
    built = g.build()
    assert built.select("a/low") == ["a/low"]
    assert built.select("/a/high/") == ["a/high"]
    assert built.select("/odd/") == ["/odd/"]


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        ("frist", UnknownNode, "graph 'sums' has no node 'frist'", "did you mean 'first'?"),
        ("first xyzzy", UnknownNode, "has no node 'xyzzy'", "its nodes are: first, second, third one, last"),
        ("@Number", UnknownNode, "has no node called '@Number'", "did you mean 'Number two'?"),
        ("#mth", UnknownNode, "has no label '#mth'", "did you mean 'math'?"),
        ("#xyzzy", UnknownNode, "has no label '#xyzzy'", "its labels are: math, quick"),
        ("/xyzzy/", UnknownNode, "has no node whose id matches '/xyzzy/'", "its nodes are: first"),
        ("/first", UnknownNode, "has no node '/first'", "between two slashes"),
        ("/(/", BadSelection, "/(/ is no regular expression: missing ), unterminated", r"/\(/"),
        ("", BadSelection, "'' selects nothing", "write ids, @name, #label or /regex/"),
    ],
)
def test_a_term_that_names_nothing_is_an_error_with_a_hint(built, text, kind, message, hint):
    with pytest.raises(kind) as caught:
        built.select(text)
    assert message in str(caught.value)
    assert hint in caught.value.hints[0]


def test_a_subgraph_keeps_what_the_selected_nodes_need_and_runs(built):
    part = built.subgraph("second")
    assert [node.node_id for node in part.nodes] == ["first", "second"]
    assert part.io_signature() == {
        "inputs": {"required": [], "optional": {"x": 1}},
        "outputs": {"small": "first.total", "fixed": "3", "both": "[first.total, {'k': second.total}]"},
    }
    assert run(part, {"x": 5}).result() == {"small": 6, "fixed": 3, "both": [6, {"k": 16}]}
    assert len(built.nodes) == 4


def test_a_subgraph_keeps_conditions_and_order_with_all_that_they_need(built):
    part = built.subgraph("third one")
    assert part.topological_order() == built.topological_order()
    assert list(part.io_signature()["inputs"]["optional"]) == ["x", "limit"]
    assert run(part, {"limit": 100}).result()["y"] is None


def test_a_subgraph_of_several_selections_has_required_inputs_where_they_are_used():
    with graph(name="g") as g:
        g.expose("a", add(a=g.arg("x"), _id="a"))
        g.expose("b", add(a=g.arg("y"), _id="b", _labels="left"))
        g.expose("c", add(a=g.arg("z"), _id="c"))
    part = g.build().subgraph("@a", "#left")
    assert part.io_signature()["inputs"] == {"required": ["x", "y"], "optional": {}}
    assert run(part, {"x": 1, "y": 2}).result() == {"a": 1, "b": 2}


def test_a_part_of_a_nested_graph_brings_the_whole_of_it():
    with graph(name="g") as g:
        start = add(a=1, _id="start")
        g.expose("y", inner(v=start, _id="nested").y)
        add(a=1, _id="other")
    part = g.build().subgraph("nested/low")
    assert [node.node_id for node in part.nodes] == ["start", "nested", "nested/low", "nested/high"]
    assert run(part).result() == {"y": 3}


def test_a_subgraph_of_nothing_known_is_an_error(built):
    with pytest.raises(UnknownNode):
        built.subgraph("first", "xyzzy")


def test_the_io_signature_tells_where_outputs_come_from(built):
    assert built.io_signature() == {
        "inputs": {"required": [], "optional": {"x": 1, "limit": 3, "unused": 0}},
        "outputs": {
            "y": "third one.total",
            "small": "first.total",
            "fixed": "3",
            "both": "[first.total, {'k': second.total}]",
        },
    }
    with graph(name="g") as g:
        g.declare_inputs(["a"], {"b": 2})
        g.expose("through", g.arg("a"))
        g.expose("pair", (g.arg("b"), "text"))
    assert g.build().io_signature() == {
        "inputs": {"required": ["a"], "optional": {"b": 2}},
        "outputs": {"through": "input a", "pair": "(input b, 'text')"},
    }


def test_graphified_tells_its_io_and_spec():
    assert sums.io() == {
        "inputs": {"required": [], "optional": {"x": 1, "limit": 3, "unused": 0}},
        "outputs": ["y", "small", "fixed", "both"],
    }
    assert sums.spec().fingerprint() == sums.build().fingerprint()
    assert [node.node_id for node in sums.spec().nodes] == ["first", "second", "third one", "last"]


def test_a_graph_reads_as_a_table(built):
    assert built.pretty() == textwrap.dedent("""\
        sums(x=…, limit=…, unused=…), 4 nodes
          node                 needs         after  when                        labels        retry
          first                                                                 #math #quick
          second (Number two)  first.total                                      #math         3 attempts
          third one            second.total  last   second.total > input limit
          last
        outputs: y = third one.total, small = first.total, fixed = 3, both = [first.total, {'k': second.total}]""")


def test_after_a_run_the_table_has_statuses():
    future = run(sums, {"limit": 100})
    future.result()
    lines = future.graph.pretty().splitlines()
    assert lines[0] == "sums(x=…, limit=…, unused=…), 4 nodes, done"
    assert [line.split()[-1] for line in lines[2:6]] == ["done", "done", "skipped", "done"]


def test_parts_are_indented_below_their_container_and_elements_are_counted():
    with graph(name="g") as g:
        add(a=inner(v=1, _id="nested").y, _id="late")
        g.expose("all", add.map(a=[1, 2, 3], _id="many").total)
    future = run(g)
    future.result()
    assert future.graph.pretty() == textwrap.dedent("""\
        g(), 5 nodes, done
          node             needs             status
          nested [graph]                     done
            nested/low                       done
            nested/high    nested/low.total  done
          late             nested.y          done
          many [map of 3]                    done
        outputs: all = many.total""")
    assert [node.node_id for node in future.graph.nodes][-3:] == ["many[0]", "many[1]", "many[2]"]


def test_an_empty_graph_can_be_looked_at():
    built = graph(name="nothing").build()
    assert built.pretty() == "nothing(), 0 nodes"
    assert built.to_dot().startswith('digraph "nothing" {')
    assert list(built.to_networkx()) == []
    assert "<img" in built._repr_html_()
    assert built.topological_order() == []


def test_dot_has_clusters_styles_and_after_a_run_colours(built):
    text = built.to_dot()
    assert (
        'subgraph cluster_0 {\n    label="left"\n    "first" [label="first"]\n    "second" [label="second"]\n  }'
        in text
    )
    assert '"first" -> "second"\n' in text
    assert '"second" -> "third one" [style="dashed"]' in text
    assert '"last" -> "third one" [style="dotted"]' in text
    assert "fillcolor=" in text

    future = run(sums, {"limit": 100})
    future.result()
    ran = future.graph.to_dot()
    assert '"first" [label="first\\ndone", fillcolor="#d9f2e1"]' in ran
    assert '"third one" [label="third one\\nskipped", fillcolor="#eceef1"]' in ran


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_the_dot_of_nested_graphs():
    with graph(name="g") as g:
        add(a=inner(v=1, _id="nested", _group="one").y, _id="late", _group="two")
    drawn = subprocess.run(["dot", "-Tplain"], input=g.build().to_dot(), capture_output=True, text=True, check=True)
    assert drawn.stderr == ""
    assert [line.split()[1] for line in drawn.stdout.splitlines() if line.startswith("node")] == [
        "nested",
        '"nested/low"',
        '"nested/high"',
        "late",
    ]


def test_networkx_has_attributes_of_nodes_and_the_kinds_of_edges(built):
    drawn = built.to_networkx()
    assert drawn.name == "sums"
    assert list(drawn) == ["first", "second", "third one", "last"]
    assert drawn.nodes["second"] == {
        "name": "Number two",
        "kind": "tool",
        "status": "PENDING",
        "labels": ["math"],
        "group": "left",
        "parent": "",
    }
    assert {(a, b): kind for a, b, kind in drawn.edges(data="kind")} == {
        ("first", "second"): "value",
        ("second", "third one"): "condition",
        ("last", "third one"): "order",
    }


def test_an_edge_that_is_several_things_is_the_strongest():
    with graph(name="g") as g:
        a = add(a=1, _id="a")
        add(a=a, _id="b", _after=a, _condition=a.total)
        add(a=1, _id="c", _after=a, _condition=a.total)
        inner(v=a, _id="n")
    kinds = {(a, b): kind for a, b, kind in g.build().to_networkx().edges(data="kind")}
    assert kinds["a", "b"] == "value"
    assert kinds["a", "c"] == "condition"
    assert kinds["n", "n/low"] == "part"
    assert ("n", "n/high") not in kinds


def test_statuses_in_networkx_are_those_of_the_run():
    @tool(outputs=["x"])
    def fail():
        raise ValueError

    with graph(name="g") as g:
        add(a=fail(_retry=RetryPolicy(max_attempts=1)), _id="below")
    future = run(g)
    with pytest.raises(GraphRunFailed):
        future.result()
    assert dict(future.graph.to_networkx().nodes(data="status")) == {"fail": "FAILED", "below": "SKIPPED"}


def test_importing_the_package_does_not_import_networkx():
    program = "import sys, graphrun_nb; assert 'networkx' not in sys.modules, 'networkx'"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_ten_thousand_nodes_can_be_looked_at():
    with graph(name="g") as g:
        for i in range(10_000):
            add(a=i, _id=f"n{i}", _after=f"n{i - 1}" if i else None)
    built = g.build()
    assert built.topological_order()[-1] == "n9999"
    assert len(built.upstream("n9999")) == 9999
    assert len(built.subgraph("n5000").nodes) == 5001
    assert built.pretty().count("\n") == 10_001
    assert built.to_dot().count("->") == 9999
    assert '<img alt="g(), 10000 nodes' in built._repr_html_()
