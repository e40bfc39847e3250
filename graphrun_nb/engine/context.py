"""What a running function sees of its run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.ids import is_name
from graphrun_nb.engine import nested
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.channel import Channel
from graphrun_nb.engine.live import live_run
from graphrun_nb.engine.question import pause, question
from graphrun_nb.engine.schemas import ready
from graphrun_nb.errors import BadWait, GraphRunError
from graphrun_nb.protocols import Signal

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from graphrun_nb.engine.deadline import When
    from graphrun_nb.engine.here import Here
    from graphrun_nb.engine.question import Question


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

    def detached(self) -> dict[str, Any]:
        """Return the plain facts among it, by name; from them a process child makes its own context."""
        names = ("run_id", "session_id", "agent_id", "app_id", "node_id", "attempt", "idempotency_key")
        return {name: getattr(self, name) for name in names}

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the run to end."""
        return bool(self._run.log.state.cancelled_by)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Show how far the node is; `total` None means that nobody knows. Callable from any thread."""
        shown = f"{done:g}/{total:g} {text}".rstrip() if total is not None else f"{done:g} {text}".rstrip()
        signal = Signal(self.node_id, self.attempt, "progress", shown, self._run.clock.time())
        self._run.post(lambda: self._run.tell_progress(signal))

    async def wait(
        self,
        kind: str,
        *,
        prompt: str = "",
        schema: Any = None,
        options: Sequence[str] = (),
        deadline: When | None = None,
        on_deadline: str = "fail",
        default: Any = ...,
    ) -> Any:
        """Ask something and return the checked answer; the node holds no slot meanwhile.

        Only an async tool can ask: without ``await`` nothing happens. A node may ask several things at once, with
        `asyncio.gather`.

        Parameters
        ----------
        kind
            ``approval``, ``text``, ``choice`` or ``files``; any other word takes any payload, or what `schema` says.
        prompt
            What is asked, shown as plain text.
        schema
            A pydantic model, of which an instance is returned; or a JSON schema (Draft 2020-12) as a dict.
        options
            What can be chosen.
        deadline
            Seconds from now, a timedelta, or an aware datetime; None waits for ever.
        on_deadline
            ``fail`` raises WaitExpired here; ``default`` takes `default` as if it had been answered.
        default
            A payload, checked when the wait opens.

        Raises
        ------
        BadWait
            This cannot be asked; no wait was opened.
        WaitExpired
            Nobody answered before the deadline.
        """
        await ready(schema)
        return await self._ask(
            question(
                kind,
                now=self._run.clock.time(),
                prompt=prompt,
                schema=schema,
                options=options,
                deadline=deadline,
                on_deadline=on_deadline,
                default=default,
            )
        )

    async def wait_event(
        self, name: str, *, deadline: When | None = None, on_deadline: str = "fail", default: Any = ...
    ) -> Any:
        """Return the payload of the oldest event `name` that no other wait took, as soon as one comes; as `wait`.

        Events come from `RunFuture.send_event` and `graphrun_nb.send_event`, before or after this.
        """
        if not is_name(name):
            raise BadWait(f"an event's name is a text, not {name!r}", hints=("1 to 200 characters",))
        return await self._ask(
            question(
                "event",
                now=self._run.clock.time(),
                prompt=name,
                deadline=deadline,
                on_deadline=on_deadline,
                default=default,
                name=name,
            )
        )

    async def sleep_until(self, when: When) -> None:
        """Go on at `when` (seconds from now, a timedelta, or an aware datetime); the node holds no slot meanwhile."""
        await self._ask(pause(when, self._run.clock.time()))

    def asked_before(self) -> Coroutine[Any, Any, Any] | None:
        """Return what waits for the answer to the question that this node asked before its process ended, if it did.

        An answer to a pydantic model is plain data then.
        """
        asked = self._run.asking.asked_before(self._here)
        return None if asked is None else self._ask(asked)

    async def _ask(self, asked: Question) -> Any:
        if running_loop() is not self._run.loop:
            raise GraphRunError(
                f"node {self.node_id!r} asks on another event loop than its run's",
                hints=("make the tool async and await it there; a sync tool cannot wait",),
            )
        return await self._run.asking.ask(self._here, asked)

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
        return Channel(self, self._here)
