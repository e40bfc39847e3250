"""The built-in waits, as tools: a graph asks a person, or waits for an event or an instant, and goes on then.

All take ``deadline=`` (seconds from when the wait opens, a timedelta, or an aware datetime), ``on_deadline=`` (``fail``
raises WaitExpired in the node, ``default`` goes on with `default`) and ``default=`` (an answer, checked when the wait
opens), except `wait_until`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.handles import Unseen
from graphrun_nb.authoring.tool import Tool
from graphrun_nb.core.files import FileRef
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    When = float | timedelta | datetime

__all__ = [
    "FileRef",
    "ask_approval",
    "ask_choices",
    "ask_files",
    "ask_form",
    "ask_text",
    "wait_event",
    "wait_until",
]


def _wait_tool(*outputs: str) -> Callable[[Callable[..., Any]], Tool]:
    return functools.partial(Tool, outputs=outputs, kind="wait")


@_wait_tool("approved", "choice")
async def ask_approval(
    prompt: str,
    options: Sequence[str] = ("Approve", "Reject"),
    *,
    deadline: When | None = None,
    on_deadline: str = "fail",
    default: Any = ...,
    context: Any,
) -> dict[str, Any]:
    """Ask a person for a yes or no.

    Outputs: ``approved`` (bool: the first option was chosen) and ``choice`` (the option). The answer is
    ``{"approved": bool}``, ``{"choice": option}``, or a bare bool or option; not approved is the second option.
    """
    answer: dict[str, Any] = await context.wait(
        "approval", prompt=prompt, options=options, deadline=deadline, on_deadline=on_deadline, default=default
    )
    return answer


@_wait_tool("text")
async def ask_text(
    prompt: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ..., context: Any
) -> dict[str, Any]:
    """Ask a person for text. Output: ``text``. The answer is ``{"text": str}`` or a bare string."""
    answer: dict[str, Any] = await context.wait(
        "text", prompt=prompt, deadline=deadline, on_deadline=on_deadline, default=default
    )
    return answer


@_wait_tool("choice")
async def ask_choices(
    prompt: str,
    options: Sequence[str],
    *,
    deadline: When | None = None,
    on_deadline: str = "fail",
    default: Any = ...,
    context: Any,
) -> dict[str, Any]:
    """Ask a person to choose. Output: ``choice``. The answer is ``{"choice": option}`` or a bare option."""
    answer: dict[str, Any] = await context.wait(
        "choice", prompt=prompt, options=options, deadline=deadline, on_deadline=on_deadline, default=default
    )
    return answer


@_wait_tool("files")
async def ask_files(
    prompt: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ..., context: Any
) -> dict[str, list[FileRef]]:
    """Ask a person for files. Output: ``files``, a list of `FileRef`.

    The answer is ``{"files": [{"name": str, "mime": str, "data": base64 text}, ...]}``.
    """
    answer: dict[str, list[FileRef]] = await context.wait(
        "files", prompt=prompt, deadline=deadline, on_deadline=on_deadline, default=default
    )
    return answer


@_wait_tool("payload")
async def wait_event(
    name: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ..., context: Any
) -> dict[str, Any]:
    """Wait for the event `name`, which `future.send_event` or `send_event` sends. Output: ``payload``."""
    return {"payload": await context.wait_event(name, deadline=deadline, on_deadline=on_deadline, default=default)}


@_wait_tool()
async def wait_until(when: When, *, context: Any) -> None:
    """Go on at `when`: seconds from when the node starts, a timedelta, or an aware datetime. It has no outputs."""
    await context.sleep_until(when)


def ask_form(prompt: Any, schema: Any, **settings: Any) -> Any:
    """Ask a person to fill in a form; each field of the schema is an output of the node.

    Parameters
    ----------
    prompt
        What is asked.
    schema
        A pydantic model, or the JSON schema of an object, as a plain value: the outputs follow from it. A field that
        was left out is its default, or None.
    **settings
        ``deadline``, ``on_deadline``, ``default``, and node controls such as ``_id``.

    Raises
    ------
    GraphValidationError
        The schema has no fields, or is not known while the graph is built.
    """
    return _form(schema)(prompt=prompt, **settings)


def _form(schema: Any) -> Tool:
    if isinstance(schema, dict):
        schema = {"type": "object", **schema}
    described, defaults = _fields(schema)

    async def ask_form(
        prompt: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ..., context: Any
    ) -> dict[str, Any]:
        answer = await context.wait(
            "form", prompt=prompt, schema=schema, deadline=deadline, on_deadline=on_deadline, default=default
        )
        if isinstance(answer, dict):
            return {name: answer.get(name, left_out) for name, left_out in defaults.items()}
        return {name: getattr(answer, name) for name in defaults}

    version = hashlib.sha256(json.dumps(described, sort_keys=True, default=repr).encode()).hexdigest()
    return Tool(ask_form, outputs=tuple(defaults), version=version, kind="wait")


def _fields(schema: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a form, and its fields with what each is if it is left out."""
    if isinstance(schema, Unseen):
        raise _unusable(f"{schema!r} is not known while the graph is built")
    model_fields = getattr(schema, "model_fields", None)
    if isinstance(schema, type) and model_fields:
        try:
            described: dict[str, Any] = schema.model_json_schema()  # type: ignore[attr-defined]  # a pydantic model
        except Exception as error:
            raise _unusable(f"{schema.__name__} has no JSON schema: {error}") from error
        return described, dict.fromkeys(model_fields)
    if isinstance(schema, dict) and schema["type"] == "object":
        properties = schema.get("properties")
        if isinstance(properties, dict) and properties:
            return schema, {
                name: each.get("default") if isinstance(each, dict) else None for name, each in properties.items()
            }
    raise _unusable(f"it has no fields: {schema!r}"[:200])


def _unusable(why: str) -> GraphValidationError:
    return GraphValidationError(
        f"ask_form(schema=...): {why}",
        code="tool_bad_argument",
        hints=("pass a pydantic model, or {'type': 'object', 'properties': {...}}",),
    )
