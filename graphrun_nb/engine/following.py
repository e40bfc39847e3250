"""`Follower`: lets a run that another process drives grow here as it grows there."""

from __future__ import annotations

import logging
import weakref
from functools import partial
from typing import TYPE_CHECKING

from graphrun_nb.engine.background import background_loop, running_loop
from graphrun_nb.engine.crossing import call_soon
from graphrun_nb.errors import GraphRunError, StoreBusy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Owner

_LOG = logging.getLogger(__name__)


def followed(run: Run) -> Run:
    """Return `run`, which follows its log from now on if it has not ended and is not under way here.

    It lives on the running loop, or on one in the background, as a run of this process would.
    """
    if run.is_away and run.follower is None:
        follower = Follower(run, running_loop() or background_loop())
        run.be_followed(follower)
        follower.begin()
    return run


class Follower:
    """Takes over what the store has more of a run than is known here, and knows who drives it.

    Attributes
    ----------
    driver
        The process that drives the run, as far as is known; None if none does.
    """

    def __init__(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        self.run_id = run.run_id
        self.loop = loop
        self.driver: Owner | None = None
        self._run = weakref.ref(run)
        self._store = run.store
        self._told: tuple[int, Owner | None] | None = None
        self._listeners: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Learn who drives the run, and follow it."""
        self.driver = self._store.owner(self.run_id)
        self._store.watch(self)

    def stop(self) -> None:
        """Follow it no more."""
        self.driver = None
        self._store.unwatch(self)
        self._tell()

    def on_standing(self, n_events: int, owner: Owner | None) -> None:
        """Learn how the run stands in the store; from any thread."""
        if self._told != (n_events, owner):
            self._told = (n_events, owner)
            call_soon(self.loop, partial(self._look, owner))

    def when_driven_by_another(self, listener: Callable[[], None]) -> None:
        """Call `listener`, on the loop, whenever `driver` has changed."""
        self._listeners.append(listener)

    def look(self) -> None:
        """Take over at once what there is; on the loop's thread."""
        self._look(self._store.owner(self.run_id))

    def _look(self, owner: Owner | None) -> None:
        run = self._run()
        if run is None or run.follower is not self:
            return
        changes = owner != self.driver
        self.driver = owner
        try:
            run.catch_up(self._store.read(self.run_id, len(run.log)))
        except StoreBusy:
            self._told = None
        except GraphRunError:
            _LOG.warning("run %s cannot be followed any more", self.run_id, exc_info=True)
            self.stop()
            return
        if changes:
            self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
