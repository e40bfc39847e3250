"""The nodes of a still picture: cards with all that they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.status import NODE_STATUS, NodeStatus
from graphrun_nb.view.icons import SIZE, sign
from graphrun_nb.view.ink import FADED, TINTED, colour_of, fill, fitted, safe, stroke, width
from graphrun_nb.view.parts import COUNTED
from graphrun_nb.view.scene import HEIGHT, WIDTH
from graphrun_nb.view.text import counts_in_words, duration

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from graphrun_nb.core.state import NodeState, RunState
    from graphrun_nb.view.drawing import Point
    from graphrun_nb.view.scene import Scene

_PAD, _GAP = 11, 9
_TEXT_X = _PAD + SIZE + _GAP
_ROOM = WIDTH - _TEXT_X - 10
_BEHIND = 4
_BAR, _BAR_SIDE = 3, 9


def cards(state: RunState, scene: Scene, counts: dict[str, Counter[NodeStatus]]) -> Iterator[str]:
    """Yield a card a part; `counts` are those of the parts of containers."""
    for node_id in scene.parts:
        node = state.nodes[node_id]
        name = node.info.name.removeprefix(f"{scene.inside}/") if scene.inside else node.info.name
        yield _card(node, name, scene.layout.position[node_id], counts.get(node_id))


def _card(node: NodeState, name: str, centre: Point, counts: Counter[NodeStatus] | None) -> str:
    status = node.status
    colour = colour_of(status)
    is_tinted = status in TINTED
    outline = stroke(colour if is_tinted else "line", f"{colour}-tint" if is_tinted else "card")
    dashes = ' stroke-dasharray="3 3"' if status in FADED - {NodeStatus.PENDING} else ""
    tries = _tries(node)
    shown = fitted(name, 12.5, _ROOM)
    remark = fitted(_remark(node, counts), 11, _ROOM - (width(tries, 10.5) + 6 if tries else 0))
    ink, shade = ("soft" if status in FADED else "text"), (colour if is_tinted else "soft")
    rect = f'width="{WIDTH}" height="{HEIGHT}" rx="8" {outline}{dashes}/>'
    parts = [
        f'<g transform="translate({centre[0] - WIDTH / 2:g} {centre[1] - HEIGHT / 2:g})">',
        f"<title>{safe(node.info.node_id)}: {NODE_STATUS[status].word}</title>",
        f'<rect x="{_BEHIND}" y="{_BEHIND}" {rect}' if counts else "",
        f"<rect {rect}",
        *(_bar(counts) if counts else ()),
        sign(status, _PAD, (HEIGHT - SIZE) / 2),
        f'<text x="{_TEXT_X}" y="20.5" font-size="12.5" font-weight="500" {fill(ink)}>{safe(shown)}</text>',
        f'<text x="{_TEXT_X}" y="37" font-size="11" {fill(shade)}>{safe(remark)}</text>',
    ]
    if tries:
        again = colour if is_tinted else "caution"
        parts.append(f'<text x="{WIDTH - 10}" y="37" font-size="10.5" font-weight="500" text-anchor="end"')
        parts.append(f" {fill(again)}>{tries}</text>")
    return "".join([*parts, "</g>"])


def _bar(counts: Counter[NodeStatus]) -> Iterator[str]:
    """Yield how far the parts of a container are, by status, as a share of all; what is to come stays empty."""
    x = float(_BAR_SIDE)
    for status in COUNTED:
        length = (WIDTH - 2 * _BAR_SIDE) * counts[status] / counts.total()
        if status is not NodeStatus.PENDING and counts[status]:
            place = f'x="{x:.1f}" y="{HEIGHT - _BAR - 1}"'
            wide = max(length, 2 if status is NodeStatus.FAILED else 0)
            yield f'<rect {place} width="{wide:.1f}" height="{_BAR}" {fill(colour_of(status))}/>'
        x += length


def _remark(node: NodeState, counts: Counter[NodeStatus] | None) -> str:
    """Return the counts of a container's parts, or the status word and the one thing that a person asks next."""
    if counts:
        return counts_in_words(counts)
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
