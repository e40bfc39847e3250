"""The one canonical encoding of events: compact JSON in order of the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.core.events import Envelope
from graphrun_nb.errors import StoreCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """Return `envelope` as one line of JSON, without the line's end."""
    return _ENCODER.encode(envelope)


def decode(line: bytes | str) -> Envelope:
    """Return the envelope that `encode` wrote.

    Raises
    ------
    StoreCorrupt
        The line is not one; the message says where.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreCorrupt(f"not an event of this version: {error}") from error


def dump_lines(log: Iterable[Envelope]) -> bytes:
    """Return a whole log as JSON lines."""
    return b"".join(encode(envelope) + b"\n" for envelope in log)


def load_lines(data: bytes) -> Iterator[Envelope]:
    """Yield the envelopes of a log that `dump_lines` wrote."""
    for line in data.splitlines():
        if line.strip():
            yield decode(line)
