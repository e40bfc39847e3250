"""A run's log as rows: each a turn, a piece of one, or several, chained to the one before by a hash. Pure."""

from __future__ import annotations

import hashlib
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from graphrun_nb.core.events import Envelope, SpecAccepted
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores.bundle import MARK, Turn, untied
from graphrun_nb.stores.packing import packed, unpacked
from graphrun_nb.stores.pieces import MAX_ROW, cut, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import Event

_HEAD = struct.Struct(">QId")
_NONE: Mapping[str, bytes] = MappingProxyType({})


class Row(NamedTuple):
    """Events `seq` to ``seq + n - 1`` of a run, the last of the instant `at` (Unix seconds, UTC).

    Attributes
    ----------
    body
        The events of one turn, see `packing`, or those of several, see `bundle`. Or, of one event that is larger than
        a row may be, what it lies in; see `pieces`.
    chain
        Of its last turn: sha256 over the turn before, these numbers and the body.
    """

    seq: int
    n: int
    at: float
    body: bytes
    chain: bytes


def seed(run_id: str) -> bytes:
    """Return what the first row of a run is chained to."""
    return hashlib.sha256(run_id.encode()).digest()


def rows_of(batch: Batch, n_before: int, chain: bytes) -> tuple[list[Row], dict[str, bytes]]:
    """Return `batch` as rows after `n_before` events, the last of which ended in `chain`, and the pieces they name."""
    rows: list[Row] = []
    pieces: dict[str, bytes] = {}
    for n, whole in _bodies(batch.events):
        body, cuts = cut(whole)
        chain = _chained(chain, n_before + 1, n, batch.at, body)
        rows.append(Row(n_before + 1, n, batch.at, body, chain))
        pieces.update(cuts)
        n_before += n
    return rows, pieces


def _bodies(events: Sequence[Event]) -> list[tuple[int, bytes]]:
    """Return `events` in pieces that are no larger than a row may be, unless a single event is."""
    if len(events) > 1 and SpecAccepted in (type(events[0]), type(events[1])):
        return [(1, packed(events[:1])), *_bodies(events[1:])]  # it may be very large, and is to be packed once
    body = packed(events)
    if len(body) <= MAX_ROW or len(events) == 1:
        return [(len(events), body)]
    middle = len(events) // 2
    return [*_bodies(events[:middle]), *_bodies(events[middle:])]


def envelopes(
    run_id: str,
    rows: Iterable[Row],
    n_events: int,
    head: bytes,
    *,
    after: int = 0,
    n_before: int = 0,
    chain: bytes = b"",
    pieces: Mapping[str, bytes] = _NONE,
) -> tuple[Envelope, ...]:
    """Return the log that `rows` are, which has `n_events` events and ends in the chain `head`, from `after` on.

    They come after `n_before` events, the last of which ended in `chain`; `pieces` are what they name.

    Raises
    ------
    StoreCorrupt
        Bytes differ from what was written, or rows are missing.
    """
    log: list[Envelope] = []
    n, chain = n_before, chain or seed(run_id)
    for row in rows:
        found = events_of(row, n, chain, pieces)
        if found is None:
            raise damaged(run_id, f"the turn after event {n} is not what was written")
        log += [Envelope(run_id, seq, at, event) for seq, (at, event) in enumerate(found, n + 1) if seq > after]
        n += row.n
        chain = row.chain
    if n != n_events or chain != head:
        raise damaged(run_id, f"it ends at event {n}, and was longer")
    return tuple(log)


def events_of(
    row: Row, n_before: int, chain: bytes, pieces: Mapping[str, bytes] = _NONE
) -> list[tuple[float, Event]] | None:
    """Return the events of a row with their instants, or None if it is not whole, or does not follow.

    It follows `n_before` events, the last of which ended in `chain`; `pieces` are what it may name.
    """
    try:
        turns = list(untied(row.body)) if row.body[:1] == MARK else [Turn(row.n, row.at, row.body)]
        n = n_before
        for turn in turns:
            chain = _chained(chain, n + 1, *turn)
            n += turn.n
        if (n_before + 1, n - n_before, turns[-1].at, chain) != (row.seq, row.n, row.at, row.chain):
            return None
        found = [(turn.at, unpacked(joined(turn.body, pieces))) for turn in turns]
    except (msgspec.MsgspecError, TypeError, ValueError, LookupError, struct.error):
        return None
    if any(len(events) != turn.n for (_, events), turn in zip(found, turns, strict=True)):
        return None
    return [(at, event) for at, events in found for event in events]


def damaged(run_id: str, what: str) -> StoreCorrupt:
    """Return the error that says what of a run is damaged."""
    return StoreCorrupt(
        f"the log of run {run_id!r} is damaged: {what}",
        hints=("python -m graphrun_nb salvage OLD NEW copies what is whole into a new store",),
    )


def _chained(chain: bytes, seq: int, n: int, at: float, body: bytes) -> bytes:
    return hashlib.sha256(b"".join((chain, _HEAD.pack(seq, n, at), body))).digest()
