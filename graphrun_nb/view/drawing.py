"""A drawing of a graph as an immutable value, and the measures that all who make one share.

No geometry is worked out here, and no other module of the package is imported.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Edge = tuple[str, str]
Pair = tuple[int, int]
"""An edge between nodes, or points, that are numbered."""

ASPECT = 1.8
"""Width to height of wrapped things; a cell's output is wider than it is high."""

FOLD_ABOVE = 20
"""More siblings than this are wrapped into a block: a column of them would not fit a screen."""

VIRTUAL = 0.125
"""Half the room of a passing edge, in node spacings: 45 px from a node's centre, 18 px from the next edge."""


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
