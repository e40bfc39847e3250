"""Arrays of numpy and what turns into them: a corner of the values, and a small picture of all."""

from __future__ import annotations

import base64
import sys
from typing import Any

from graphrun_nb.view.look import ArrayLook
from graphrun_nb.view.tables import cell

MAX_CORNER = 8
MAX_LINE = 120
MAX_SIDE = 64
MIN_SIDE = 8
_COLOURS = (3, 4)


def array(value: Any) -> ArrayLook | None:
    """Return how a numpy array looks, or None if `value` is none."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.dtype.names is not None:
        return None
    shape = tuple(int(n) for n in value.shape)
    bare = ArrayLook(shape, str(value.dtype), _corner(value))
    if value.size == 0 or value.dtype.kind not in "biuf" or value.ndim == 0:
        return bare
    return _drawn(numpy, value, bare)


def _corner(value: Any) -> tuple[tuple[str, ...], ...]:
    if 0 in value.shape:
        return ()
    if value.ndim == 0:
        return ((_number(value[()]),),)
    flat = value[None, :] if value.ndim == 1 else value[(0,) * (value.ndim - 2)]
    return tuple(tuple(_number(each) for each in row[:MAX_CORNER]) for row in flat[:MAX_CORNER])


def _number(value: Any) -> str:
    """Return an item of an array, shorter than elsewhere: many stand in a row."""
    return f"{value:.4g}" if isinstance(value, float) else cell(value)


def _drawn(numpy: Any, value: Any, bare: ArrayLook) -> ArrayLook:
    if value.ndim == 1:
        at = numpy.unique(numpy.linspace(0, value.size - 1, MAX_LINE).astype(int))
        line = _floats(numpy, value[at])
        low, high = _bounds(numpy, line)
        shown = tuple(float(each) if numpy.isfinite(each) else None for each in line)
        return ArrayLook(bare.shape, bare.dtype, bare.rows, line=shown, low=low, high=high)
    is_picture = value.ndim == 3 and value.shape[2] in _COLOURS and value.dtype.kind in "uif"
    plane = value if is_picture else value[(0,) * (value.ndim - 2)]
    if min(plane.shape[:2]) < MIN_SIDE:
        return bare
    plane = _thinned(plane)
    if is_picture:
        plane = numpy.ma.filled(plane, 0)
    height, width = plane.shape[:2]
    if is_picture:
        scaled = plane if plane.dtype.kind != "f" else numpy.nan_to_num(plane) * (255 if plane.max() <= 1 else 1)
        pixels = numpy.clip(scaled, 0, 255).astype("uint8")
        low = high = ""
    else:
        numbers = _floats(numpy, plane)
        low, high = _bounds(numpy, numbers)
        pixels = _levels(numpy, numbers)
    data = base64.b64encode(numpy.ascontiguousarray(pixels).tobytes()).decode()
    channels = plane.shape[2] if is_picture else 1
    return ArrayLook(bare.shape, bare.dtype, bare.rows, (), data, int(width), int(height), int(channels), low, high)


def _floats(numpy: Any, part: Any) -> Any:
    return numpy.ma.filled(part.astype(float), numpy.nan)


def _thinned(plane: Any) -> Any:
    """Take every so manieth row and column."""
    steps = [-(-n // MAX_SIDE) for n in plane.shape[:2]]
    return plane[:: steps[0], :: steps[1]]


def _levels(numpy: Any, numbers: Any) -> Any:
    """Return 1 to 255 from the smallest to the largest, and 0 for what is no finite number."""
    finite = numpy.isfinite(numbers)
    if not finite.any():
        return numpy.zeros(numbers.shape, "uint8")
    low, high = numbers[finite].min(), numbers[finite].max()
    share = numpy.where(finite, numbers - low, 0) / ((high - low) or 1)
    return numpy.where(finite, 1 + share * 254, 0).astype("uint8")


def _bounds(numpy: Any, numbers: Any) -> tuple[str, str]:
    finite = numbers[numpy.isfinite(numbers)]
    return (cell(float(finite.min())), cell(float(finite.max()))) if finite.size else ("", "")
