"""Tells whether two values are the same in type and in all of their parts; ``==`` takes 1 for True."""

from __future__ import annotations

import dataclasses
import decimal
import enum
import math
import sys
from typing import Any

import pydantic


def is_same(one: Any, other: Any) -> bool:  # noqa: PLR0911 (a table of kinds)
    """Tell whether `other` is what `one` is. May raise what the ``==`` of a class raises."""
    if type(one) is not type(other):
        return False
    match one:
        case enum.Enum():
            return one is other
        case float():
            return (math.isnan(one) and math.isnan(other)) or (
                one == other and math.copysign(1, one) == math.copysign(1, other)
            )
        case complex():
            return is_same(one.real, other.real) and is_same(one.imag, other.imag)
        case decimal.Decimal():
            return str(one) == str(other)
        case list() | tuple():
            return len(one) == len(other) and all(map(is_same, one, other))
        case dict():
            return len(one) == len(other) and all(map(is_same, one.items(), other.items()))
        case set() | frozenset():
            twins = {each: each for each in other}
            return len(one) == len(other) and all(each in twins and is_same(each, twins[each]) for each in one)
        case pydantic.BaseModel():
            return all(
                is_same(*sides)
                for sides in (
                    (_of_fields(one), _of_fields(other)),
                    (one.__pydantic_extra__, other.__pydantic_extra__),
                    (one.__pydantic_fields_set__, other.__pydantic_fields_set__),
                )
            )
        case _ if dataclasses.is_dataclass(one):
            return all(is_same(getattr(one, name), getattr(other, name)) for name in _names(one))
        case _ if _is_of_numpy(one):
            return _are_same_arrays(one, other)
    return bool(one == other)


def _of_fields(model: pydantic.BaseModel) -> dict[str, Any]:
    return {name: model.__dict__.get(name) for name in type(model).model_fields}


def _names(value: Any) -> list[str]:
    return [each.name for each in dataclasses.fields(value)]


def _is_of_numpy(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


def _are_same_arrays(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.names is not None:
        return all(is_same(one[name], other[name]) for name in one.dtype.names)
    return bool(one.tobytes() == other.tobytes())
