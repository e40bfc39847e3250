"""What a running function sees of its run."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.answers import DEFAULT_OPTIONS
from graphrun_nb.protocols import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.engine.run import Run


class Here:
    """Which attempt of which run the current code belongs to."""

    __slots__ = ("attempt", "node_id", "run")

    def __init__(self, run: Run, node_id: str, attempt: int) -> None:
        self.run = run
        self.node_id = node_id
        self.attempt = attempt


CURRENT: ContextVar[Here | None] = ContextVar("graphrun_here", default=None)


class NodeContext:
    """A node's view of its run; injected where a tool has a parameter ``context`` (or one annotated NodeContext).

    Attributes
    ----------
    run_id, session_id, agent_id, app_id, node_id : str
    attempt : int
        From 1.
    inputs : mapping
        The node's arguments by name.
    logger : logging.Logger
    """

    def __init__(self, here: Here, inputs: Mapping[str, Any]) -> None:
        env = here.run.env
        self._run = here.run
        self.run_id = here.run.run_id
        self.session_id = env.session_id
        self.agent_id = env.agent_id
        self.app_id = env.app_id
        self.node_id = here.node_id
        self.attempt = here.attempt
        self.inputs = inputs
        self.logger = logging.getLogger(f"graphrun.{self.node_id}")

    @property
    def idempotency_key(self) -> str:
        """The same text for every attempt of this node in this run, for services that drop repeats."""
        return f"{self.run_id}:{self.node_id}"

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the run to end."""
        return bool(self._run.log.state.cancelled_by)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Show how far the node is; `total` None means that nobody knows. Callable from any thread."""
        shown = f"{done:g}/{total:g} {text}".rstrip() if total is not None else f"{done:g} {text}".rstrip()
        signal = Signal(self.node_id, self.attempt, "progress", shown, self._run.clock.time())
        self._run.post(lambda: self._run.log.signal(signal))

    async def wait(self, kind: str, *, prompt: str = "", options: Sequence[str] = ()) -> Any:
        """Ask something and return the answer; the node holds no slot meanwhile.

        Parameters
        ----------
        kind
            ``approval``, ``text`` or ``choice``; any other word takes any payload.
        prompt
            What is asked, shown as plain text.
        options
            What can be chosen.
        """
        return await self._run.waits.ask(self.node_id, self.attempt, kind=kind, prompt=prompt, options=options)

    def channel(self) -> Channel:
        """Return the ways to talk to a person."""
        return Channel(self)


class Channel:
    """Questions to a person, by kind."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context

    async def ask_approval(self, prompt: str, *, options: Sequence[str] = DEFAULT_OPTIONS) -> dict[str, Any]:
        """Ask for a yes or no; the answer has ``approved`` (bool) and ``choice``."""
        answer: dict[str, Any] = await self._context.wait("approval", prompt=prompt, options=options)
        return answer

    async def ask_text(self, prompt: str) -> str:
        """Ask for a line of text."""
        answer: dict[str, str] = await self._context.wait("text", prompt=prompt)
        return answer["text"]

    async def ask_choices(self, prompt: str, options: Sequence[str]) -> str:
        """Ask for one of `options`."""
        answer: dict[str, str] = await self._context.wait("choice", prompt=prompt, options=options)
        return answer["choice"]
