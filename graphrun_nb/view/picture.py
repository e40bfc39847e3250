"""A graph or run as a picture in HTML.

Front ends that do not trust a notebook drop inline SVG and keep images, so the drawing travels as one.
"""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from graphrun_nb.view.svg import draw

if TYPE_CHECKING:
    from graphrun_nb.core.state import RunState

MAX_DRAWN = 400


def image(state: RunState, text: str) -> str:
    """Return the drawing of `state` as an HTML image whose alternative is `text`; above 400 nodes, the text alone."""
    from graphrun_nb.view.layout import layout  # noqa: PLC0415 (brings networkx and numpy)

    drawn = state.drawn()
    if len(drawn) > MAX_DRAWN:
        return f"<pre>{html.escape(text)}</pre>"
    drawing = base64.b64encode(draw(state, layout(drawn, state.edges())).encode()).decode()
    alternative = html.escape(text, quote=True)
    picture = f'<img alt="{alternative}" style="max-width: none" src="data:image/svg+xml;base64,{drawing}">'
    return f'<div style="overflow-x: auto">{picture}</div>'
