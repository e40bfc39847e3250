"""Finds rows in the pages of a SQLite file, whether or not its trees lead to them; they are to be checked. Pure.

Source: https://www.sqlite.org/fileformat.html, of the leaves of tables and the pages of indexes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDEX, _INDEX_LEAF, _TABLE_LEAF = 0x02, 0x0A, 0x0D
_FILE_HEAD = 100
_SIZES = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
_USUAL = 4096
_MAX_PAYLOAD = 1 << 30
_INTEGERS = (0, 1, 2, 3, 4, 6, 8)
_REAL, _ZERO, _ONE, _BLOB = 7, 8, 9, 12


def rows(data: bytes) -> Iterator[tuple[Any, ...]]:
    """Yield each row that a cell holds whole; pages that have none, and broken cells, give nothing."""
    size = _page_size(data)
    for start in range(0, len(data) - size + 1, size):
        head = start + (_FILE_HEAD if start == 0 else 0)
        kind = data[head]
        if kind not in (_INDEX, _INDEX_LEAF, _TABLE_LEAF):
            continue
        (n_cells,) = struct.unpack_from(">H", data, head + 3)
        pointers = head + (12 if kind == _INDEX else 8)
        for i in range(min(n_cells, size // 4)):
            try:
                (cell,) = struct.unpack_from(">H", data, pointers + 2 * i)
                yield _row(_payload(data, size, start, cell + (4 if kind == _INDEX else 0), kind))
            except (ValueError, IndexError, struct.error):
                continue


def _page_size(data: bytes) -> int:
    size = int.from_bytes(data[16:18], "big")
    size = 65536 if size == 1 else size
    return size if size in _SIZES else _USUAL


def _payload(data: bytes, size: int, start: int, offset: int, kind: int) -> bytes:
    """Return a cell's record: what the page has of it, and what lies in the pages that it goes on in."""
    n, at = _varint(data, start + offset)
    if kind == _TABLE_LEAF:
        _, at = _varint(data, at)
    if not 0 < n <= min(_MAX_PAYLOAD, len(data)) or not start < at < start + size:
        raise ValueError(n)
    most = size - 35 if kind == _TABLE_LEAF else (size - 12) * 64 // 255 - 23
    least = (size - 12) * 32 // 255 - 23
    if n <= most:
        return data[at : at + n]
    here = least + (n - least) % (size - 4)
    here = here if here <= most else least
    parts, left = [data[at : at + here]], n - here
    (page,) = struct.unpack_from(">I", data, at + here)
    while left > 0:
        place = (page - 1) * size
        if page == 0 or place + size > len(data):
            raise ValueError(page)
        (page,) = struct.unpack_from(">I", data, place)
        parts.append(data[place + 4 : place + 4 + min(left, size - 4)])
        left -= size - 4
    return b"".join(parts)


def _row(record: bytes) -> tuple[Any, ...]:
    n_head, at = _varint(record, 0)
    if not 0 < n_head <= len(record):
        raise ValueError(n_head)
    kinds, body = [], n_head
    while at < n_head:
        kind, at = _varint(record, at)
        kinds.append(kind)
    values: list[Any] = []
    for kind in kinds:
        value, body = _value(record, kind, body)
        values.append(value)
    return tuple(values)


def _value(record: bytes, kind: int, at: int) -> tuple[Any, int]:
    if kind >= _BLOB:
        end = at + (kind - _BLOB) // 2
        data = record[at:end]
        if len(data) != end - at:
            raise ValueError(kind)
        return (data.decode() if kind % 2 else data), end
    if kind in (_ZERO, _ONE):
        return kind - _ZERO, at
    if kind == _REAL:
        return struct.unpack_from(">d", record, at)[0], at + 8
    if kind >= len(_INTEGERS):
        raise ValueError(kind)
    n = _INTEGERS[kind]
    return (int.from_bytes(record[at : at + n], "big", signed=True) if n else None), at + n


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9
