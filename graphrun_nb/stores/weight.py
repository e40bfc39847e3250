"""Tells at a glance whether writing a value down takes so long that a loop had better not wait for it. Pure."""

from __future__ import annotations

import collections
import itertools
import sys
from typing import Any

MAX_LIGHT = 65_536
"""Bytes, about, of a value that is written down at once."""
_MAX_LOOKED_AT = 256
_TEXTS = frozenset({str, bytes, bytearray})
_GROUPS = frozenset({list, tuple, set, frozenset, collections.deque})
_DICTS = frozenset({dict, collections.OrderedDict, collections.defaultdict, collections.Counter})
_PART = 16
"""Bytes, about, of what is one of many."""


def is_heavy(value: Any) -> bool:
    """Tell whether `value` is large, as far as some hundred of its parts show. O(1), and nothing of users' is run."""
    left, looked_at, queue = MAX_LIGHT, 0, [value]
    while queue and left >= 0 and looked_at < _MAX_LOOKED_AT:
        each = queue.pop()
        looked_at += 1
        kind = type(each)
        if kind in _TEXTS:
            left -= len(each)
        elif kind in _GROUPS:
            left -= _PART * len(each)
            queue += itertools.islice(each, _MAX_LOOKED_AT)
        elif kind in _DICTS:
            left -= 2 * _PART * len(each)
            queue += itertools.islice(each.values(), _MAX_LOOKED_AT)
        elif issubclass(kind, tuple):  # a named one; whatever its class says of itself is not asked
            left -= _PART * tuple.__len__(each)
            queue += itertools.islice(tuple.__iter__(each), _MAX_LOOKED_AT)
        elif _is_array(each):
            left -= each.nbytes
        else:
            queue += itertools.islice(_fields(each).values(), _MAX_LOOKED_AT)
    return left < 0 or looked_at >= _MAX_LOOKED_AT


def _fields(value: Any) -> dict[str, Any]:
    try:
        fields = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return fields if type(fields) is dict else {}


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray
