from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import combinations, pairwise

import pytest

from graphrun_nb.errors import GraphValidationError
from graphrun_nb.view.layout import Layout, crossings, grid, layout

DX, DY = 220.0, 72.0


def chain(n):
    nodes = [f"n{i}" for i in range(n)]
    return nodes, list(pairwise(nodes))


def tree(n, seed, *, inward=False):
    rng = random.Random(seed)  # noqa: S311  (graphs, not secrets)
    edges = [(f"n{rng.randrange(i)}", f"n{i}") for i in range(1, n)]
    return [f"n{i}" for i in range(n)], [(b, a) for a, b in edges] if inward else edges


def fork_join(width, length=1):
    rows = [[f"w{i}.{k}" for k in range(length)] for i in range(width)]
    edges = [pair for row in rows for pair in pairwise(["fork", *row, "join"])]
    return ["fork", *(name for row in rows for name in row), "join"], edges


def random_dag(n, n_edges, seed):
    rng = random.Random(seed)  # noqa: S311  (graphs, not secrets)
    pairs = [sorted(rng.sample(range(n), 2)) for _ in range(n_edges)]
    return [f"n{i}" for i in range(n)], [(f"n{a}", f"n{b}") for a, b in pairs]


def hub_graph(n, seed):
    nodes, edges = random_dag(n, n, seed)
    return ["config", *nodes, "report"], edges + [("config", v) for v in nodes] + [(v, "report") for v in nodes]


GRAPHS = {
    "chain": chain(5),
    "tree": tree(60, 1),
    "reduction": tree(60, 2, inward=True),
    "fork_join": fork_join(7),
    "wide": fork_join(300),
    "wide_chains": fork_join(40, 2),
    "sparse": random_dag(40, 30, 3),
    "dense": random_dag(40, 200, 4),
    "hubs": hub_graph(60, 5),
    "isolated": ([f"i{k}" for k in range(300)], []),
    "folded_twice": (
        ["s", *(f"a{i}" for i in range(30)), "m", *(f"b{i}" for i in range(50)), "t", "u"],
        [e for i in range(30) for e in (("s", f"a{i}"), (f"a{i}", "m"))]
        + [e for i in range(50) for e in (("m", f"b{i}"), (f"b{i}", "t"))]
        + [("s", "u"), ("u", "t"), ("s", "t")],
    ),
}


@pytest.fixture(params=GRAPHS)
def graph(request):
    return GRAPHS[request.param]


def assert_apart(drawn):
    near = sorted(drawn.position.values())
    for i, (x, y) in enumerate(near):
        for other, level in near[i + 1 :]:
            if other - x > 0.7 * DX:
                break
            assert abs(level - y) >= DY - 0.05


def assert_inside(drawn):
    width, height = drawn.size
    for x, y in drawn.position.values():
        assert DX / 2 - 0.05 <= x <= width - DX / 2 + 0.05
        assert DY / 2 - 0.05 <= y <= height - DY / 2 + 0.05
    for line in drawn.bends.values():
        assert all(0 <= x <= width and 0 <= y <= height for x, y in line)


def crossings_by_hand(drawn, edges):
    """Compare every two edges over every two neighbouring columns."""
    lines = [[drawn.position[a], *drawn.bends.get((a, b), ()), drawn.position[b]] for a, b in edges]
    columns = sorted({x for line in lines for x, _ in line})

    def level(line, x):
        for (x0, y0), (x1, y1) in pairwise(line):
            if x0 <= x <= x1:
                return round(y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0), 2)
        return None

    levels = [[level(line, x) for x in columns] for line in lines]
    total = 0
    for one, other in combinations(levels, 2):
        for k in range(len(columns) - 1):
            ends = one[k], other[k], one[k + 1], other[k + 1]
            if None not in ends:
                total += (ends[0] - ends[1]) * (ends[2] - ends[3]) < 0
    return total


def test_empty_graph_has_no_size():
    assert layout([], []) == Layout({}, {}, (0.0, 0.0)) == grid([], [])


def test_single_node_fills_its_drawing():
    assert layout(["a"], []) == Layout({"a": (110.0, 36.0)}, {}, (220.0, 72.0)) == grid(["a"], [])


def test_every_node_has_a_place(graph):
    nodes, edges = graph
    assert list(layout(nodes, edges).position) == nodes
    assert list(grid(nodes, edges).position) == nodes


def test_no_two_nodes_overlap(graph):
    assert_apart(layout(*graph))
    assert_apart(grid(*graph))


def test_everything_lies_inside_the_size(graph):
    assert_inside(layout(*graph))
    assert_inside(grid(*graph))


def test_edges_lead_to_the_right(graph):
    nodes, edges = graph
    for drawn in (layout(nodes, edges), grid(nodes, edges)):
        for start, end in edges:
            line = [drawn.position[start], *drawn.bends.get((start, end), ()), drawn.position[end]]
            assert all(one[0] < other[0] for one, other in pairwise(line))


def test_long_edges_pass_no_node(graph):
    nodes, edges = graph
    drawn = layout(nodes, edges)
    for edge in edges:
        line = [drawn.position[edge[0]], *drawn.bends.get(edge, ()), drawn.position[edge[1]]]
        for x, y in drawn.position.values():
            for (x0, y0), (x1, y1) in pairwise(line):
                if x0 < x < x1:
                    assert abs(y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y) >= DY / 2 - 0.05


def test_only_named_edges_have_bends(graph):
    nodes, edges = graph
    assert set(layout(nodes, edges).bends) <= set(edges)


@pytest.mark.parametrize("seed", ["1", "2", "77"])
def test_layout_does_not_depend_on_the_hash_seed(seed):
    nodes, edges = random_dag(30, 60, 9)
    code = f"from graphrun_nb.view.layout import layout; print(repr(layout({nodes!r}, {edges!r})))"
    env = {**os.environ, "PYTHONHASHSEED": seed}
    answer = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == repr(layout(nodes, edges))


def test_duplicate_edges_change_nothing():
    nodes, edges = random_dag(20, 40, 5)
    assert layout(nodes, [*edges, *edges[::-1]]) == layout(nodes, edges)


def test_unknown_endpoint_is_named_with_its_edge():
    with pytest.raises(GraphValidationError, match=r"'a' -> 'ghost' touches 'ghost'") as caught:
        layout(["a"], [("a", "ghost")])
    assert caught.value.code == "graph_dangling_reference"
    assert caught.value.hints


def test_node_named_twice_is_refused():
    with pytest.raises(GraphValidationError, match="'a' is named twice"):
        grid(["a", "b", "a"], [])


@pytest.mark.parametrize("draw", [layout, grid])
def test_cycle_is_shown(draw):
    with pytest.raises(GraphValidationError, match=r"'b' -> 'c' -> 'b'") as caught:
        draw(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "b")])
    assert caught.value.code == "graph_cycle"


def test_self_loop_is_a_cycle():
    with pytest.raises(GraphValidationError, match="'a' -> 'a'"):
        layout(["a"], [("a", "a")])


def test_chain_is_a_straight_line():
    drawn = layout(*chain(9))
    assert [y for _, y in drawn.position.values()] == [36.0] * 9
    assert [x for x, _ in drawn.position.values()] == [110.0 + 220 * i for i in range(9)]


def test_long_chain_needs_no_recursion():
    nodes, edges = chain(2000)
    assert layout(nodes, edges).size == (2000 * DX, DY)
    assert grid(nodes, edges).size == (2000 * DX, DY)


def test_spine_stays_straight_beside_side_inputs_and_skips():
    nodes = ["load", "clean", "fit", "report", "params"]
    edges = [("load", "clean"), ("clean", "fit"), ("fit", "report"), ("params", "fit"), ("load", "report")]
    drawn = layout(nodes, edges)
    assert len({round(drawn.position[name][1]) for name in nodes[:4]}) == 1


@pytest.mark.parametrize("width", [2, 3, 8, 20])
def test_fork_and_join_lie_in_the_middle(width):
    nodes, edges = fork_join(width)
    drawn = layout(nodes, edges)
    levels = [drawn.position[name][1] for name in nodes[1:-1]]
    assert levels == [DY * (i + 0.5) for i in range(width)]
    assert drawn.position["fork"][1] == drawn.position["join"][1] == DY * width / 2
    assert crossings(drawn, edges) == 0


def test_nested_forks_are_centred_on_their_own_branches():
    nodes = ["s", "a", "b", "a1", "a2", "b1", "b2", "b3", "aj", "bj", "t"]
    edges = [("s", "a"), ("s", "b"), ("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2"), ("b", "b3")]
    edges += [("a1", "aj"), ("a2", "aj"), ("b1", "bj"), ("b2", "bj"), ("b3", "bj"), ("aj", "t"), ("bj", "t")]
    y = {name: at[1] for name, at in layout(nodes, edges).position.items()}
    assert y["a"] == y["aj"] == pytest.approx((y["a1"] + y["a2"]) / 2, abs=0.05)
    assert y["b"] == y["bj"] == pytest.approx(y["b2"], abs=0.05)
    assert y["s"] == y["t"] == pytest.approx((y["a"] + y["b"]) / 2, abs=0.05)


@pytest.mark.parametrize("inward", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_trees_have_no_crossings(seed, inward):
    nodes, edges = tree(80, seed, inward=inward)
    assert crossings(layout(nodes, edges), edges) == 0


def test_complete_tree_is_centred_everywhere():
    nodes = [f"n{i}" for i in range(31)]
    edges = [(f"n{(i - 1) // 2}", f"n{i}") for i in range(1, 31)]
    y = {name: at[1] for name, at in layout(nodes, edges).position.items()}
    for i in range(15):
        assert y[f"n{i}"] == pytest.approx((y[f"n{2 * i + 1}"] + y[f"n{2 * i + 2}"]) / 2, abs=0.05)


def test_siblings_keep_the_order_of_the_input():
    drawn = layout(*fork_join(6))
    assert sorted(drawn.position, key=lambda name: drawn.position[name][1])[:1] == ["w0.0"]
    assert drawn.position["w0.0"][1] < drawn.position["w3.0"][1] < drawn.position["w5.0"][1]


@pytest.mark.parametrize("seed", range(20))
def test_drawing_is_not_the_mirror_image_of_the_input(seed):
    nodes, edges = random_dag(12, 24, seed)
    position = layout(nodes, edges).position
    linked = [name for name in nodes if any(name in edge for edge in edges)]
    ranks = {}
    for name in sorted(linked, key=position.__getitem__):
        ranks.setdefault(position[name][0], []).append(int(name[1:]))
    assert sum(1 if one < other else -1 for rank in ranks.values() for one, other in pairwise(rank)) >= 0


@pytest.mark.parametrize("seed", range(40))
def test_interchangeable_nodes_keep_the_order_of_the_input(seed):
    nodes, edges = random_dag(24, 34 + seed, seed)
    drawn = layout(nodes, edges)
    position = drawn.position
    alike = {}
    for name in set(nodes) - {name for edge in drawn.bends for name in edge}:
        around = frozenset(edge[0] for edge in edges if edge[1] == name), frozenset(b for a, b in edges if a == name)
        if any(around):
            alike.setdefault(around, []).append(name)
    for names in alike.values():
        assert sorted(names, key=nodes.index) == sorted(names, key=position.__getitem__)


@pytest.mark.parametrize("seed", range(12))
def test_crossings_agree_with_a_count_by_hand(seed):
    nodes, edges = random_dag(14, 10 + 4 * seed, seed)
    edges = list(dict.fromkeys(edges))
    for drawn in (layout(nodes, edges), grid(nodes, edges)):
        assert crossings(drawn, edges) == crossings_by_hand(drawn, edges)


def test_crossings_of_a_complete_bipartite_graph():
    left, right = ["a", "b", "c"], ["x", "y", "z", "w"]
    edges = [(one, other) for one in left for other in right]
    assert crossings(layout(left + right, edges), edges) == 3 * 6


def test_sweeping_crosses_less_than_the_grid():
    nodes, edges = random_dag(60, 90, 1)
    assert crossings(layout(nodes, edges), edges) < crossings(grid(nodes, edges), edges) / 2


def test_wide_rank_is_folded_to_the_shape_of_a_screen():
    nodes, edges = fork_join(300)
    drawn = layout(nodes, edges)
    width, height = drawn.size
    assert 1 < width / height < 3
    assert crossings(drawn, edges) == 0
    assert drawn.position["fork"][1] == drawn.position["join"][1] == height / 2


def test_folded_chains_stay_straight():
    nodes, edges = fork_join(40, 3)
    drawn = layout(nodes, edges)
    for i in range(40):
        assert len({drawn.position[f"w{i}.{k}"][1] for k in range(3)}) == 1
        assert (f"w{i}.0", f"w{i}.1") not in drawn.bends


def test_isolated_nodes_wrap_into_a_block():
    drawn = layout(*GRAPHS["isolated"])
    width, height = drawn.size
    assert 1 < width / height < 3


def test_isolated_nodes_lie_below_the_rest():
    drawn = layout(["lonely", "a", "b"], [("a", "b")])
    assert drawn.position["lonely"][1] > drawn.position["a"][1] == drawn.position["b"][1]


def test_equal_components_look_equal():
    nodes = [f"{part}{i}" for part in "xyz" for i in range(4)]
    drawn = layout(nodes, [(f"{part}{i}", f"{part}{i + 1}") for part in "xyz" for i in range(3)])
    shapes = set()
    for part in "xyz":
        left, top = drawn.position[f"{part}0"]
        shapes.add(tuple((x - left, y - top) for x, y in (drawn.position[f"{part}{i}"] for i in range(4))))
    assert len(shapes) == 1


def test_edges_of_a_hub_share_one_lane():
    nodes, edges = hub_graph(60, 5)
    drawn = layout(nodes, edges)
    lanes = {point[1] for edge, line in drawn.bends.items() if edge[0] == "config" for point in line}
    assert len(lanes) == 1
    assert lanes.pop() < min(y for _, y in drawn.position.values())


def test_spacing_scales_the_drawing():
    drawn = layout(*fork_join(3), spacing=(100.0, 50.0))
    assert drawn.size == (300.0, 150.0)


@pytest.mark.parametrize("seed", range(5))
def test_growth_never_moves_a_placed_node(seed):
    nodes, edges = random_dag(60, 90, seed)
    drawn = layout(nodes[:20], [edge for edge in edges if {*edge} <= set(nodes[:20])])
    for n in (21, 25, 40, 60):
        known = set(nodes[:n])
        grown = layout(nodes[:n], [edge for edge in edges if {*edge} <= known], grown_from=drawn)
        assert {name: grown.position[name] for name in drawn.position} == drawn.position
        assert drawn.bends.items() <= grown.bends.items()
        assert_apart(grown)
        assert_inside(grown)
        drawn = grown


def test_growth_puts_a_child_after_its_last_parent():
    drawn = layout(["a", "b"], [("a", "b")])
    grown = layout(["a", "b", "c"], [("a", "b"), ("a", "c"), ("b", "c")], grown_from=drawn)
    assert grown.position["c"][0] == drawn.position["b"][0] + DX


def test_growth_puts_a_child_beside_the_median_of_its_parents():
    nodes, edges = fork_join(3)
    drawn = layout(nodes[:-1], [edge for edge in edges if edge[1] != "join"])
    grown = layout(nodes, edges, grown_from=drawn)
    assert grown.position["join"][1] == drawn.position["w1.0"][1]


def test_growth_from_nothing_is_a_drawing_of_its_own():
    nodes, edges = random_dag(30, 40, 2)
    grown = layout(nodes, edges, grown_from=layout([], []))
    assert_apart(grown)
    assert_inside(grown)


def test_growth_forgets_nodes_that_are_gone():
    drawn = layout(["a", "b"], [("a", "b")])
    assert list(layout(["a"], [], grown_from=drawn).position) == ["a"]


def boxes_of(drawn, groups):
    """Group -> the rectangle around its members' room."""
    found = {}
    for group in set(groups.values()):
        places = [drawn.position[node] for node, each in groups.items() if each == group]
        found[group] = (
            min(x for x, _ in places) - DX / 2,
            min(y for _, y in places) - DY / 2,
            max(x for x, _ in places) + DX / 2,
            max(y for _, y in places) + DY / 2,
        )
    return found


GROUPED = {
    "pipeline": (
        ["load", "a1", "a2", "a3", "b1", "b2", "end"],
        [
            *(("load", "a1"), ("a1", "a2"), ("a1", "a3"), ("load", "a3"), ("a2", "b1")),
            *(("load", "b2"), ("a3", "b2"), ("b1", "b2"), ("b2", "end"), ("a2", "end")),
        ],
        {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b"},
    ),
    "one of each": (["x", "y", "z"], [("x", "y"), ("y", "z")], {"x": "first", "z": "last"}),
    "without edges": ([f"n{i}" for i in range(12)], [], {f"n{i}": f"g{i % 3}" for i in range(12)}),
    "dense": (*random_dag(40, 90, 8), {f"n{i}": "early" if i < 12 else "late" for i in range(40) if i < 12 or i > 25}),
}


@pytest.mark.parametrize("name", GROUPED)
def test_members_of_a_group_stand_together_and_nothing_else_between_them(name):
    nodes, edges, groups = GROUPED[name]
    drawn = layout(nodes, edges, groups=groups)
    assert list(drawn.position) == nodes
    assert_apart(drawn)
    assert_inside(drawn)
    for group, (left, top, right, bottom) in boxes_of(drawn, groups).items():
        for node, (x, y) in drawn.position.items():
            if groups.get(node) != group:
                assert not (left - DX / 2 < x < right + DX / 2 and top - DY / 2 < y < bottom + DY / 2), (group, node)


@pytest.mark.parametrize("name", GROUPED)
def test_edges_between_groups_lead_to_the_right_all_the_way(name):
    nodes, edges, groups = GROUPED[name]
    drawn = layout(nodes, edges, groups=groups)
    for start, end in edges:
        line = [drawn.position[start], *drawn.bends.get((start, end), ()), drawn.position[end]]
        assert all(one[0] < other[0] for one, other in pairwise(line)), (start, end, line)


def test_a_group_with_something_between_its_members_is_drawn_without_a_frame():
    nodes, edges = chain(3)
    assert layout(nodes, edges, groups={"n0": "g", "n2": "g"}) == layout(nodes, edges)


def test_groups_do_not_hide_a_cycle():
    with pytest.raises(GraphValidationError, match="cycle"):
        layout(["a", "b"], [("a", "b"), ("b", "a")], groups={"a": "g", "b": "g"})
