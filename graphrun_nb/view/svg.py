"""A run as a still picture: for saved notebooks, exports and terminals that can show one.

It looks like the live view when that is opened, in light and in dark; sizes, colours and icons are those of ``js/src``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.cards import cards
from graphrun_nb.view.icons import sign
from graphrun_nb.view.ink import FONT, colour_of, fill, fitted, safe, stroke, style_sheet, width
from graphrun_nb.view.lines import lines
from graphrun_nb.view.marks import marks, scale_of
from graphrun_nb.view.parts import COUNTED, part_counts, troubles
from graphrun_nb.view.text import duration, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.state import NodeState, RunState
    from graphrun_nb.view.scene import Scene

MARGIN, HEADING, LINE = 12, 34, 19
LEAST_WIDTH = 480
MAX_TROUBLES = 4


def draw(state: RunState, scene: Scene, *, from_afar: bool = False) -> str:
    """Return `state` as an SVG document, drawn as `scene` says. O(nodes + edges).

    Parameters
    ----------
    from_afar
        Make it small enough to be seen as a whole, with marks in place of cards.
    """
    scale = scale_of(scene) if from_afar else 1.0
    left, top, right, bottom = (edge * scale for edge in scene.box)
    summary = _summary(state)
    name = fitted(state.graph, 15, 560)
    told = _troubles(state)
    wide = max(right - left, width(name, 15) + 10 + width(summary, 12), LEAST_WIDTH if told else 0)
    head = HEADING + LINE * len(told)
    first = top - head + 12
    x, y = left - MARGIN, top - head - MARGIN
    box = f'width="{round(wide) + 2 * MARGIN}" height="{round(bottom - y) + MARGIN}"'
    view = f'viewBox="{x:g} {y:g} {round(wide) + 2 * MARGIN} {round(bottom - y) + MARGIN}"'
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="gr-still" role="img" {box} {view} font-family="{FONT}">',
            f"<title>{safe(f'{state.graph}: {summary}')}</title><style>{style_sheet()}</style>",
            f'<rect x="{x:g}" y="{y:g}" {box} rx="8" {fill("bg")}/>',
            *_heading(state, name, left, first, is_legend=from_afar),
            *(line.drawn(left, first + 2 + LINE * i, wide) for i, line in enumerate(told, 1)),
            *_frames(scene, scale),
            *(marks(state, scene, scale) if from_afar else lines(scene)),
            *(() if from_afar else cards(state, scene, part_counts(state))),
            "</svg>",
        ]
    )


def _summary(state: RunState) -> str:
    return " · ".join(text for text, _ in _said(state))


def _said(state: RunState) -> Iterator[tuple[str, NodeStatus | None]]:
    """Yield what the heading says, with the status that is counted there."""
    counts = state.counts()
    yield state.status.lower(), None
    if len(counts) > 1:
        yield from ((f"{counts[each]:,} {each.lower()}", each) for each in COUNTED if counts[each])
    else:
        yield f"{len(state.nodes):,} node{'s' if len(state.nodes) != 1 else ''}", next(iter(counts), None)
    if state.ended_at and state.started_at:
        yield duration(state.ended_at - state.started_at), None


def _heading(state: RunState, name: str, x: float, y: float, *, is_legend: bool) -> Iterator[str]:
    yield f'<text x="{x:g}" y="{y:g}" font-size="15" font-weight="600" {fill("text")}>{safe(name)}'
    yield f'<tspan dx="10" font-size="12" font-weight="400" {fill("soft")}>'
    for i, (text, status) in enumerate(_said(state)):
        yield " · " if i else ""
        yield f"<tspan {fill(colour_of(status))}>■</tspan> " if is_legend and status is not None else ""
        yield safe(text)
    yield "</tspan></text>"


class _Trouble(NamedTuple):
    """A line below the heading: a node that failed or waits, and why."""

    status: NodeStatus
    node_id: str
    why: str

    def drawn(self, x: float, y: float, room: float) -> str:
        name = fitted(self.node_id, 12, room / 2)
        why = fitted(self.why, 12, room - 18 - width(name, 12) - 8)
        colour = fill(colour_of(self.status))
        return (
            f'{sign(self.status, x, y - 10.5, 12)}<text x="{x + 18:g}" y="{y:g}" font-size="12" font-weight="500"'
            f' {colour}>{safe(name)}<tspan dx="8" font-weight="400" {fill("soft")}>{safe(why)}</tspan></text>'
        )


def _troubles(state: RunState) -> list[_Trouble]:
    """Return those that matter most, and how many are left out."""
    found = troubles(state)
    told = [_trouble(node_id, state.nodes[node_id]) for node_id in found[:MAX_TROUBLES]]
    if len(found) > MAX_TROUBLES:
        told[-1:] = [_Trouble(told[-1].status, f"and {len(found) - MAX_TROUBLES + 1} more", "")]
    return told


def _trouble(node_id: str, node: NodeState) -> _Trouble:
    if node.status is NodeStatus.WAITING:
        return _Trouble(node.status, node_id, first_line(node.waits[0].wait.prompt) if node.waits else "")
    error = node.error
    return _Trouble(node.status, node_id, first_line(f"{error.type_name}: {error.message}") if error else "")


def _frames(scene: Scene, scale: float) -> Iterator[str]:
    for group, box in scene.frames.items():
        left, top, right, bottom = (edge * scale for edge in box)
        rect = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
        radius = max(11 * scale, 4)
        yield f'<rect {rect} rx="{radius:g}" {stroke("line", "soft")} fill-opacity="0.07"/>'
        size = max(11 * scale, 9)
        name = fitted(group, size, right - left - 12 * scale)
        at = (left + 2, top - 4) if scale < 0.5 else (left + 12 * scale, top + 18 * scale)
        if name != "…":
            yield f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size:g}" font-weight="600" {fill("soft")}>'
            yield f"{safe(name)}</text>"
