"""`StoredLease`: how a run's turns are written, fenced against whoever takes the run over."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.core.events import AnswerKept, RunFinished, RunStarted, WaitOpened, WaitResolved
from graphrun_nb.errors import GraphRunError, StoreBusy, StoreUnusable
from graphrun_nb.stores.asked import Asked, Changes
from graphrun_nb.stores.failpoint import failpoint
from graphrun_nb.stores.log_end import LogEnd
from graphrun_nb.stores.rows import Row, rows_of
from graphrun_nb.stores.sealing import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.outline import Outline
    from graphrun_nb.protocols import Holder
    from graphrun_nb.stores.durable import DurableStore
    from graphrun_nb.stores.tables import Cursor

LATER_WAIT_S = 1.0
_LEAVING = frozenset({RunStarted, WaitOpened, WaitResolved, AnswerKept, RunFinished})
"""Facts that somebody outside acts upon: they survive a power cut."""
_MAX_BUFFERED = 2_000
_NO_CHANGES = Changes([], [])
_TURN = "UPDATE runs SET n_events = ?, head = ?, tail = ?, outline = ? WHERE run_id = ? AND epoch = ? AND n_events = ?"
_LAST_TURN = _TURN.replace(" WHERE", ", owner = '', expires_at = 0 WHERE")


class Standing(NamedTuple):
    """How a run stands when it is claimed."""

    epoch: int
    end: LogEnd
    asked: Asked


class StoredLease:
    """The right of this process to write to one run.

    Attributes
    ----------
    is_lost
        Whether somebody else has taken the run over.
    shelf
        What its nodes print.
    """

    def __init__(self, store: DurableStore, run_id: str, holder: Holder, standing: Standing, durability: str) -> None:
        self.run_id = run_id
        self.holder = holder
        self.epoch, self._end, self._asked = standing
        self.n_events = self._end.n_events
        self.is_lost = False
        self._store = store
        self._keeper = store.keeper(run_id, lasting=True)
        self.shelf = self._keeper.shelf
        self._durability = durability
        self._buffered: list[Batch] = []

    def append(self, batch: Batch, outline: Outline | None = None) -> None:
        """Keep `batch`; see `Lease`."""
        leaves = not _LEAVING.isdisjoint(map(type, batch.events))
        if self._durability == "off" and not leaves and self.n_events + len(batch) - self._end.n_events < _MAX_BUFFERED:
            self._buffered.append(batch)
            self.n_events += len(batch)
            return
        if self._store.database.is_slow:
            raise StoreBusy(f"the store of run {self.run_id!r} is slow")
        self._write(batch, outline, leaves, role="here", wait_s=0.0)

    def append_later(
        self, batch: Batch, done: Callable[[Exception | None], None], outline: Outline | None = None
    ) -> None:
        """Keep `batch` in another thread, however long others hold the database."""

        def work() -> None:
            leaves = not _LEAVING.isdisjoint(map(type, batch.events))
            error: Exception | None = None
            while True:
                try:
                    self._write(batch, outline, leaves, role="later", wait_s=LATER_WAIT_S)
                except StoreBusy:
                    continue
                except Exception as raised:  # noqa: BLE001 (it is raised where the loop is)
                    error = raised
                break
            done(error)

        threading.Thread(target=work, name=f"graphrun store {self.run_id}", daemon=True).start()

    def _write(self, batch: Batch, outline: Outline | None, leaves: bool, *, role: str, wait_s: float) -> None:
        batches = [*self._buffered, batch]
        events = [event for each in batches for event in each.events] if len(batches) > 1 else batch.events
        ends = type(events[-1]) is RunFinished
        complete, end, pieces = self._followed_by(batches, is_last=ends)
        pending = dict(self._keeper.pending)  # they stay there until they are kept: letters may name them too
        kept = {**pending, **pieces} if pieces else pending
        lines = self.shelf.take() if self.shelf else []
        changes = self._asked.changes(events, self._end.n_events) if leaves or self._asked else _NO_CHANGES
        sync = self._durability == "power" or (leaves and self._durability == "process")
        once = not (complete or kept or lines or leaves or changes.closed)
        try:
            failpoint("append.before")
            with self._store.database.writing(role=role, wait_s=wait_s, sync=sync, once=once) as cursor:
                failpoint("append.begun")
                cursor.execute(
                    _LAST_TURN if ends else _TURN,
                    (
                        end.n_events,
                        end.head,
                        end.tail,
                        sealed(outline, end.head),
                        self.run_id,
                        self.epoch,
                        self._end.n_events,
                    ),
                )
                is_there = self._is_there(cursor, end)
                failpoint("append.fenced")
                if kept:
                    cursor.executemany(
                        "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        [(self.run_id, digest, data) for digest, data in kept.items()],
                    )
                    failpoint("append.values")
                if not is_there:
                    if changes is not _NO_CHANGES:
                        self._index(cursor, changes)
                    if complete:
                        self._insert(cursor, complete)
                        failpoint("append.rows")
                if lines:
                    self.shelf.write(cursor, lines)
                    failpoint("append.lines")
            failpoint("append.committed")
        except BaseException:
            self.shelf.give_back(lines)
            with self._store.database.translated():
                raise
        self._keeper.are_kept(pending)
        self._store.database.note(self.run_id, end.n_events, lasting=sync)
        self._end = end
        self.n_events = end.n_events
        self._asked.change(changes)
        self._buffered = []
        if ends:
            self._store.let_go(self)

    def _followed_by(self, batches: Sequence[Batch], *, is_last: bool) -> tuple[list[Row], LogEnd, dict[str, bytes]]:
        """Return the rows of the log that are complete with `batches`, where it ends then, and what the rows name."""
        chain, n = self._end.head, self._end.n_events
        rows: list[Row] = []
        pieces: dict[str, bytes] = {}
        for each in batches:
            more, cuts = rows_of(each, n, chain)
            rows += more
            pieces.update(cuts)
            chain, n = rows[-1].chain, n + len(each)
        complete, end = self._end.grown(rows, self._store.database.max_tail)
        tail = end.tail_row()
        if is_last and tail is not None:
            return [*complete, tail], LogEnd(end.n_events, end.head), pieces
        return complete, end, pieces

    def _is_there(self, cursor: Cursor, end: LogEnd) -> bool:
        """Tell whether the turn was written before, by a commit that was not heard of; raise if the run was lost."""
        if cursor.rowcount == 1:
            return False
        cursor.execute("SELECT epoch, n_events, head FROM runs WHERE run_id = ?", (self.run_id,))
        row = cursor.fetchone()
        if row == (self.epoch, end.n_events, end.head):
            return True
        if row is not None and row[0] == self.epoch:
            raise StoreUnusable(
                f"the store lost events of run {self.run_id!r}: {self._end.n_events} were written, and {row[1]} are "
                "there",
                hints=("call it again to go on from what is there; durability='power' lets no turn be lost",),
            )
        self.is_lost = True
        raise self._store.taken_over(self.run_id)

    def _insert(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        sql = "INSERT INTO turns (seq, n, at, body, chain, run_id) VALUES (?, ?, ?, ?, ?, ?)"
        if len(rows) == 1:
            cursor.execute(sql, (*rows[0], self.run_id))
        else:
            cursor.executemany(sql, [(*row, self.run_id) for row in rows])

    def _index(self, cursor: Cursor, changes: Changes) -> None:
        if changes.closed:
            closed = [(each.digest,) for each in changes.closed]
            cursor.executemany("UPDATE waits SET plain = 0 WHERE digest = ?", closed)
        if changes.opened:
            opened = [
                (asked.digest, self.run_id, asked.node_id, asked.no, seq, int(is_plain))
                for asked, seq, is_plain in changes.opened
            ]
            cursor.executemany(
                "INSERT INTO waits (digest, run_id, node_id, no, seq, plain) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                opened,
            )
            failpoint("append.waits")

    def release(self) -> None:
        """Let others have it."""
        if self.shelf:
            try:
                self._store.write_lines(self.shelf, role="desk", wait_s=0.0)
            except GraphRunError:
                self._store.attendant.write_later(self.shelf)
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
