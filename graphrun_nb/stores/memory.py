"""Keeps logs and values in this process alone."""

from __future__ import annotations

import contextlib
import threading
import weakref
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import Envelope, ValueRef, WaitOpened
from graphrun_nb.errors import RunOwnedElsewhere
from graphrun_nb.protocols import Letter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import AnswerKept, CancelRequested
    from graphrun_nb.core.outline import Outline
    from graphrun_nb.protocols import Holder, Owner, Signal, Watcher


class MemoryKeeper:
    """The values of one run, as they are."""

    refers = False

    def __init__(self) -> None:
        self.only: dict[str, Any] = {}
        self.values: dict[str, Mapping[str, Any]] = {}
        self.outputs: dict[str, Any] | None = None
        self.types: Mapping[str, type] = {}
        self._put: list[Any] = []

    def put(self, value: Any, preview: Callable[[], str], *, shown: bool = True) -> ValueRef:
        """Hold on to `value`."""
        del shown
        self._put.append(value)
        return ValueRef(digest=str(len(self._put) - 1), preview=preview())

    def is_heavy(self, value: Any) -> bool:
        """Return False: values stay as they are."""
        del value
        return False

    def write(self, values: Sequence[Any]) -> None:
        """Do nothing."""

    def known(self, value: Any) -> ValueRef | None:
        """Return None: values are not told apart."""
        del value
        return None

    def at_hand(self, refs: Iterable[ValueRef]) -> contextlib.nullcontext[None]:
        """Do nothing: all values are."""
        del refs
        return contextlib.nullcontext()

    def get(self, ref: ValueRef) -> Any:
        """Return what was put; raises LookupError for what another process put."""
        if not ref.digest.isdecimal():
            raise LookupError(ref.preview)
        return self._put[int(ref.digest)]

    def add_line(self, line: Signal) -> None:
        """Do nothing: the run has its lines."""

    def lines(self, node_id: str) -> Sequence[Signal]:
        """Return nothing: the run has its lines."""
        del node_id
        return ()


class MemoryLease:
    """The right to write to one run."""

    is_lost = False

    def __init__(self, store: MemoryStore, run_id: str, holder: Holder) -> None:
        self.holder = holder
        self._store = store
        self._run_id = run_id
        self._log = store.log(run_id)

    @property
    def n_events(self) -> int:
        """How long the log is. O(batches)."""
        return sum(map(len, self._log))

    def append(self, batch: Batch, outline: Outline | None = None) -> None:
        """Keep `batch`; raises RunOwnedElsewhere if somebody else has taken the run over."""
        if self._store.held.get(self._run_id) is not self:
            raise _owned(self._run_id)
        self._log.append(batch)
        if outline is not None:
            self._store.outlined[self._run_id] = len(self._log), outline

    def append_later(
        self, batch: Batch, done: Callable[[Exception | None], None], outline: Outline | None = None
    ) -> None:
        """Keep `batch`; it never takes a while."""
        try:
            self.append(batch, outline)
        except RunOwnedElsewhere as error:
            done(error)
        else:
            done(None)

    def release(self) -> None:
        """Let others have it."""
        self._store.let_go(self._run_id, self)


class MemoryStore:
    """A store that ends with the process.

    It holds on to the values of runs that were given a ``run_id``. Those of the others go with the last that holds the
    run's future; their logs stay.

    Attributes
    ----------
    held : dict of str to MemoryLease
        The lease of each run that is under way.
    outlined : dict of str to (int, Outline)
        What runs came to that have ended, and how many batches there were then.

    Examples
    --------
    >>> MemoryStore().run_ids()
    ()
    """

    def __init__(self) -> None:
        self._logs: dict[str, list[Batch]] = {}
        self.held: dict[str, MemoryLease] = {}
        self.outlined: dict[str, tuple[int, Outline]] = {}
        self._boxes: dict[str, dict[str, Letter]] = {}
        self._settled: set[int] = set()
        self._n_letters = 0
        self._keepers: weakref.WeakValueDictionary[str, MemoryKeeper] = weakref.WeakValueDictionary()
        self._lasting: dict[str, MemoryKeeper] = {}
        self._asking: dict[str, str] = {}
        self._n_looked_at: dict[str, int] = {}
        self._lock = threading.RLock()

    def claim(self, run_id: str, holder: Holder, *, durability: str = "process") -> MemoryLease:
        """Give `holder` the right to write to a run; see `RunStore`."""
        del durability
        with self._lock:
            there = self.held.get(run_id)
            if there is not None and there.holder.is_alive:
                raise _owned(run_id)
            lease = self.held[run_id] = MemoryLease(self, run_id, holder)
        return lease

    def let_go(self, run_id: str, lease: MemoryLease) -> None:
        """Forget a lease."""
        if self.held.get(run_id) is lease:
            del self.held[run_id]

    def owner(self, run_id: str) -> Owner | None:
        """Return None: no other process drives runs of this store."""
        del run_id
        return None

    def log(self, run_id: str) -> list[Batch]:
        """Return the batches of a run, to be added to by who holds its lease."""
        return self._logs.setdefault(run_id, [])

    def read(self, run_id: str, after: int = 0) -> Sequence[Envelope]:
        """Return a run's log after its event `after`, empty if there is none."""
        log = islice(chain.from_iterable(self._logs.get(run_id, ())), after, None)
        return tuple(Envelope(run_id, seq, at, event) for seq, (at, event) in enumerate(log, start=after + 1))

    def watch(self, watcher: Watcher) -> None:
        """Do nothing: no other process drives runs of this store."""

    def unwatch(self, watcher: Watcher) -> None:
        """Do nothing."""

    def n_events(self, run_id: str) -> int:
        """Return how long a run's log is, 0 if there is none. O(batches)."""
        return sum(map(len, self._logs.get(run_id, ())))

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs, in order of their first event."""
        return tuple(run_id for run_id, log in tuple(self._logs.items()) if log)

    def outlines(self) -> dict[str, Outline | None]:
        """Return what each run came to, if it has ended, in order of their first event; see `RunStore`."""
        return {run_id: self._outline(run_id) for run_id in self.run_ids()}

    def _outline(self, run_id: str) -> Outline | None:
        n, outline = self.outlined.get(run_id, (0, None))
        return outline if n == len(self._logs[run_id]) else None

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

    def plain_wait(self, token_digest: str) -> None:
        """Return None: logs are at hand."""
        del token_digest

    def keeper(self, run_id: str, *, lasting: bool) -> MemoryKeeper:
        """Return who holds the run's values, as long as anybody does."""
        keeper = self._keepers.get(run_id)
        if keeper is None:
            keeper = self._keepers[run_id] = MemoryKeeper()
        if lasting:
            self._lasting[run_id] = keeper
        return keeper

    def post(self, run_id: str, key: str, fact: AnswerKept | CancelRequested, at: float) -> Letter | None:
        """Put a letter into the run's box, or return the one that is there with this key."""
        with self._lock:
            box = self._boxes.setdefault(run_id, {})
            if key in box:
                return box[key]
            self._n_letters += 1
            box[key] = Letter(self._n_letters, key, at, fact)
        lease = self.held.get(run_id)
        if lease is not None:
            lease.holder.on_mail()
        return None

    def letter(self, run_id: str, key: str) -> Letter | None:
        """Return the letter that has this key, settled or not."""
        with self._lock:
            return self._boxes.get(run_id, {}).get(key)

    def letters(self, run_id: str) -> Sequence[Letter]:
        """Return the letters that nobody has settled, oldest first."""
        with self._lock:
            return [each for each in self._boxes.get(run_id, {}).values() if each.no not in self._settled]

    def settle(self, run_id: str, nos: Sequence[int], *, retract: bool = False) -> None:
        """Mark letters as done with, or take them back."""
        with self._lock:
            box = self._boxes.get(run_id, {})
            for key in [key for key, each in box.items() if each.no in nos]:
                self._settled.add(box[key].no)
                if retract:
                    del box[key]


def _owned(run_id: str) -> RunOwnedElsewhere:
    return RunOwnedElsewhere(
        f"run {run_id!r} is driven by another loop of this process",
        hints=("open_run(run_id) shows it",),
    )
