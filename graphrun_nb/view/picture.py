"""A graph or run as a picture in HTML.

Front ends that do not trust a notebook drop inline SVG and keep images, so the drawing travels as one.
"""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from graphrun_nb.view.parts import home
from graphrun_nb.view.scene import scene_of
from graphrun_nb.view.svg import draw

if TYPE_CHECKING:
    from graphrun_nb.core.state import RunState

MAX_CARDS = 400
"""More parts are drawn from afar: a page of cards is looked through by nobody, and a notebook keeps it."""


def image(state: RunState, text: str) -> str:
    """Return the drawing of `state` as an HTML image whose alternative is `text`."""
    drawing = base64.b64encode(drawn(state).encode()).decode()
    alternative = html.escape(text, quote=True)
    width = "100%" if is_far(state) else "none"
    picture = f'<img alt="{alternative}" style="max-width: {width}" src="data:image/svg+xml;base64,{drawing}">'
    return f'<div style="overflow-x: auto">{picture}</div>'


def drawn(state: RunState) -> str:
    """Return the drawing of `state` for a page, an SVG document: above 400 nodes from afar."""
    return draw(state, scene_of(state), from_afar=is_far(state))


def is_far(state: RunState) -> bool:
    """Tell whether a page shows `state` from afar. O(nodes)."""
    inside = home(state)
    return sum(node.info.parent == inside for node in state.nodes.values()) > MAX_CARDS
