"""The signs of the statuses, as `icons.ts` has them: in a box of 16 x 16."""

from __future__ import annotations

from typing import NamedTuple

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.ink import colour_of, fill, stroke

SIZE = 16


class Icon(NamedTuple):
    """A round body, and a mark that stands out from it if it is solid."""

    body: str
    mark: str
    solid: bool = False


_DISC = "M8 1a7 7 0 1 1 0 14a7 7 0 0 1 0-14z"
_RING = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5z"

ICONS: dict[NodeStatus, Icon] = {
    NodeStatus.PENDING: Icon(_RING, ""),
    NodeStatus.RUNNING: Icon(_RING, "M6.6 5.6l3.8 2.4l-3.8 2.4z"),
    NodeStatus.WAITING: Icon(_DISC, "M6.1 6.4a1.95 1.95 0 1 1 2.85 1.75c-.6.32-.95.7-.95 1.4M8 11.5v.05", solid=True),
    NodeStatus.RETRYING: Icon("", "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.6v3h-3"),
    NodeStatus.DONE: Icon(_DISC, "M4.9 8.3l2.2 2.1l4-4.5", solid=True),
    NodeStatus.FAILED: Icon(_DISC, "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8", solid=True),
    NodeStatus.SKIPPED: Icon("", "M3.8 4.5l3.5 3.5l-3.5 3.5M8.4 4.5l3.5 3.5l-3.5 3.5"),
    NodeStatus.CANCELLED: Icon(_RING, "M3.8 12.2l8.4-8.4"),
}


def sign(status: NodeStatus, x: float, y: float, size: float = SIZE) -> str:
    """Return a status's sign, its upper left corner at (x, y)."""
    body, mark, solid = ICONS[status]
    colour = colour_of(status)
    scale = f" scale({size / SIZE:g})" if size != SIZE else ""
    parts = [
        f'<g transform="translate({x:g} {y:g}){scale}" stroke-width="1.5" stroke-linecap="round"',
        ' stroke-linejoin="round">',
    ]
    if solid:
        parts.append(f'<path d="{body}" {fill(colour)}/><path d="{mark}" {stroke("mark")} stroke-width="1.7"/>')
    else:
        dotted = ' stroke-dasharray="2.2 2.2"' if status is NodeStatus.PENDING else ""
        parts.append(f'<path d="{body}" {stroke(colour)}{dotted}/>' if body else "")
        parts.append(f'<path d="{mark}" {stroke(colour)}/>' if mark else "")
    return "".join([*parts, "</g>"])
