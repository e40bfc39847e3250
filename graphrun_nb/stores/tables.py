"""The tables of a durable store, and what a database has to do for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from graphrun_nb.errors import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

MIGRATIONS = (
    (
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
        )
        """,
        """
        CREATE TABLE kept (
            run_id TEXT NOT NULL, digest TEXT NOT NULL, data {blob} NOT NULL, PRIMARY KEY (run_id, digest)
        )
        """,
        "CREATE TABLE waits (digest TEXT PRIMARY KEY, run_id TEXT NOT NULL) {keyed}",
        """
        CREATE TABLE letters (
            no {counter}, run_id TEXT NOT NULL, key TEXT NOT NULL, at {real} NOT NULL, fact {blob} NOT NULL,
            settled SMALLINT NOT NULL DEFAULT 0, UNIQUE (run_id, key)
        )
        """,
        "CREATE INDEX letters_left ON letters (run_id) WHERE settled = 0",
    ),
    (
        """
        CREATE TABLE lines (
            run_id TEXT NOT NULL, node_id TEXT NOT NULL, at {real} NOT NULL, data {blob} NOT NULL,
            PRIMARY KEY (run_id, node_id, at)
        )
        """,
    ),
    ("ALTER TABLE runs ADD COLUMN outline {blob}",),
    (),
    (
        "ALTER TABLE waits ADD COLUMN node_id TEXT",
        "ALTER TABLE waits ADD COLUMN no BIGINT",
        "ALTER TABLE waits ADD COLUMN seq BIGINT",
        "ALTER TABLE waits ADD COLUMN plain SMALLINT",
        "CREATE INDEX waits_plain ON waits (run_id) WHERE plain = 1",
    ),
    ("ALTER TABLE runs ADD COLUMN tail {blob}",),
)
"""The statements that make each version of the tables out of the one before; what is here once is not changed.

Version 4 has the same tables: in `turns`, rows may name pieces in `kept`, which earlier versions cannot read. Waits of
before version 5 are not `plain`: of them the log tells.
"""

VERSION = len(MIGRATIONS)


def statements(version: int, dialect: Mapping[str, str]) -> Iterator[str]:
    """Yield what makes the newest version of the tables out of `version`, 0 being none at all."""
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            yield statement.format(**dialect)


def check_version(version: int, place: str) -> None:
    """Refuse tables of a later version than are known here; raises StoreUnusable."""
    if version > VERSION:
        raise StoreUnusable(
            f"the store {place!r} is of version {version}, and this is graphrun_nb for version {VERSION}",
            hints=("pip install --upgrade graphrun-nb",),
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
    hears_of_turns
        Whether `changed` tells of all that is written, and not of letters alone.
    max_tail
        Bytes of turns that a run's own row may hold: with them it still fits where rows lie best.
    """

    place: str
    hears_of_turns: bool
    max_tail: int

    @property
    def is_slow(self) -> bool:
        """Whether a transaction may take longer than a loop should stand still."""
        ...

    def writing(
        self, *, role: str = "here", wait_s: float = 0.0, sync: bool = False, once: bool = False
    ) -> AbstractContextManager[Cursor]:
        """Begin a transaction that writes; commit it, or roll it back if an exception leaves the block.

        Parameters
        ----------
        role
            ``here``, ``later``, ``desk`` or ``attendant``: each has a connection of its own.
        wait_s
            How long others may keep it waiting.
        sync
            Whether it is to survive a power cut once it is committed.
        once
            Whether it is one statement that writes, which may then be committed as soon as it is executed.

        Raises
        ------
        StoreBusy, StoreFull, StoreCorrupt
        """
        ...

    def reading(self) -> AbstractContextManager[Cursor]:
        """Begin a transaction that sees one state of the tables; raises as `writing`."""
        ...

    def translated(self) -> AbstractContextManager[None]:
        """Raise what a driver or a disk raises in the block as errors of this package, as all of its methods do."""
        ...

    def now(self) -> float:
        """Return the instant that leases are measured by."""
        ...

    def changed(self) -> bool:
        """Tell whether anybody may have written since the last time, as the attendant sees it."""
        ...

    def tend(self) -> None:
        """Do what is to be done from time to time; the attendant calls it when somebody has written."""
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
