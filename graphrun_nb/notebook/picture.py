"""The picture of a run that stays in a saved notebook: a second output, hidden while the live view is there."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display

from graphrun_nb.view.picture import image
from graphrun_nb.view.text import headline, table

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run


class LivePicture:
    """Draws `run` once it has ended, into the place that `show` reserved."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._slot = f"graphrun-{run.run_id}"
        self._kept = 0

    def show(self) -> None:
        """Reserve the place below the live view."""
        display(self._bundle(), raw=True, display_id=self._slot)
        self._run.when_settled(self.refresh)

    def keep(self) -> None:
        """Draw a run that has ended again, once, while a cell runs: only then nbclient takes it into the notebook."""
        state = self._run.state
        if state.finished is not None and state.seq != self._kept:
            self._kept = state.seq
            self.refresh()

    def refresh(self) -> None:
        """Draw the run as it is now."""
        update_display(self._bundle(), raw=True, display_id=self._slot)

    def _bundle(self) -> dict[str, Any]:
        state = self._run.state
        inside = image(state, table(state)) if state.finished is not None else ""
        run_id = html.escape(state.run_id, quote=True)
        return {
            "text/plain": headline(state) if state.finished is not None else state.graph,
            "text/html": f'<div data-graphrun-static="{run_id}">{inside}</div>',
        }
