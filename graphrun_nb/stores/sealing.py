"""An outline as bytes that hold for one log alone: once that goes on, or a bit of it has changed, they say nothing."""

from __future__ import annotations

import hashlib

import msgspec

from graphrun_nb.core.outline import Outline

_SEAL = 16
_DECODER = msgspec.json.Decoder(Outline)


def sealed(outline: Outline | None, head: bytes) -> bytes | None:
    """Return the outline of a log whose chain ends in `head`, None if there is none."""
    if outline is None:
        return None
    body = msgspec.json.encode(outline)
    return _seal(body, head) + body


def unsealed(data: object, head: object) -> Outline | None:
    """Return the outline of the log whose chain ends in `head`, None if `data`, whatever it is, is not that."""
    if not isinstance(data, bytes) or not isinstance(head, bytes) or data[:_SEAL] != _seal(data[_SEAL:], head):
        return None
    try:
        return _DECODER.decode(data[_SEAL:])
    except msgspec.MsgspecError:
        return None


def _seal(body: bytes, head: bytes) -> bytes:
    return hashlib.sha256(head + body).digest()[:_SEAL]
