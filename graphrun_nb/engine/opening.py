"""`Opening`: tells when a node asks."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING

from graphrun_nb.errors import GraphRunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.continuation import Continuation
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal


class Opening:
    """The wait that a node has open, or opens next. Observes the run's log until then."""

    def __init__(self, run: Run, node_id: str) -> None:
        self._run = run
        self._node_id = node_id
        self._found: concurrent.futures.Future[Continuation] = concurrent.futures.Future()

    async def found(self) -> Continuation:
        """Return it, on any loop.

        Raises
        ------
        UnknownNode
            There is no such node, and none can appear.
        GraphRunError
            The run has ended, or nobody goes on with it, before the node asked.
        """
        run = self._run
        if not run.spec.body:
            run.answering.require_node(self._node_id)
        run.call(self._attach)
        run.listeners.add(self._look)
        try:
            return await asyncio.wrap_future(self._found)
        finally:
            run.call(lambda: run.log.detach(self))

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Look once the consequences of the turn have begun."""
        del batch, state
        if self._run.loop is not None:
            self._run.loop.call_soon(self._look)

    def on_signal(self, signal: Signal) -> None:
        """Nothing to note."""

    def _attach(self) -> None:
        self._run.log.attach(self)
        self._look()

    def _look(self) -> None:
        if self._found.done():
            return
        wait = next((each for each in self._run.waits.open() if each.node_id == self._node_id), None)
        if wait is not None:
            self._found.set_result(wait)
        elif not self._run.is_awaited:
            status = self._run.status.lower()
            self._found.set_exception(
                GraphRunError(
                    f"node {self._node_id!r} asks nothing, and run {self._run.run_id!r} is {status}",
                    hints=("future.retry() goes on with a run that did not end well",),
                )
            )
