"""Keeps logs and values in this process alone."""

from __future__ import annotations

import weakref
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import Envelope, ValueRef, WaitOpened
from graphrun_nb.errors import RunOwnedElsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.batch import Batch


class MemoryKeeper:
    """The values of one run, as they are."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, Any] | None = None
        self._put: list[Any] = []

    def put(self, value: Any, preview: str) -> ValueRef:
        """Hold on to `value`."""
        self._put.append(value)
        return ValueRef(digest=str(len(self._put) - 1), preview=preview)

    def get(self, ref: ValueRef) -> Any:
        """Return what was put; raises LookupError for what another process put."""
        if not ref.digest:
            raise LookupError(ref)
        return self._put[int(ref.digest)]


class MemoryStore:
    """A store that ends with the process.

    It holds on to the values of runs that were given a ``run_id``. Those of the others go with the last that holds the
    run's future; their logs stay.

    Examples
    --------
    >>> MemoryStore().run_ids()
    ()
    """

    def __init__(self) -> None:
        self._logs: dict[str, list[Batch]] = {}
        self._n_events: defaultdict[str, int] = defaultdict(int)
        self._keepers: weakref.WeakValueDictionary[str, MemoryKeeper] = weakref.WeakValueDictionary()
        self._lasting: dict[str, MemoryKeeper] = {}
        self._asking: dict[str, str] = {}
        self._n_looked_at: dict[str, int] = {}

    def append(self, run_id: str, expected_seq: int, batch: Batch) -> None:
        """Keep `batch` right after event `expected_seq` of the run.

        Raises
        ------
        RunOwnedElsewhere
            Somebody else has written to the run in the meantime.
        """
        n = self._n_events[run_id]
        if n != expected_seq:
            raise RunOwnedElsewhere(f"run {run_id!r} is at event {n}, not {expected_seq}")
        self._logs.setdefault(run_id, []).append(batch)
        self._n_events[run_id] = n + len(batch)

    def read(self, run_id: str) -> Sequence[Envelope]:
        """Return a run's whole log, empty if there is none."""
        log = self._logs.get(run_id, ())
        return tuple(
            Envelope(run_id, seq, at, event) for seq, (at, event) in enumerate(chain.from_iterable(log), start=1)
        )

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs, in order of their first event."""
        return tuple(self._logs)

    def run_of_wait(self, token_digest: str) -> str | None:
        """Return the run that opened the wait whose token has this digest. O(runs + events since the last call)."""
        for run_id, log in tuple(self._logs.items()):
            n_known = self._n_looked_at.get(run_id, 0)
            later = log[n_known:]
            for event in chain.from_iterable(each.events for each in later):
                if type(event) is WaitOpened:
                    self._asking[event.wait.token_digest] = run_id
            self._n_looked_at[run_id] = n_known + len(later)
        return self._asking.get(token_digest)

    def keeper(self, run_id: str, *, lasting: bool) -> MemoryKeeper:
        """Return who holds the run's values, as long as anybody does."""
        keeper = self._keepers.get(run_id)
        if keeper is None:
            keeper = self._keepers[run_id] = MemoryKeeper()
        if lasting:
            self._lasting[run_id] = keeper
        return keeper
