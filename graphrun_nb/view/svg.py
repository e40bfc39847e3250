"""A run as a still picture: for saved notebooks, exports and terminals that can show one.

It looks like the live view in its light theme; sizes, colours and icons are those of ``js/src``.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import combining, east_asian_width

from graphrun_nb.core.status import NODE_STATUS, NodeStatus
from graphrun_nb.view.text import duration, elements_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.state import NodeState, RunState
    from graphrun_nb.view.drawing import Layout, Point

WIDTH, HEIGHT = 176, 48
MARGIN_X, MARGIN_Y, HEADER = 2, 8, 34

COLOURS: dict[str, str] = {
    "idle": "#68727f",
    "active": "#1d63dc",
    "attention": "#925400",
    "caution": "#b5460f",
    "good": "#197a3e",
    "bad": "#c8262c",
    "muted": "#68727f",
}
"""Dark enough for 4.5:1 on white and on their own tint."""

_TINTS = {
    NodeStatus.RUNNING: "#f2f7ff",
    NodeStatus.WAITING: "#fff8e8",
    NodeStatus.RETRYING: "#fff5ef",
    NodeStatus.FAILED: "#fff3f3",
}
_FADED = frozenset({NodeStatus.PENDING, NodeStatus.SKIPPED, NodeStatus.CANCELLED})
_TEXT, _SOFT, _LINE, _EDGE = "#1c2128", "#626b77", "#d9dde3", "#b3bac4"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"

_PAD, _ICON, _GAP = 11, 16, 9
_TEXT_X = _PAD + _ICON + _GAP
_ROOM = WIDTH - _TEXT_X - 10
_TIP = 6


class _Icon(NamedTuple):
    """A sign in a box of 16 x 16: a round body, and a mark that stands out from it if it is solid."""

    body: str
    mark: str
    solid: bool = False


_DISC = "M8 1a7 7 0 1 1 0 14a7 7 0 0 1 0-14z"
_RING = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5z"

_ICONS: dict[NodeStatus, _Icon] = {
    NodeStatus.PENDING: _Icon(_RING, ""),
    NodeStatus.RUNNING: _Icon(_RING, "M6.6 5.6l3.8 2.4l-3.8 2.4z"),
    NodeStatus.WAITING: _Icon(_DISC, "M6.1 6.4a1.95 1.95 0 1 1 2.85 1.75c-.6.32-.95.7-.95 1.4M8 11.5v.05", solid=True),
    NodeStatus.RETRYING: _Icon("", "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.6v3h-3"),
    NodeStatus.DONE: _Icon(_DISC, "M4.9 8.3l2.2 2.1l4-4.5", solid=True),
    NodeStatus.FAILED: _Icon(_DISC, "M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8", solid=True),
    NodeStatus.SKIPPED: _Icon("", "M3.8 4.5l3.5 3.5l-3.5 3.5M8.4 4.5l3.5 3.5l-3.5 3.5"),
    NodeStatus.CANCELLED: _Icon(_RING, "M3.8 12.2l8.4-8.4"),
}


def draw(state: RunState, layout: Layout) -> str:
    """Return `state` as an SVG document, drawn where `layout` says. O(nodes + edges)."""
    left = min((x for x, _ in layout.position.values()), default=WIDTH / 2) - WIDTH / 2
    summary = _summary(state)
    name = _fitted(state.graph, 15, 560)
    heading = left + _width(name, 15) + 10 + _width(summary, 12)
    width = round(max(layout.size[0], heading + left)) + 2 * MARGIN_X
    height = round(layout.size[1]) + 2 * MARGIN_Y + HEADER
    box = f"{-MARGIN_X} {-MARGIN_Y - HEADER} {width} {height}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="{box}"',
        f' font-family="{_FONT}"><title>{_safe(f"{state.graph}: {summary}")}</title>',
        f'<rect x="{-MARGIN_X}" y="{-MARGIN_Y - HEADER}" width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
        f'<text x="{left:g}" y="{4 - HEADER / 2:g}" font-size="15" font-weight="600" fill="{_TEXT}">{_safe(name)}',
        f'<tspan dx="10" font-size="12" font-weight="400" fill="{_SOFT}">{_safe(summary)}</tspan></text>',
        *_edges(state, layout),
    ]
    counts = state.element_counts()
    parts += [
        _card(node_id, state.nodes[node_id], layout.position[node_id], elements_in_words(counts.get(node_id)))
        for node_id in state.drawn()
    ]
    return "".join([*parts, "</svg>"])


def _summary(state: RunState) -> str:
    counts = state.counts()
    parts = [state.status.lower()]
    if len(counts) > 1:
        parts += [f"{counts[status]} {row.word}" for status, row in NODE_STATUS.items() if counts[status]]
    else:
        parts.append(f"{len(state.nodes)} node{'s' if len(state.nodes) != 1 else ''}")
    if state.ended_at and state.started_at:
        parts.append(duration(state.ended_at - state.started_at))
    return " · ".join(parts)


def _edges(state: RunState, layout: Layout) -> Iterator[str]:
    """Yield the lines, those of values solid and those of mere order dashed, and one arrowhead a node they lead to."""
    solid: list[str] = []
    dashed: list[str] = []
    tips: dict[str, None] = {}
    for before, node_id in state.edges():
        (solid if before in state.nodes[node_id].info.needs else dashed).append(_path(layout, before, node_id))
        tips[node_id] = None
    stroke = f'fill="none" stroke="{_EDGE}" stroke-width="1.4"'
    if solid:
        yield f'<path {stroke} d="{"".join(solid)}"/>'
    if dashed:
        yield f'<path {stroke} stroke-dasharray="4 4" d="{"".join(dashed)}"/>'
    if tips:
        heads = [f"M{x - WIDTH / 2 - 1:g} {y:g}l{-_TIP} -3.3v6.6z" for x, y in map(layout.position.__getitem__, tips)]
        yield f'<path fill="{_EDGE}" d="{"".join(heads)}"/>'


def _path(layout: Layout, start: str, end: str) -> str:
    """Return the line between two nodes: level past the ranks, curved in the channels between them."""
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


def _card(node_id: str, node: NodeState, centre: Point, elements: str) -> str:
    row = NODE_STATUS[node.status]
    colour = COLOURS[row.colour]
    tint = _TINTS.get(node.status)
    ink, shade = (_SOFT if node.status in _FADED else _TEXT), (colour if tint else _SOFT)
    tries = _tries(node)
    name = _fitted(node_id, 12.5, _ROOM)
    remark = _fitted(_remark(node, elements), 11, _ROOM - (_width(tries, 10.5) + 6 if tries else 0))
    parts = [
        f'<g transform="translate({centre[0] - WIDTH / 2:g} {centre[1] - HEIGHT / 2:g})">',
        f"<title>{_safe(node_id)}: {row.word}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{tint or "#ffffff"}"',
        f' stroke="{colour if tint else _LINE}"',
        ' stroke-dasharray="3 3"/>' if node.status in _FADED - {NodeStatus.PENDING} else "/>",
        _sign(node.status, colour),
        f'<text x="{_TEXT_X}" y="20.5" font-size="12.5" font-weight="500" fill="{ink}">{_safe(name)}</text>',
        f'<text x="{_TEXT_X}" y="37" font-size="11" fill="{shade}">{_safe(remark)}</text>',
    ]
    if tries:
        again = colour if tint else COLOURS["caution"]
        parts.append(f'<text x="{WIDTH - 10}" y="37" font-size="10.5" font-weight="500" text-anchor="end"')
        parts.append(f' fill="{again}">{tries}</text>')
    return "".join([*parts, "</g>"])


def _sign(status: NodeStatus, colour: str) -> str:
    body, mark, solid = _ICONS[status]
    parts = [
        f'<g transform="translate({_PAD} {(HEIGHT - _ICON) / 2:g})" fill="none" stroke="{colour}" stroke-width="1.5"',
        ' stroke-linecap="round" stroke-linejoin="round">',
    ]
    if solid:
        parts.append(f'<path d="{body}" fill="{colour}" stroke="none"/>')
        parts.append(f'<path d="{mark}" stroke="#ffffff" stroke-width="1.7"/>')
    else:
        dotted = ' stroke-dasharray="2.2 2.2"' if status is NodeStatus.PENDING else ""
        parts += [f'<path d="{body}"{dotted}/>' if body else "", f'<path d="{mark}"/>' if mark else ""]
    return "".join([*parts, "</g>"])


def _remark(node: NodeState, elements: str) -> str:
    """Return the counts of a mapped node's elements, or the status word and the one thing that a person asks next."""
    if elements:
        return elements
    more = ""
    if node.status is NodeStatus.FAILED and node.error is not None:
        more = node.error.type_name
    elif node.status is NodeStatus.DONE and node.started_at:
        more = duration(node.ended_at - node.started_at)
    return " · ".join(filter(None, (NODE_STATUS[node.status].word, more)))


def _tries(node: NodeState) -> str:
    """Return ``2/3`` once there was more than one attempt, or while more are to come after a failure."""
    most, made = node.info.max_attempts, node.attempt
    if made == 0 or (made == 1 and not node.failures):
        return ""
    if most > 1:
        return f"{made}/{max(most, made)}"
    return f"\N{MULTIPLICATION SIGN}{made}" if made > 1 else ""


def _safe(text: str) -> str:
    """Escape `text`, without the characters that XML cannot hold."""
    return escape("".join(char if _in_xml(char) else "\ufffd" for char in text))


def _in_xml(char: str) -> bool:
    return char in "\t\n\r" or " " <= char < "\ud800" or (char >= "\ue000" and char not in "\ufffe\uffff")


def _fitted(text: str, size: float, room: float) -> str:
    """Return `text`, cut at its end where it is wider than `room` px at font size `size`."""
    if _width(text, size) <= room:
        return text
    used = _width("…", size)
    for i, char in enumerate(text):
        used += _width(char, size)
        if used > room:
            return f"{text[:i].rstrip()}…"
    return text


def _width(text: str, size: float) -> float:
    """Estimate the px that `text` takes, a little too many for common sans-serif fonts rather than too few."""
    return size * sum(map(_ems, text))


def _ems(char: str) -> float:
    if combining(char):
        return 0.0
    if east_asian_width(char) in "WF":
        return 1.05
    if char in "fijlrtI.,:;'|!()[]/ ·":
        return 0.36
    if char in "mwMW@%…":
        return 0.95
    return 0.7 if char.isupper() else 0.59
