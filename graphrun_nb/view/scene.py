"""What a still picture of a run shows: the parts of one container, where they stand, and the frames of their groups."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.view.parts import groups_of, home, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphrun_nb.core.state import RunState
    from graphrun_nb.view.drawing import Edge, Layout, Point

WIDTH, HEIGHT = 176, 48
"""Of a card."""

MAX_LAID_OUT = 4_000
"""More parts stand on a grid, without what connects them: a layout takes seconds, and lines would hide each other."""

_SIDE, _TOP, _BOTTOM, _APART = 15, 27, 13, 5
"""How far a frame is from the cards in it, and from lines of theirs."""

_LANE = 8
"""The lines of hubs run at least so far inside of a layout's upper and lower side."""


class Box(NamedTuple):
    """A part of a drawing, px."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn.

    Attributes
    ----------
    inside
        The container whose parts these are; empty for the run as a whole.
    edges
        (earlier, later) -> whether values pass there.
    frames
        Group -> the box around its members, for groups that nothing else stands between.
    """

    inside: str
    parts: Sequence[str]
    edges: Mapping[Edge, bool]
    layout: Layout
    frames: Mapping[str, Box]

    @property
    def box(self) -> Box:
        """What cards, frames and lines take."""
        if not self.parts:
            return Box(0, 0, WIDTH, 0)
        cards = _around(list(self.layout.position.values()), 0, 0, 0)
        beside = Box(cards.left, _LANE, cards.right, self.layout.size[1] - _LANE)
        lefts, tops, rights, bottoms = zip(cards, beside, *self.frames.values(), strict=True)
        return Box(min(lefts), min(tops), max(rights), max(bottoms))


def scene_of(state: RunState) -> Scene:
    """Return what the live view shows of `state` at first. As long as `layout` takes, which is seconds at worst."""
    from graphrun_nb.view.layout import grid, layout  # noqa: PLC0415 (brings networkx and numpy)

    inside = home(state)
    parts, edges = parts_of(state, inside)
    groups = groups_of(state, parts)
    if len(parts) > MAX_LAID_OUT:
        return Scene(inside, parts, {}, grid(parts, list(edges)), {})
    drawn = layout(parts, list(edges), groups=groups)
    return Scene(inside, parts, edges, drawn, _frames(groups, edges, drawn))


def _frames(groups: Mapping[str, str], edges: Iterable[Edge], drawn: Layout) -> dict[str, Box]:
    members: dict[str, list[str]] = defaultdict(list)
    for part, group in groups.items():
        members[group].append(part)
    bends: dict[str, list[Point]] = defaultdict(list)
    for start, end in edges if groups else ():
        for group in {groups.get(start, ""), groups.get(end, "")} - {""}:
            bends[group] += drawn.bends.get((start, end), ())
    frames = {}
    for group, these in members.items():
        bare = _around([drawn.position[part] for part in these], _SIDE, _TOP, _BOTTOM)
        for box in (_with_lines(bare, bends[group]), bare):
            if _n_touched(box, drawn) == len(these):
                frames[group] = box
                break
    return frames


def _with_lines(box: Box, points: Iterable[Point]) -> Box:
    """Return the box around a group and those lines of its members that run below or above them."""
    beside = [y for x, y in points if box.left < x < box.right]
    top = min((y - _APART for y in beside), default=box.top)
    bottom = max((y + _APART for y in beside), default=box.bottom)
    return box._replace(top=min(box.top, top), bottom=max(box.bottom, bottom))


def _n_touched(box: Box, drawn: Layout) -> int:
    return sum(
        box.left - WIDTH / 2 <= x <= box.right + WIDTH / 2 and box.top - HEIGHT / 2 <= y <= box.bottom + HEIGHT / 2
        for x, y in drawn.position.values()
    )


def _around(points: Sequence[Point], side: float, top: float, bottom: float) -> Box:
    xs, ys = zip(*points, strict=True)
    return Box(
        min(xs) - WIDTH / 2 - side,
        min(ys) - HEIGHT / 2 - top,
        max(xs) + WIDTH / 2 + side,
        max(ys) + HEIGHT / 2 + bottom,
    )
