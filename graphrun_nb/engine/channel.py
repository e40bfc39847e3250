"""Talking to a person from inside a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.answers import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from graphrun_nb.core.files import FileRef
    from graphrun_nb.engine.context import NodeContext
    from graphrun_nb.engine.deadline import When
    from graphrun_nb.engine.here import Here


class Said:
    """A note that has been shown: awaiting it takes no time, and is not needed."""

    def __await__(self) -> Generator[Any, None, None]:
        """Return at once."""
        yield from ()


class Channel:
    """Questions to a person, by kind, and notes. `deadline`, `on_deadline` and `default` as for `NodeContext.wait`."""

    def __init__(self, context: NodeContext, here: Here) -> None:
        self._context = context
        self._here = here

    async def ask_approval(
        self,
        prompt: str,
        *,
        options: Sequence[str] = DEFAULT_OPTIONS,
        deadline: When | None = None,
        on_deadline: str = "fail",
        default: Any = ...,
    ) -> dict[str, Any]:
        """Ask for a yes or no; the answer has ``approved`` (bool: the first option was chosen) and ``choice``."""
        answer: dict[str, Any] = await self._context.wait(
            "approval", prompt=prompt, options=options, deadline=deadline, on_deadline=on_deadline, default=default
        )
        return answer

    async def ask_text(
        self, prompt: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ...
    ) -> str:
        """Ask for a text."""
        answer: dict[str, str] = await self._context.wait(
            "text", prompt=prompt, deadline=deadline, on_deadline=on_deadline, default=default
        )
        return answer["text"]

    async def ask_choices(
        self,
        prompt: str,
        options: Sequence[str],
        *,
        deadline: When | None = None,
        on_deadline: str = "fail",
        default: Any = ...,
    ) -> str:
        """Ask for one of `options`."""
        answer: dict[str, str] = await self._context.wait(
            "choice", prompt=prompt, options=options, deadline=deadline, on_deadline=on_deadline, default=default
        )
        return answer["choice"]

    async def ask_files(
        self, prompt: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ...
    ) -> list[FileRef]:
        """Ask for files."""
        answer: dict[str, list[FileRef]] = await self._context.wait(
            "files", prompt=prompt, deadline=deadline, on_deadline=on_deadline, default=default
        )
        return answer["files"]

    def send_text(self, text: str) -> Said:
        """Show a note; it stands in the node's logs as ``note``. Callable from any thread; it may be awaited."""
        self._here.run.output.add_line(self._here, "note", str(text))
        return Said()
