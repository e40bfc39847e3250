"""Instances of declared classes as JSON: dataclasses, pydantic models, enums, named tuples. Their state is what counts.

None is made by its constructor: what an instance was is what it is again, and no code of the class is run but the
validators of a model, which tell whether it would still be taken.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, cast

import pydantic

from graphrun_nb.core.files import FileRef
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.stores.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OF_EVERY_CLASS = frozenset({"__dict__", "__weakref__"})


def written(value: Any, types: Mapping[str, type], inner: Callable[[Any], Any]) -> dict[str, Any]:
    """Return an instance as a tagged object; `inner` writes its parts. Raises Refused if it is none, or has more."""
    kind = type(value)
    name = qualified_name(kind)
    if types.get(name) is not kind and kind is not FileRef:
        raise Refused
    match value:
        case enum.Flag():
            return {"$": "flag", "type": name, "v": inner(value.value)}
        case enum.Enum():
            return {"$": "enum", "type": name, "v": value.name}
        case pydantic.BaseModel():
            if value.__pydantic_private__:
                raise Refused
            known = {key: value.__dict__[key] for key in kind.model_fields} | (value.__pydantic_extra__ or {})
            fields = {key: inner(each) for key, each in known.items()}
            return {"$": "model", "type": name, "v": fields, "set": sorted(value.__pydantic_fields_set__)}
        case tuple() if is_named(kind):
            if getattr(value, "__dict__", None):
                raise Refused
            items = [inner(each) for each in tuple(value)]
            return {"$": "namedtuple", "type": name, "fields": list(value._fields), "v": items}  # type: ignore[attr-defined]  # see `is_named`
        case _ if dataclasses.is_dataclass(kind):
            names = _field_names(kind)
            if set(getattr(value, "__dict__", ())) - names or _slots(kind) - names:
                raise Refused
            return {"$": "dataclass", "type": name, "v": {each: inner(getattr(value, each)) for each in names}}
    raise Refused


def read(kind: str, value: dict[str, Any], types: Mapping[str, type], inner: Callable[[Any], Any]) -> Any:
    """Return the instance that was written.

    Raises
    ------
    LookupError
        Its class is not known here, or does not take it any more.
    """
    name, body = value["type"], value["v"]
    known = FileRef if name == qualified_name(FileRef) else types.get(name)
    if known is None:
        raise LookupError(f"it is made of {name}, which no tool of this graph declares")
    parts = _parts(kind, body, inner)
    try:
        return _MADE[kind](known, parts, value)
    except Exception as error:
        raise LookupError(f"it is made of {name}, which does not take it any more: {error}") from error


def is_named(kind: type) -> bool:
    """Tell whether a class is a named tuple."""
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def _parts(kind: str, body: Any, inner: Callable[[Any], Any]) -> Any:
    match kind:
        case "enum":
            return body
        case "flag":
            return inner(body)
        case "namedtuple":
            return [inner(each) for each in body]
        case _:
            return {key: inner(each) for key, each in body.items()}


def _member(known: type, name: Any, _: dict[str, Any]) -> Any:
    return cast("type[enum.Enum]", _checked(known, enum.Enum))[name]


def _flag(known: type, value: Any, _: dict[str, Any]) -> Any:
    return _checked(known, enum.Flag)(value)


def _named_tuple(known: type, items: list[Any], told: dict[str, Any]) -> Any:
    if not is_named(known) or list(known._fields) != told["fields"]:  # type: ignore[attr-defined]  # see `is_named`
        raise TypeError(f"its fields were {', '.join(told['fields'])}")
    return tuple.__new__(known, items)


def _model(known: type, fields: dict[str, Any], told: dict[str, Any]) -> Any:
    model = cast("type[pydantic.BaseModel]", _checked(known, pydantic.BaseModel))
    given = fields["root"] if issubclass(model, pydantic.RootModel) else fields
    checked = model.model_validate(given, strict=False, by_name=True, by_alias=True)
    names = model.model_fields
    state = {each: fields[each] if each in fields else getattr(checked, each) for each in names}
    extra = {key: each for key, each in fields.items() if key not in names}
    if extra and checked.__pydantic_extra__ is None:
        raise TypeError(f"it has no {', '.join(extra)}")
    made = model.__new__(model)
    pydantic.BaseModel.__setstate__(
        made,
        {
            "__dict__": state,
            "__pydantic_fields_set__": set(told["set"]),
            "__pydantic_extra__": extra if checked.__pydantic_extra__ is not None else None,
            "__pydantic_private__": checked.__pydantic_private__,
        },
    )
    return made


def _dataclass(known: type, values: dict[str, Any], _: dict[str, Any]) -> Any:
    if not dataclasses.is_dataclass(known):
        raise TypeError("it is no dataclass")
    gone = values.keys() - _field_names(known)
    if gone:
        raise TypeError(f"it has no {', '.join(sorted(gone))}")
    made = object.__new__(known)
    for each in dataclasses.fields(known):
        object.__setattr__(made, each.name, values[each.name] if each.name in values else _default(each))
    return made


_MADE: dict[str, Callable[[type, Any, dict[str, Any]], Any]] = {
    "enum": _member,
    "flag": _flag,
    "namedtuple": _named_tuple,
    "model": _model,
    "dataclass": _dataclass,
}
KINDS = frozenset(_MADE)


def _checked(known: type, base: type) -> Any:
    if not issubclass(known, base):
        raise TypeError(f"it is no {base.__name__}")
    return known


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    raise TypeError(f"nothing is known of {field.name}")


def _field_names(kind: Any) -> set[str]:
    return {each.name for each in dataclasses.fields(kind)}


def _slots(kind: type) -> set[str]:
    """Return the names of all places that instances have beside their ``__dict__``."""
    found: set[str] = set()
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ())
        found.update([slots] if isinstance(slots, str) else slots)
    return found - _OF_EVERY_CLASS
