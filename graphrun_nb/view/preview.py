"""How a value looks at first glance, how large it is, and the whole of it as text."""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphrun_nb.view.arrays import array
from graphrun_nb.view.look import ArrayLook, TableLook
from graphrun_nb.view.tables import csv_text, table
from graphrun_nb.view.text import preview
from graphrun_nb.view.trees import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.view.look import TreeLook

MAX_FULL = 1_000_000
"""Characters of a value that can be had in a view."""

_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range})
_CONTAINERS = frozenset({list, tuple, set, frozenset, dict})
_KNOWN = ("numpy", "pandas", "polars", "datetime", "decimal", "uuid", "fractions", "pathlib", "graphrun_nb")
_N_SEEN = 20
_DEPTH_SEEN = 4


def is_known(value: Any, depth: int = 0) -> bool:
    """Tell whether showing `value` calls no code but Python's and that of libraries known to be quick.

    Looks as far as a preview does.
    """
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind in _CONTAINERS:
        if depth >= _DEPTH_SEEN:
            return True
        parts = [*islice(value, _N_SEEN), *(islice(value.values(), _N_SEEN) if kind is dict else ())]
        return all(is_known(each, depth + 1) for each in parts)
    if kind.__module__.partition(".")[0] not in _KNOWN:
        return False
    return not _holds_objects(value)


def _holds_objects(value: Any) -> bool:
    """Tell whether an array or a data frame holds objects, which may be anything."""
    kind = type(value)
    if hasattr(kind, "iloc"):
        return any(str(each) == "object" for each in (value.dtypes if hasattr(kind, "columns") else [value.dtype]))
    return str(getattr(value, "dtype", "")) == "object" or "Object" in str(getattr(value, "schema", ""))


def look(value: Any) -> TableLook | ArrayLook | TreeLook | None:
    """Return how `value` looks if it is a table, an array or a container; None if text tells it best.

    Raises
    ------
    BaseException
        Whatever a data frame of the user's own kind raises.
    """
    return array(value) or table(value) or tree(value)


def size(value: Any, found: TableLook | ArrayLook | TreeLook | None = None) -> str:
    """Return how large a value is in words, or an empty text; `found` is its look."""
    kind = type(value)
    if kind is str:
        return f"{len(value):,} characters" if len(value) > 100 else ""
    if kind in (bytes, bytearray):
        return f"{len(value):,} bytes"
    if isinstance(found, TableLook):
        return f"{_counted(found.n_rows, 'row')}, {_counted(found.n_columns, 'column')}"
    if isinstance(found, ArrayLook):
        return f"{found.dtype}, shape {found.shape}"
    return _counted(len(value), "item") if kind in _CONTAINERS else ""


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def full_text(value: Any) -> str:
    """Return all of a value as text, as far as that is of use: tables as CSV, containers as JSON. Runs users' code.

    It may be longer than what a view can have, by no more than some rows.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    as_csv = csv_text(value)
    if as_csv is not None:
        return as_csv
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        most = 100_000
        shown = value if value.size <= most else value.ravel()[:most]
        return str(numpy.array2string(shown, threshold=most + 1, separator=", "))
    if kind in _CONTAINERS:
        try:
            parts = json.JSONEncoder(indent=2, ensure_ascii=False, default=preview).iterencode(value)
            return _joined(parts)
        except (TypeError, ValueError, RecursionError):  # keys that JSON has not, or a list in itself
            pass
    try:
        return repr(value)
    except RecursionError:
        return preview(value)


def _joined(parts: Iterable[str]) -> str:
    """Return text made of parts, as far as it can be had."""
    said: list[str] = []
    n = 0
    for part in parts:
        said.append(part)
        n += len(part)
        if n > MAX_FULL:
            break
    return "".join(said)
