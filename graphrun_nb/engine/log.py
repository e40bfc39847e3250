"""`RunLog`: the one writer of a run. What it records is folded, stored and told to observers, in this order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from bisect import bisect_right
from itertools import accumulate, chain, groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import Envelope, Event
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.outline import outline
from graphrun_nb.core.state import RunState, apply, apply_all
from graphrun_nb.core.stride import stride
from graphrun_nb.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from graphrun_nb.core.state import NodeState
    from graphrun_nb.core.topology import Topology
    from graphrun_nb.protocols import Lease, Observer, Signal

_LOG = logging.getLogger(__name__)


class RunLog:
    """A run's log, its state and its frontier, on the loop's thread alone.

    `stage` applies an event; `commit` keeps all staged ones as one unit, with one instant. Nothing may take effect
    in between.

    Attributes
    ----------
    state
        The fold of the log, with what is staged. Only `stage` changes it.
    frontier
        What can start and what falls due.
    lease
        The right to write it; `commit` needs one.
    on_kept
        Called when a `commit` that took a while has ended, with what kept it from being written, if anything did.

    Parameters
    ----------
    history
        What there is of the run already.

    Raises
    ------
    IllegalTransition
        The history does not fit together.
    """

    def __init__(self, run_id: str, history: Iterable[Envelope] = ()) -> None:
        past = tuple(history)
        self._batches = _batches(past)
        self._n_before = [0, *accumulate(len(each.events) for each in self._batches)]
        self.state = RunState(run_id)
        for at, event in self.since(0):
            apply(self.state, event, at)
        self.frontier = Frontier(self.state)
        self.lease: Lease | None = None
        self.on_kept: Callable[[Exception | None], None] = _nothing
        self.is_behind = False
        self._staged: list[Event] = []
        self._staged_at = 0.0
        self._observers: tuple[Observer, ...] = ()
        self._accused: set[int] = set()

    def begin(self, events: Sequence[Event], at: float, topology: Topology | None = None) -> None:
        """Stage what a run begins with, or is taken up again with, and look anew at what can start. O(nodes).

        Parameters
        ----------
        topology
            That of the nodes that there are afterwards, where it is known.

        Raises
        ------
        IllegalTransition
            An event does not fit; the log cannot be used any more.
        """
        for event in events:
            apply(self.state, event, at)
            self._keep((event,), at)
        self.frontier = Frontier(self.state, topology)

    def stage(self, event: Event, at: float) -> None:
        """Fold `event` into the state; it is not kept before `commit`.

        Raises
        ------
        IllegalTransition
            It does not fit; nothing has changed.
        """
        apply(self.state, event, at)
        self.frontier.advance(event)
        self._keep((event,), at)

    def stage_all(self, events: Sequence[Event], at: float) -> None:
        """Stage `events` in order; raises as `stage`."""
        apply_all(self.state, events, at)
        self.frontier.advance_all(events)
        self._keep(events, at)

    def stride(self, successes: list[Event], at: float, free: int) -> tuple[list[NodeState], bool]:
        """Stage attempts that succeeded, and the starts of plain nodes that follow; nothing may be staged before.

        Parameters
        ----------
        successes
            It is the log's from here on.

        Returns
        -------
        started
            The nodes that were started.
        is_all
            Whether nothing more follows from it; otherwise `decide` knows what does.

        Raises
        ------
        IllegalTransition
            A success does not fit.
        """
        self._staged = successes
        self._staged_at = at
        return stride(self.state, self.frontier, successes, at, free)

    def commit(self) -> bool:
        """Keep what was staged, as one unit, and tell the observers.

        Returns
        -------
        bool
            False if that takes a while: nothing may be staged, and nothing may follow from it, before `on_kept`.

        Raises
        ------
        RunOwnedElsewhere, StoreFull
            It is not kept; `roll_back` forgets it.
        """
        if not self._staged:
            return True
        batch = Batch(self._staged_at, tuple(self._staged))
        self._staged = []
        assert self.lease is not None  # noqa: S101 (a run claims it before it begins)
        ending = None if self.state.finished is None else outline(self.state)
        try:
            self.lease.append(batch, ending)
        except StoreBusy:
            self.is_behind = True
            loop = asyncio.get_running_loop()
            self.lease.append_later(
                batch, lambda error: _called_on(loop, lambda: self._caught_up(batch, error)), ending
            )
            return False
        self._publish(batch)
        return True

    def catch_up(self, later: Iterable[Envelope]) -> None:
        """Take over what another process has recorded after the last event that is known here, and tell the observers.

        Raises
        ------
        IllegalTransition
            It does not fit; the log cannot be used any more.
        """
        for batch in _batches(later):
            apply_all(self.state, batch.events, batch.at)
            self._publish(batch)

    def roll_back(self) -> None:
        """Forget what was not kept. O(events)."""
        self._staged = []
        self.is_behind = False
        self.state = RunState(self.state.run_id)
        for at, event in self.since(0):
            apply(self.state, event, at)
        self.frontier = Frontier(self.state)

    def _caught_up(self, batch: Batch, error: Exception | None) -> None:
        self.is_behind = False
        if error is None:
            self._publish(batch)
        self.on_kept(error)

    def _publish(self, batch: Batch) -> None:
        n_before = self._n_before[-1]
        self._batches.append(batch)
        self._n_before.append(n_before + len(batch.events))
        for observer in self._observers:
            try:
                observer.on_events(batch, self.state)  # type: ignore[arg-type]  # a registered Sequence
            except Exception:  # noqa: BLE001 (an observer never hurts a run)
                self._accuse(observer)

    def signal(self, signal: Signal) -> None:
        """Pass telemetry on to the observers."""
        for observer in self._observers:
            try:
                observer.on_signal(signal)
            except Exception:  # noqa: BLE001 (an observer never hurts a run)
                self._accuse(observer)

    def attach(self, observer: Observer) -> None:
        """Tell `observer` of all that is committed from now on."""
        if observer not in self._observers:
            self._observers = (*self._observers, observer)

    def detach(self, observer: Observer) -> None:
        """Stop telling `observer`."""
        self._observers = tuple(each for each in self._observers if each != observer)

    def since(self, seq: int, to: int | None = None) -> list[tuple[float, Event]]:
        """Return what was committed after event `seq`, up to event `to` or all of it, with its instants.

        O(log of the turns + what was committed after `seq`).
        """
        first = max(0, bisect_right(self._n_before, seq) - 1)
        n_before = self._n_before[first]
        recorded = chain.from_iterable(self._batches[first:])
        return list(islice(recorded, seq - n_before, None if to is None else max(to - n_before, 0)))

    def __len__(self) -> int:
        return self._n_before[-1]

    def __iter__(self) -> Iterator[Envelope]:
        run_id = self.state.run_id
        for seq, (at, event) in enumerate(self.since(0), start=1):
            yield Envelope(run_id, seq, at, event)

    def _keep(self, events: Iterable[Event], at: float) -> None:
        self._staged += events
        self._staged_at = at

    def _accuse(self, observer: Observer) -> None:
        if id(observer) not in self._accused:
            self._accused.add(id(observer))
            _LOG.exception("observer %s of run %s raised; it is told further, silently", observer, self.state.run_id)


def _batches(log: Iterable[Envelope]) -> list[Batch]:
    return [Batch(at, tuple(each.event for each in turn)) for at, turn in groupby(log, attrgetter("at"))]


def _nothing(error: Exception | None) -> None:
    """Do nothing."""


def _called_on(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Call `act` on the loop, from another thread, unless the loop has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(act)
