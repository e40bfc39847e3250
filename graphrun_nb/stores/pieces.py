"""What is too large for a row: cut into pieces that are kept by their digests, as values are. Pure.

The row then names them: a byte that no JSON begins with, and 16 bytes for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.stores.kept import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROW = 65_280
"""Bytes of a row's events or of a piece, so that with its run's id, numbers and hash it stays within 64 kB."""
_MARK = b"\0"
_N = 16


def cut(body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return what a row has in place of `body`, and the pieces that are to be kept with it, by digest."""
    if len(body) <= MAX_ROW:
        return body, {}
    cuts = [body[i : i + MAX_ROW] for i in range(0, len(body), MAX_ROW)]
    digests = [digest_of(each) for each in cuts]
    return _MARK + bytes.fromhex("".join(digests)), dict(zip(digests, cuts, strict=True))


def named(body: object) -> list[str]:
    """Return the digests of the pieces that a row names, in order; none if it has its events itself."""
    if not isinstance(body, bytes) or body[:1] != _MARK:
        return []
    return [body[i : i + _N].hex() for i in range(1, len(body), _N)]


def joined(body: bytes, pieces: Mapping[str, bytes]) -> bytes:
    """Return what `cut` was given; raises ValueError if a piece is missing, or is not what was kept."""
    digests = named(body)
    if not digests:
        return body
    found = [pieces.get(each) for each in digests]
    if not all(data is not None and digest_of(data) == digest for digest, data in zip(digests, found, strict=True)):
        raise ValueError("a piece of it is missing")
    return b"".join(filter(None, found))
