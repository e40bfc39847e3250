"""Schemas of answers, as users write them: pydantic models and JSON schemas.

Nothing is ever fetched: a ``$ref`` that leads out of the schema is an error when the wait opens.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.engine.rejection import path_of, rejected
from graphrun_nb.errors import BadWait, PayloadRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema.exceptions import ValidationError
    from pydantic import BaseModel

    Check = Callable[[Any], Any]


def read_schema(schema: Any) -> tuple[dict[str, Any], Check]:
    """Return a schema as JSON schema, and the check that gives the value of a payload.

    Parameters
    ----------
    schema
        A pydantic model, whose check gives an instance; or a JSON schema (Draft 2020-12) as a dict.

    Raises
    ------
    BadWait
        It is neither, it is not valid, or it cannot be kept as JSON.
    """
    if isinstance(schema, type):
        from pydantic import BaseModel  # noqa: PLC0415 (slow to import, and few runs need it)

        if issubclass(schema, BaseModel):
            json_schema, check = _of_model(schema)
            return _as_json(json_schema), _guarded(check)
    if not isinstance(schema, dict):
        raise BadWait(
            f"schema is a pydantic model or a JSON schema, not {schema!r}",
            hints=("for example {'type': 'object', 'properties': {'n': {'type': 'integer'}}, 'required': ['n']}",),
        )
    kept = _as_json(schema)
    return kept, _guarded(_of_json_schema(kept))


async def ready(schema: Any) -> None:
    """Import what reading `schema` needs; in a thread, since it can take more than a second and the loop is shared."""
    if isinstance(schema, dict) and "jsonschema" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "jsonschema")


def _of_model(model: type[BaseModel]) -> tuple[dict[str, Any], Check]:
    from pydantic import ValidationError  # noqa: PLC0415 (as above)

    try:
        json_schema = model.model_json_schema()
    except Exception as error:
        raise BadWait(
            f"the model {model.__name__} has no JSON schema: {error}",
            hints=("use fields that a form can show: text, numbers, booleans, enums, dates, lists, models",),
        ) from error

    def check(payload: Any) -> BaseModel:
        try:
            return model.model_validate(payload)
        except ValidationError as refused:
            errors = refused.errors(include_url=False, include_context=False, include_input=False)
            raise rejected((path_of(each["loc"]), each["msg"]) for each in errors) from None

    return json_schema, check


def _of_json_schema(schema: dict[str, Any]) -> Check:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (slow to import, and few runs need it)
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 (as above)
    from referencing import Registry  # noqa: PLC0415 (as above)
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 (as above)

    try:
        Draft202012Validator.check_schema(schema)
        _follow_refs(schema)
    except SchemaError as error:
        where = path_of(error.absolute_path)
        raise BadWait(
            f"the schema is not valid{f' at {where}' if where else ''}: {error.message}",
            hints=("it is read as JSON Schema, Draft 2020-12",),
        ) from None
    except Unresolvable as error:
        raise BadWait(
            f"the schema refers to {error.ref!r}, which is not in it",
            hints=("put it under $defs; nothing is fetched from elsewhere",),
        ) from None
    except RecursionError as error:
        raise BadWait("the schema is nested too deeply", hints=("a person has to fill it in",)) from error
    validator = Draft202012Validator(schema, registry=Registry())

    def check(payload: Any) -> Any:
        errors = dict.fromkeys(pair for error in validator.iter_errors(payload) for pair in _pairs(error))
        if errors:
            raise rejected(errors)
        return payload

    return check


def _follow_refs(schema: dict[str, Any]) -> None:
    """Look up every ``$ref`` of the schema."""
    from referencing import Registry, Resource  # noqa: PLC0415 (slow to import, and few runs need it)
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 (as above)

    root: Resource[Any] = DRAFT202012.create_resource(schema)
    base = root.id() or ""
    registry: Registry[Any] = Registry().with_resource(base, root)
    todo = [(root, registry.resolver(base))]
    while todo:
        resource, resolver = todo.pop()
        if isinstance(resource.contents, dict):
            for key in ("$ref", "$dynamicRef"):
                if key in resource.contents:
                    resolver.lookup(resource.contents[key])
        todo += [(each, resolver.in_subresource(each)) for each in resource.subresources()]


def _pairs(error: ValidationError) -> Iterator[tuple[str, str]]:
    path = list(error.absolute_path)
    if error.validator != "required":
        yield path_of(path), error.message
        return
    required: Any = error.validator_value
    given: Any = error.instance
    for name in required:
        if name not in given:
            yield path_of([*path, name]), "is required"


def _as_json(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadWait(
            f"the schema cannot be written as JSON: {error}",
            hints=("it may hold dicts with text keys, lists, text, numbers, booleans and None",),
        ) from error
    return kept


def _guarded(check: Check) -> Check:
    """Return `check`, which may run users' validators, so that whatever they raise refuses the answer."""

    def guarded(payload: Any) -> Any:
        try:
            return check(payload)
        except PayloadRejected:
            raise
        except Exception as error:
            raise rejected([("", f"checking it raised {type(error).__name__}: {error}")]) from error

    return guarded
