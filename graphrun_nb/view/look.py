"""How values look: tables, arrays, trees, pictures and HTML, as data that a view draws. Pure.

Everything here is bounded, whatever the value is. What calls users' code is in `rich.py`; these looks read only what
containers, numpy and data frames hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable


class _Look(Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """Base of all looks."""


class TableLook(_Look, frozen=True, tag="table"):
    """The first rows and columns of a table that has `n_rows` and `n_columns`.

    Attributes
    ----------
    index
        Names of the rows, or empty where they have none.
    numeric
        Which columns hold numbers.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_rows: int
    n_columns: int
    index: tuple[str, ...] = ()
    numeric: tuple[bool, ...] = ()


class ArrayLook(_Look, frozen=True, tag="array"):
    """A corner of an array, and a small picture of all of it.

    Attributes
    ----------
    rows
        Of the last two dimensions, at index 0 of the others.
    line
        Up to 120 values of a vector, evenly spaced; None for what is no finite number.
    pixels
        base64 of a byte for each channel of each pixel, row by row; one channel runs from the smallest value to the
        largest, 255, and 0 is no number.
    low, high
        Smallest and largest finite value, as text.
    """

    shape: tuple[int, ...]
    dtype: str
    rows: tuple[tuple[str, ...], ...] = ()
    line: tuple[float | None, ...] = ()
    pixels: str = ""
    width: int = 0
    height: int = 0
    channels: int = 0
    low: str = ""
    high: str = ""


class Branch(Struct, frozen=True, omit_defaults=True):
    """A part of a tree: its key, itself as text if it has no parts, and how many parts were left out."""

    key: str
    text: str
    children: tuple[Branch, ...] = ()
    more: int = 0


class TreeLook(_Look, frozen=True, tag="tree"):
    """Dicts, lists and records in each other."""

    root: Branch


class ImageLook(_Look, frozen=True, tag="image"):
    """A picture: base64 of a file of type `mime`."""

    mime: str
    data: str


class HtmlLook(_Look, frozen=True, tag="html"):
    """Markup that a value made of itself: to be shown in a sandbox without scripts and without network."""

    html: str


Look = TableLook | ArrayLook | TreeLook | ImageLook | HtmlLook

_BINARY = frozenset({"data", "pixels", "kind"})


def scrubbed(look: Look, scrub: Callable[[str], str]) -> Look:
    """Return `look` with every text in it passed through `scrub`."""
    plain = _each(msgspec.to_builtins(look), scrub)
    return msgspec.convert(plain, type(look))


def _each(part: Any, scrub: Callable[[str], str]) -> Any:
    match part:
        case str():
            return scrub(part)
        case dict():
            return {key: each if key in _BINARY else _each(each, scrub) for key, each in part.items()}
        case list() | tuple():
            return [_each(each, scrub) for each in part]
        case _:
            return part
