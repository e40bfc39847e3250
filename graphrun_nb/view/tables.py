"""Tables: data frames of pandas, polars and their kind, known by what they have, and lists of dicts."""

from __future__ import annotations

import csv
import io
from itertools import islice
from numbers import Number
from typing import Any, NamedTuple

from graphrun_nb.core.secrets import MASK, is_secret
from graphrun_nb.view.look import TableLook
from graphrun_nb.view.text import clipped, preview

MAX_ROWS = 20
MAX_COLUMNS = 12
MAX_CELL = 60
MAX_KEYS = 200
MAX_CSV_ROWS = 20_000


class _Part(NamedTuple):
    """The first rows and columns of a table, and how many there are; `labels` is empty where rows have no names."""

    names: list[Any]
    rows: list[list[Any]]
    n_rows: int
    n_columns: int
    labels: list[Any]


def table(value: Any) -> TableLook | None:
    """Return how `value` looks as a table, or None if it is none."""
    part = _part(value, MAX_ROWS, MAX_COLUMNS)
    if part is None:
        return None
    columns = tuple(cell(each) for each in part.names)
    hidden = [is_secret(name) for name in columns]
    rows = tuple(
        tuple(MASK if hide else cell(each) for hide, each in zip(hidden, row, strict=True)) for row in part.rows
    )
    numeric = tuple(all(_is_number(row[i]) for row in part.rows) for i in range(len(columns)))
    return TableLook(columns, rows, part.n_rows, part.n_columns, tuple(map(cell, part.labels)), numeric)


def csv_text(value: Any) -> str | None:
    """Return at most 20,000 rows of a data frame as CSV, or None if `value` is none."""
    part = None if type(value) is list else _part(value, MAX_CSV_ROWS, MAX_KEYS)
    if part is None:
        return None
    hidden = [is_secret(str(name)) for name in part.names]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*([""] if part.labels else []), *part.names])
    for i, row in enumerate(part.rows):
        shown = [MASK if hide else each for hide, each in zip(hidden, row, strict=True)]
        writer.writerow([*part.labels[i : i + 1], *shown])
    return file.getvalue()


def cell(value: Any) -> str:
    """Return a value in at most 60 characters: text as it is, numbers as people write them."""
    match value:
        case str():
            return clipped(value, MAX_CELL)
        case bool():
            return str(value)
        case float():
            return f"{value:.6g}"
        case _:
            # What numpy and data frames hold says more by str: np.float64(1.5), Timestamp('…').
            is_plain = type(value).__module__.partition(".")[0] in ("numpy", "pandas", "datetime", "decimal")
            return clipped(str(value) if is_plain else preview(value), MAX_CELL)


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _part(value: Any, n_rows: int, n_columns: int) -> _Part | None:
    kind = type(value)
    if kind is list:
        return _records(value, n_rows, n_columns)
    if not hasattr(kind, "shape"):
        return None
    if hasattr(kind, "iloc") and hasattr(kind, "index"):
        return _pandas(value, n_rows, n_columns) if hasattr(kind, "columns") else _series(value, n_rows)
    if hasattr(kind, "rows") and hasattr(kind, "columns") and hasattr(kind, "head"):
        names = list(value.columns)[:n_columns]
        rows = [list(row[:n_columns]) for row in value.head(n_rows).rows()]
    elif hasattr(kind, "column_names") and hasattr(kind, "to_pylist"):
        names = list(value.column_names)[:n_columns]
        rows = [[row[name] for name in names] for row in value.slice(0, n_rows).to_pylist()]
    else:
        return None
    return _Part(names, rows, int(value.shape[0]), int(value.shape[1]), [])


def _pandas(frame: Any, n_rows: int, n_columns: int) -> _Part:
    corner = frame.iloc[:n_rows, :n_columns]
    rows = [list(row) for row in corner.itertuples(index=False, name=None)]
    return _Part(list(corner.columns), rows, int(frame.shape[0]), int(frame.shape[1]), list(corner.index))


def _series(series: Any, n_rows: int) -> _Part:
    head = series.iloc[:n_rows]
    name = "" if series.name is None else series.name
    return _Part([name], [[each] for each in head], int(series.shape[0]), 1, list(head.index))


def _records(rows: list[Any], n_rows: int, n_columns: int) -> _Part | None:
    """Take a list of dicts with names as keys as a table; the rest of it may differ from its first rows."""
    first = rows[:n_rows]
    if len(first) < 2 or not all(type(each) is dict and each for each in first):
        return None
    names = list(dict.fromkeys(key for each in first for key in islice(each, MAX_KEYS)))
    if not all(isinstance(name, str) for name in names) or len(names) > MAX_KEYS:
        return None
    shared = sum(name in each for each in first for name in names)
    if 2 * shared < len(first) * len(names):
        return None  # each has keys of its own: a tree tells more
    shown = [[each.get(name, "") for name in names[:n_columns]] for each in first]
    return _Part(names[:n_columns], shown, len(rows), len(names), [])
