"""A graph whose long edges are cut into points, one in every rank they pass.

Points are nodes and virtual ones, numbered from 0, so that nothing depends on how users name their nodes. Their order
and their coordinates are found elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphrun_nb.view.drawing import Pair


@dataclass(frozen=True, slots=True)
class Points:
    """A graph whose edges all lead from one rank to the next.

    Attributes
    ----------
    n_nodes
        Points below it are the graph's nodes, the others are virtual.
    rank
        Point -> rank, from 0.
    up, down
        Point -> its neighbours in the rank before and in the rank after.
    """

    n_nodes: int
    rank: list[int]
    up: list[list[int]]
    down: list[list[int]]


def subdivide(rank: Sequence[int], edges: Iterable[Pair]) -> tuple[Points, dict[Pair, list[int]]]:
    """Put virtual points where edges pass ranks.

    Parameters
    ----------
    rank
        Node -> rank; an edge's end has a higher one than its start.
    edges
        Distinct pairs of nodes.

    Returns
    -------
    points
        The nodes and the virtual points.
    paths
        Edge -> the virtual points it passes, for edges that span more than one rank.

    Notes
    -----
    O(E + virtual points).
    """
    ranks = list(rank)
    up: list[list[int]] = [[] for _ in rank]
    down: list[list[int]] = [[] for _ in rank]
    paths: dict[Pair, list[int]] = {}
    for start, end in edges:
        path = list(range(len(ranks), len(ranks) + rank[end] - rank[start] - 1))
        ranks.extend(range(rank[start] + 1, rank[end]))
        up.extend([] for _ in path)
        down.extend([] for _ in path)
        for one, other in pairwise([start, *path, end]):
            down[one].append(other)
            up[other].append(one)
        if path:
            paths[start, end] = path
    return Points(len(rank), ranks, up, down), paths
