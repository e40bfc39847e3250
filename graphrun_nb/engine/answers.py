"""What counts as an answer to each kind of wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import closest
from graphrun_nb.errors import PayloadRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEFAULT_OPTIONS = ("Approve", "Reject")


def checked(kind: str, options: Sequence[str], payload: Any) -> Any:
    """Return the value that a node gets for `payload`.

    Raises
    ------
    PayloadRejected
        The payload does not fit; it says where and why.
    """
    check = _CHECKS.get(kind)
    return payload if check is None else check(tuple(options), payload)


def schema_of(kind: str, options: Sequence[str]) -> dict[str, Any] | None:
    """Return the JSON schema of the payloads that a built-in kind takes; None if it takes anything."""
    match kind:
        case "approval":
            properties: dict[str, Any] = {"approved": {"type": "boolean"}, "choice": {"enum": list(options)}}
            return {"type": "object", "properties": properties, "minProperties": 1}
        case "text":
            return {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        case "choice":
            return {"type": "object", "properties": {"choice": {"enum": list(options)}}, "required": ["choice"]}
        case _:
            return None


def _approval(options: tuple[str, ...], payload: Any) -> dict[str, Any]:
    if isinstance(payload, bool):
        payload = {"approved": payload}
    elif isinstance(payload, str):
        payload = {"choice": payload}
    if not isinstance(payload, dict) or not payload or not payload.keys() <= {"approved", "choice"}:
        raise PayloadRejected(
            f"an approval takes {{'approved': true or false}} or {{'choice': option}}, not {payload!r}",
            errors=(("", "give approved, or choice"),),
            hints=(f"the options are: {', '.join(options)}",),
        )
    choice = payload.get("choice")
    if choice is None:
        approved = payload.get("approved")
        if not isinstance(approved, bool):
            raise PayloadRejected(
                f"approved is true or false, not {approved!r}", errors=(("approved", "must be true or false"),)
            )
        choice = options[0] if approved else options[1]
    _require_option(options, choice)
    approved = choice == options[0]
    if payload.get("approved", approved) is not approved:
        raise PayloadRejected(
            f"approved and choice contradict each other: {payload!r}", errors=(("approved", "contradicts choice"),)
        )
    return {"approved": approved, "choice": choice}


def _text(options: tuple[str, ...], payload: Any) -> dict[str, Any]:  # noqa: ARG001 (all checks look alike)
    text = payload.get("text") if isinstance(payload, dict) else payload
    if not isinstance(text, str):
        raise PayloadRejected(f"text is a string, not {text!r}", errors=(("text", "must be a string"),))
    return {"text": text}


def _choice(options: tuple[str, ...], payload: Any) -> dict[str, Any]:
    choice = payload.get("choice") if isinstance(payload, dict) else payload
    _require_option(options, choice)
    return {"choice": choice}


def _require_option(options: tuple[str, ...], choice: Any) -> None:
    if choice not in options:
        hint = closest(str(choice), list(options)) or f"the options are: {', '.join(options)}"
        raise PayloadRejected(f"{choice!r} is no option", errors=(("choice", "is no option"),), hints=(hint,))


_CHECKS: dict[str, Callable[[tuple[str, ...], Any], Any]] = {"approval": _approval, "text": _text, "choice": _choice}
