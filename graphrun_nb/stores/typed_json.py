"""Values as JSON that says what they are. Nothing is ever imported, called by name, or executed to read them back.

What plain JSON carries is plain JSON. Everything else is an object with the one key ``$`` and its kind: a tuple is
``{"$": "tuple", "v": [...]}``. An object of the user's that has a key ``$`` is written as such a tagged one itself.
A value that would not come back equal and of the same type is refused as a whole.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import decimal
import enum
import math
import pathlib
import sys
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
import pydantic

from graphrun_nb.core.files import FileRef
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.errors import StoreCorrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_DEPTH = 100
_TAG = "$"
_PIECE = 3 * 2**18
_MAX_INT = 2**63
_PLAIN = frozenset({type(None), bool, str})
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class _Refused(Exception):
    """The value cannot be written."""


def encode(value: Any, types: Mapping[str, type]) -> bytes | None:
    """Return `value` as JSON, or None if it would not come back as it is.

    Parameters
    ----------
    types
        Dataclasses, pydantic models and enums that may occur, by qualified name.
    """
    try:
        return _ENCODE(_Writer(types).written(value, 0))
    except (_Refused, ValueError, TypeError, OverflowError, RecursionError, AttributeError, RuntimeError):
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
    except LookupError:
        raise
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, ArithmeticError, RecursionError) as error:
        raise StoreCorrupt(f"a value is not what was written: {error}") from error


class _Writer:
    """Turns a value into what JSON has; a container inside itself is too deep."""

    def __init__(self, types: Mapping[str, type]) -> None:
        self._types = types

    def written(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 (a table of kinds)
        kind = type(value)
        if kind in _PLAIN:
            return value if kind is not str else _text(value)
        if kind is int:
            return value if -_MAX_INT <= value < _MAX_INT else {_TAG: "int", "v": str(value)}
        if kind is float:
            return value if math.isfinite(value) else {_TAG: "float", "v": repr(value)}
        if depth >= MAX_DEPTH:
            raise _Refused
        if kind is list:
            return [self.written(each, depth + 1) for each in value]
        if kind is dict:
            return self._dict(value, depth)
        if kind in _SEQUENCES:
            return {_TAG: _SEQUENCES[kind], "v": [self.written(each, depth + 1) for each in value]}
        write = _SIMPLE.get(kind)
        if write is not None:
            return {_TAG: kind.__name__, "v": write[0](value)}
        if isinstance(value, pathlib.PurePath):
            return _path(value)
        return _array(value) or self._made(value, depth)

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if _TAG not in value and all(type(key) is str for key in value):
            return {_key(key): self.written(each, depth + 1) for key, each in value.items()}
        pairs = [[self.written(key, depth + 1), self.written(each, depth + 1)] for key, each in value.items()]
        return {_TAG: "dict", "v": pairs}

    def _made(self, value: Any, depth: int) -> Any:
        """Write an instance of one of the declared classes."""
        kind = type(value)
        name = qualified_name(kind)
        if self._types.get(name) is not kind and kind is not FileRef:
            raise _Refused
        if isinstance(value, enum.Enum):
            return {_TAG: "enum", "type": name, "v": value.name}
        if isinstance(value, pydantic.BaseModel):
            known = {**value.__dict__, **(value.__pydantic_extra__ or {})}
            if value.__pydantic_private__ or kind.__init__ is not pydantic.BaseModel.__init__:
                raise _Refused
            fields = {key: self.written(each, depth + 1) for key, each in known.items()}
            return {_TAG: "model", "type": name, "v": fields, "set": sorted(value.__pydantic_fields_set__)}
        if dataclasses.is_dataclass(value):
            return {_TAG: "dataclass", "type": name, "v": self._fields(value, depth)}
        raise _Refused

    def _fields(self, value: Any, depth: int) -> dict[str, Any]:
        fields = dataclasses.fields(value)
        names = [each.name for each in fields]
        extra = set(getattr(value, "__dict__", ())) - set(names)
        if extra or not all(each.init for each in fields) or hasattr(type(value), "__post_init__"):
            raise _Refused
        return {name: self.written(getattr(value, name), depth + 1) for name in names}


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
            case "array" | "scalar":
                return _read_array(kind, value)
            case "enum" | "model" | "dataclass":
                return self._made(kind, value)
        if kind in _READ:
            return _READ[kind](body)
        raise ValueError(f"no kind of value is called {kind!r}")

    def _made(self, kind: str, value: dict[str, Any]) -> Any:
        name, body = value["type"], value["v"]
        known = FileRef if name == qualified_name(FileRef) else self._types.get(name)
        if known is None:
            raise LookupError(f"it is made of {name}, which no tool of this graph declares")
        try:
            if kind == "enum" and issubclass(known, enum.Enum):
                return known[body]
            fields = {key: self.read(each) for key, each in body.items()}
            if kind == "model" and issubclass(known, pydantic.BaseModel):
                made = known.model_construct(set(value["set"]), **fields)
                known.model_validate(fields, strict=False, by_name=True, by_alias=True)
                return made
            if kind == "dataclass" and dataclasses.is_dataclass(known):
                return known(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise LookupError(f"it is made of {name}, which does not take it any more: {error}") from error
        raise LookupError(f"{name} is no {kind} any more")


def _text(text: str) -> Any:
    """Return a text as it is written: a long one in pieces, so that other threads have their turns meanwhile."""
    if len(text) > _PIECE:
        pieces = [_ENCODE(text[i : i + _PIECE])[1:-1] for i in range(0, len(text), _PIECE)]
        return msgspec.Raw(b'"%b"' % b"".join(pieces))
    text.encode()  # what is no Unicode text cannot be written
    return text


def _key(text: str) -> str:
    text.encode()
    return text


def _b64(data: bytes | bytearray) -> Any:
    if len(data) > _PIECE:
        pieces = [base64.b64encode(data[i : i + _PIECE]) for i in range(0, len(data), _PIECE)]
        return msgspec.Raw(b'"%b"' % b"".join(pieces))
    return base64.b64encode(data).decode("ascii")


def _un_b64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _stamp(value: dt.datetime | dt.time) -> str:
    if value.tzinfo is not None and type(value.tzinfo) is not dt.timezone:
        raise _Refused  # a zone's rules are more than its offset
    if value.fold:
        raise _Refused
    return value.isoformat()


def _zone_is_named(value: dt.datetime | dt.time) -> bool:
    zone = value.tzinfo
    return isinstance(zone, dt.timezone) and zone.tzname(None) != dt.timezone(zone.utcoffset(None)).tzname(None)


def _checked_stamp(value: Any) -> str:
    if _zone_is_named(value):
        raise _Refused
    return _stamp(value)


def _path(value: pathlib.PurePath) -> dict[str, str]:
    if type(value) not in (type(pathlib.Path()), pathlib.PurePosixPath, pathlib.PureWindowsPath):
        raise _Refused
    pure = isinstance(value, pathlib.Path)
    return {_TAG: "path" if pure else type(value).__name__, "v": _text(str(value))}


def _seconds(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_SEQUENCES: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_FROM_SEQUENCE: dict[str, Callable[..., Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_SIMPLE: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: (_b64, _un_b64),
    bytearray: (_b64, lambda text: bytearray(_un_b64(text))),
    dt.datetime: (_checked_stamp, dt.datetime.fromisoformat),
    dt.date: (dt.date.isoformat, dt.date.fromisoformat),
    dt.time: (_checked_stamp, dt.time.fromisoformat),
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

_NUMPY_KINDS = "biufcSUMm"


def _array(value: Any) -> dict[str, Any] | None:
    """Write a numpy array or scalar, if it is one and holds no objects."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value).__module__ != "numpy" or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    if value.dtype.kind not in _NUMPY_KINDS or value.dtype.fields is not None:
        raise _Refused
    kind = "scalar" if isinstance(value, numpy.generic) else "array"
    if kind == "array" and type(value) is not numpy.ndarray:
        raise _Refused
    packed = numpy.ascontiguousarray(value)
    return {_TAG: kind, "dtype": value.dtype.str, "shape": list(value.shape), "v": _b64(packed.tobytes())}


def _read_array(kind: str, value: dict[str, Any]) -> Any:
    import numpy as np  # noqa: PLC0415 (for those alone who have arrays)

    text, shape = value["dtype"], value["shape"]
    if not (isinstance(text, str) and text[:1] in "<>|=" and text[1:2] in _NUMPY_KINDS and text.isascii()):
        raise ValueError(f"no array has the type {text!r}")
    if not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"no array has the shape {shape!r}")
    made = np.frombuffer(_un_b64(value["v"]), dtype=np.dtype(text)).reshape(shape)
    return made[()] if kind == "scalar" else made.copy()
