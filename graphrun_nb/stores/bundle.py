"""Several turns as the body of one row: small ones cost a database more as rows than as bytes. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = b"\x01"
"""What a bundle begins with; the body of a single turn is JSON."""
_HEAD = struct.Struct(">IdI")
OVERHEAD = _HEAD.size
"""Bytes of a turn besides its body."""


class Turn(NamedTuple):
    """`n` events of the instant `at` (Unix seconds, UTC); `body` as `packing` writes them."""

    n: int
    at: float
    body: bytes


def tied(n: int, at: float, body: bytes) -> bytes:
    """Return a turn as it stands in a bundle."""
    return _HEAD.pack(n, at, len(body)) + body


def untied(bundle: bytes) -> Iterator[Turn]:
    """Yield the turns of a bundle.

    Raises
    ------
    ValueError, TypeError, struct.error
        It is none.
    """
    place = len(MARK)
    if bundle[:place] != MARK:
        raise ValueError("no bundle")
    while place < len(bundle):
        n, at, size = _HEAD.unpack_from(bundle, place)
        place += OVERHEAD
        body = bundle[place : place + size]
        if len(body) != size:
            raise ValueError("a bundle that was cut off")
        yield Turn(n, at, body)
        place += size
