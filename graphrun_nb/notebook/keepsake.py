"""What the state of a widget keeps of a run that has ended, so that its view can be played where there is no kernel."""

from __future__ import annotations

import contextvars
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from graphrun_nb.core.state import fold
from graphrun_nb.engine.background import running_loop
from graphrun_nb.notebook.recorder import details_of, places_of
from graphrun_nb.view.recording import MAX_PACKED, bounded, record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.events import Envelope
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.view.frames import NodeDetail

MAX_DETAILS = 400
MAX_LAID_OUT = 2_000
"""More nodes stand on a grid when they are played: a layout takes seconds, and here nobody has asked for it."""

WORKER = ThreadPoolExecutor(1, thread_name_prefix="graphrun-files")
"""Where files and recordings are made: one at a time, and aside."""


class Keepsake:
    """Packs a run whenever it has ended: in a thread, since it takes up to a second for thousands of nodes.

    Parameters
    ----------
    keep
        Takes what was packed; called on the run's loop.
    """

    def __init__(self, run: Run, keep: Callable[[str], None]) -> None:
        self._run = run
        self._keep = keep
        self._packed_at = 0
        self._packing: Future[str] | None = None

    def renew(self) -> None:
        """Pack the run, if it has ended and has not been packed as it is."""
        run = self._run
        state = run.state
        loop = running_loop()
        if loop is None or state.finished is None or state.seq == self._packed_at:
            return
        self._packed_at = state.seq
        details = details_of(run, most=MAX_DETAILS, n_bytes=2 * MAX_PACKED)
        make = partial(_packed, run.run_id, tuple(run.log), details, run.clock.time())
        packing = self._packing = WORKER.submit(make)
        context = contextvars.copy_context()
        packing.add_done_callback(lambda _: loop.call_soon_threadsafe(partial(self._take, packing), context=context))

    def settle(self) -> None:
        """Wait for what is being packed."""
        self.renew()
        if self._packing is not None:
            self._take(self._packing)

    def _take(self, packing: Future[str]) -> None:
        if packing is self._packing:
            self._packing = None
            self._keep(packing.result())


def _packed(run_id: str, log: Sequence[Envelope], details: Sequence[NodeDetail], now: float) -> str:
    state: RunState = fold(run_id, log)
    layouts = places_of(state) if len(state.drawn()) <= MAX_LAID_OUT else []
    return bounded(record(state, log, layouts, details, saved_at=now), state)
