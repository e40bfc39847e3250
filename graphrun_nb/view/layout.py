"""Where the nodes of a graph are drawn: ranks from left to right, edges short and straight, few of them crossing.

Pure functions of the graph. The only module that imports networkx, which owns the graph, its components and its
ranks; the order within ranks comes from `ordering`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, sqrt
from statistics import median
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from graphrun_nb.errors import GraphValidationError
from graphrun_nb.view.ordering import hubs, inversions, order, straighten, subdivide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Point = tuple[float, float]
Edge = tuple[str, str]
Pair = tuple[int, int]

_ASPECT = 1.8
"""Width to height of wrapped things; a cell's output is wider than it is high."""

_FOLD_ABOVE = 20
"""More siblings than this are wrapped into a block: a column of them would not fit a screen."""

_VIRTUAL = 0.125
"""Half the room of a passing edge, in node spacings: 45 px from a node's centre, 18 px from the next edge."""

_RISE = 0.15
"""Lines rise and fall between the nodes of two ranks: so many rank spacings on either side of the middle."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing of a graph, in px: x grows along the ranks from left to right, y downwards, both from 0.

    Attributes
    ----------
    position
        Node -> its centre (x, y).
    bends
        Edge -> the points it passes between its ends, by x, for edges that are not one straight line: those that span
        more than one rank and those of a folded block. Edges of a hub share points. A point that lies between two
        others of the same y is not listed.
    size
        (width, height) of the drawing; every node's room lies inside.
    """

    position: dict[str, Point]
    bends: dict[Edge, tuple[Point, ...]]
    size: Point


def layout(
    nodes: Sequence[str],
    edges: Sequence[Edge],
    *,
    spacing: Point = (220.0, 72.0),
    grown_from: Layout | None = None,
) -> Layout:
    """Draw a directed acyclic graph in ranks.

    Parameters
    ----------
    nodes
        Their names; the order decides between drawings that are equally good.
    edges
        (from, to) pairs; the same pair again changes nothing.
    spacing
        (between ranks, between the nodes of a rank), in px.
    grown_from
        The drawing of a part of this graph. Its nodes stay where they are; a new node goes one rank after its last
        parent, to the free place nearest to the median of its parents.

    Returns
    -------
    Layout
        The same for the same arguments, in every process.

    Raises
    ------
    GraphValidationError
        A node is named twice, an edge's end is not among the nodes, or the edges form a cycle.

    Notes
    -----
    About O(V + E) up to the crossing reduction, which is O(sum of squared rank widths) per pass. Grown:
    O(V + E + new nodes x the fullest rank), up to a logarithm; edges between old nodes are not checked for cycles.

    Components are drawn apart and packed; isolated nodes form a block below. More than 20 siblings with the same
    parents and the same children (also chains of one length) are folded into several columns, their edges led
    between the rows. When long edges would pass more ranks than there are nodes, those of the greatest hubs run in
    one lane per hub, above the body (a hub that feeds) or below it (one that collects).

    Source: Sugiyama et al. (1981); Gansner et al., A technique for drawing directed graphs (1993).

    Examples
    --------
    >>> drawn = layout(["load", "fit"], [("load", "fit")])
    >>> drawn.position
    {'load': (110.0, 36.0), 'fit': (330.0, 36.0)}
    >>> drawn.size
    (440.0, 72.0)
    """
    if grown_from is not None:
        return _grow(grown_from, nodes, _distinct(nodes, edges), spacing)
    number = {name: i for i, name in enumerate(nodes)}
    pairs = [(number[start], number[end]) for start, end in _distinct(nodes, edges)]
    graph = _graph(len(nodes), pairs)
    early, late = _ranks(graph, nodes)
    known: dict[tuple[tuple[int, ...], tuple[Pair, ...]], _Drawing] = {}
    parts: list[tuple[list[int], _Drawing]] = []
    for members in sorted(sorted(found) for found in nx.weakly_connected_components(graph)):
        local = {node: i for i, node in enumerate(members)}
        spans = [
            sum(at[child] - at[node] for node in members for child in graph.successors(node)) for at in (early, late)
        ]
        rank = late if spans[1] < spans[0] else early
        first = min(rank[node] for node in members)
        ranks = tuple(rank[node] - first for node in members)
        inner = tuple((local[node], local[child]) for node in members for child in graph.successors(node))
        if (ranks, inner) not in known:
            known[ranks, inner] = _draw(ranks, inner, spacing)
        parts.append((members, known[ranks, inner]))
    corners, size = _pack([drawing.size for _, drawing in parts], spacing)
    position: list[Point] = [(0.0, 0.0)] * len(nodes)
    bends: dict[Edge, tuple[Point, ...]] = {}
    for (members, drawing), (left, top) in zip(parts, corners, strict=True):
        for node, (x, y) in zip(members, drawing.position, strict=True):
            position[node] = (round(x + left, 2), round(y + top, 2))
        for (start, end), path in drawing.bends.items():
            bends[nodes[members[start]], nodes[members[end]]] = tuple((x + left, y + top) for x, y in path)
    return Layout(dict(zip(nodes, position, strict=True)), bends, size)


def grid(nodes: Sequence[str], edges: Sequence[Edge], *, spacing: Point = (220.0, 72.0)) -> Layout:
    """Put ranks on a grid at once: the first paint of a huge graph, before `layout` is done.

    Parameters
    ----------
    nodes, edges, spacing
        As for `layout`.

    Returns
    -------
    Layout
        Ranks as by `layout` before tightening, nodes in the order given, no bends; tall ranks take several columns.

    Raises
    ------
    GraphValidationError
        As `layout`.

    Notes
    -----
    O(V + E).
    """
    number = {name: i for i, name in enumerate(nodes)}
    graph = _graph(len(nodes), [(number[start], number[end]) for start, end in _distinct(nodes, edges)])
    dx, dy = spacing
    most = max(_FOLD_ABOVE, ceil(sqrt(len(nodes) * dx / dy / _ASPECT)))
    generations = _generations(graph, nodes)
    height = max((min(most, len(members)) for members in generations), default=0) * dy
    position: dict[str, Point] = dict.fromkeys(nodes, (0.0, 0.0))
    column = 0
    for members in generations:
        n_columns = ceil(len(members) / most)
        n_rows = ceil(len(members) / n_columns)
        top = (height - n_rows * dy) / 2
        for i, node in enumerate(sorted(members)):
            position[nodes[node]] = ((column + i // n_rows + 0.5) * dx, top + (i % n_rows + 0.5) * dy)
        column += n_columns
    return Layout(position, {}, (column * dx, height))


def crossings(drawn: Layout, edges: Iterable[Edge]) -> int:
    """Count the pairs of edges that cross, exactly: inversions between every two neighbouring columns of points.

    Parameters
    ----------
    drawn
        The drawing.
    edges
        The edges to count, each once. Edges that share a line or meet in a point do not cross there.

    Notes
    -----
    O(s log² s) for s = the columns that each edge passes, summed.
    """
    lines = [
        np.array(sorted([drawn.position[start], *drawn.bends.get((start, end), ()), drawn.position[end]]))
        for start, end in dict.fromkeys(edges)
    ]
    if not lines:
        return 0
    columns = np.unique(np.concatenate([line[:, 0] for line in lines]))
    lefts, rights, gaps = [], [], []
    for line in lines:
        a, b = np.searchsorted(columns, line[[0, -1], 0]).tolist()
        y = np.round(np.interp(columns[a : b + 1], line[:, 0], line[:, 1]), 2)
        lefts.append(y[:-1])
        rights.append(y[1:])
        gaps.append(np.arange(a, b))
    left, right, gap = np.concatenate(lefts), np.concatenate(rights), np.concatenate(gaps)
    apart = 1.0 + float(np.ptp(np.concatenate((left, right, [0.0]))))
    return inversions(left + gap * apart, right + gap * apart)


def _distinct(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    known = set(nodes)
    if len(known) < len(nodes):
        twice = next(name for i, name in enumerate(nodes) if name in nodes[:i])
        message = f"node {twice!r} is named twice among the {len(nodes)} nodes to draw"
        raise GraphValidationError(
            message, code="graph_duplicate_node_id", hints=["Give every node a name of its own."]
        )
    distinct = list(dict.fromkeys(edges))
    for start, end in distinct:
        for name in (start, end):
            if name not in known:
                message = f"edge {start!r} -> {end!r} touches {name!r}, which is none of the {len(known)} nodes to draw"
                hints = ["Name every node that an edge touches in `nodes`."]
                raise GraphValidationError(message, code="graph_dangling_reference", hints=hints)
    return distinct


def _graph(n_nodes: int, pairs: Iterable[Pair]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n_nodes))
    graph.add_edges_from(pairs)
    return graph


def _generations(graph: nx.DiGraph[int], nodes: Sequence[str]) -> list[list[int]]:
    try:
        return list(nx.topological_generations(graph))
    except nx.NetworkXUnfeasible:
        cycle = [nodes[start] for start, _ in nx.find_cycle(graph)]
        around = " -> ".join(map(repr, [*cycle[:8], *(["…"] if len(cycle) > 8 else []), cycle[0]]))
        message = f"a graph with a cycle has no ranks: {around}"
        hints = ["Draw a loop as one node, or leave out the edge that leads back."]
        raise GraphValidationError(message, code="graph_cycle", hints=hints) from None


def _ranks(graph: nx.DiGraph[int], nodes: Sequence[str]) -> tuple[list[int], list[int]]:
    """Rank all nodes twice, tightened: from as early as they can be, and from as late."""
    generations = _generations(graph, nodes)
    early, late = [0] * len(nodes), [0] * len(nodes)
    for at, members in enumerate(generations):
        for node in members:
            early[node] = at
    for members in reversed(generations):
        for node in members:
            late[node] = min((late[child] for child in graph.successors(node)), default=len(generations)) - 1
    along = [node for members in generations for node in members]
    _tighten(graph, along, early)
    _tighten(graph, along, late)
    return early, late


def _tighten(graph: nx.DiGraph[int], along: Sequence[int], rank: list[int]) -> None:
    """Move every node with more edges on one side as far as it can to that side."""
    pull = [graph.out_degree(node) - graph.in_degree(node) for node in range(len(rank))]
    uneven = [node for node in along if pull[node]]
    for turn in range(16):
        moved = False
        for node in uneven if turn % 2 else reversed(uneven):
            if pull[node] > 0:
                to = min(rank[child] for child in graph.successors(node)) - 1
            else:
                to = max(rank[parent] for parent in graph.predecessors(node)) + 1
            moved = moved or to != rank[node]
            rank[node] = to
        if not moved:
            break


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One component, its nodes numbered from 0."""

    position: list[Point]
    bends: dict[Pair, list[Point]]
    size: Point


def _draw(rank: Sequence[int], edges: Sequence[Pair], spacing: Point, *, fold: bool = True) -> _Drawing:
    dx, dy = spacing
    blocks = _blocks(rank, edges, dx / dy) if len(rank) > _FOLD_ABOVE and fold else []
    stands_for = _stand_ins(len(rank), blocks)
    kept = [node for node, first in enumerate(stands_for) if node == first]
    number = {node: i for i, node in enumerate(kept)}
    inner = [(number[start], number[end]) for start, end in edges if start in number and end in number]
    shared = hubs([rank[node] for node in kept], inner)
    points, paths = subdivide([rank[node] for node in kept], (pair for pair in inner if pair not in shared))
    half = [dy / 2] * len(kept) + [dy * _VIRTUAL] * (len(points.rank) - len(kept))
    for block in blocks:
        for node in block.chains[0]:
            half[number[node]] = dy / 2 * block.n_rows
    y = straighten(points, order(points), half)
    if any(abs(y[number[node]] - y[number[block.chains[0][0]]]) > 0.01 for block in blocks for node in block.chains[0]):
        return _draw(rank, edges, spacing, fold=False)
    top = min(at - room for at, room in zip(y, half, strict=True))
    bottom = max(at + room for at, room in zip(y, half, strict=True))
    lanes = _lanes(points.rank, shared)
    gap = 2 * dy * _VIRTUAL
    n_over = max((1 - lane for lane in lanes.values() if lane <= 0), default=0)
    n_under = max((lane for lane in lanes.values() if lane > 0), default=0)
    y = [round(at - top + n_over * gap, 2) for at in y]
    height = round(bottom - top + (n_over + n_under) * gap, 2)

    sides = _sides(rank, blocks, dx)
    position = [(sum(sides[at]) / 2, y[number[first]]) for at, first in zip(rank, stands_for, strict=True)]
    ways = _Ways({}, {}, {}, set())
    for block in blocks:
        head, tail = block.chains[0][0], block.chains[0][-1]
        _seat(block, (sides[rank[head]][0], sides[rank[tail]][1]), position[head][1], spacing, ways)
    for node, seat in ways.at.items():
        position[node] = seat

    def across(at: int, level: float) -> list[Point]:
        left, right = sides[at]
        if right - left > dx:
            return [(left + _RISE * dx, level), (right - _RISE * dx, level)]
        return [((left + right) / 2, level)]

    bends: dict[Pair, list[Point]] = {}
    for start, end in edges:
        if (start, end) not in ways.inside:
            pair = number[stands_for[start]], number[stands_for[end]]
            line = list(ways.out_of.get(start) or across(rank[start], position[start][1])[1:])
            if pair in shared:
                lane = lanes[shared[pair]]
                level = round((n_over + lane - 0.5) * gap if lane <= 0 else height - (n_under - lane + 0.5) * gap, 2)
                line += [(sides[rank[start]][1] + _RISE * dx, level), (sides[rank[end]][0] - _RISE * dx, level)]
            for point in paths.get(pair, ()):
                line += across(points.rank[point], y[point])
            line += ways.into.get(end) or across(rank[end], position[end][1])[:-1]
            if line:
                bends[start, end] = _without_flat(line)
    return _Drawing(position, bends, (sides[-1][1], height))


def _stand_ins(n_nodes: int, blocks: Iterable[_Block]) -> list[int]:
    """Node -> the one that is laid out for it: itself, or its likeness in the first chain of its block."""
    stands_for = list(range(n_nodes))
    for block in blocks:
        for chain in block.chains:
            for node, first in zip(chain, block.chains[0], strict=True):
                stands_for[node] = first
    return stands_for


def _lanes(rank: Sequence[int], shared: Mapping[Pair, tuple[bool, int]]) -> dict[tuple[bool, int], int]:
    """Hub -> its lane: 0, -1, … upwards above the body for one that feeds, 1, 2, … below it for one that collects.

    Hubs use one lane if their lines do not overlap.
    """
    spans: dict[tuple[bool, int], tuple[int, int]] = {}
    for (start, end), hub in shared.items():
        first, last = spans.get(hub, (rank[start], rank[end]))
        spans[hub] = min(first, rank[start]), max(last, rank[end])
    lanes: dict[tuple[bool, int], int] = {}
    taken: tuple[list[int], list[int]] = ([], [])
    for hub in sorted(spans, key=lambda hub: (spans[hub], hub)):
        first, last = spans[hub]
        ends = taken[hub[0]]
        lane = next((i for i, end in enumerate(ends) if end <= first), len(ends))
        ends[lane : lane + 1] = [last]
        lanes[hub] = lane + 1 if hub[0] else -lane
    return lanes


def _without_flat(line: list[Point]) -> list[Point]:
    """Drop the points that lie between two others of the same height."""
    inner = [
        here for one, here, other in zip(line, line[1:], line[2:], strict=False) if not one[1] == here[1] == other[1]
    ]
    line = [line[0], *inner, line[-1]] if len(line) > 2 else line
    return line[:1] if len(line) == 2 and line[0] == line[1] else line


@dataclass(frozen=True, slots=True)
class _Block:
    """Chains of one length with the same parents and children, wrapped; the first stands for all while ordering."""

    chains: list[list[int]]
    n_rows: int
    n_columns: int


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where the nodes of blocks are, how edges get in and out, and those that never leave."""

    at: dict[int, Point]
    into: dict[int, list[Point]]
    out_of: dict[int, list[Point]]
    inside: set[Pair]


def _blocks(rank: Sequence[int], edges: Sequence[Pair], stretch: float) -> list[_Block]:
    """Find what to wrap; `stretch` is the room of a node, width to height."""
    up: list[list[int]] = [[] for _ in rank]
    down: list[list[int]] = [[] for _ in rank]
    for start, end in edges:
        down[start].append(end)
        up[end].append(start)

    def goes_on(start: int, end: int) -> bool:
        return len(down[start]) == len(up[end]) == 1 and rank[end] == rank[start] + 1

    alike: dict[tuple[int, int, tuple[int, ...], tuple[int, ...]], list[list[int]]] = defaultdict(list)
    for node, at in enumerate(rank):
        if not (len(up[node]) == 1 and goes_on(up[node][0], node)):
            chain = [node]
            while len(down[chain[-1]]) == 1 and goes_on(chain[-1], down[chain[-1]][0]):
                chain.append(down[chain[-1]][0])
            alike[at, len(chain), tuple(sorted(up[node])), tuple(sorted(down[chain[-1]]))].append(chain)
    blocks = []
    for chains in alike.values():
        n_rows = ceil(sqrt(len(chains) * len(chains[0]) * stretch / _ASPECT))
        if len(chains) > _FOLD_ABOVE and n_rows < len(chains):
            n_columns = ceil(len(chains) / n_rows)
            blocks.append(_Block(chains, ceil(len(chains) / n_columns), n_columns))
    return blocks


def _sides(rank: Sequence[int], blocks: Iterable[_Block], dx: float) -> list[Point]:
    """Rank -> its left and right side; blocks widen theirs and keep half a column free around themselves."""
    width = [1.0] * (max(rank) + 1)
    before, after = [0.0] * len(width), [0.0] * len(width)
    for block in blocks:
        first = rank[block.chains[0][0]]
        last = rank[block.chains[0][-1]]
        for at in range(first, last + 1):
            width[at] = max(width[at], block.n_columns)
        before[first] = after[last] = 0.5
    sides, x = [], 0.0
    for lead, wide, trail in zip(before, width, after, strict=True):
        sides.append(((x + lead) * dx, (x + lead + wide) * dx))
        x += lead + wide + trail
    return sides


def _seat(block: _Block, span: Point, middle: float, spacing: Point, ways: _Ways) -> None:
    """Seat a block's nodes column by column; edges run between the rows, those at the block's own side straight.

    `span` is the left and right side of the block's ranks, `middle` its own middle from top to bottom.
    """
    dx, dy = spacing
    left, right = span
    length = len(block.chains[0])
    for i, chain in enumerate(block.chains):
        column, row = divmod(i, block.n_rows)
        level = middle + (row - (block.n_rows - 1) / 2) * dy
        lane = level + (dy / 2 if level < middle else -dy / 2)
        x = left + column * length * dx
        for k, node in enumerate(chain):
            ways.at[node] = (x + (k + 0.5) * dx, level)
        ways.inside.update(pairwise(chain))
        ways.into[chain[0]] = [(left, lane), (x, lane)] if column else [(left, level)]
        last = column == block.n_columns - 1
        ways.out_of[chain[-1]] = [(right, level)] if last else [(x + length * dx, lane), (right, lane)]


def _pack(sizes: Sequence[Point], spacing: Point) -> tuple[list[Point], Point]:
    """Put components on shelves, the tallest first, and isolated nodes into a block below.

    Returns the upper left corner of each and the size of all.
    """
    dx, dy = spacing
    single = [i for i, size in enumerate(sizes) if size == (dx, dy)]
    others = sorted((i for i, size in enumerate(sizes) if size != (dx, dy)), key=lambda i: -sizes[i][1])
    room = sum(width * (height + dy / 2) for width, height in sizes)
    limit = max([sqrt(room * _ASPECT), *(width for width, _ in sizes)])
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    x = y = shelf = full = 0.0
    for i in others:
        width, height = sizes[i]
        if x and x + width > limit:
            x, y = 0.0, y + shelf + dy / 2
        if not x:
            shelf = height
        corners[i] = (x, y)
        x += width
        full = max(full, x)
    if others:
        y += shelf + (dy / 2 if single else 0)
    n_columns = max(1, int(limit // dx)) if others else max(1, round(sqrt(len(single) * dy / dx * _ASPECT)))
    for k, i in enumerate(single):
        corners[i] = (k % n_columns * dx, y + k // n_columns * dy)
    n_rows = ceil(len(single) / n_columns)
    return corners, (max(full, min(len(single), n_columns) * dx), y + n_rows * dy)


def _grow(old: Layout, nodes: Sequence[str], edges: Sequence[Edge], spacing: Point) -> Layout:
    dx, dy = spacing
    position = {name: old.position[name] for name in nodes if name in old.position}
    bends = {edge: old.bends[edge] for edge in edges if edge in old.bends}
    room = _Room(dx)
    for x, y in position.values():
        room.take(x, y, dy / 2)
    for x, y in sorted({point for line in bends.values() for point in line}):
        room.take(x, y, dy * _VIRTUAL)
    parents: dict[str, list[str]] = {name: [] for name in nodes if name not in position}
    for start, end in edges:
        if end in parents:
            parents[end].append(start)
    new = list(parents)
    number = {name: i for i, name in enumerate(new)}
    graph = _graph(len(new), ((number[up], number[name]) for name in new for up in parents[name] if up in number))
    for node in (node for members in _generations(graph, new) for node in members):
        above = [position[name] for name in parents[new[node]]]
        x = room.column(max((x for x, _ in above), default=-dx / 2) + dx)
        position[new[node]] = (x, room.free(x, median(y for _, y in above) if above else 0.0, dy / 2))
        room.take(*position[new[node]], dy / 2)
    for edge in edges:
        (x, y), (to, level) = position[edge[0]], position[edge[1]]
        if edge in bends or to - x < 1.5 * dx:
            continue
        line = []
        for at in room.between(x, to):
            line.append((at, room.free(at, y + (level - y) * (at - x) / (to - x), dy * _VIRTUAL)))
            room.take(*line[-1], dy * _VIRTUAL)
        if line:
            bends[edge] = tuple(line)
    width = max([old.size[0], *(x + dx / 2 for x, _ in position.values())])
    passed = (y + dy * _VIRTUAL for line in bends.values() for _, y in line)
    height = max([old.size[1], *(y + dy / 2 for _, y in position.values()), *passed])
    return Layout({name: position[name] for name in nodes}, bends, (width, height))


class _Room:
    """What is taken while a drawing grows: points with half their height, found by where they are across."""

    __slots__ = ("_buckets", "_columns", "_dx")

    def __init__(self, dx: float) -> None:
        self._dx = dx
        self._buckets: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
        self._columns: list[float] = []

    def take(self, x: float, y: float, half: float) -> None:
        self._buckets[int(x // self._dx)].append((x, y, half))
        at = bisect_left(self._columns, x)
        if at == len(self._columns) or self._columns[at] != x:
            self._columns.insert(at, x)

    def column(self, x: float) -> float:
        """Find the first column in use from x on, if less than half a rank away; else x."""
        at = bisect_left(self._columns, x - 0.01)
        near = at < len(self._columns) and self._columns[at] < x + self._dx / 2
        return self._columns[at] if near else x

    def between(self, start: float, end: float) -> list[float]:
        low, high = start + self._dx / 2, end - self._dx / 2
        return [x for x in self._columns[bisect_left(self._columns, low) :] if x < high]

    def free(self, x: float, wish: float, half: float) -> float:
        """Find the y nearest to a wish where nothing is in the way, inside the drawing's upper edge."""
        at = int(x // self._dx)
        near = (taken for bucket in (at - 1, at, at + 1) for taken in self._buckets.get(bucket, ()))
        best, low = inf, half
        for top, bottom in sorted(
            (y - h - half, y + h + half) for other, y, h in near if abs(other - x) < 0.75 * self._dx
        ):
            if top >= low:
                here = min(max(wish, low), top)
                best = here if abs(here - wish) < abs(best - wish) else best
            low = max(low, bottom)
        after = max(wish, low)
        return round(best if abs(best - wish) < abs(after - wish) else after, 2)
