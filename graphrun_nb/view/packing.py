"""Where components lie beside and below each other: on shelves, isolated nodes in a block.

Knows their sizes only.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

from graphrun_nb.view.drawing import ASPECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.view.drawing import Point


def pack(sizes: Sequence[Point], spacing: Point) -> tuple[list[Point], Point]:
    """Put components on shelves, the tallest first, and isolated nodes into a block below.

    Returns the upper left corner of each and the size of all.
    """
    dx, dy = spacing
    single = [i for i, size in enumerate(sizes) if size == (dx, dy)]
    others = sorted((i for i, size in enumerate(sizes) if size != (dx, dy)), key=lambda i: -sizes[i][1])
    room = sum(width * (height + dy / 2) for width, height in sizes)
    limit = max([sqrt(room * ASPECT), *(width for width, _ in sizes)])
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
    n_columns = max(1, int(limit // dx)) if others else max(1, round(sqrt(len(single) * dy / dx * ASPECT)))
    for k, i in enumerate(single):
        corners[i] = (k % n_columns * dx, y + k // n_columns * dy)
    n_rows = ceil(len(single) / n_columns)
    return corners, (max(full, min(len(single), n_columns) * dx), y + n_rows * dy)
