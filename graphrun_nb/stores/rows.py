"""A run's log as rows: each a turn, or a piece of one, chained to the one before by a hash. Pure."""

from __future__ import annotations

import hashlib
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from graphrun_nb.core.events import Envelope, SpecAccepted
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores.packing import packed, unpacked
from graphrun_nb.stores.pieces import MAX_ROW, cut, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import Event

_HEAD = struct.Struct(">QId")
_NONE: Mapping[str, bytes] = MappingProxyType({})


class Row(NamedTuple):
    """Events `seq` to ``seq + n - 1`` of a run, all of the instant `at` (Unix seconds, UTC).

    Attributes
    ----------
    body
        The events; see `packing`. Or, of one that is larger than a row may be, what it lies in; see `pieces`.
    chain
        sha256 over the row before, these numbers and the body.
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
    chain: bytes = b"",
    pieces: Mapping[str, bytes] = _NONE,
) -> tuple[Envelope, ...]:
    """Return the log that `rows` are, which has `n_events` events and ends in the chain `head`.

    They come after `after` events, the last of which ended in `chain`; `pieces` are what they name.

    Raises
    ------
    StoreCorrupt
        Bytes differ from what was written, or rows are missing.
    """
    log: list[Envelope] = []
    chain = chain or seed(run_id)
    for row in rows:
        try:
            fits = row.seq == after + len(log) + 1 and _chained(chain, *row[:4]) == row.chain
            events = unpacked(joined(row.body, pieces)) if fits else []
        except (msgspec.MsgspecError, TypeError, ValueError, struct.error):
            fits, events = False, []
        if not fits or len(events) != row.n:
            raise damaged(run_id, f"the turn after event {after + len(log)} is not what was written")
        chain = row.chain
        at = row.at
        log += [Envelope(run_id, seq, at, event) for seq, event in enumerate(events, row.seq)]
    if after + len(log) != n_events or chain != head:
        raise damaged(run_id, f"it ends at event {after + len(log)}, and was longer")
    return tuple(log)


def follows(row: Row, n_before: int, chain: bytes, pieces: Mapping[str, bytes] = _NONE) -> bool:
    """Tell whether a row is whole, and comes after `n_before` events, the last of which ended in `chain`."""
    try:
        fits = row.seq == n_before + 1 and _chained(chain, *row[:4]) == row.chain
        return fits and len(unpacked(joined(row.body, pieces))) == row.n
    except (msgspec.MsgspecError, TypeError, ValueError, struct.error):
        return False


def damaged(run_id: str, what: str) -> StoreCorrupt:
    """Return the error that says what of a run is damaged."""
    return StoreCorrupt(
        f"the log of run {run_id!r} is damaged: {what}",
        hints=("python -m graphrun_nb salvage OLD NEW copies what is whole into a new store",),
    )


def _chained(chain: bytes, seq: int, n: int, at: float, body: bytes) -> bytes:
    return hashlib.sha256(b"".join((chain, _HEAD.pack(seq, n, at), body))).digest()
