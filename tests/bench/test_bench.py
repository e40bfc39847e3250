import asyncio
import importlib
import shutil

import pytest

from tests.bench import table
from tests.bench.contenders import OWN
from tests.bench.drawing import dots, ours, row
from tests.bench.families import FAMILIES, made
from tests.bench.figures import Figure, exponent, figures
from tests.bench.measure import Cost, checked, measure
from tests.bench.peers import PEERS
from tests.bench.shapes import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("contender", OWN, ids=lambda each: each.name)
def test_floor_and_engine_call_every_node_of_a_shape_once(contender, shape):
    cost = measure(contender, SHAPES[shape](100), n_rounds=1)

    assert cost.n == 100
    assert cost.ratio > 0


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_that_is_installed_calls_every_node_once(name):
    try:
        contenders = importlib.import_module(f"tests.bench.peers.{name}").CONTENDERS
    except ModuleNotFoundError:
        pytest.skip(f"{name} is not installed")

    for each in contenders:
        for shape in SHAPES.values():
            assert measure(each, shape(100), n_rounds=1).n == 100


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_n_nodes_that_need_earlier_ones(shape):
    made = SHAPES[shape](1_000)

    assert made.n == 1_000
    assert all(above < i for i, needs in enumerate(made.needs) for above in needs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_about_n_nodes_that_need_earlier_ones_and_is_the_same_for_a_seed(family):
    nodes, edges = made(family, 200, 5)
    at = {node: i for i, node in enumerate(nodes)}

    assert 190 <= len(nodes) <= 202
    assert all(at[start] < at[end] for start, end in edges)
    assert len(set(edges)) == len(edges) >= 150
    assert (nodes, edges) == made(family, 200, 5)


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_trees_are_drawn_beside_dot_without_crossings_on_either_side():
    assert row("tree", 40, 2, 20.0).endswith("equal")


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_crossings_of_dot_are_counted_as_our_own():
    both = [f"{a} {b}" for a in ("a", "b", "c") for b in ("x", "y", "z")]
    graph = [*"abcxyz"], [tuple(each.split()) for each in both]

    assert (ours(graph).crossings, dots(graph).crossings) == (9, 9)


def test_a_contender_that_leaves_nodes_out_is_found_out():
    with asyncio.Runner() as runner:
        go = OWN[0].prepare(SHAPES["wide"](99), runner)

        with pytest.raises(RuntimeError, match="99 calls for 100 nodes"):
            checked(go, 100)


def test_linear_cost_has_exponent_one_and_quadratic_cost_two():
    assert exponent([Cost(n, 5.0, 1.0, 1) for n in (10, 100, 1_000)]) == pytest.approx(1.0)
    assert exponent([Cost(n, 5.0 * n, 1.0, 1) for n in (10, 100, 1_000)]) == pytest.approx(2.0)


def test_every_figure_of_this_engine_can_be_measured():
    measured = list(figures(n=200, n_calls=20, lag_s=0.1, steady_s=0.2, drawn=(50,)))

    assert all(isinstance(each, Figure) and each.value for each in measured)
    assert len(measured) == 9


def test_the_table_says_what_was_not_measured_and_goes_between_the_marks(tmp_path):
    rows = {("floor", "wide"): ([Cost(100, 2.0, 1.0, 3)], ""), (OWN[2].name, "wide"): ([], "> 30 s")}
    told = table.costs(rows, (OWN[0], OWN[2]), ("wide",))
    document = tmp_path / "DESIGN.md"
    document.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")

    assert table.put(document, told)
    assert "| floor | 2.0 µs, 1.00 x |" in document.read_text()
    assert f"| {OWN[2].name} | > 30 s |" in document.read_text()
    assert document.read_text().startswith("before\n")
    assert "old" not in document.read_text()
    assert document.read_text().endswith("after\n")
