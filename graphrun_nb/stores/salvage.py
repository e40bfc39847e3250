"""Copies what is whole of a damaged store into a new one. The old one is only read."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import AnswerKept, CancelRequested, ValueRef, WaitOpened
from graphrun_nb.core.ids import is_run_id
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores import carving
from graphrun_nb.stores.kept import digest_of
from graphrun_nb.stores.line_shelf import are_lines
from graphrun_nb.stores.log_end import end_of
from graphrun_nb.stores.pieces import named
from graphrun_nb.stores.rows import Row, events_of, seed
from graphrun_nb.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.events import Event

_FACT = msgspec.json.Decoder(AnswerKept | CancelRequested)
_DIGEST = re.compile(r"[0-9a-f]{32}")
_WAIT_S = 10.0


@dataclass(slots=True)
class Salvaged:
    """What became of one run.

    Attributes
    ----------
    n_events
        How many of its events are in the new store, from the first on.
    n_lost
        How many it had besides these; None if that cannot be read any more.
    lost_values
        Digests of the values that these events name and that are not whole.
    """

    n_events: int
    n_lost: int | None
    lost_values: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What the old file holds, as far as it can be read."""

    turns: dict[str, dict[int, list[Row]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    values: dict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    runs: dict[str, tuple[float, int]] = field(default_factory=dict)
    letters: list[tuple[Any, ...]] = field(default_factory=list)
    lines: dict[str, dict[tuple[str, float], bytes]] = field(default_factory=lambda: defaultdict(dict))
    knows_runs: bool = False


def salvage(old: Path, new: Path) -> dict[str, Salvaged]:
    """Copy every whole row of every run of the file `old` into a new store in the file `new`.

    A run goes as far as its rows are whole from the first on: those after a gap would tell of what never was.

    Raises
    ------
    OSError
        `old` cannot be read, or there is no room for a copy of it beside `new`.
    GraphRunError
        `new` cannot be made.
    """
    with tempfile.TemporaryDirectory(dir=new.absolute().parent, prefix=f"{new.name}-old-") as folder:
        found = _look(_copied(old, Path(folder)))
    store = SqliteStore(new)
    told = {}
    known = found.runs if found.knows_runs else [*found.runs, *(each for each in found.turns if each not in found.runs)]
    for run_id in known:
        if not is_run_id(run_id):
            continue
        created_at, n_events = found.runs.get(run_id, (0.0, None))
        rows, events = _chosen(run_id, found)
        if rows:
            large = old.with_name(f"{old.name}.values") / run_id
            created_at = created_at or rows[0].at
            told[run_id] = _write(store, (run_id, created_at), (rows, events), found, large)
            n = told[run_id].n_events
            told[run_id].n_lost = None if n_events is None else max(n_events - n, 0)
        elif n_events:
            told[run_id] = Salvaged(0, n_events)
    return told


def _copied(old: Path, folder: Path) -> Path:
    """Return a copy of the file, with what its log still held put into it, if that can be done."""
    copy = folder / "copy.db"
    shutil.copyfile(old, copy)
    log = old.with_name(f"{old.name}-wal")
    if log.exists():
        shutil.copyfile(log, copy.with_name("copy.db-wal"))
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


def _look(copy: Path) -> _Found:
    found = _Found()
    with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as connection:
        with contextlib.suppress(sqlite3.Error):
            for run_id, created_at, n_events in connection.execute("SELECT run_id, created_at, n_events FROM runs"):
                if isinstance(created_at, float) and isinstance(n_events, int):
                    found.runs[run_id] = (created_at, n_events)
            found.knows_runs = connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
        found.letters = list(_letters(connection))
    for row in carving.rows(copy.read_bytes()):
        match row:
            case (str(run_id), int(seq), int(n), float() | int() as at, bytes(body), bytes(chain)):
                found.turns[run_id][seq].append(Row(seq, n, float(at), body, chain))
            case (str(run_id), float() | int(), int(n), bytes(head), int(), str(), float() | int(), _, bytes(tail)):
                with contextlib.suppress(StoreCorrupt):
                    last = end_of(run_id, n, head, tail).tail_row()
                    if last is not None:
                        found.turns[run_id][last.seq].append(last)
            case (str(run_id), str(digest), bytes(data)) if digest_of(data) == digest:
                found.values[run_id][digest] = data
            case (str(run_id), str(node_id), float() | int() as at, bytes(data)) if are_lines(data):
                found.lines[run_id][node_id, float(at)] = data
    return found


def _letters(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    with contextlib.suppress(sqlite3.Error):
        for row in connection.execute("SELECT run_id, key, at, fact, settled FROM letters ORDER BY no"):
            with contextlib.suppress(msgspec.MsgspecError, TypeError):
                _FACT.decode(row[3])
                yield row


def _chosen(run_id: str, found: _Found) -> tuple[list[Row], list[Event]]:
    """Return the rows of a run that follow one from another, as long as there are any, and their events.

    Of those that begin alike the longest: it is the later one.
    """
    by_seq, pieces = found.turns[run_id], found.values[run_id]
    rows: list[Row] = []
    told: list[Event] = []
    n, chain = 0, seed(run_id)
    while n + 1 in by_seq:
        for row in sorted(by_seq[n + 1], key=lambda each: each.n, reverse=True):
            events = events_of(row, n, chain, pieces)
            if events is not None:
                break
        else:
            break
        rows.append(row)
        told += [event for _, event in events]
        n, chain = n + row.n, row.chain
    return rows, told


def _write(
    store: SqliteStore, run: tuple[str, float], log: tuple[list[Row], list[Event]], found: _Found, large: Path
) -> Salvaged:
    run_id, created_at = run
    rows, events = log
    values = found.values[run_id]
    letters = [each for each in found.letters if each[0] == run_id]
    facts = [*events, *(_FACT.decode(row[3]) for row in letters)]
    refs = {ref.digest for fact in facts for ref in _refs(fact) if ref.codec == "json"}
    kept, lost = {each: values[each] for row in rows for each in named(row.body)}, []
    for digest in sorted(each for each in refs if _DIGEST.fullmatch(each)):
        data = values.get(digest)
        if data is not None:
            kept[digest] = data
            continue
        with contextlib.suppress(OSError):
            data = (large / digest).read_bytes()
        if data is not None and digest_of(data) == digest:
            store.stow(run_id, digest, data)
        else:
            lost.append(digest)
    n = rows[-1].seq + rows[-1].n - 1
    waits = {event.wait.token_digest for event in events if isinstance(event, WaitOpened) and event.wait.token_digest}
    with store.database.writing(role="desk", wait_s=_WAIT_S) as cursor:
        cursor.execute(
            "INSERT INTO runs (run_id, created_at, n_events, head, epoch, owner, expires_at) "
            "VALUES (?, ?, ?, ?, 0, '', 0)",
            (run_id, created_at, n, rows[-1].chain),
        )
        cursor.executemany(
            "INSERT INTO turns (seq, n, at, body, chain, run_id) VALUES (?, ?, ?, ?, ?, ?)",
            [(*row, run_id) for row in rows],
        )
        cursor.executemany("INSERT INTO kept VALUES (?, ?, ?)", [(run_id, *each) for each in kept.items()])
        cursor.executemany(
            "INSERT INTO waits (digest, run_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(each, run_id) for each in waits],
        )
        cursor.executemany(
            "INSERT INTO lines (run_id, node_id, at, data) VALUES (?, ?, ?, ?)",
            [(run_id, *key, data) for key, data in found.lines[run_id].items()],
        )
        cursor.executemany("INSERT INTO letters (run_id, key, at, fact, settled) VALUES (?, ?, ?, ?, ?)", letters)
    return Salvaged(n, None, tuple(lost))


def _refs(data: Any) -> Iterator[ValueRef]:
    """Yield what an event says of values, wherever in it."""
    if isinstance(data, ValueRef):
        yield data
    elif isinstance(data, msgspec.Struct):
        for name in data.__struct_fields__:
            yield from _refs(getattr(data, name))
    elif isinstance(data, tuple):
        for each in data:
            yield from _refs(each)
