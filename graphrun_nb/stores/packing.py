"""The events of a row as bytes: JSON, with the two kinds that are most of a log told in a few characters. Pure.

``["started", "a", "b"]`` are first attempts that started, ``["done", "a", digest, size]`` first attempts that gave one
output. Every other event stands as it is everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded, Event, ValueRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(list[Event | list[str | int]]).decode
_STARTED, _DONE = "started", "done"
_N_TOLD = 3
"""What is told of each that is done: node, digest and size."""


def packed(events: Sequence[Event]) -> bytes:
    """Return `events` as bytes."""
    told: list[Any] = []
    told_of: Any = None
    group: list[Any] = []
    for event in events:
        if type(event) is AttemptStarted and event.attempt == 1:
            if told_of is not _STARTED:
                told_of, group = _STARTED, [_STARTED]
                told.append(group)
            group.append(event.node_id)
            continue
        if type(event) is AttemptSucceeded and event.attempt == 1 and len(event.values) == 1:
            ref = event.values[0]
            if ref.codec == "json" and not ref.preview:
                if told_of is not _DONE:
                    told_of, group = _DONE, [_DONE]
                    told.append(group)
                group += (event.node_id, ref.digest, ref.size)
                continue
        told_of = None
        told.append(event)
    return _ENCODE(told)


def unpacked(data: bytes) -> list[Event]:
    """Return the events that `packed` wrote.

    Raises
    ------
    msgspec.MsgspecError, ValueError, TypeError
        It wrote something else.
    """
    events: list[Event] = []
    for each in _DECODE(data):
        if isinstance(each, list):
            events += _spelt_out(each)
        else:
            events.append(each)
    return events


def _spelt_out(group: list[str | int]) -> Iterator[Event]:
    kind, *told = group
    if kind == _STARTED:
        for node_id in told:
            yield AttemptStarted(_text(node_id), 1)
    elif kind == _DONE:
        for i in range(0, len(told), _N_TOLD):
            node_id, digest, size = told[i : i + _N_TOLD]
            if not isinstance(size, int):
                raise TypeError(f"no value has the size {size!r}")
            yield AttemptSucceeded(_text(node_id), 1, (ValueRef("json", _text(digest), size),))
    else:
        raise ValueError(f"no events are told as {kind!r}")


def _text(value: str | int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
