"""A run that no view shows, and that asks somebody while a cell waits for it: its view appears in that cell."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from graphrun_nb.core.events import RunFinished, WaitOpened
from graphrun_nb.engine.background import running_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.protocols import Signal

NOT_ASKED = ("until", "event")
"""Kinds of waits that no person answers."""

PATIENCE_S = 0.5
"""What is answered by then is answered by a program."""


class Unseen:
    """Calls `show`, in the context of the cell that waits, if a question of the run stays open.

    Parameters
    ----------
    show
        Shows the run in the current cell.
    """

    def __init__(self, future: RunFuture, show: Callable[[RunFuture], None]) -> None:
        self._future = future
        self._show = show
        self._context = contextvars.copy_context()
        future.run.log.attach(self)
        self._look_soon()

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Look for questions, until the run's end."""
        del state
        kinds = {type(event) for _, event in batch}
        if RunFinished in kinds:
            self._future.run.log.detach(self)
        elif WaitOpened in kinds:
            self._look_soon()

    def on_signal(self, signal: Signal) -> None:
        """Nothing that a question would come with."""

    def _look_soon(self) -> None:
        loop = running_loop()
        if loop is not None:
            loop.call_later(PATIENCE_S, self._look, context=self._context.copy())

    def _look(self) -> None:
        if any(wait.kind not in NOT_ASKED for wait in self._future.waits):
            self._future.run.log.detach(self)
            self._show(self._future)
