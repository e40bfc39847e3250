"""Whether two values are the same to a run that began with one of them."""

from __future__ import annotations

import pickle
from typing import Any


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, or hold the same: arrays, tables and NaN too. What cannot be told is no."""
    if one is other:
        return True
    try:
        equal = one == other
        if isinstance(equal, bool):
            return equal or _hold_the_same(one, other)
        return _hold_the_same(one, other) if type(one) is type(other) else bool(equal)
    except Exception:  # noqa: BLE001 (comparing and pickling users' values may raise anything)
        return _is_plain(one) and _is_plain(other) and _hold_the_same(one, other)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict))


def _hold_the_same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[each], other[each]) for each in one)
    if isinstance(one, (str, bytes, int)):
        return False
    if callable(getattr(type(one), "equals", None)):  # tables, of whatever library
        return bool(one.equals(other))
    return _content(one) == _content(other)


def _content(value: Any) -> bytes:
    from graphrun_nb.stores.typed_json import encode  # noqa: PLC0415 (it loads pydantic)

    typed = encode(value, {})
    return pickle.dumps(value) if typed is None else typed
