"""Where the nodes of a graph are drawn: ranks from left to right, edges short and straight, few of them crossing.

Pure functions of the graph: what users call, and the components put together. How one component is drawn is in
`component`, how a drawing grows in `growth`.
"""

from __future__ import annotations

from functools import partial
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from graphrun_nb.view.component import Component, draw
from graphrun_nb.view.drawing import ASPECT, FOLD_ABOVE, Edge, Layout, Point
from graphrun_nb.view.gaps import inversions
from graphrun_nb.view.grouping import draw_grouped
from graphrun_nb.view.growth import grow
from graphrun_nb.view.packing import pack
from graphrun_nb.view.ranks import components, digraph, distinct, generations, ranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Edge", "Layout", "Point", "crossings", "grid", "layout"]

NO_GROUPS: Mapping[str, str] = {}


def layout(
    nodes: Sequence[str],
    edges: Sequence[Edge],
    *,
    spacing: Point = (220.0, 72.0),
    grown_from: Layout | None = None,
    groups: Mapping[str, str] = NO_GROUPS,
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
    groups
        Node -> the name of its group, for those that have one. The members of a group stand together with room for a
        frame around them, unless something else has to stand between them. A drawing that has grown regards none.

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
        return grow(grown_from, nodes, distinct(nodes, edges), spacing)
    edges = distinct(nodes, edges)
    if groups:
        return draw_grouped(nodes, edges, groups, spacing, partial(_ungrouped, spacing))
    return _ungrouped(spacing, nodes, edges, {})


def _ungrouped(spacing: Point, nodes: Sequence[str], edges: Sequence[Edge], sizes: Mapping[str, Point]) -> Layout:
    """Draw distinct edges; `sizes` are those of nodes that take another room than `spacing`."""
    number = {name: i for i, name in enumerate(nodes)}
    pairs = [(number[start], number[end]) for start, end in edges]
    graph = digraph(len(nodes), pairs)
    early, late = ranked(graph, nodes)
    known: dict[tuple[object, ...], Component] = {}
    parts: list[tuple[list[int], Component]] = []
    for members in components(graph):
        local = {node: i for i, node in enumerate(members)}
        spans = [
            sum(at[child] - at[node] for node in members for child in graph.successors(node)) for at in (early, late)
        ]
        rank = late if spans[1] < spans[0] else early
        first = min(rank[node] for node in members)
        ranks = tuple(rank[node] - first for node in members)
        inner = tuple((local[node], local[child]) for node in members for child in graph.successors(node))
        own = {local[node]: sizes[nodes[node]] for node in members if nodes[node] in sizes}
        kind = (ranks, inner, *own.items())
        if kind not in known:
            known[kind] = draw(ranks, inner, spacing, sizes=own)
        parts.append((members, known[kind]))
    corners, size = pack([drawing.size for _, drawing in parts], spacing)
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
    graph = digraph(len(nodes), [(number[start], number[end]) for start, end in distinct(nodes, edges)])
    dx, dy = spacing
    most = max(FOLD_ABOVE, ceil(sqrt(len(nodes) * dx / dy / ASPECT)))
    layers = generations(graph, nodes)
    height = max((min(most, len(members)) for members in layers), default=0) * dy
    position: dict[str, Point] = dict.fromkeys(nodes, (0.0, 0.0))
    column = 0
    for members in layers:
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
    gap = np.concatenate(gaps)
    heights = np.unique(np.concatenate(lefts + rights), return_inverse=True)[1].reshape(2, -1)
    return inversions(heights[0], heights[1], gap)
