"""The classes that a graph's tools name in their annotations: what their values may be made of."""

from __future__ import annotations

import dataclasses
import enum
import sys
import typing
import weakref
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.ids import qualified_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.authoring.task_graph import TaskGraph

_KNOWN: weakref.WeakKeyDictionary[Any, dict[str, type]] = weakref.WeakKeyDictionary()


def declared_types(graph: TaskGraph) -> dict[str, type]:
    """Return dataclasses, pydantic models, named tuples and enums of a graph's tools by qualified name. O(nodes).

    They are found in annotations of parameters and results, also inside of ``list[...]``, ``X | None`` and the fields
    of other such classes or of typed dicts.
    """
    found: dict[str, type] = {}
    for each in graph.distinct_functions():
        found.update(_types_of(each.call))
    return found


def _types_of(function: Callable[..., Any]) -> dict[str, type]:
    try:
        known = _KNOWN.get(function)
    except TypeError:
        return _looked_up(function)
    if known is None:
        known = _KNOWN[function] = _looked_up(function)
    return known


def _looked_up(function: Any) -> dict[str, type]:
    found: dict[str, type] = {}
    if getattr(function, "__annotations__", None) or hasattr(function, "__func__"):
        for hint in _hints(function).values():
            _collect(hint, found)
    return found


def _hints(annotated: Any) -> dict[str, Any]:
    """Return annotations with their texts looked up; without those that cannot be."""
    try:
        return typing.get_type_hints(annotated)
    except Exception:  # noqa: BLE001 (an annotation may be any expression)
        return {
            name: hint for name, hint in getattr(annotated, "__annotations__", {}).items() if not isinstance(hint, str)
        }


def _collect(hint: Any, found: dict[str, type]) -> None:
    for inner in typing.get_args(hint):
        _collect(inner, found)
    hint = typing.get_origin(hint) or hint
    if not isinstance(hint, type) or not _is_made_of_fields(hint):
        return
    name = qualified_name(hint)
    if name not in found:
        found[name] = hint
        if not issubclass(hint, enum.Enum):
            for inner in _hints(hint).values():
                _collect(inner, found)
            for field in getattr(hint, "__pydantic_fields__", {}).values():  # of a generic model, what it was given
                _collect(field.annotation, found)


def _is_made_of_fields(kind: type) -> bool:
    pydantic = sys.modules.get("pydantic")  # whoever has a model has imported it
    is_model = pydantic is not None and issubclass(kind, pydantic.BaseModel)
    is_named = issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)
    is_plain = is_named or typing.is_typeddict(kind) or issubclass(kind, enum.Enum)
    return is_model or is_plain or dataclasses.is_dataclass(kind)
