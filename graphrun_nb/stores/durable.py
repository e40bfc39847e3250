"""What stores on disk and on a server have in common: ownership, letters, reading. A `Database` is where tables lie."""

from __future__ import annotations

import math
import threading
import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import AnswerKept, CancelRequested, RunFinished, WaitOpened
from graphrun_nb.errors import RunOwnedElsewhere, StoreCorrupt
from graphrun_nb.protocols import Letter, Owner
from graphrun_nb.stores.asked import Asked, Question
from graphrun_nb.stores.attendant import Attendant
from graphrun_nb.stores.failpoint import failpoint
from graphrun_nb.stores.identity import is_surely_gone, this_process
from graphrun_nb.stores.kept import StoredKeeper
from graphrun_nb.stores.lease import Standing, StoredLease
from graphrun_nb.stores.log_end import end_of
from graphrun_nb.stores.pieces import named
from graphrun_nb.stores.rows import Row, envelopes, seed
from graphrun_nb.stores.sealing import unsealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Envelope
    from graphrun_nb.core.outline import Outline
    from graphrun_nb.protocols import Holder, Signal, Watcher
    from graphrun_nb.stores.line_shelf import LineShelf
    from graphrun_nb.stores.tables import Cursor, Database

LEASE_S = 30.0
CLAIM_WAIT_S = 5.0
_MAX_LINES = 1_000_000
_SALVAGE = "python -m graphrun_nb salvage OLD NEW copies what is whole into a new store"
_AT_ONCE = 400
_FETCH = f"SELECT digest, data FROM kept WHERE run_id = ? AND digest IN ({', '.join('?' * _AT_ONCE)})"  # noqa: S608
_OWNER = msgspec.json.Decoder(Owner)
_FACT = msgspec.json.Decoder(AnswerKept | CancelRequested)

_LOCK = threading.RLock()
_HELD: dict[tuple[str, str], StoredLease] = {}
"""What this process holds, whichever of its stores it was claimed from."""


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
        with _LOCK, self.database.translated():
            mine = _HELD.get((self.database.place, run_id))
            if mine is not None and mine.holder.is_alive and not mine.is_lost:
                raise _owned(run_id, this_process(), here=True)
            failpoint("claim.before")
            with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
                now = self.database.now()
                cursor.execute(
                    "INSERT INTO runs (run_id, created_at, n_events, head, epoch, owner, expires_at) "
                    "VALUES (?, ?, 0, ?, 0, '', 0) ON CONFLICT DO NOTHING",
                    (run_id, now, seed(run_id)),
                )
                failpoint("claim.row")
                cursor.execute(
                    "SELECT owner, expires_at, epoch, n_events, head, tail FROM runs WHERE run_id = ?", (run_id,)
                )
                owner, expires_at, epoch, *written = cursor.fetchone()
                other = _alive(owner, expires_at, now)
                if other is not None and other != this_process():
                    raise _owned(run_id, other)
                end = end_of(run_id, *written)
                cursor.execute(
                    "UPDATE runs SET epoch = ?, owner = ?, expires_at = ? WHERE run_id = ? AND epoch = ?",
                    (epoch + 1, _text(this_process()), now + self.lease_s, run_id, epoch),
                )
                if cursor.rowcount != 1:
                    raise self.taken_over(run_id)
                failpoint("claim.taken")
                cursor.execute("SELECT digest, node_id, no FROM waits WHERE run_id = ? AND plain = 1", (run_id,))
                asked = Asked(Question(*row) for row in cursor.fetchall())
            failpoint("claim.committed")
            lease = StoredLease(self, run_id, holder, Standing(epoch + 1, end, asked), durability)
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
        return None if row is None else self._driver(run_id, *row)

    def stale(self) -> list[str]:
        """Return the runs whose row names a process that does not drive them any more."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id, owner, expires_at FROM runs WHERE owner <> '' ORDER BY created_at, run_id")
            rows = cursor.fetchall()
        return [run_id for run_id, owner, expires_at in rows if self._driver(run_id, owner, expires_at) is None]

    def _driver(self, run_id: str, owner: str, expires_at: float) -> Owner | None:
        """Return who drives a run by its row; not this process, if it could only not say that it has let go."""
        driver = _alive(owner, expires_at, self.database.now())
        is_let_go = driver == this_process() and (self.database.place, run_id) not in _HELD
        return None if is_let_go else driver

    def read(self, run_id: str, after: int = 0) -> Sequence[Envelope]:
        """Return a run's log after its event `after`; raises StoreCorrupt if it is not what was written."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT n_events, head, tail FROM runs WHERE run_id = ?", (run_id,))
            n_events, head, tail = cursor.fetchone() or (0, seed(run_id), None)
            if after and after >= n_events:
                return ()
            n_before, chain = self._row_end_before(cursor, run_id, after) if after else (0, b"")
            cursor.execute(
                "SELECT seq, n, at, body, chain FROM turns WHERE run_id = ? AND seq > ? ORDER BY seq",
                (run_id, n_before),
            )
            rows = [Row(*row) for row in cursor.fetchall()]
            tail_row = end_of(run_id, n_events, head, tail).tail_row()
            if tail_row is not None:
                rows.append(tail_row)
            pieces = _fetched(cursor, run_id, [digest for row in rows for digest in named(row.body)])
        return envelopes(run_id, rows, n_events, head, after=after, n_before=n_before, chain=chain, pieces=pieces)

    def _row_end_before(self, cursor: Cursor, run_id: str, after: int) -> tuple[int, bytes]:
        """Return how many events are in the rows that have none after event `after`, and what they end in."""
        cursor.execute(
            "SELECT seq + n - 1, chain FROM turns WHERE run_id = ? AND seq <= ? AND seq + n - 1 <= ? "
            "ORDER BY seq DESC LIMIT 1",
            (run_id, after, after),
        )
        return cursor.fetchone() or (0, b"")

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` how its run stands; see `RunStore`."""
        self.attendant.watch(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell it no more."""
        self.attendant.unwatch(watcher)

    def standing(self, run_id: str) -> tuple[int, Owner | None]:
        """Return how long a run's log is, and who drives it."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT n_events, owner, expires_at FROM runs WHERE run_id = ?", (run_id,))
            row = cursor.fetchone()
        return (0, None) if row is None else (row[0], self._driver(run_id, row[1], row[2]))

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

    def outlines(self) -> dict[str, Outline | None]:
        """Return what each run came to, if it has ended, in order of their first event; see `RunStore`."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id, outline, head FROM runs WHERE n_events > 0 ORDER BY created_at, run_id")
            return {run_id: unsealed(data, head) for run_id, data, head in cursor.fetchall()}

    def run_of_wait(self, token_digest: str) -> str | None:
        """Return the run that opened the wait whose token has this digest, or None."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id FROM waits WHERE digest = ?", (token_digest,))
            row = cursor.fetchone()
        return None if row is None else str(row[0])

    def plain_wait(self, token_digest: str) -> tuple[str, WaitOpened] | None:
        """Return how a wait was opened, with its run, if that is all there is to know of it; see `RunStore`."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT run_id, seq FROM waits WHERE digest = ? AND plain = 1", (token_digest,))
            found = cursor.fetchone()
            if found is None:
                return None
            run_id, seq = found
            cursor.execute(
                "SELECT seq, n, at, body, chain FROM turns WHERE run_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 2",
                (run_id, seq),
            )
            rows = [Row(*row) for row in cursor.fetchall()]
            cursor.execute("SELECT n_events, head, tail FROM runs WHERE run_id = ?", (run_id,))
            tail_row = end_of(run_id, *(cursor.fetchone() or (0, b"", None))).tail_row()
            if tail_row is not None and tail_row.seq <= seq:
                rows.insert(0, tail_row)
            pieces = _fetched(cursor, run_id, [digest for row in rows[:1] for digest in named(row.body)])
        if not rows:
            return None
        row, chain = rows[0], rows[1].chain if len(rows) > 1 else seed(run_id)
        n_before, n = row.seq - 1, row.seq + row.n - 1
        turns = envelopes(run_id, [row], n, row.chain, after=seq - 1, n_before=n_before, chain=chain, pieces=pieces)
        event = turns[0].event if turns else None
        if isinstance(event, WaitOpened) and event.wait.token_digest == token_digest:
            return run_id, event
        return None

    def keeper(self, run_id: str, *, lasting: bool) -> StoredKeeper:
        """Return who keeps the run's values in this process, as long as anybody holds it."""
        del lasting
        with _LOCK:
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

    def fetch_all(self, run_id: str, digests: Sequence[str]) -> dict[str, bytes]:
        """Return those of them that are in the tables, by digest."""
        with self.database.reading() as cursor:
            return _fetched(cursor, run_id, digests)

    def stow(self, run_id: str, digest: str, data: bytes) -> bool:
        """Keep a large value at once; return False if it is to be kept with its turn."""
        return self.database.stow(run_id, digest, data)

    def lines_of(self, shelf: LineShelf, node_id: str) -> Sequence[Signal]:
        """Return what was kept of what a node printed."""
        with self.database.reading() as cursor:
            return shelf.read(cursor, node_id)

    def write_lines(self, shelf: LineShelf, *, role: str, wait_s: float) -> None:
        """Write all that nodes have printed; raises as `Database.writing`, and has it still then."""
        while lines := shelf.take(_MAX_LINES):
            try:
                with self.database.writing(role=role, wait_s=wait_s) as cursor:
                    failpoint("lines.begun")
                    shelf.write(cursor, lines)
            except BaseException:
                shelf.give_back(lines)
                raise

    def post(self, run_id: str, key: str, fact: AnswerKept | CancelRequested, at: float) -> Letter | None:
        """Put a letter into the run's box, or return the one that is there with this key."""
        keeper = self.keeper(run_id, lasting=True)
        values = dict(keeper.pending)  # they stay there until they are kept: letters of other threads may name them too
        with self.database.translated():
            failpoint("post.before")
            with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S, sync=True) as cursor:
                if values:
                    cursor.executemany(
                        "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        [(run_id, digest, data) for digest, data in values.items()],
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
        keeper.are_kept(values)
        return earlier

    def letter(self, run_id: str, key: str) -> Letter | None:
        """Return the letter that has this key, settled or not."""
        with self.database.reading() as cursor:
            cursor.execute("SELECT no, key, at, fact FROM letters WHERE run_id = ? AND key = ?", (run_id, key))
            row = cursor.fetchone()
        return None if row is None else _letter(row)

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
            for table in ("turns", "kept", "waits", "letters", "lines"):
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
        with self.database.translated():
            failpoint("settle.before")
            with self.database.writing(role="desk", wait_s=CLAIM_WAIT_S) as cursor:
                cursor.executemany(sql, [(run_id, no) for no in nos])
                failpoint("settle.rows")
            failpoint("settle.committed")


def _fetched(cursor: Cursor, run_id: str, digests: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for start in range(0, len(digests), _AT_ONCE):
        some = list(digests[start : start + _AT_ONCE])
        some += some[-1:] * (_AT_ONCE - len(some))  # one text of SQL, whatever the number
        cursor.execute(_FETCH, (run_id, *some))
        found.update(cursor.fetchall())
    return found


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
