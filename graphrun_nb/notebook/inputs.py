"""The inputs of a run as fields that a person can edit: what type each has, and which values are kept as they are."""

from __future__ import annotations

import inspect
import json
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from graphrun_nb.core.secrets import is_secret
from graphrun_nb.core.spec import Arg
from graphrun_nb.engine.preparing import as_defined_now, defined_now
from graphrun_nb.engine.rejection import path_of, rejected
from graphrun_nb.errors import GraphInputBindError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.engine.run import Run

MAX_FIELD = 20_000
"""Characters of JSON; a longer value is no more edited in a form."""

_SCALARS = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class _Field:
    """An input that can be edited: how its JSON is read, and what it is now; `...` if that is not known."""

    adapter: TypeAdapter[Any]
    required: bool
    value: Any
    shown: Any


class Inputs:
    """The inputs with which a run can be begun again, of its graph as it is defined now."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._graph = as_defined_now(run)
        self._fields: dict[str, _Field] = {}
        self._kept: dict[str, Any] = {}
        hints = _hints(self._graph, defined_now(run))
        for each in self._graph.spec.inputs:
            value = run.inputs.get(each.name, ... if each.required else each.default)
            field = _field(run, each.name, value, hints.get(each.name, Any), required=each.required)
            if field is not None:
                self._fields[each.name] = field
            elif value is not ...:
                self._kept[each.name] = value
            else:
                raise GraphInputBindError(
                    f"the value of {each.name!r} was not kept",
                    code="graph_inputs_missing_required",
                    hints=(f"launch the graph in a cell, with {each.name}=…",),
                )

    def told(self) -> dict[str, Any]:
        """Return the fields as one JSON schema with what they hold, and the rest as people may see it."""
        keys = [(name, "validation", field.adapter) for name, field in self._fields.items()]
        schemas, shared = TypeAdapter.json_schemas(keys)  # type: ignore[arg-type] # the names are keys enough
        properties = {}
        for name, field in self._fields.items():
            properties[name] = {"title": name, **schemas[name, "validation"]}
            if not field.required:
                properties[name].pop("default", None)
        return {
            "graph": self._graph.name,
            "schema": {
                "type": "object",
                "properties": properties,
                "required": [name for name, field in self._fields.items() if field.required],
                "$defs": shared.get("$defs", {}),
            },
            "initial": {name: field.shown for name, field in self._fields.items() if field.shown is not ...},
            "kept": [
                [name, type(value).__name__, self._run.secrets.preview(value, name)]
                for name, value in self._kept.items()
            ],
        }

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs that are meant by what a form gave; what was not edited is the very value it was.

        Raises
        ------
        PayloadRejected
            Some do not fit; it says which.
        """
        inputs = dict(self._kept)
        wrong = [(name, "This is no field of the form.") for name in given if name not in self._fields]
        for name, field in self._fields.items():
            if name not in given:
                if field.required:
                    wrong.append((name, "Required."))
            elif given[name] == field.shown and type(given[name]) is type(field.shown):
                inputs[name] = field.value
            else:
                try:
                    inputs[name] = field.adapter.validate_json(json.dumps(given[name]))
                except ValidationError as error:
                    told = error.errors(include_url=False, include_context=False, include_input=False)
                    wrong += [(path_of((name, *each["loc"])), each["msg"]) for each in told]
        if wrong:
            raise rejected(wrong, message="these inputs do not fit", hints=("correct them and run again",))
        return inputs


def _hints(graph: TaskGraph, target: Any) -> dict[str, Any]:
    """Return what the graph's own function says of its inputs, or else the tools that take them."""
    found: dict[str, Any] = {}
    for node in graph.spec.nodes:
        taken = [(name, binding.name) for name, binding in node.inputs if isinstance(binding, Arg)]
        function = graph.functions.get(node.node_id)
        if taken and function is not None:
            hints = _annotations(function.call)
            found.update({of: hints[name] for name, of in taken if name in hints and of not in found})
    return found | (_annotations(inspect.unwrap(target)) if callable(target) else {})


def _annotations(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 (an annotation may be any expression)
        return {}


def _field(run: Run, name: str, value: Any, hint: Any, *, required: bool) -> _Field | None:
    """Return the field for a value, or None if it has none: it is secret, large, or nothing that JSON has."""
    if is_secret(name):
        return None
    for kind in _kinds(hint, value):
        try:
            adapter = TypeAdapter(kind)
            adapter.json_schema()
            if value is ...:
                return _Field(adapter, required, ..., ...)
            text = json.dumps(adapter.dump_python(value, mode="json"), allow_nan=False)
            again = adapter.validate_json(text)
            if len(text) <= MAX_FIELD and type(again) is type(value) and bool(again == value):
                return _Field(adapter, required, value, json.loads(text)) if run.secrets.scrub(text) == text else None
        except Exception:  # noqa: BLE001, S112 (types and values of users' may raise anything when they are looked at)
            continue
    return None


def _kinds(hint: Any, value: Any) -> Iterator[Any]:
    """Yield the types that a field may have: what is declared, and else what the value itself is."""
    if hint is not Any:
        yield hint
    if value is ... or value is None:
        return
    kind = type(value)
    if kind in (list, tuple) and value and len({type(each) for each in value}) == 1 and type(value[0]) in _SCALARS:
        inner = type(value[0])
        yield list[inner] if kind is list else tuple[inner, ...]  # type: ignore[valid-type] # made at run time
    yield kind
