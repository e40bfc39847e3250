"""What a running function sees of its run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine import nested
from graphrun_nb.engine.answers import DEFAULT_OPTIONS
from graphrun_nb.engine.live import live_run
from graphrun_nb.protocols import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.engine.here import Here


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
        self._here = here
        self._run = here.run
        self.run_id = here.run.run_id
        self.session_id = env.session_id
        self.agent_id = env.agent_id
        self.app_id = env.app_id
        self.node_id = here.node_id
        self.attempt = here.attempt
        self.inputs = inputs

    @property
    def logger(self) -> logging.Logger:
        """The logger ``graphrun.<node id>``; what it is told at INFO and above stands in the node's logs."""
        return logging.getLogger(f"graphrun.{self.node_id}")

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

    async def spawn_run(self, target: Any, inputs: Mapping[str, Any] | None = None, **overrides: Any) -> str:
        """Start a run of its own and return its id; it goes on when this node ends.

        Parameters
        ----------
        target
            What `run` takes, or the name of a graph that is defined in this process.
        inputs, overrides
            As for `run`; store, clock, session, agent and app are this run's if not given.
        """
        return nested.spawn(self._here, target, inputs, overrides).run_id

    async def run_and_wait(
        self, target: Any, inputs: Mapping[str, Any] | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """Start a run and return its outputs; raises as `run_async`. This node holds no slot meanwhile.

        Cancelling this node cancels the run. Parameters as for `spawn_run`.
        """
        return await nested.spawn_and_wait(self._here, target, inputs, overrides)

    async def wait_run(self, run_id: str, timeout_s: float | None = None) -> dict[str, Any]:
        """Return the outputs of a run of this process; this node holds no slot meanwhile.

        Raises
        ------
        GraphRunError
            There is no such run here.
        TimeoutError
            `timeout_s` seconds have passed; the run goes on.
        """
        return await nested.wait_for(self._here, run_id, timeout_s)

    async def cancel_run(self, run_id: str) -> bool:
        """Ask a run of this process to end; return False if it has ended already."""
        run = live_run(run_id)
        return run.call(lambda: run.cancel(by=f"{self.run_id}/{self.node_id}"))

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
