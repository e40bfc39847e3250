"""Keeps logs and values in one SQLite file, and large values in files beside it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sqlite3
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb.core.ids import is_run_id
from graphrun_nb.errors import GraphRunError, StoreCorrupt, StoreUnusable
from graphrun_nb.stores.durable import LEASE_S, DurableStore
from graphrun_nb.stores.failpoint import failpoint
from graphrun_nb.stores.file_head import head_of
from graphrun_nb.stores.latest import Latest
from graphrun_nb.stores.sqlite_link import MAX_WAL, Link, Writing, close, translated
from graphrun_nb.stores.tables import VERSION, check_version, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_ID = 0x6772_6E62
_DIALECT = {
    "real": "REAL",
    "blob": "BLOB",
    "keyed": "WITHOUT ROWID",
    "counter": "INTEGER PRIMARY KEY AUTOINCREMENT",
}
_HEAD_SIZE = 100
_READ_WAIT_S = 5.0
_MAKE_WAIT_S = 10.0
_TEND_WAIT_S = 1.0
_DIGEST = re.compile(r"[0-9a-f]{32}")


class SqliteStore(DurableStore):
    """A store in the file `path`, made if it is not there, readable by its owner alone.

    Values of more than 64 kB are files in the folder ``<path>.values`` beside it. Any number of processes may use it.

    Parameters
    ----------
    path
        The file.
    lease_s
        Seconds for which a process that is not heard of keeps its runs, unless it is seen to be gone.

    Raises
    ------
    StoreUnusable
        The file is something else, of a later version, or cannot be opened; it is left as it is.
    StoreCorrupt
        It is damaged.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> store = SqliteStore(pathlib.Path(tempfile.mkdtemp()) / "runs.db")
    >>> store.run_ids()
    ()
    """

    def __init__(self, path: str | Path, *, lease_s: float = LEASE_S) -> None:
        self.path = Path(path).expanduser().absolute()
        self.database: SqliteDatabase
        super().__init__(SqliteDatabase(self.path), lease_s)

    def back_up(self, path: Path) -> None:
        """Copy the store as it is at one moment to the new file `path`, also while runs are under way.

        Raises
        ------
        GraphRunError
            `path` is there already, or cannot be written.
        """
        self.database.back_up(path)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"


class SqliteDatabase:
    """One file, with a connection for each role; see `Database`."""

    is_slow = False
    hears_of_turns = True
    max_tail = 3_072  # of a page of 4,096

    def __init__(self, path: Path) -> None:
        self.place = os.path.realpath(path)
        self._path = path
        self._folder = path.with_name(f"{path.name}.values")
        self._wal = path.with_name(f"{path.name}-wal")
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()
        self._version = -1
        self._latest = Latest(path.with_name(f"{path.name}.latest"))
        weakref.finalize(self, close, self._links)
        with translated(self.place):
            self._make()
            self._link("read")
        self._check_latest()

    def writing(self, *, role: str = "here", wait_s: float = 0.0, sync: bool = False, once: bool = False) -> Writing:
        """Begin a transaction that writes; see `Database`."""
        return Writing(self._links.get(role) or self._link(role), self.place, wait_s, sync=sync, once=once)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """Begin a transaction that sees one state of the tables; see `Database`."""
        link = self._link("read")
        with link.lock, translated(self.place):
            link.prepare(_READ_WAIT_S, sync=False)
            link.cursor.execute("BEGIN")
            try:
                yield link.cursor
            finally:
                link.connection.rollback()

    def translated(self) -> contextlib.AbstractContextManager[None]:
        """Raise what SQLite or the disk raises as errors of this package; see `Database`."""
        return translated(self.place)

    def now(self) -> float:
        """Return the system's clock: whoever uses the file is on one machine."""
        return time.time()

    def changed(self) -> bool:
        """Tell whether anybody has written since the last call, in a few microseconds."""
        link = self._link("attendant")
        with link.lock, translated(self.place):
            (version,) = link.cursor.execute("PRAGMA data_version").fetchone()
        known, self._version = self._version, version
        return bool(known != version)

    def tend(self) -> None:
        """Move what is in ``-wal`` into the file, once it is large; the only place where that is done.

        Nobody else can write meanwhile: in SQLite 3.7.0 to 3.51.2 a transaction that lets ``-wal`` begin anew just when
        it begins to be moved can damage the file (https://www.sqlite.org/wal.html#walresetbug).
        """
        with contextlib.suppress(FileNotFoundError):
            if self._wal.stat().st_size <= MAX_WAL:
                return
            mover = self._link("mover")
            with mover.lock:
                if self._links.get("mover") is not mover:
                    return  # closed in the meantime
                with self.writing(role="attendant", wait_s=_TEND_WAIT_S), translated(self.place):
                    failpoint("tend.begun")
                    mover.cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    failpoint("tend.moved")

    def fetch(self, run_id: str, digest: str) -> bytes | None:
        """Return a large value that was stowed, or None."""
        if not (is_run_id(run_id) and _DIGEST.fullmatch(digest)):
            return None
        try:
            return (self._folder / run_id / digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnusable(f"a value of run {run_id!r} cannot be read: {error}") from error

    def stow(self, run_id: str, digest: str, data: bytes) -> bool:
        """Write a large value: to a new file, to the disk, and then under its name."""
        folder = self._folder / run_id
        path = folder / digest
        if path.exists():
            return True
        with translated(self.place):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            failpoint("stow.folder")
            new = folder / f"{digest}.{secrets.token_hex(4)}.new"
            try:
                handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    failpoint("stow.written")
                    file.flush()
                    os.fsync(handle)
                failpoint("stow.synced")
                new.replace(path)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
            _sync_folder(folder)
            failpoint("stow.named")
        return True

    def back_up(self, path: Path) -> None:
        """Copy tables and large values to a new file; see `SqliteStore`."""
        values = path.with_name(f"{path.name}.values")
        if path.exists() or values.exists():
            raise GraphRunError(f"{path} is there already", hints=("name a new file",))
        with translated(str(path)):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with (
                contextlib.closing(sqlite3.connect(path)) as there,
                contextlib.closing(Link(self._path).connection) as here,
            ):
                here.backup(there)
            if self._folder.is_dir():  # whatever the tables name was there before they did
                shutil.copytree(self._folder, values, ignore=shutil.ignore_patterns("*.new"))

    def close(self) -> None:
        """Close all connections; the next use opens them again."""
        with self._lock:
            close(self._links)

    def note(self, run_id: str, n_events: int, *, lasting: bool) -> None:
        """Remember how many events of a run were committed; see `Database`."""
        self._latest.note(run_id, n_events, lasting=lasting)

    def forget(self) -> None:
        """Forget what was noted."""
        self._latest.clear()

    def discard(self, run_id: str) -> None:
        """Delete the large values of a run."""
        if is_run_id(run_id):
            shutil.rmtree(self._folder / run_id, ignore_errors=True)

    def _link(self, role: str) -> Link:
        link = self._links.get(role)
        if link is None:
            with self._lock, translated(self.place):
                link = self._links.setdefault(role, Link(self._path))
        return link

    def _make(self) -> None:
        """Make the file and its tables, if they are not there, or of this version; refuse what is no store."""
        head = self._head()
        if head and self._check_head(head) == VERSION:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=_MAKE_WAIT_S)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            check_version(version, self.place)
            if version < VERSION:
                for statement in statements(version, _DIALECT):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            if version == 0:
                self._latest.clear()
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        self._check_head(self._head())

    def _head(self) -> bytes:
        try:
            return head_of(self._path, _HEAD_SIZE)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StoreUnusable(f"the store {self.place!r} cannot be opened: {error}") from error

    def _check_latest(self) -> None:
        """Refuse a file that lacks turns which were committed to it."""
        for run_id, n_events in self._latest.expected():
            with self.reading() as cursor:
                cursor.execute("SELECT n_events FROM runs WHERE run_id = ?", (run_id,))
                row = cursor.fetchone()
            if row is None or row[0] < n_events:
                raise StoreCorrupt(
                    f"the store {self.place!r} lacks turns of run {run_id!r} that were written: "
                    f"{self._path.name}-wal was lost, or the file is an earlier one",
                    hints=(f"put the file back that belongs here; or, to go on without, delete {self._latest.path}",),
                )

    def _check_head(self, head: bytes) -> int:
        """Return the version of the tables; raise StoreUnusable for what is no store of a version known here."""
        application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
        if len(head) < _HEAD_SIZE or not head.startswith(b"SQLite format 3\0") or application != APPLICATION_ID:
            raise StoreUnusable(
                f"{self.place!r} is no store of runs; it was left as it is",
                hints=("name another file: SqliteStore(path)",),
            )
        check_version(version, self.place)
        return version


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
