"""The edges of a still picture: level past the ranks, curved in the channels between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.view.ink import fill, stroke
from graphrun_nb.view.scene import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.view.drawing import Layout, Point
    from graphrun_nb.view.scene import Scene

_TIP = 6


def lines(scene: Scene) -> Iterator[str]:
    """Yield the lines, those of values solid and those of mere order dashed, and one arrowhead a node they lead to."""
    for passes, dashes in ((True, ""), (False, ' stroke-dasharray="4 4"')):
        drawn = [way(scene.layout, *edge) for edge, values in scene.edges.items() if values is passes]
        if drawn:
            yield f'<path {stroke("edge")} stroke-width="1.4"{dashes} d="{"".join(drawn)}"/>'
    ends = dict.fromkeys(end for _, end in scene.edges)
    if ends:
        tips = map(scene.layout.position.__getitem__, ends)
        heads = [f"M{x - WIDTH / 2 - 1:g} {y:g}l{-_TIP} -3.3v6.6z" for x, y in tips]
        yield f'<path {fill("edge")} d="{"".join(heads)}"/>'


def way(layout: Layout, start: str, end: str) -> str:
    """Return the line between two nodes, as the data of a path."""
    x, y = layout.position[start]
    end_x, end_y = layout.position[end]
    x, end_x = x + WIDTH / 2, end_x - WIDTH / 2 - _TIP
    bends = layout.bends.get((start, end), ())
    path = f"M{x:g} {y:g}"
    for i, (bend_x, bend_y) in enumerate(bends):
        next_x = bends[i + 1][0] if i + 1 < len(bends) else end_x
        path += _curve((x, y), (bend_x - _level(bend_x - x), bend_y))
        x, y = bend_x + _level(next_x - bend_x), bend_y
        path += f"H{x:.1f}"
    return path + _curve((x, y), (end_x, end_y))


def _level(room: float) -> float:
    """Return how far a line runs level beside a bend: past the card, as long as room is left for the curve."""
    return max(min(WIDTH / 2, room - min(24, room * 0.4)), 0)


def _curve(start: Point, end: Point) -> str:
    (x, y), (to_x, to_y) = start, end
    if abs(to_y - y) < 0.5:
        return f"L{to_x:.1f} {to_y:.1f}"
    bow = max(abs(to_x - x) / 2, 18)
    return f"C{x + bow:.1f} {y:.1f} {to_x - bow:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
