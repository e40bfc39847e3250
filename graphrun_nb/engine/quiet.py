"""Notices when a run only waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal


class Quiet:
    """Asks after every turn, once its consequences have begun, whether only waits are left in the run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_events(self, first: int, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Look at the run soon."""
        del first, batch, state
        self.look()

    def look(self) -> None:
        """Look at the run in the loop's next round."""
        if self._run.loop is not None:
            self._run.loop.call_soon(self._run.announce_if_waiting, context=self._run.launcher.base.copy())

    def on_signal(self, signal: Signal) -> None:
        """Nothing to note."""
