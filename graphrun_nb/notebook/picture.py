"""The picture of a run that stays in a saved notebook: a second output, hidden while the live view is there."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display

from graphrun_nb.view.svg import draw
from graphrun_nb.view.text import headline, table

if TYPE_CHECKING:
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run

MAX_DRAWN = 400


class LivePicture:
    """Draws `run` once it has ended, into the place that `show` reserved.

    Front ends that do not trust a notebook drop inline SVG and keep images, so the drawing travels as one.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._slot = f"graphrun-{run.run_id}"

    def show(self) -> None:
        """Reserve the place below the live view."""
        display(self._bundle(), raw=True, display_id=self._slot)
        self._run.when_settled(self.refresh)

    def refresh(self) -> None:
        """Draw the run as it is now."""
        update_display(self._bundle(), raw=True, display_id=self._slot)

    def _bundle(self) -> dict[str, Any]:
        state = self._run.state
        inside = ""
        if state.finished is not None:
            inside = image(state) if len(state.nodes) <= MAX_DRAWN else f"<pre>{html.escape(table(state))}</pre>"
        run_id = html.escape(state.run_id, quote=True)
        return {
            "text/plain": headline(state) if state.finished is not None else state.graph,
            "text/html": f'<div data-graphrun-static="{run_id}">{inside}</div>',
        }


def image(state: RunState) -> str:
    """Return the run's drawing as an HTML image, with its text as the alternative."""
    from graphrun_nb.view.layout import layout  # noqa: PLC0415 (brings networkx and numpy)

    drawing = base64.b64encode(draw(state, layout(state.drawn(), state.edges())).encode()).decode()
    alternative = html.escape(table(state), quote=True)
    picture = f'<img alt="{alternative}" style="max-width: none" src="data:image/svg+xml;base64,{drawing}">'
    return f'<div style="overflow-x: auto">{picture}</div>'
