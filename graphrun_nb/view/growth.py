"""Drawings that grow: what is drawn stays where it is, what is new goes to free places.

Append-only; nothing drawn is ever moved here, however good its new place would be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from math import inf
from statistics import median
from typing import TYPE_CHECKING

from graphrun_nb.view.drawing import VIRTUAL, Layout
from graphrun_nb.view.ranks import digraph, generations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.view.drawing import Edge, Point


def grow(old: Layout, nodes: Sequence[str], edges: Sequence[Edge], spacing: Point) -> Layout:
    """Draw a graph of which `old` shows a part; edges are distinct, the rest is as for `layout`."""
    dx, dy = spacing
    position = {name: old.position[name] for name in nodes if name in old.position}
    bends = {edge: old.bends[edge] for edge in edges if edge in old.bends}
    room = _Room(dx)
    for x, y in position.values():
        room.take(x, y, dy / 2)
    for x, y in sorted({point for line in bends.values() for point in line}):
        room.take(x, y, dy * VIRTUAL)
    parents: dict[str, list[str]] = {name: [] for name in nodes if name not in position}
    for start, end in edges:
        if end in parents:
            parents[end].append(start)
    new = list(parents)
    number = {name: i for i, name in enumerate(new)}
    graph = digraph(len(new), ((number[up], number[name]) for name in new for up in parents[name] if up in number))
    for node in (node for members in generations(graph, new) for node in members):
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
            line.append((at, room.free(at, y + (level - y) * (at - x) / (to - x), dy * VIRTUAL)))
            room.take(*line[-1], dy * VIRTUAL)
        if line:
            bends[edge] = tuple(line)
    width = max([old.size[0], *(x + dx / 2 for x, _ in position.values())])
    passed = (y + dy * VIRTUAL for line in bends.values() for _, y in line)
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
