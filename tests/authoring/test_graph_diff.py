"""How one graph differs from another: told by node and by part, renamed nodes followed, cosmetics set apart."""

from __future__ import annotations

import dataclasses

import pytest

from graphrun_nb import graph, graphify, tool
from graphrun_nb.authoring.graph_diff import GraphDiff


@tool(outputs=["out"])
def load(path="a.csv"):
    return path


@tool(outputs=["out"])
def clean(rows, how="drop"):
    return rows, how


@tool(outputs=["out"])
def clean_better(rows, how="drop"):
    return how, rows


@tool(outputs=["out", "more"])
def fit(rows):
    return {"out": rows, "more": 1}


def pipeline(*, name="p", load_id="load", clean_id="clean", tool_=clean, path="a.csv", output="out", extra=False, **on):
    with graph(name=name) as g:
        g.declare_inputs(optional={"k": 1})
        rows = load(path=path, _id=load_id)
        if extra:
            load(path="b.csv", _id="extra")
        tidy = tool_(rows=rows.out, how="drop", _id=clean_id, **on)
        model = fit(rows=[tidy], _id="fit")
        g.expose("model", model[output])
    return g.build()


def test_equal_graphs_do_not_differ():
    diff = pipeline().diff(pipeline())
    assert not diff
    assert diff == GraphDiff()
    assert diff.cosmetic is False
    assert repr(diff) == "<no difference>"


def test_added_and_removed_nodes_are_named():
    assert pipeline().diff(pipeline(extra=True)) == GraphDiff(added=("extra",))
    assert pipeline(extra=True).diff(pipeline()) == GraphDiff(removed=("extra",))


@pytest.mark.parametrize(
    ("change", "node", "what"),
    [
        ({"tool_": clean_better}, "clean", ("code",)),
        ({"path": "b.csv"}, "load", ("inputs",)),
        ({"_after": "load"}, "clean", ("after",)),
        ({"_condition": True}, "clean", ("condition",)),
        ({"_retry": 3}, "clean", ("retry",)),
        ({"_timeout": 3}, "clean", ("timeout",)),
        ({"_executor": "loop"}, "clean", ("executor",)),
        ({"_labels": ["daily"]}, "clean", ("labels",)),
        ({"_group": "left"}, "clean", ("group",)),
        ({"_name": "Tidy up"}, "clean", ("name",)),
        ({"_condition": True, "_labels": ["daily"]}, "clean", ("condition", "labels")),
    ],
)
def test_a_changed_node_names_the_parts_that_differ(change, node, what):
    diff = pipeline().diff(pipeline(**change))
    assert diff.changed == ((node, what),)
    assert (diff.added, diff.removed, diff.renamed, diff.graph) == ((), (), (), ())
    back = pipeline(**change).diff(pipeline())
    assert back.changed == diff.changed


@pytest.mark.parametrize(
    ("change", "cosmetic"),
    [
        ({"_labels": ["daily"]}, True),
        ({"_group": "left", "_retry": 3, "_name": "Tidy up", "_timeout": 5, "_executor": "loop"}, True),
        ({"_condition": True}, False),
        ({"tool_": clean_better, "_labels": ["daily"]}, False),
        ({"clean_id": "tidy"}, False),
        ({"name": "q"}, False),
    ],
)
def test_differences_that_do_not_count_are_cosmetic(change, cosmetic):
    here, there = pipeline(), pipeline(**change)
    assert here.diff(there).cosmetic is cosmetic
    assert (here.fingerprint() == there.fingerprint()) is cosmetic


@pytest.mark.parametrize(
    ("change", "what"),
    [({"name": "q"}, ("name",)), ({"output": "more"}, ("outputs",))],
)
def test_what_differs_of_the_graph_itself_is_named(change, what):
    assert pipeline().diff(pipeline(**change)) == GraphDiff(graph=what)


def test_inputs_version_and_order_of_the_graph_are_compared():
    def built(version, default, ids):
        with graph(name="g", version=version) as g:
            g.declare_inputs(["x"], {"k": default})
            for each in ids:
                load(_id=each)
        return g.build()

    diff = built("1", 1, ["a", "b"]).diff(built("2", 2, ["b", "a"]))
    assert diff == GraphDiff(graph=("version", "inputs", "order"))


def test_a_node_that_computes_the_same_under_another_id_is_renamed():
    diff = pipeline().diff(pipeline(clean_id="tidy"))
    assert diff == GraphDiff(renamed=(("clean", "tidy"),))


def test_a_chain_of_renamed_nodes_is_followed_and_nodes_below_have_not_changed():
    diff = pipeline().diff(pipeline(load_id="read", clean_id="tidy"))
    assert diff == GraphDiff(renamed=(("load", "read"), ("clean", "tidy")))


def test_a_renamed_node_may_also_have_changed_in_what_does_not_count():
    diff = pipeline().diff(pipeline(clean_id="tidy", _labels=["daily"]))
    assert diff == GraphDiff(renamed=(("clean", "tidy"),), changed=(("clean", ("labels",)),))


def test_a_node_that_computes_something_else_under_another_id_is_not_renamed():
    diff = pipeline().diff(pipeline(clean_id="tidy", tool_=clean_better))
    assert (diff.added, diff.removed, diff.renamed) == (("tidy",), ("clean",), ())
    assert diff.changed == (("fit", ("inputs",)),)


def test_nodes_that_are_alike_are_renamed_in_order():
    def built(*ids):
        with graph(name="g") as g:
            for each in ids:
                load(_id=each)
        return g.build()

    assert built("a", "b").diff(built("c", "d")).renamed == (("a", "c"), ("b", "d"))
    assert built("a", "b").diff(built("c")) == GraphDiff(renamed=(("a", "c"),), removed=("b",))


def test_a_renamed_nested_graph_takes_its_parts_along():
    @graphify("inner", inputs=["v"], outputs=["y"])
    def inner(v):
        return {"y": clean(rows=clean(rows=v, _id="low").out, _id="high").out}

    def built(node_id):
        with graph(name="g") as g:
            g.expose("y", inner(v=1, _id=node_id).y)
        return g.build()

    assert built("one").diff(built("two")) == GraphDiff(
        renamed=(("one", "two"), ("one/low", "two/low"), ("one/high", "two/high"))
    )


def test_what_a_mapped_node_goes_through_is_compared():
    def built(mapped):
        with graph(name="g") as g:
            mapped(g)
        return g.build()

    diff = built(lambda _: load.map(path=["a"])).diff(built(lambda _: load(path=["a"])))
    assert diff.changed == (("load", ("kind", "over")),)


def test_a_long_diamond_is_compared_quickly():
    def built(prefix):
        with graph(name="g") as g:
            last = load(_id=f"{prefix}0")
            for i in range(1, 400):
                last = clean(rows=[last, last], how=last, _id=f"{prefix}{i}")
        return g.build()

    assert len(built("a").diff(built("b")).renamed) == 400


def test_the_repr_names_every_difference_a_line():
    diff = pipeline().diff(pipeline(clean_id="tidy", extra=True, path="b.csv", output="more"))
    assert repr(diff).splitlines() == [
        "the graph itself: outputs",
        "+ extra",
        "~ clean is now called tidy",
        "~ load: inputs",
    ]
    assert repr(pipeline().diff(pipeline(_labels="x"))).splitlines() == ["~ clean: labels", "(computes the same)"]
    assert repr(pipeline(extra=True).diff(pipeline())) == "- extra"


def test_a_diff_is_a_value():
    diff = pipeline().diff(pipeline(clean_id="tidy"))
    assert diff == pipeline().diff(pipeline(clean_id="tidy"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        diff.cosmetic = True
