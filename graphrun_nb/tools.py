"""The built-in waits, as tools: a graph asks a person and goes on with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _wait_tool(*outputs: str) -> Callable[[Callable[..., Any]], Tool]:
    return lambda function: Tool(function, outputs=outputs, kind="wait")


@_wait_tool("approved", "choice")
async def ask_approval(prompt: str, options: Sequence[str] = ("Approve", "Reject"), *, context: Any) -> dict[str, Any]:
    """Ask a person for a yes or no.

    Outputs: ``approved`` (bool: the first option was chosen) and ``choice`` (the option). The answer is
    ``{"approved": bool}``, ``{"choice": option}``, or a bare bool or option.

    Raises
    ------
    ValueError
        There are fewer than two options, or two alike.
    """
    if len(options) < 2 or len(set(options)) != len(options):
        raise ValueError(f"ask_approval needs at least two different options, not {list(options)!r}")
    answer: dict[str, Any] = await context.wait("approval", prompt=prompt, options=options)
    return answer


@_wait_tool("text")
async def ask_text(prompt: str, *, context: Any) -> dict[str, Any]:
    """Ask a person for text. Output: ``text``. The answer is ``{"text": str}`` or a bare string."""
    answer: dict[str, Any] = await context.wait("text", prompt=prompt)
    return answer


@_wait_tool("choice")
async def ask_choices(prompt: str, options: Sequence[str], *, context: Any) -> dict[str, Any]:
    """Ask a person to choose. Output: ``choice``. The answer is ``{"choice": option}`` or a bare option."""
    answer: dict[str, Any] = await context.wait("choice", prompt=prompt, options=options)
    return answer
