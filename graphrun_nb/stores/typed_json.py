"""Values as JSON that says what they are. Nothing is ever imported, called by name, or executed to read them back.

What plain JSON carries is plain JSON. Everything else is an object with the one key ``$`` and its kind: a tuple is
``{"$": "tuple", "v": [...]}``. An object of the user's that has a key ``$`` is written as such a tagged one itself.
A value that would not come back equal and of the same type is refused as a whole.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import math
import pathlib
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores import typed_arrays, typed_classes, typed_instants
from graphrun_nb.stores.refused import Refused
from graphrun_nb.stores.sameness import is_same
from graphrun_nb.stores.typed_arrays import PIECE, b64, un_b64

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_DEPTH = 100
_TAG = "$"
_MAX_INT = 2**63
_PLAIN = frozenset({type(None), bool, str})
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


def encode(value: Any, types: Mapping[str, type]) -> bytes | None:
    """Return `value` as JSON, or None if it would not come back as it is.

    Parameters
    ----------
    types
        Dataclasses, pydantic models, named tuples and enums that may occur, by qualified name.
    """
    try:
        return _ENCODE(_Writer(types).written(value, 0))
    except (Refused, ValueError, TypeError, OverflowError, RecursionError, AttributeError, LookupError, RuntimeError):
        return None


def decode(data: bytes, types: Mapping[str, type]) -> Any:
    """Return the value that `encode` wrote.

    Raises
    ------
    LookupError
        It is made of a class that is not in `types`, or that does not take it any more.
    StoreCorrupt
        The bytes are not what `encode` writes.
    """
    try:
        return _Reader(types).read(_DECODE(data))
    except KeyError as error:
        raise StoreCorrupt(f"a value is not what was written: it has no {error}") from error
    except LookupError:
        raise
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, ArithmeticError, RecursionError) as error:
        raise StoreCorrupt(f"a value is not what was written: {error}") from error


class _Writer:
    """Turns a value into what JSON has; a container inside itself is too deep."""

    def __init__(self, types: Mapping[str, type]) -> None:
        self._types = types
        self._is_inside = False

    def written(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 (a table of kinds)
        kind = type(value)
        if kind in _PLAIN:
            return value if kind is not str else _text(value)
        if kind is int:
            return value if -_MAX_INT <= value < _MAX_INT else {_TAG: "int", "v": str(value)}
        if kind is float:
            return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}
        if depth >= MAX_DEPTH:
            raise Refused
        if kind is list:
            return [self.written(each, depth + 1) for each in value]
        if kind is dict:
            return self._dict(value, depth)
        if kind in _SEQUENCES:
            return {_TAG: _SEQUENCES[kind], "v": [self.written(each, depth + 1) for each in value]}
        if kind in _OF_COLLECTIONS:
            return self._collection(value, depth)
        write = _SIMPLE.get(kind)
        if write is not None:
            return {_TAG: kind.__name__, "v": write[0](value)}
        if isinstance(value, pathlib.PurePath):
            return _path(value)
        return typed_arrays.written(value) or self._made(value, depth)

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if _TAG not in value and all(type(key) is str for key in value):
            return {_key(key): self.written(each, depth + 1) for key, each in value.items()}
        return {_TAG: "dict", "v": self._pairs(value, depth)}

    def _pairs(self, value: dict[Any, Any], depth: int) -> list[Any]:
        return [[self.written(key, depth + 1), self.written(each, depth + 1)] for key, each in value.items()]

    def _collection(self, value: Any, depth: int) -> Any:
        if getattr(value, "__dict__", None):
            raise Refused
        match value:
            case collections.deque():
                items = [self.written(each, depth + 1) for each in value]
                return {_TAG: "deque", "v": items, "maxlen": value.maxlen}
            case collections.defaultdict():
                factory = value.default_factory
                name = None if factory is None else _FACTORIES[factory]
                return {_TAG: "defaultdict", "factory": name, "v": self._pairs(value, depth)}
            case _:
                return {_TAG: type(value).__name__, "v": self._pairs(value, depth)}

    def _made(self, value: Any, depth: int) -> Any:
        """Write an instance of one of the declared classes, if that gives back what it is."""
        if self._is_inside:
            return typed_classes.written(value, self._types, lambda each: self.written(each, depth + 1))
        self._is_inside = True
        made = typed_classes.written(value, self._types, lambda each: self.written(each, depth + 1))
        self._is_inside = False
        if not is_same(value, _Reader(self._types).read(_DECODE(_ENCODE(made)))):
            raise Refused
        return made


class _Reader:
    """Turns what JSON has into the value."""

    def __init__(self, types: Mapping[str, type]) -> None:
        self._types = types

    def read(self, value: Any) -> Any:  # noqa: PLR0911 (a table of kinds)
        if type(value) is list:
            return [self.read(each) for each in value]
        if type(value) is not dict:
            return value
        if _TAG not in value:
            return {key: self.read(each) for key, each in value.items()}
        kind: Any = value[_TAG]
        body: Any = value.get("v")
        match kind:
            case "dict":
                return {self.read(key): self.read(each) for key, each in body}
            case "tuple" | "set" | "frozenset":
                return _FROM_SEQUENCE[kind](self.read(each) for each in body)
            case "OrderedDict" | "Counter":
                return _DICTS[kind]({self.read(key): self.read(each) for key, each in body})
            case "defaultdict":
                pairs = {self.read(key): self.read(each) for key, each in body}
                return collections.defaultdict(_factory(value["factory"]), pairs)
            case "deque":
                return collections.deque((self.read(each) for each in body), value["maxlen"])
            case "array" | "scalar":
                return typed_arrays.read(kind, value)
        if kind in typed_classes.KINDS:
            return typed_classes.read(kind, value, self._types, self.read)
        if kind in _READ:
            return _READ[kind](body)
        raise ValueError(f"no kind of value is called {kind!r}")


def _text(text: str) -> Any:
    """Return a text as it is written: a long one in pieces, so that other threads have their turns meanwhile."""
    if len(text) > PIECE:
        pieces = [_ENCODE(text[i : i + PIECE])[1:-1] for i in range(0, len(text), PIECE)]
        return msgspec.Raw(b'"%b"' % b"".join(pieces))
    text.encode()  # what is no Unicode text cannot be written
    return text


def _key(text: str) -> str:
    text.encode()
    return text


def _factory(name: str | None) -> Any:
    return None if name is None else _BY_NAME[name]


def _path(value: pathlib.PurePath) -> dict[str, str]:
    if type(value) not in (type(pathlib.Path()), pathlib.PurePosixPath, pathlib.PureWindowsPath):
        raise Refused
    pure = isinstance(value, pathlib.Path)
    return {_TAG: "path" if pure else type(value).__name__, "v": _text(str(value))}


def _seconds(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_SEQUENCES: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_FROM_SEQUENCE: dict[str, Callable[..., Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_DICTS: dict[str, Callable[..., Any]] = {"OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
_OF_COLLECTIONS = frozenset({collections.OrderedDict, collections.Counter, collections.defaultdict, collections.deque})
_FACTORIES: dict[Any, str] = {each: each.__name__ for each in (list, dict, set, tuple, int, float, str, bool)}
_BY_NAME = {name: factory for factory, name in _FACTORIES.items()}
_SIMPLE: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: (b64, un_b64),
    bytearray: (b64, lambda text: bytearray(un_b64(text))),
    dt.datetime: (typed_instants.written, typed_instants.instant),
    dt.date: (dt.date.isoformat, dt.date.fromisoformat),
    dt.time: (typed_instants.written, typed_instants.time_of_day),
    dt.timedelta: (_seconds, lambda parts: dt.timedelta(*parts)),
    decimal.Decimal: (str, decimal.Decimal),
    uuid.UUID: (str, uuid.UUID),
    complex: (lambda value: [repr(value.real), repr(value.imag)], lambda parts: complex(*map(float, parts))),
}
_READ: dict[str, Callable[[Any], Any]] = {
    **{kind.__name__: read for kind, (_, read) in _SIMPLE.items()},
    "int": int,
    "float": float,
    "path": pathlib.Path,
    "PurePosixPath": pathlib.PurePosixPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}
