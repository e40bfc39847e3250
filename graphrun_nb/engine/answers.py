"""What counts as an answer to each built-in kind of wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import closest
from graphrun_nb.engine.files import FILES_SCHEMA, read_files
from graphrun_nb.engine.rejection import rejected
from graphrun_nb.errors import BadWait
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.errors import PayloadRejected

DEFAULT_OPTIONS = ("Approve", "Reject")
MAX_SHOWN = 200


def checker(kind: str, options: tuple[str, ...]) -> tuple[dict[str, Any] | None, Callable[[Any], Any]]:
    """Return the JSON schema of the payloads that a kind of wait takes, and the check that gives a payload's value.

    A kind that is not built in takes any payload as it is; it has no schema.

    Raises
    ------
    BadWait
        The options are too few.
    """
    match kind:
        case "approval":
            if len(options) < 2:
                raise BadWait(f"an approval needs two options at least, not {list(options)!r}", hints=(_OPTIONS_HINT,))
            properties = {"approved": {"type": "boolean"}, "choice": {"enum": list(options)}}
            schema = {"type": "object", "properties": properties, "minProperties": 1, "additionalProperties": False}
            return schema, lambda payload: _approval(options, payload)
        case "text":
            return _object(text={"type": "string"}), _text
        case "choice":
            if not options:
                raise BadWait("a choice needs options", hints=(_OPTIONS_HINT,))
            return _object(choice={"enum": list(options)}), lambda payload: _choice(options, payload)
        case "files":
            return FILES_SCHEMA, read_files
        case _:
            return None, lambda payload: payload


_OPTIONS_HINT = "options=['Yes', 'No'], for example"


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _approval(options: tuple[str, ...], payload: Any) -> dict[str, Any]:
    if isinstance(payload, bool):
        payload = {"approved": payload}
    elif isinstance(payload, str):
        payload = {"choice": payload}
    if not isinstance(payload, dict) or not payload or not payload.keys() <= {"approved", "choice"}:
        raise rejected(
            [("", f"an approval takes {{'approved': true or false}} or {{'choice': option}}, not {_shown(payload)}")],
            hints=(f"the options are: {', '.join(options)}",),
        )
    if "approved" in payload and not isinstance(payload["approved"], bool):
        raise rejected(
            [("approved", f"must be true or false, not {_shown(payload['approved'])}")],
            hints=(f"give True for {options[0]!r}, False for {options[1]!r}",),
        )
    choice = payload.get("choice", options[0] if payload.get("approved") else options[1])
    if choice not in options:
        raise _no_option(options, choice)
    approved = choice == options[0]
    if payload.get("approved", approved) is not approved:
        raise rejected(
            [("approved", f"contradicts the choice {choice!r}")], hints=("give one of them; the other follows",)
        )
    return {"approved": approved, "choice": choice}


def _text(payload: Any) -> dict[str, Any]:
    text = payload.get("text") if isinstance(payload, dict) else payload
    if not isinstance(text, str):
        raise rejected([("text", f"must be a text, not {_shown(payload)}")], hints=("give a str, or {'text': str}",))
    return {"text": text}


def _choice(options: tuple[str, ...], payload: Any) -> dict[str, Any]:
    choice = payload.get("choice") if isinstance(payload, dict) else payload
    if choice not in options:
        raise _no_option(options, choice)
    return {"choice": choice}


def _no_option(options: tuple[str, ...], choice: Any) -> PayloadRejected:
    hint = closest(str(choice), list(options)) or f"the options are: {', '.join(options)}"
    message = f"{_shown(choice)} is no option"
    return rejected([("choice", message)], message=message, hints=(hint,))


def _shown(value: Any) -> str:
    text = preview(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
