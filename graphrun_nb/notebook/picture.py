"""The picture of a run that stays in a saved notebook: a second output, hidden while the live view is there."""

from __future__ import annotations

import contextvars
import html
from functools import partial
from typing import TYPE_CHECKING

from IPython.display import display, update_display

from graphrun_nb.core.events import RunFinished, WaitOpened
from graphrun_nb.core.state import fold
from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.background import running_loop
from graphrun_nb.notebook.keepsake import WORKER
from graphrun_nb.view.picture import image, is_far
from graphrun_nb.view.text import headline, table

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from concurrent.futures import Future

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal

    Bundle = dict[str, str]

WAITING_S = 0.5
INSTEAD = (
    ".jp-OutputArea-child:has(> .jupyter-widgets):has(+ * [data-graphrun-static]):not(:has([data-run]))"
    " { display: none }"
)
"""Where there is a picture, JupyterLab need not say that it has no model for the live view above it."""


class LivePicture:
    """Draws `run` into the place that `show` reserved: whenever it has ended, and when it waits for somebody.

    Hundreds of nodes are drawn in a thread.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._slot = f"graphrun-{run.run_id}"
        self._drawn: tuple[int, Bundle] = (0, {})
        self._drawing: Future[Bundle] | None = None
        self._kept = 0
        self._timer: asyncio.TimerHandle | None = None
        self._context = contextvars.copy_context()
        run.log.attach(self)

    def show(self) -> None:
        """Reserve the place below the live view."""
        self._context = contextvars.copy_context()
        state = self._run.state
        if _is_begun(state) and is_far(state):
            display(_place(state, ""), raw=True, display_id=self._slot)
            self.refresh()
        else:
            display(_bundle(state), raw=True, display_id=self._slot)

    def of(self, run: Run) -> LivePicture:
        """Draw another run in this one's place from now on."""
        self._run.log.detach(self)
        self._drop_timer()
        self._run = run
        self._drawn, self._drawing = (0, {}), None
        run.log.attach(self)
        self._context.copy().run(self.refresh)
        return self

    def keep(self, *, waits: bool) -> None:
        """Put a run that has ended there again, once, while a cell runs: only then nbclient takes it.

        Parameters
        ----------
        waits
            Until it is drawn, if it is not yet.
        """
        state = self._run.state
        if state.finished is None or state.seq == self._kept or (self._drawing is not None and not waits):
            return
        self._kept = state.seq
        if self._drawing is not None:
            self._take(state.seq, self._drawing)
        elif self._drawn[0] == state.seq:
            update_display(self._drawn[1], raw=True, display_id=self._slot)
        else:
            self._put(state.seq, _bundle(state))

    def refresh(self) -> None:
        """Draw the run as it is now."""
        run = self._run
        loop = running_loop()
        if loop is None or not is_far(run.state):
            self._drawing = None
            self._put(run.state.seq, _bundle(run.state))
            return
        log = tuple(run.log)
        drawing = self._drawing = WORKER.submit(lambda: _bundle(fold(run.run_id, log)))
        take, context = partial(self._take, len(log), drawing), contextvars.copy_context()
        drawing.add_done_callback(lambda _: loop.call_soon_threadsafe(take, context=context))

    def _take(self, seq: int, drawing: Future[Bundle]) -> None:
        if drawing is self._drawing:
            self._drawing = None
            self._put(seq, drawing.result())

    def _put(self, seq: int, bundle: Bundle) -> None:
        self._drawn = (seq, bundle)
        update_display(bundle, raw=True, display_id=self._slot)

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Draw it soon, if it has ended or asks something."""
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


def _is_begun(state: RunState) -> bool:
    return state.finished is not None or state.status is RunStatus.WAITING


def _bundle(state: RunState) -> Bundle:
    inside = f"<style>{INSTEAD}</style>{image(state, table(state))}" if _is_begun(state) else ""
    return _place(state, inside)


def _place(state: RunState, inside: str) -> Bundle:
    run_id = html.escape(state.run_id, quote=True)
    return {
        "text/plain": headline(state) if _is_begun(state) else state.graph,
        "text/html": f'<div data-graphrun-static="{run_id}">{inside}</div>',
    }
