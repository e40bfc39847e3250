"""One connected component, drawn: from its ranks to positions and bends, in px.

Brings the steps together (folding, hubs, order, coordinates); what those do is in their own modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrun_nb.view import folding
from graphrun_nb.view.drawing import FOLD_ABOVE, VIRTUAL
from graphrun_nb.view.hubs import hubs, lanes
from graphrun_nb.view.ordering import order
from graphrun_nb.view.points import subdivide
from graphrun_nb.view.straightening import straighten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.view.drawing import Pair, Point

_RISE = 0.15
"""Lines rise and fall between the nodes of two ranks: so many rank spacings on either side of the middle."""


ALL_ALIKE: Mapping[int, Point] = {}


@dataclass(frozen=True, slots=True)
class Component:
    """What is drawn, its nodes numbered from 0."""

    position: list[Point]
    bends: dict[Pair, list[Point]]
    size: Point


def draw(
    rank: Sequence[int],
    edges: Sequence[Pair],
    spacing: Point,
    *,
    sizes: Mapping[int, Point] = ALL_ALIKE,
    fold: bool = True,
) -> Component:
    """Draw a component; `rank` is that of each node, from 0, `spacing` as for `layout`, `sizes` of some."""
    dx, dy = spacing
    blocks = folding.blocks(rank, edges, dx / dy) if len(rank) > FOLD_ABOVE and fold and not sizes else []
    stands_for = folding.stand_ins(len(rank), blocks)
    kept = [node for node, first in enumerate(stands_for) if node == first]
    number = {node: i for i, node in enumerate(kept)}
    inner = [(number[start], number[end]) for start, end in edges if start in number and end in number]
    shared = hubs([rank[node] for node in kept], inner)
    points, paths = subdivide([rank[node] for node in kept], (pair for pair in inner if pair not in shared))
    half = [dy / 2] * len(kept) + [dy * VIRTUAL] * (len(points.rank) - len(kept))
    for block in blocks:
        for node in block.chains[0]:
            half[number[node]] = dy / 2 * block.n_rows
    for node, (_, high) in sizes.items():
        half[number[node]] = high / 2
    y = straighten(points, order(points), half)
    if any(abs(y[number[node]] - y[number[block.chains[0][0]]]) > 0.01 for block in blocks for node in block.chains[0]):
        return draw(rank, edges, spacing, sizes=sizes, fold=False)
    top = min(at - room for at, room in zip(y, half, strict=True))
    bottom = max(at + room for at, room in zip(y, half, strict=True))
    lane_of = lanes(points.rank, shared)
    gap = 2 * dy * VIRTUAL
    n_over = max((1 - lane for lane in lane_of.values() if lane <= 0), default=0)
    n_under = max((lane for lane in lane_of.values() if lane > 0), default=0)
    y = [round(at - top + n_over * gap, 2) for at in y]
    height = round(bottom - top + (n_over + n_under) * gap, 2)

    sides = folding.sides(rank, blocks, dx, {node: wide / dx for node, (wide, _) in sizes.items()})
    position = [(sum(sides[at]) / 2, y[number[first]]) for at, first in zip(rank, stands_for, strict=True)]
    ways = folding.Ways({}, {}, {}, set())
    for block in blocks:
        head, tail = block.chains[0][0], block.chains[0][-1]
        folding.seat(block, (sides[rank[head]][0], sides[rank[tail]][1]), position[head][1], spacing, ways)
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
                lane = lane_of[shared[pair]]
                level = round((n_over + lane - 0.5) * gap if lane <= 0 else height - (n_under - lane + 0.5) * gap, 2)
                line += [(sides[rank[start]][1] + _RISE * dx, level), (sides[rank[end]][0] - _RISE * dx, level)]
            for point in paths.get(pair, ()):
                line += across(points.rank[point], y[point])
            line += ways.into.get(end) or across(rank[end], position[end][1])[:-1]
            if line:
                bends[start, end] = _without_flat(line)
    return Component(position, bends, (sides[-1][1], height))


def _without_flat(line: list[Point]) -> list[Point]:
    """Drop the points that lie between two others of the same height."""
    inner = [
        here for one, here, other in zip(line, line[1:], line[2:], strict=False) if not one[1] == here[1] == other[1]
    ]
    line = [line[0], *inner, line[-1]] if len(line) > 2 else line
    return line[:1] if len(line) == 2 and line[0] == line[1] else line
