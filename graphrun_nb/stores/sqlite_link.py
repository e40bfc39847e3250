"""A connection to a SQLite file, its transactions, and what goes wrong with it as errors of this package."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING, NoReturn

from graphrun_nb.errors import GraphRunError, StoreBusy, StoreCorrupt, StoreFull, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

MAX_WAL = 4 * 2**20
"""Bytes that the file ``-wal`` is cut back to when it begins anew."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_ROOM = "make room, or mend the disk; then future.retry() continues the run, and so does a call with the same run_id"


class Link:
    """A connection with what is set on it, and leaves ``-wal`` alone. One thread at a time, with its lock."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=0.0, check_same_thread=False)
        self.cursor = self.connection.cursor()
        self._wait_s = 0.0
        self._sync = False
        self.cursor.execute("PRAGMA synchronous = NORMAL")
        self.cursor.execute("PRAGMA trusted_schema = OFF")
        self.cursor.execute("PRAGMA wal_autocheckpoint = 0")
        self.cursor.execute(f"PRAGMA journal_size_limit = {MAX_WAL}")

    def prepare(self, wait_s: float, *, sync: bool) -> None:
        """Set how long others may keep it waiting, and whether what it commits is to survive a power cut."""
        if wait_s != self._wait_s:
            self.cursor.execute(f"PRAGMA busy_timeout = {round(wait_s * 1000)}")
            self._wait_s = wait_s
        if sync != self._sync:
            self.cursor.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
            self._sync = sync


class Writing:
    """A transaction that writes, as a context manager: a generator would cost as much as a statement.

    If a statement comes only `once`, it is a transaction by itself.
    """

    __slots__ = ("_link", "_once", "_place", "_sync", "_wait_s")

    def __init__(self, link: Link, place: str, wait_s: float, *, sync: bool, once: bool) -> None:
        self._link = link
        self._once = once
        self._place = place
        self._wait_s = wait_s
        self._sync = sync

    def __enter__(self) -> sqlite3.Cursor:
        link = self._link
        link.lock.acquire()
        try:
            link.prepare(self._wait_s, sync=self._sync)
            return link.cursor if self._once else link.cursor.execute("BEGIN IMMEDIATE")
        except BaseException as error:  # noqa: BLE001 (it is raised)
            link.lock.release()
            raise_translated(error, self._place)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        link = self._link
        try:
            if error is None and not self._once:
                link.cursor.execute("COMMIT")
        except BaseException as failed:  # noqa: BLE001 (it is raised below)
            error = failed
        finally:
            try:
                if error is not None and link.connection.in_transaction:
                    link.connection.rollback()
            finally:
                link.lock.release()
        if error is not None:
            raise_translated(error, self._place)


def close(links: dict[str, Link]) -> None:
    """Close all of `links` and forget them."""
    while links:
        _, link = links.popitem()
        with link.lock:
            link.connection.close()


@contextlib.contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise what a driver or a disk raises as errors of this package."""
    try:
        yield
    except BaseException as error:  # noqa: BLE001 (all of it is raised)
        raise_translated(error, place)


def raise_translated(error: BaseException, place: str) -> NoReturn:
    """Raise `error`, or the error of this package that says the same of the store `place`."""
    if isinstance(error, sqlite3.Error):
        raise _error_of(error, place) from error
    if isinstance(error, UnicodeDecodeError):  # of a message that quotes the file
        raise _damaged(error, place) from error
    if isinstance(error, OSError) and not isinstance(error, GraphRunError):
        raise StoreFull(f"the store {place!r} cannot be written: {error}", hints=(_ROOM,)) from error
    raise error


def _error_of(error: sqlite3.Error, place: str) -> GraphRunError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_FULL) & 0xFF
    is_garbled = "decode to UTF-8" in str(error)
    if code in _BUSY:
        return StoreBusy(f"the store {place!r} is being written by another process", hints=("try again",))
    if code in _FULL and not is_garbled:
        return StoreFull(f"the store {place!r} cannot be written: {error}", hints=(_ROOM,))
    if code in _DAMAGED or is_garbled:
        return _damaged(error, place)
    return StoreUnusable(f"the store {place!r} cannot be used: {error}", hints=("%graphrun doctor tells more",))


def _damaged(error: Exception, place: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"the store {place!r} is damaged: {error}",
        hints=("python -m graphrun_nb salvage OLD NEW copies what is whole into a new store",),
    )
