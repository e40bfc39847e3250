"""Keeps logs in this process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.events import Envelope, Event
from graphrun_nb.errors import RunOwnedElsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemoryStore:
    """A store that ends with the process.

    Examples
    --------
    >>> MemoryStore().run_ids()
    ()
    """

    def __init__(self) -> None:
        self._logs: dict[str, list[tuple[float, Event]]] = {}

    def append(self, run_id: str, expected_seq: int, events: Sequence[tuple[float, Event]]) -> None:
        """Keep `events` right after event `expected_seq` of the run.

        Raises
        ------
        RunOwnedElsewhere
            Somebody else has written to the run in the meantime.
        """
        log = self._logs.setdefault(run_id, [])
        if len(log) != expected_seq:
            raise RunOwnedElsewhere(f"run {run_id!r} is at event {len(log)}, not {expected_seq}")
        log.extend(events)

    def read(self, run_id: str) -> Sequence[Envelope]:
        """Return a run's whole log, empty if there is none."""
        log = self._logs.get(run_id, ())
        return tuple(Envelope(run_id, seq, at, event) for seq, (at, event) in enumerate(log, start=1))

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs, in order of their first event."""
        return tuple(self._logs)
