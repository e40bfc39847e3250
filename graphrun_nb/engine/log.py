"""`RunLog`: the one writer of a run. What it records is folded, stored and told to observers, in this order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from graphrun_nb.core.events import Envelope, Event, NodeReset, RunForked, SpecAccepted
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.state import RunState, apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphrun_nb.core.topology import Topology
    from graphrun_nb.protocols import Observer, RunStore, Signal

_REBUILT_AFTER = frozenset({SpecAccepted, NodeReset, RunForked})
_LOG = logging.getLogger(__name__)


class RunLog:
    """A run's log, its state and its frontier, on the loop's thread alone.

    `stage` applies an event; `commit` keeps all staged ones as one unit. Nothing may take effect in between.

    Attributes
    ----------
    state
        The fold of the log. Only `stage` changes it.
    frontier
        What can start and what falls due.

    Parameters
    ----------
    topology
        That of the graph whose SpecAccepted is going to be staged, so that it need not be worked out again.
    """

    def __init__(self, run_id: str, store: RunStore, topology: Topology | None = None) -> None:
        self.state = RunState(run_id)
        self.frontier = Frontier(self.state)
        self._topology = topology
        self._store = store
        self._history: list[tuple[float, Event]] = []
        self._staged: list[tuple[float, Event]] = []
        self._observers: list[Observer] = []
        self._accused: set[int] = set()

    def stage(self, event: Event, at: float) -> None:
        """Fold `event` into the state; it is not kept before `commit`.

        Raises
        ------
        IllegalTransition
            It does not fit; nothing has changed.
        """
        apply(self.state, event, at)
        if type(event) in _REBUILT_AFTER:
            known = self._topology
            fits = known is not None and type(event) is SpecAccepted and known.infos is event.nodes
            self.frontier = Frontier(self.state, known) if fits else self.frontier.rebuilt()
        else:
            self.frontier.advance(event)
        self._staged.append((at, event))

    def stage_all(self, events: Sequence[Event], at: float) -> None:
        """Stage `events` in order; raises as `stage`."""
        state = self.state
        advance = self.frontier.advance
        staged = self._staged
        for event in events:
            if type(event) in _REBUILT_AFTER:
                self.stage(event, at)
                advance = self.frontier.advance
            else:
                apply(state, event, at)
                advance(event)
                staged.append((at, event))

    def commit(self) -> None:
        """Keep what was staged, as one unit, and tell the observers."""
        batch = self._staged
        if not batch:
            return
        self._staged = []
        n_before = len(self._history)
        self._store.append(self.state.run_id, n_before, batch)
        self._history += batch
        for observer in tuple(self._observers):
            try:
                observer.on_events(n_before + 1, batch, self.state)
            except Exception:  # noqa: BLE001 (an observer never hurts a run)
                self._accuse(observer)

    def signal(self, signal: Signal) -> None:
        """Pass telemetry on to the observers."""
        for observer in tuple(self._observers):
            try:
                observer.on_signal(signal)
            except Exception:  # noqa: BLE001 (an observer never hurts a run)
                self._accuse(observer)

    def attach(self, observer: Observer) -> None:
        """Tell `observer` of all that is committed from now on."""
        if observer not in self._observers:
            self._observers.append(observer)

    def detach(self, observer: Observer) -> None:
        """Stop telling `observer`."""
        if observer in self._observers:
            self._observers.remove(observer)

    def since(self, seq: int) -> list[tuple[float, Event]]:
        """Return what was committed after event `seq`, with its instants."""
        return self._history[seq:]

    def __len__(self) -> int:
        return len(self._history)

    def __iter__(self) -> Iterator[Envelope]:
        run_id = self.state.run_id
        for seq, (at, event) in enumerate(self._history, start=1):
            yield Envelope(run_id, seq, at, event)

    def _accuse(self, observer: Observer) -> None:
        if id(observer) not in self._accused:
            self._accused.add(id(observer))
            _LOG.exception("observer %s of run %s raised; it is told further, silently", observer, self.state.run_id)
