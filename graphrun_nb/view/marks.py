"""The nodes of a still picture from afar: a mark a node in the colour of its status, among straight lines."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.ink import colour_of, fill, stroke
from graphrun_nb.view.scene import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.state import RunState
    from graphrun_nb.view.scene import Scene

LARGEST = 1_200, 800
"""What a picture takes at most, px; a mark stays visible in any."""

_LEAST, _LEAST_OF_TROUBLES = (3.0, 2.0), (6.0, 5.0)
_OPACITY = {NodeStatus.PENDING: 0.4, NodeStatus.DONE: 0.6, NodeStatus.SKIPPED: 0.5, NodeStatus.CANCELLED: 0.5}
"""What is over steps back, so that what goes on and what went wrong stand out."""


def scale_of(scene: Scene) -> float:
    """Return by how much a scene is made smaller, to be seen as a whole."""
    box = scene.box
    return min(LARGEST[0] / (box.right - box.left), LARGEST[1] / max(box.bottom - box.top, 1.0), 1.0)


def marks(state: RunState, scene: Scene, scale: float) -> Iterator[str]:
    """Yield the lines and then the marks, a path a status, those of troubles last."""
    position = scene.layout.position
    drawn = "".join(_way(scene, edge, scale) for edge in scene.edges)
    if drawn:
        yield f'<path {stroke("edge")} stroke-width="0.8" stroke-opacity="0.55" d="{drawn}"/>'
    by_status: dict[NodeStatus, list[str]] = defaultdict(list)
    for node_id in scene.parts:
        status = state.nodes[node_id].status
        is_trouble = status in (NodeStatus.FAILED, NodeStatus.WAITING)
        least = _LEAST_OF_TROUBLES if is_trouble else _LEAST
        wide, high = max(WIDTH * scale * 0.86, least[0]), max(HEIGHT * scale * 0.8, least[1])
        x, y = position[node_id]
        by_status[status].append(
            f"M{x * scale - wide / 2:.1f} {y * scale - high / 2:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z"
        )
    for status in sorted(by_status, key=lambda each: each in (NodeStatus.FAILED, NodeStatus.WAITING)):
        opacity = f' fill-opacity="{_OPACITY[status]}"' if status in _OPACITY else ""
        yield f'<path {fill(colour_of(status))}{opacity} d="{"".join(by_status[status])}"/>'


def _way(scene: Scene, edge: tuple[str, str], scale: float) -> str:
    layout = scene.layout
    points = [layout.position[edge[0]], *layout.bends.get(edge, ()), layout.position[edge[1]]]
    return "M" + "L".join(f"{x * scale:.0f} {y * scale:.0f}" for x, y in points)
