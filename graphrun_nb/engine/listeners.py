"""`Listeners`: who is told, once, when a run has ended or when it only waits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from graphrun_nb.core.status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal


class Listeners:
    """Callables that are called once each. Observes the run's log while one of them asks for waits."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._blocks: dict[Callable[[], None], bool] = {}

    def add(self, listener: Callable[[], None], *, blocks: bool = True) -> None:
        """Call `listener` when the run has ended, or, unless it `blocks`, when only waits are left. On any thread."""
        run = self._run
        self._blocks[listener] = blocks
        if not run.is_awaited:
            self.tell_all()
        elif not blocks:
            run.log.attach(self)
            if run.loop is not None:
                run.post(self._look)

    @contextlib.contextmanager
    def kept_waiting(self) -> Iterator[None]:
        """Tell nobody of what happens within."""
        blocks, self._blocks = self._blocks, {}
        yield
        self._blocks = blocks

    def tell_all(self) -> None:
        """Say that the run has ended, or that no process drives it any more."""
        self._tell(list(self._blocks))

    def look_soon(self) -> None:
        """Look in the loop's next round whether only waits are left."""
        run = self._run
        if run.loop is not None:
            run.loop.call_soon(self._look, context=run.launcher.base.copy())

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Look once the consequences of the turn have begun."""
        del batch, state
        self.look_soon()

    def on_signal(self, signal: Signal) -> None:
        """Nothing to note."""

    def _look(self) -> None:
        run = self._run
        if run.ended or not run.scheduler.only_waits_left():
            return
        if run.state.status is RunStatus.WAITING and run.waits.open():
            self._tell([each for each, blocks in self._blocks.items() if not blocks])

    def _tell(self, listeners: Sequence[Callable[[], None]]) -> None:
        for listener in listeners:
            if self._blocks.pop(listener, None) is not None:
                listener()
