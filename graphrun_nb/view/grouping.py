"""Groups as frames: the members of each are drawn together, and what comes from outside enters at one point.

A group is drawn by itself and stands as one large node in the drawing of the rest. One that cannot stand so, because
something outside of it lies between its members, is left out: its members are drawn like any other node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrun_nb.view.drawing import Layout
from graphrun_nb.view.ranks import digraph, knots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphrun_nb.view.drawing import Edge, Point

    Draw = Callable[[Sequence[str], Sequence[Edge], Mapping[str, Point]], Layout]

SIDE, TOP = 0.2, 0.36
"""Room beyond that of the members, in rank spacings and node spacings. A frame's name stands at the top; as much room
below keeps what passes through the middle straight."""

_GATE = 0.1
"""How far from the end of that room the edges come together, in rank spacings."""

_ENTRY, _EXIT = "\0in", "\0out"
"""No node is called so: ids have no control characters."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A group, drawn by itself: `left` is the side of its first rank, `size` that of the frame."""

    drawn: Layout
    left: float
    size: Point


def draw_grouped(
    nodes: Sequence[str], edges: Sequence[Edge], group_of: Mapping[str, str], spacing: Point, draw: Draw
) -> Layout:
    """Draw distinct `edges` among `nodes`; `draw` draws a graph without groups whose nodes have given sizes."""
    stand_in = _stand_ins(nodes, edges, group_of)
    members: dict[str, list[str]] = {}
    for node in nodes:
        members.setdefault(stand_in[node], []).append(node)
    frames = {group: _frame(inside, edges, spacing, draw) for group, inside in members.items() if inside != [group]}
    between = [(stand_in[start], stand_in[end]) for start, end in edges if stand_in[start] != stand_in[end]]
    sizes = {group: frame.size for group, frame in frames.items()}
    outer = draw(list(members), list(dict.fromkeys(between)), sizes)
    put = _Put(frames, outer, spacing)
    position = {
        node: put.place(group, frames[group].drawn.position[node]) if group in frames else outer.position[node]
        for node, group in stand_in.items()
    }
    bends: dict[Edge, tuple[Point, ...]] = {}
    for edge in edges:
        ends = stand_in[edge[0]], stand_in[edge[1]]
        line = put.inner(ends[0], edge) if ends[0] == ends[1] else put.way(edge, ends)
        if line:
            bends[edge] = tuple(line)
    return Layout(position, bends, outer.size)


def _stand_ins(nodes: Sequence[str], edges: Sequence[Edge], group_of: Mapping[str, str]) -> dict[str, str]:
    """Node -> its group's name in the outer drawing, or itself; groups that would make a cycle are left out."""
    groups = {group_of.get(node, "") for node in nodes} - {""}
    while True:
        stand_in = {node: f"\0{group}" if (group := group_of.get(node, "")) in groups else node for node in nodes}
        names = list(dict.fromkeys(stand_in.values()))
        number = {name: i for i, name in enumerate(names)}
        pairs = {(number[stand_in[start]], number[stand_in[end]]) for start, end in edges}
        tied = {
            names[i]
            for knot in knots(digraph(len(names), (each for each in pairs if each[0] != each[1])))
            for i in knot
        }
        left = {group for group in groups if f"\0{group}" not in tied}
        if left == groups:
            return stand_in
        groups = left


def _frame(inside: Sequence[str], edges: Sequence[Edge], spacing: Point, draw: Draw) -> _Frame:
    """Draw the members of a group between a node for all that comes in and one for all that goes out."""
    own = set(inside)
    inner = [(start, end) for start, end in edges if start in own and end in own]
    comes_in = {end: None for start, end in edges if end in own and start not in own}
    goes_out = {start: None for start, end in edges if start in own and end not in own}
    nodes = list(inside)
    pairs = list(inner)
    if comes_in:
        nodes.append(_ENTRY)
        first = set(inside) - {end for _, end in inner}
        pairs += [(_ENTRY, node) for node in inside if node in first or node in comes_in]
    if goes_out:
        nodes.append(_EXIT)
        last = set(inside) - {start for start, _ in inner}
        pairs += [(node, _EXIT) for node in inside if node in last or node in goes_out]
    drawn = draw(nodes, pairs, {})
    dx, dy = spacing
    xs = [drawn.position[node][0] for node in inside]
    left, right = min(xs) - dx / 2, max(xs) + dx / 2
    return _Frame(drawn, left, (right - left + 2 * SIDE * dx, drawn.size[1] + 2 * TOP * dy))


@dataclass(frozen=True, slots=True)
class _Put:
    """Frames, by group, put to where the outer drawing has room for them."""

    frames: Mapping[str, _Frame]
    outer: Layout
    spacing: Point

    def place(self, group: str, point: Point) -> Point:
        """Return where a point of a group's own drawing lies in the whole."""
        (dx, dy), frame = self.spacing, self.frames[group]
        x, y = self.outer.position[group]
        return (
            round(x - frame.size[0] / 2 + SIDE * dx + point[0] - frame.left, 2),
            round(y - frame.size[1] / 2 + TOP * dy + point[1], 2),
        )

    def inner(self, group: str, edge: Edge) -> list[Point]:
        """Return the bends of an edge inside of a group."""
        return [self.place(group, point) for point in self.frames[group].drawn.bends.get(edge, ())]

    def way(self, edge: Edge, ends: Edge) -> list[Point]:
        """Return the bends of an edge that leaves or enters frames: through the middle of their sides."""
        (low, exit_y), (high, entry_y) = (self.outer.position[each] for each in ends)
        before: list[Point] = []
        beyond: list[Point] = []
        if ends[0] in self.frames:
            low += self.frames[ends[0]].size[0] / 2 - _GATE * self.spacing[0]
            before = [*self.inner(ends[0], (edge[0], _EXIT)), (round(low, 2), exit_y)]
        if ends[1] in self.frames:
            high -= self.frames[ends[1]].size[0] / 2 - _GATE * self.spacing[0]
            beyond = [(round(high, 2), entry_y), *self.inner(ends[1], (_ENTRY, edge[1]))]
        return [*before, *(point for point in self.outer.bends.get(ends, ()) if low < point[0] < high), *beyond]
