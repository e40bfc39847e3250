"""The picture of a run that stays in a saved notebook: a second output, hidden while the live view is there."""

from __future__ import annotations

import contextvars
import html
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display

from graphrun_nb.core.events import RunFinished, WaitOpened
from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.background import running_loop
from graphrun_nb.view.picture import image
from graphrun_nb.view.text import headline, table

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal

WAITING_S = 0.5


class LivePicture:
    """Draws `run` into the place that `show` reserved: whenever it has ended, and when it waits for somebody."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._slot = f"graphrun-{run.run_id}"
        self._kept = 0
        self._timer: asyncio.TimerHandle | None = None
        self._context = contextvars.copy_context()
        run.log.attach(self)

    def show(self) -> None:
        """Reserve the place below the live view."""
        self._context = contextvars.copy_context()
        display(self._bundle(), raw=True, display_id=self._slot)

    def of(self, run: Run) -> LivePicture:
        """Draw another run in this one's place from now on."""
        self._run.log.detach(self)
        self._drop_timer()
        self._run = run
        run.log.attach(self)
        self._context.copy().run(self.refresh)
        return self

    def keep(self) -> None:
        """Draw a run that has ended again, once, while a cell runs: only then nbclient takes it into the notebook."""
        state = self._run.state
        if state.finished is not None and state.seq != self._kept:
            self._kept = state.seq
            self.refresh()

    def refresh(self) -> None:
        """Draw the run as it is now."""
        update_display(self._bundle(), raw=True, display_id=self._slot)

    def on_events(self, first: int, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Draw it soon, if it has ended or asks something."""
        del first
        loop = running_loop()
        kinds = {type(event) for _, event in batch}
        if loop is None:
            return
        if RunFinished in kinds:
            self._drop_timer()
            loop.call_soon(self.refresh, context=self._context.copy())
        elif WaitOpened in kinds and state.finished is None:
            self._drop_timer()
            self._timer = loop.call_later(WAITING_S, self._draw_waiting, context=self._context.copy())

    def on_signal(self, signal: Signal) -> None:
        """Nothing that a picture would tell."""

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _draw_waiting(self) -> None:
        if self._run.state.status is RunStatus.WAITING:
            self.refresh()

    def _bundle(self) -> dict[str, Any]:
        state = self._run.state
        begun = state.finished is not None or state.status is RunStatus.WAITING
        inside = image(state, table(state)) if begun else ""
        run_id = html.escape(state.run_id, quote=True)
        return {
            "text/plain": headline(state) if begun else state.graph,
            "text/html": f'<div data-graphrun-static="{run_id}">{inside}</div>',
        }
