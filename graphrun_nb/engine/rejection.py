"""How an answer that does not fit is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.errors import PayloadRejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.events import ValueRef
    from graphrun_nb.protocols import Keeper

MAX_TOLD = 3
MAX_TEXT = 500


def rejected(errors: Iterable[tuple[str, str]], *, message: str = "", hints: Iterable[str] = ()) -> PayloadRejected:
    """Return the refusal that names what is wrong where; its message has the first three.

    Parameters
    ----------
    errors
        Path inside the payload (``""`` for the whole) and message.
    message
        Of the refusal as a whole, where that is said better otherwise.
    hints
        What to do, if there is more to say than to correct it.
    """
    pairs = [(path, text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…") for path, text in errors]
    told = "; ".join(f"{path}: {text}" if path else text for path, text in pairs[:MAX_TOLD])
    more = f"; and {len(pairs) - MAX_TOLD} more" if len(pairs) > MAX_TOLD else ""
    return PayloadRejected(
        message or f"the answer does not fit: {told}{more}",
        errors=pairs,
        hints=tuple(hints) or ("correct it and answer again: the wait stays open",),
    )


def require_kept(answer: ValueRef, keeper: Keeper) -> ValueRef:
    """Return what stands for an answer that another process is to read; raises PayloadRejected if it cannot be kept."""
    if keeper.refers and answer.codec == "memory":
        raise rejected(
            [("", "it cannot be kept as it is, and the run is not in this process")],
            hints=("answer with texts, numbers, lists and dicts",),
        )
    return answer


def path_of(parts: Iterable[Any]) -> str:
    """Return a path inside a payload as text: ``items.0.price``."""
    return ".".join(map(str, parts))
