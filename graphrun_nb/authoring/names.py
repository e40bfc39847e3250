"""Names that people give to graphs, nodes, inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.core.ids import MAX_NAME, is_name
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def checked_name(text: Any, what: str) -> str:
    """Return `text` if it may be a name: 1 to 200 characters, none of them a control character.

    Parameters
    ----------
    what
        What it is to name, for the message: ``"_id"``, ``"the graph"``.

    Raises
    ------
    GraphValidationError
        It may not; code ``graph_invalid_name``.
    """
    if is_name(text):
        return str(text)
    shown = repr(text)
    raise GraphValidationError(
        f"{what} cannot be called {shown if len(shown) <= 60 else f'{shown[:59]}…'}",
        code="graph_invalid_name",
        hints=(f"{_fault(text)}; a name is text of 1 to {MAX_NAME} characters without control characters",),
    )


def checked_names(names: Iterable[str], what: str, *, code: str = "graph_duplicate_name") -> tuple[str, ...]:
    """Return `names`, each of them a name and none of them there twice.

    Raises
    ------
    GraphValidationError
        `names` is a single text, holds something that is no name, or one name twice.
    """
    if isinstance(names, str):
        raise GraphValidationError(
            f"{what}: a list of names is meant, not the text {names!r}", code=code, hints=(f"write [{names!r}]",)
        )
    seen: dict[str, None] = {}
    for name in names:
        if checked_name(name, what) in seen:
            raise GraphValidationError(
                f"{what}: {name!r} is there twice", code=code, hints=("leave one out, or give it another name",)
            )
        seen[name] = None
    return tuple(seen)


def check_inputs(
    graph: str, inputs: Sequence[str], names: Sequence[str], required: frozenset[str], *, open_ended: bool
) -> None:
    """Check that the inputs a graph declares are what its function takes.

    Parameters
    ----------
    names, required
        The function's parameters, and those of them without a default.
    open_ended
        It takes any further keyword.

    Raises
    ------
    GraphValidationError
        An input is no parameter, or a required parameter is no input; code ``graphify_input_mismatch``.
    """
    for each in inputs:
        if each not in names and not open_ended:
            raise GraphValidationError(
                f"graph {graph!r} declares the input {each!r}, and its function has no such parameter",
                code="graphify_input_mismatch",
                hints=(closest(each, list(names)) or f"its parameters are: {', '.join(names) or 'none'}",),
            )
    for each in names:
        if each in required and each not in inputs:
            raise GraphValidationError(
                f"the function of graph {graph!r} needs {each!r}, and inputs does not declare it",
                code="graphify_input_mismatch",
                hints=(closest(each, list(inputs)) or f"add {each!r} to inputs=[...]",),
            )


def _fault(text: Any) -> str:
    if not isinstance(text, str):
        return f"it is of type {type(text).__name__}"
    if not text:
        return "it is empty"
    if len(text) > MAX_NAME:
        return f"it has {len(text)} characters"
    at = next(i for i, char in enumerate(text) if not is_name(char))
    return f"its character {at + 1} is {text[at]!r}"
