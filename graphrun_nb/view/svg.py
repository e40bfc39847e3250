"""A run as a still picture: for saved notebooks, exports and terminals that can show one."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from graphrun_nb.core.status import NODE_STATUS
from graphrun_nb.view.text import duration

if TYPE_CHECKING:
    from graphrun_nb.core.state import NodeState, RunState
    from graphrun_nb.view.layout import Layout

WIDTH, HEIGHT, MARGIN = 168, 44, 24
MAX_LABEL = 20

COLOURS: dict[str, str] = {
    "idle": "#6b7280",
    "active": "#1d4ed8",
    "attention": "#7c3aed",
    "caution": "#b45309",
    "good": "#15803d",
    "bad": "#b91c1c",
    "muted": "#6b7280",
}
"""Dark enough for 4.5:1 on white."""

_FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, sans-serif'"


def draw(state: RunState, layout: Layout) -> str:
    """Return `state` as an SVG document, drawn where `layout` says. O(nodes + edges)."""
    width, height = (round(size) + 2 * MARGIN for size in layout.size)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"',
        f' viewBox="{-MARGIN} {-MARGIN} {width} {height}">',
        f"<title>{escape(state.graph)}</title>",
        f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for node_id, node in state.nodes.items():
        needs, after = node.info.needs, node.info.after
        parts += [_edge(layout, before, node_id, dashed=False) for before in needs]
        parts += [_edge(layout, before, node_id, dashed=True) for before in after if before not in needs]
    parts += [_card(node_id, node, layout.position[node_id]) for node_id, node in state.nodes.items()]
    return "".join([*parts, "</svg>"])


def _edge(layout: Layout, start: str, end: str, *, dashed: bool) -> str:
    x1, y1 = layout.position[start]
    x2, y2 = layout.position[end]
    points = [(x1 + WIDTH / 2, y1), *layout.bends.get((start, end), ()), (x2 - WIDTH / 2, y2)]
    path = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for (ax, ay), (bx, by) in pairwise(points):
        middle = (ax + bx) / 2
        path += f"C{middle:.0f} {ay:.0f} {middle:.0f} {by:.0f} {bx:.0f} {by:.0f}"
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="#c3c9d2" stroke-width="1.5"{dash}/>'


def _card(node_id: str, node: NodeState, centre: tuple[float, float]) -> str:
    row = NODE_STATUS[node.status]
    colour = COLOURS[row.colour]
    x, y = centre[0] - WIDTH / 2, centre[1] - HEIGHT / 2
    took = duration(node.ended_at - node.started_at) if node.ended_at and node.started_at else ""
    tries = f"{node.attempt}/{node.info.max_attempts}" if node.attempt > 1 else ""
    remark = " · ".join(filter(None, (row.word, took, tries)))
    label = node_id if len(node_id) <= MAX_LABEL else f"{node_id[: MAX_LABEL - 1]}…"
    return (
        f'<g transform="translate({x:.0f} {y:.0f})"><title>{escape(node_id)}: {row.word}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="7" fill="#ffffff" stroke="#d7dbe2"/>'
        f'<rect width="4" height="{HEIGHT - 14}" x="0" y="7" rx="2" fill="{colour}"/>'
        f'<text x="14" y="27" font-size="14" fill="{colour}" {_FONT}>{row.glyph}</text>'
        f'<text x="34" y="19" font-size="12.5" font-weight="600" fill="#1f2430" {_FONT}>{escape(label)}</text>'
        f'<text x="34" y="34" font-size="11" fill="#5b6270" {_FONT}>{escape(remark)}</text></g>'
    )
