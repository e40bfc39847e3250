"""What stores on disk and on a server have in common: tables, ownership, letters. A `Database` is where they lie."""

from __future__ import annotations

import math
import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from graphrun_nb.core.events import AnswerKept, CancelRequested, RunFinished, RunStarted, WaitOpened, WaitResolved
from graphrun_nb.errors import GraphRunError, RunOwnedElsewhere, StoreBusy, StoreCorrupt
from graphrun_nb.protocols import Letter, Owner
from graphrun_nb.stores.attendant import Attendant
from graphrun_nb.stores.failpoint import failpoint
from graphrun_nb.stores.identity import is_surely_gone, this_process
from graphrun_nb.stores.kept import StoredKeeper
from graphrun_nb.stores.rows import Row, envelopes, rows_of, seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import Envelope, Event
    from graphrun_nb.protocols import Holder

LEASE_S = 30.0
CLAIM_WAIT_S = 5.0
LATER_WAIT_S = 1.0
_LEAVING = frozenset({RunStarted, WaitOpened, WaitResolved, AnswerKept, RunFinished})
"""Facts that somebody outside acts upon: they survive a power cut."""
_MAX_BUFFERED = 2_000
_SALVAGE = "python -m graphrun_nb salvage OLD NEW copies what is whole into a new store"
_OWNER = msgspec.json.Decoder(Owner)
_FACT = msgspec.json.Decoder(AnswerKept | CancelRequested)

SCHEMA = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, created_at {real} NOT NULL, n_events BIGINT NOT NULL, head {blob} NOT NULL,
        epoch BIGINT NOT NULL, owner TEXT NOT NULL, expires_at {real} NOT NULL
    )
    """,
    """
    CREATE TABLE turns (
        run_id TEXT NOT NULL, seq BIGINT NOT NULL, n BIGINT NOT NULL, at {real} NOT NULL, body {blob} NOT NULL,
        chain {blob} NOT NULL, PRIMARY KEY (run_id, seq)
    ) {keyed}
    """,
    """
    CREATE TABLE kept (
        run_id TEXT NOT NULL, digest TEXT NOT NULL, data {blob} NOT NULL, PRIMARY KEY (run_id, digest)
    ) {keyed}
    """,
    "CREATE TABLE waits (digest TEXT PRIMARY KEY, run_id TEXT NOT NULL) {keyed}",
    """
    CREATE TABLE letters (
        no {counter}, run_id TEXT NOT NULL, key TEXT NOT NULL, at {real} NOT NULL, fact {blob} NOT NULL,
        settled SMALLINT NOT NULL DEFAULT 0, UNIQUE (run_id, key)
    )
    """,
    "CREATE INDEX letters_left ON letters (run_id) WHERE settled = 0",
)


class Cursor(Protocol):
    """What of a database's cursor is used; parameters are written ``?``."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Any, /) -> Any:
        """Run one statement with each row."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...


class Database(Protocol):
    """Where tables lie. Errors of the driver leave it as errors of this package.

    Attributes
    ----------
    place
        Equal for databases that are the same.
    is_slow
        Whether a transaction may take longer than a loop should stand still.
    """

    place: str
    is_slow: bool

    def writing(self, *, role: str = "here", wait_s: float = 0.0, sync: bool = False) -> AbstractContextManager[Cursor]:
        """Begin a transaction that writes; commit it, or roll it back if an exception leaves the block.

        Parameters
        ----------
        role
            ``here``, ``later``, ``desk`` or ``attendant``: each has a connection of its own.
        wait_s
            How long others may keep it waiting.
        sync
            Whether it is to survive a power cut once it is committed.

        Raises
        ------
        StoreBusy, StoreFull, StoreCorrupt
        """
        ...

    def reading(self) -> AbstractContextManager[Cursor]:
        """Begin a transaction that sees one state of the tables; raises as `writing`."""
        ...

    def now(self) -> float:
        """Return the instant that leases are measured by."""
        ...

    def changed(self) -> bool:
        """Tell whether anybody may have written since the last time, as the attendant sees it."""
        ...

    def fetch(self, run_id: str, digest: str) -> bytes | None:
        """Return a large value that was stowed, or None."""
        ...

    def stow(self, run_id: str, digest: str, data: bytes) -> bool:
        """Keep a large value at once; return False if it is to be kept with its turn."""
        ...

    def close(self) -> None:
        """Close all connections; the next use opens them again."""
        ...

    def discard(self, run_id: str) -> None:
        """Delete the large values of a run."""
        ...

    def note(self, run_id: str, n_events: int, *, lasting: bool) -> None:
        """Remember outside of the tables how many events of a run were committed, so that their loss is noticed."""
        ...

    def forget(self) -> None:
        """Forget what was noted, since runs are about to be deleted."""
        ...


_LOCK = threading.RLock()
_HELD: dict[tuple[str, str], StoredLease] = {}
"""What this process holds, whichever of its stores it was claimed from."""


class StoredLease:
    """The right of this process to write to one run.

    Attributes
    ----------
    is_lost
        Whether somebody else has taken the run over.
    """

    def __init__(
        self, store: DurableStore, run_id: str, holder: Holder, row: tuple[int, int, bytes], durability: str
    ) -> None:
        self.run_id = run_id
        self.holder = holder
        self.epoch, self.n_events, self._head = row
        self.is_lost = False
        self._store = store
        self._keeper = store.keeper(run_id, lasting=True)
        self._durability = durability
        self._buffered: list[Batch] = []
        self._n_kept = self.n_events

    def append(self, batch: Batch) -> None:
        """Keep `batch`; see `Lease`."""
        leaves = not _LEAVING.isdisjoint(map(type, batch.events))
        if self._durability == "off" and not leaves and self.n_events + len(batch) - self._n_kept < _MAX_BUFFERED:
            self._buffered.append(batch)
            self.n_events += len(batch)
            return
        if self._store.database.is_slow:
            raise StoreBusy(f"the store of run {self.run_id!r} is slow")
        self._write(batch, leaves, role="here", wait_s=0.0)

    def append_later(self, batch: Batch, done: Callable[[Exception | None], None]) -> None:
        """Keep `batch` in another thread, however long others hold the database."""

        def work() -> None:
            leaves = not _LEAVING.isdisjoint(map(type, batch.events))
            error: Exception | None = None
            while True:
                try:
                    self._write(batch, leaves, role="later", wait_s=LATER_WAIT_S)
                except StoreBusy:
                    continue
                except Exception as raised:  # noqa: BLE001 (it is raised where the loop is)
                    error = raised
                break
            done(error)

        threading.Thread(target=work, name=f"graphrun store {self.run_id}", daemon=True).start()

    def _write(self, batch: Batch, leaves: bool, *, role: str, wait_s: float) -> None:
        batches = [*self._buffered, batch]
        chain, n = self._head, self._n_kept
        rows: list[Row] = []
        for each in batches:
            rows += rows_of(each, n, chain)
            chain, n = rows[-1].chain, n + len(each)
        pending, self._keeper.pending = self._keeper.pending, {}
        events = [event for each in batches for event in each.events] if len(batches) > 1 else batch.events
        ends = type(events[-1]) is RunFinished
        sync = self._durability == "power" or (leaves and self._durability == "process")
        try:
            failpoint("append.before")
            with self._store.database.writing(role=role, wait_s=wait_s, sync=sync) as cursor:
                failpoint("append.begun")
                freed = ", owner = '', expires_at = 0" if ends else ""
                cursor.execute(
                    f"UPDATE runs SET n_events = ?, head = ?{freed} WHERE run_id = ? AND epoch = ? AND n_events = ?",  # noqa: S608 (a constant)
                    (n, chain, self.run_id, self.epoch, self._n_kept),
                )
                self._check_fence(cursor)
                failpoint("append.fenced")
                if pending:
                    cursor.executemany(
                        "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        [(self.run_id, digest, data) for digest, data in pending.items()],
                    )
                    failpoint("append.values")
                if leaves:
                    self._index_waits(cursor, events)
                sql = "INSERT INTO turns (seq, n, at, body, chain, run_id) VALUES (?, ?, ?, ?, ?, ?)"
                if len(rows) == 1:
                    cursor.execute(sql, (*rows[0], self.run_id))
                else:
                    cursor.executemany(sql, [(*row, self.run_id) for row in rows])
                failpoint("append.rows")
            failpoint("append.committed")
        except BaseException:
            self._keeper.pending = {**pending, **self._keeper.pending}
            raise
        self._store.database.note(self.run_id, n, lasting=sync)
        self._head, self._n_kept = chain, n
        self.n_events = n
        self._buffered = []
        if ends:
            self._store.let_go(self)

    def _check_fence(self, cursor: Cursor) -> None:
        if cursor.rowcount != 1:
            self.is_lost = True
            raise self._store.taken_over(self.run_id)

    def _index_waits(self, cursor: Cursor, events: Sequence[Event]) -> None:
        digests = [(each.wait.token_digest, self.run_id) for each in events if type(each) is WaitOpened]
        if digests:
            cursor.executemany("INSERT INTO waits VALUES (?, ?) ON CONFLICT DO NOTHING", digests)
            failpoint("append.waits")

    def release(self) -> None:
        """Let others have it."""
        if self._store.let_go(self):
            try:
                self.free(role="desk", wait_s=0.0)
            except GraphRunError:
                self._store.attendant.free_later(self)

    def free(self, *, role: str, wait_s: float) -> None:
        """Say in the store that nobody has it; raises as `Database.writing`."""
        with self._store.database.writing(role=role, wait_s=wait_s) as cursor:
            cursor.execute(
                "UPDATE runs SET owner = '', expires_at = 0 WHERE run_id = ? AND epoch = ?", (self.run_id, self.epoch)
            )


class DurableStore:
    """A store of the given database; see `RunStore`.

    Parameters
    ----------
    lease_s
        Seconds for which a process that is not heard of keeps its runs, unless it is seen to be gone.
    """

    def __init__(self, database: Database, lease_s: float = LEASE_S) -> None:
        self.database = database
        self.lease_s = lease_s
        self.held: dict[str, StoredLease] = {}
        self.attendant = Attendant(self)
        self._keepers: weakref.WeakValueDictionary[str, StoredKeeper] = weakref.WeakValueDictionary()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DurableStore) and other.database.place == self.database.place

    def __hash__(self) -> int:
        return hash(self.database.place)

    def claim(self, run_id: str, holder: Holder, *, durability: str = "process") -> StoredLease:
        """Give `holder` the right to write to a run; see `RunStore`."""
        with _LOCK:
            mine = _HELD.get((self.database.place, run_id))
            if mine is not None and mine.holder.is_alive and not mine.is_lost:
                raise _owned(run_id, this_process(), here=True)
            failpoint("claim.before")
            with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
                now = self.database.now()
                cursor.execute(
                    "INSERT INTO runs VALUES (?, ?, 0, ?, 0, '', 0) ON CONFLICT DO NOTHING", (run_id, now, seed(run_id))
                )
                failpoint("claim.row")
                cursor.execute("SELECT owner, expires_at, epoch, n_events, head FROM runs WHERE run_id = ?", (run_id,))
                owner, expires_at, epoch, n_events, head = cursor.fetchone()
                other = _alive(owner, expires_at, now)
                if other is not None and other != this_process():
                    raise _owned(run_id, other)
                cursor.execute(
                    "UPDATE runs SET epoch = ?, owner = ?, expires_at = ? WHERE run_id = ? AND epoch = ?",
                    (epoch + 1, _text(this_process()), now + self.lease_s, run_id, epoch),
                )
                if cursor.rowcount != 1:
                    raise self.taken_over(run_id)
                failpoint("claim.taken")
            failpoint("claim.committed")
            lease = StoredLease(self, run_id, holder, (epoch + 1, n_events, head), durability)
            self.held[run_id] = _HELD[self.database.place, run_id] = lease
            self.attendant.begin()
            return lease

    def let_go(self, lease: StoredLease) -> bool:
        """Forget a lease; return False if it was no longer held."""
        with _LOCK:
            if self.held.get(lease.run_id) is not lease:
                return False
            del self.held[lease.run_id]
            if _HELD.get((self.database.place, lease.run_id)) is lease:
                del _HELD[self.database.place, lease.run_id]
            return not lease.is_lost

    def taken_over(self, run_id: str) -> RunOwnedElsewhere:
        """Return the error of one who has lost a run."""
        other = self.owner(run_id)
        return RunOwnedElsewhere(
            f"run {run_id!r} was taken over by {other or 'another process'}, and nothing more is recorded from here",
            hints=("open_run(run_id) shows what became of it",),
        )

    def owner(self, run_id: str) -> Owner | None:
        """Return the process that drives the run just now, if one does."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT owner, expires_at FROM runs WHERE run_id = ?", (run_id,))
            row = cursor.fetchone()
        return None if row is None else _alive(row[0], row[1], self.database.now())

    def stale(self) -> list[str]:
        """Return the runs whose row names a process that does not drive them any more."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id, owner, expires_at FROM runs WHERE owner <> '' ORDER BY created_at, run_id")
            rows = cursor.fetchall()
        now = self.database.now()
        return [run_id for run_id, owner, expires_at in rows if _alive(owner, expires_at, now) is None]

    def read(self, run_id: str) -> Sequence[Envelope]:
        """Return a run's whole log, empty if there is none; raises StoreCorrupt if it is not what was written."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT n_events, head FROM runs WHERE run_id = ?", (run_id,))
            found = cursor.fetchone()
            cursor.execute("SELECT seq, n, at, body, chain FROM turns WHERE run_id = ? ORDER BY seq", (run_id,))
            rows = [Row(*row) for row in cursor.fetchall()]
        n_events, head = found or (0, seed(run_id))
        return envelopes(run_id, rows, n_events, head)

    def n_events(self, run_id: str) -> int:
        """Return how long a run's log is, 0 if there is none."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT n_events FROM runs WHERE run_id = ?", (run_id,))
            row = cursor.fetchone()
        return 0 if row is None else int(row[0])

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs, in order of their first event."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id FROM runs WHERE n_events > 0 ORDER BY created_at, run_id")
            return tuple(run_id for (run_id,) in cursor.fetchall())

    def run_of_wait(self, token_digest: str) -> str | None:
        """Return the run that opened the wait whose token has this digest, or None."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id FROM waits WHERE digest = ?", (token_digest,))
            row = cursor.fetchone()
        return None if row is None else str(row[0])

    def keeper(self, run_id: str, *, lasting: bool) -> StoredKeeper:
        """Return who keeps the run's values in this process, as long as anybody holds it."""
        del lasting
        keeper = self._keepers.get(run_id)
        if keeper is None:
            keeper = self._keepers[run_id] = StoredKeeper(self, run_id)
        return keeper

    def fetch(self, run_id: str, digest: str) -> bytes | None:
        """Return the bytes of a value, or None if they are not there."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT data FROM kept WHERE run_id = ? AND digest = ?", (run_id, digest))
            row = cursor.fetchone()
        return self.database.fetch(run_id, digest) if row is None else row[0]

    def stow(self, run_id: str, digest: str, data: bytes) -> bool:
        """Keep a large value at once; return False if it is to be kept with its turn."""
        return self.database.stow(run_id, digest, data)

    def post(self, run_id: str, key: str, fact: AnswerKept | CancelRequested, at: float) -> Letter | None:
        """Put a letter into the run's box, or return the one that is there with this key."""
        keeper = self.keeper(run_id, lasting=True)
        pending, keeper.pending = keeper.pending, {}
        try:
            failpoint("post.before")
            with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S, sync=True) as cursor:
                if pending:
                    cursor.executemany(
                        "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        [(run_id, digest, data) for digest, data in pending.items()],
                    )
                    failpoint("post.values")
                cursor.execute(
                    "INSERT INTO letters (run_id, key, at, fact) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (run_id, key, at, msgspec.json.encode(fact)),
                )
                if cursor.rowcount == 1:
                    failpoint("post.row")
                    earlier = None
                else:
                    cursor.execute("SELECT no, key, at, fact FROM letters WHERE run_id = ? AND key = ?", (run_id, key))
                    earlier = _letter(cursor.fetchone())
            failpoint("post.committed")
        except BaseException:
            keeper.pending = {**pending, **keeper.pending}
            raise
        return earlier

    def letters(self, run_id: str) -> Sequence[Letter]:
        """Return the letters that nobody has settled, oldest first."""
        with self.database.reading() as cursor:
            cursor.execute(
                "SELECT no, key, at, fact FROM letters WHERE run_id = ? AND settled = 0 ORDER BY no", (run_id,)
            )
            return [_letter(row) for row in cursor.fetchall()]

    def close(self) -> None:
        """Let go of files and connections, once no run of this process is under way; any use opens them again."""
        self.database.close()

    def prune(self, *, older_than_s: float, keep: int = 0, dry_run: bool = False) -> list[str]:
        """Delete runs that ended more than `older_than_s` seconds ago, with their values, and return their ids.

        The `keep` runs that began last among those that have ended stay in any case.
        Runs that have not ended stay, and so do those that are damaged.
        """
        before = self.database.now() - older_than_s
        ended = [run_id for run_id in self.run_ids() if self._has_ended(run_id, math.inf)]
        old = [run_id for run_id in ended[: max(len(ended) - keep, 0)] if self._has_ended(run_id, before)]
        if old and not dry_run:
            self.database.forget()
        return old if dry_run else [run_id for run_id in old if self._delete(run_id, before)]

    def _delete(self, run_id: str, before: float) -> bool:
        """Delete a run that ended before; return False if somebody goes on with it meanwhile."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT epoch FROM runs WHERE run_id = ?", (run_id,))
            row = cursor.fetchone()
        if row is None or not self._has_ended(run_id, before):
            return False
        with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
            cursor.execute("DELETE FROM runs WHERE run_id = ? AND epoch = ?", (run_id, row[0]))
            if cursor.rowcount != 1:
                return False
            for table in ("turns", "kept", "waits", "letters"):
                cursor.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 (our own names)
        with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
            cursor.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,))
            if cursor.fetchone() is None:  # nobody else can begin it while this is being written
                self.database.discard(run_id)
        return True

    def _has_ended(self, run_id: str, before: float) -> bool:
        if self.owner(run_id) is not None:
            return False
        try:
            log = self.read(run_id)
        except StoreCorrupt:
            return False
        return bool(log) and type(log[-1].event) is RunFinished and log[-1].at < before

    def settle(self, run_id: str, nos: Sequence[int], *, retract: bool = False) -> None:
        """Mark letters as done with, or take them back."""
        sql = (
            "DELETE FROM letters WHERE run_id = ? AND no = ?"
            if retract
            else "UPDATE letters SET settled = 1 WHERE run_id = ? AND no = ?"
        )
        failpoint("settle.before")
        with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
            cursor.executemany(sql, [(run_id, no) for no in nos])
            failpoint("settle.rows")
        failpoint("settle.committed")


def _owned(run_id: str, owner: Owner, *, here: bool = False) -> RunOwnedElsewhere:
    where = "in this process" if here else f"by {owner}"
    return RunOwnedElsewhere(
        f"run {run_id!r} is driven {where}",
        hints=("open_run(run_id) shows it; resume(token, payload) and send_event(...) reach it from here",),
    )


def _alive(owner: str, expires_at: float, now: float) -> Owner | None:
    """Return the owner that the row names, if its lease has not run out and its process is not seen to be gone."""
    if not owner or expires_at <= now:
        return None
    try:
        process = _OWNER.decode(owner)
    except msgspec.MsgspecError as error:
        raise StoreCorrupt(f"the store says nothing sensible of who drives a run: {error}") from error
    return None if is_surely_gone(process) else process


def _text(owner: Owner) -> str:
    return msgspec.json.encode(owner).decode()


def _letter(row: Any) -> Letter:
    no, key, at, fact = row
    try:
        return Letter(no, key, at, _FACT.decode(fact))
    except (msgspec.MsgspecError, TypeError) as error:
        raise StoreCorrupt(f"letter {no} in the store is not what was written: {error}") from error
