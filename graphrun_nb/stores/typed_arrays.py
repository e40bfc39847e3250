"""Arrays and scalars of numpy as JSON: their type, their shape and their bytes. Those that hold objects are refused."""

from __future__ import annotations

import base64
import binascii
import math
import sys
from typing import Any

import msgspec

from graphrun_nb.stores.refused import Refused

PIECE = 3 * 2**18
"""Bytes that are encoded at once, so that other threads have their turns in between."""
_KINDS = "biufcSUMm"
_TEXTS = "SU"


def written(value: Any) -> dict[str, Any] | None:
    """Return an array or scalar as a tagged object without its tag, None if it is neither."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value).__module__ != "numpy" or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return None
    kind = "scalar" if isinstance(value, numpy.generic) else "array"
    if kind == "array" and type(value) is not numpy.ndarray:
        raise Refused
    if not (value.dtype.itemsize or (kind == "scalar" and value.dtype.kind in _TEXTS)):
        raise Refused
    told = {"dtype": _written_type(value.dtype), "shape": list(value.shape)}
    if value.dtype.names is not None:  # what lies between the fields is whatever was in memory there
        clean = numpy.zeros(value.shape, value.dtype)
        clean[...] = value
        value = clean if kind == "array" else clean[()]
    data = numpy.ascontiguousarray(value).tobytes()
    if kind == "scalar" and data and value.dtype.kind in _TEXTS and numpy.frombuffer(data, value.dtype)[0] != value:
        raise Refused  # numpy leaves out what is 0 at the end
    return {"$": kind, **told, "v": b64(data)}


def read(kind: str, value: dict[str, Any]) -> Any:
    """Return what was written; raises ValueError or TypeError."""
    import numpy as np  # noqa: PLC0415 (for those alone who have arrays)

    dtype, shape = _type(value["dtype"]), value["shape"]
    if not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"no array has the shape {shape!r}")
    data = un_b64(value["v"])
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{len(data)} bytes are no array of {shape!r}")
    made = np.frombuffer(data, dtype).reshape(shape) if data else np.zeros(shape, dtype)
    return made[()] if kind == "scalar" else made.copy()


def b64(data: bytes | bytearray) -> Any:
    """Return bytes as text for JSON."""
    if len(data) > PIECE:
        pieces = [base64.b64encode(data[i : i + PIECE]) for i in range(0, len(data), PIECE)]
        return msgspec.Raw(b'"%b"' % b"".join(pieces))
    return base64.b64encode(data).decode("ascii")


def un_b64(text: str) -> bytes:
    """Return the bytes; raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _written_type(dtype: Any) -> Any:
    if dtype.metadata is not None:
        raise Refused
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return [_written_type(base), list(shape)]
    if dtype.names is None:
        if dtype.kind not in _KINDS:
            raise Refused
        return dtype.str
    if dtype.type.__name__ != "void" or any(len(each) > 2 for each in dtype.fields.values()):
        raise Refused
    names = [[name, _written_type(dtype.fields[name][0]), dtype.fields[name][1]] for name in dtype.names]
    return {"fields": names, "size": dtype.itemsize, "aligned": dtype.isalignedstruct}


def _type(told: Any) -> Any:
    import numpy as np  # noqa: PLC0415 (see above)

    match told:
        case str(text) if text[:1] in "<>|=" and text[1:2] in _KINDS and text.isascii() and "," not in text:
            return np.dtype(text)
        case [base, [*shape]] if all(type(each) is int and each >= 0 for each in shape):
            return np.dtype((_type(base), tuple(shape)))
        case {"fields": [*fields], "size": int(size), "aligned": bool(aligned)}:
            names, types, offsets = zip(*fields, strict=True) if fields else ((), (), ())
            if not all(isinstance(each, str) for each in names) or not all(type(each) is int for each in offsets):
                raise ValueError("fields of an array have a name and a place")
            formats = [_type(each) for each in types]
            return np.dtype(
                {"names": list(names), "formats": formats, "offsets": list(offsets), "itemsize": size}, align=aligned
            )
    raise ValueError(f"no array has the type {told!r:.100}")
