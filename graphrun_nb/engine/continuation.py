"""What users hold of a wait: the `Continuation` that describes it, and the `Receipt` of an answer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, repr=False)
class Continuation:
    """An open wait, as the one who opened it sees it.

    Attributes
    ----------
    token
        The secret that answers it: whoever has it may. None where it was read back later, and for a wait that nobody
        can answer. It shows in no repr, and is not pickled.
    kind
        ``approval``, ``text``, ``choice``, ``form``, ``files``, ``until``, ``event``, or the node's own word.
    prompt
        What is asked, as plain text.
    schema
        JSON schema of the payloads that it takes, or None for any.
    created_at, deadline
        Unix seconds (UTC); no deadline is None.
    on_deadline
        ``fail`` or ``default``.
    options
        What can be chosen, if that is what is asked.
    """

    token: str | None
    run_id: str
    node_id: str
    attempt: int
    kind: str
    prompt: str
    schema: dict[str, Any] | None
    created_at: float
    deadline: float | None
    on_deadline: str
    options: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = [f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.name != "token"]
        return f"Continuation(token={'…hidden' if self.token else None}, {', '.join(shown)})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(f"<{self.kind} of node {self.node_id!r}: {self.prompt!r}>")

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (None, *(getattr(self, each.name) for each in fields(self)[1:]))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted answer, or a kept event, which has an empty `node_id`; `at` is Unix seconds (UTC)."""

    run_id: str
    node_id: str
    at: float
