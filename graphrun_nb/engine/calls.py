"""Calls made by a running body: each becomes a node of the body's run, as it happens.

A call comes after those calls of the same body whose results the body had seen when it made this one.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.controls import settings_of
from graphrun_nb.core.events import AttemptStarted, NodeAdded
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.secrets import is_secret
from graphrun_nb.core.spec import Literal, NodeSpec
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.context import NodeContext
from graphrun_nb.engine.here import AWAY, CURRENT
from graphrun_nb.errors import GraphRunError, GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.engine.here import Here
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Callee

MAX_EDGES = 16


def call_in_run(callee: Callee, arguments: Mapping[str, Any], controls: Mapping[str, Any], *, in_thread: bool) -> Any:
    """Make a call from a running body a node of its run; return `NotImplemented` where no body is running.

    Returns
    -------
    dict, or coroutine of dict
        The outputs. An async tool, one that is told to run in a thread, and a nested body have begun when this returns,
        and give a coroutine; inside a body that runs in a thread, every call blocks until it has ended.

    Raises
    ------
    GraphValidationError
        A tool called a tool; code ``tool_nested_tool_call_disallowed``.
    """
    here = CURRENT.get()
    if here is None:
        if AWAY.get() and callee.kind != "body":
            raise _nested(AWAY.get(), callee)
        return NotImplemented
    run = here.run
    if run.graph.spec_of(here.node_id).kind != "body":
        if callee.kind == "body":
            return NotImplemented
        raise _nested(here.node_id, callee)
    if running_loop() is not run.loop:
        node_id = run.call(lambda: run.calls.begin(here, callee, arguments, controls, in_thread=True))
        if run.loop is None:
            raise GraphRunError(f"run {run.run_id!r} has no loop")
        return asyncio.run_coroutine_threadsafe(run.calls.outcome(here.node_id, node_id), run.loop).result()
    if callee.node_function.is_async or in_thread or callee.kind == "body":
        node_id = run.calls.begin(here, callee, arguments, controls, in_thread=in_thread)
        return run.calls.outcome(here.node_id, node_id)
    return run.calls.here_and_now(here, callee, arguments, controls)


def _nested(node_id: str, callee: Callee) -> GraphValidationError:
    return GraphValidationError(
        f"node {node_id!r} calls the tool {callee.name!r}, and a tool is one node, without others inside",
        code="tool_nested_tool_call_disallowed",
        hints=(f"call the plain function, {callee.name}.function(...), or compose tools in @graphify or @graph_fn",),
    )


class Calls:
    """The calls of one run's bodies, on the loop's thread alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._n_named: dict[str, int] = {}
        self._seen: dict[str, tuple[str, ...]] = {}

    def begin(
        self,
        here: Here,
        callee: Callee,
        arguments: Mapping[str, Any],
        controls: Mapping[str, Any],
        *,
        in_thread: bool,
    ) -> str:
        """Let the call start as soon as a slot is free, and return its node id."""
        in_thread = in_thread and self._run.env.executor == "loop"
        spec = self._add(here, callee, arguments, controls, executor="thread" if in_thread else "")
        self._run.scheduler.tell(NodeAdded(spec.info(self._run.env.retry, fingerprint="")))
        return spec.node_id

    async def outcome(self, body: str, node_id: str) -> dict[str, Any]:
        """Return a call's outputs, or raise the exception that it ended in; cancelling this cancels the call."""
        run = self._run
        try:
            await run.scheduler.ended(node_id)
        except asyncio.CancelledError:
            run.scheduler.give_up(node_id, "its caller gave up")
            raise
        self._saw_end(body, node_id)
        match run.state.nodes[node_id].status:
            case NodeStatus.DONE:
                return dict(run.values[node_id])
            case NodeStatus.FAILED:
                raise run.exceptions[node_id]
            case _:
                raise asyncio.CancelledError(f"call {node_id!r} was cancelled")

    def here_and_now(
        self, here: Here, callee: Callee, arguments: Mapping[str, Any], controls: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Run a sync tool right here, on the loop's thread; it is tried once, since a pause would block the loop."""
        run = self._run
        if controls.get("_executor", "loop") != "loop":
            raise GraphValidationError(
                f"{callee.name}(_executor={controls['_executor']!r}) is called without await, so it runs right here",
                code="tool_bad_control",
                hints=(f"await {callee.name}.aio(…)",),
            )
        spec = self._add(here, callee, arguments, {**controls, "_retry": RetryPolicy()}, executor="loop")
        run.scheduler.tell(NodeAdded(spec.info(RetryPolicy(), fingerprint="")), AttemptStarted(spec.node_id, 1))
        attempt = run.scheduler.attempt_without_slot(spec.node_id, 1)
        context = run.launcher.context_of(attempt)
        given = dict(arguments)
        if callee.node_function.context:
            given[callee.node_function.context] = NodeContext(attempt, dict(arguments))
        try:
            value, error = _no_coroutine(callee.name, context.run(callee.node_function.call, **given)), None
        except Exception as exception:  # noqa: BLE001 (user code: it goes on to the body, and into the log)
            value, error = None, exception
        run.scheduler.tell(run.launcher.settle(attempt, value, error))
        self._saw_end(here.node_id, spec.node_id)
        if run.state.nodes[spec.node_id].status is NodeStatus.DONE:
            return dict(run.values[spec.node_id])
        raise run.exceptions[spec.node_id]

    def _add(
        self, here: Here, callee: Callee, arguments: Mapping[str, Any], controls: Mapping[str, Any], *, executor: str
    ) -> NodeSpec:
        run = self._run
        if run.ended or run.state.nodes[here.node_id].status in TERMINAL:
            raise GraphRunError(
                f"{callee.name!r} was called by {here.node_id!r}, which has ended",
                hints=("await everything that a graph function starts before it returns",),
            )
        for control in ("_after", "_condition"):
            if control in controls:
                raise GraphValidationError(
                    f"{callee.name}({control}=…) is for graphs, and this call runs at once",
                    code="tool_bad_control",
                    hints=("in a running function, use if and await",),
                )
        settings = settings_of(callee.name, controls)
        node_id = controls.get("_id") or self._free_id(here, callee.name)
        if node_id in run.state.nodes:
            raise GraphValidationError(
                f"run {run.run_id!r} has a node {node_id!r} already",
                code="graph_duplicate_node_id",
                hints=("leave _id out, or make it differ in each call",),
            )
        spec = NodeSpec(
            node_id=node_id,
            name=controls.get("_name") or node_id,
            kind=callee.kind,
            inputs=tuple((name, Literal(value, "")) for name, value in arguments.items()),
            outputs=callee.outputs,
            code=callee.code,
            parent=here.node_id,
            **{**settings, "after": self._seen.get(here.node_id, ()), "executor": settings.get("executor") or executor},
        )
        if spec.executor:
            run.launcher.check(node_id, spec.executor)
        run.graph.grow(spec, callee.node_function)
        for name, value in arguments.items():
            if is_secret(name):
                run.secrets.add(value)
        hidden = {output for output in callee.outputs if is_secret(output)}
        if hidden:
            run.secrets.outputs[node_id] = hidden
        return spec

    def _saw_end(self, body: str, node_id: str) -> None:
        before = self._run.state.nodes[node_id].info.after
        seen = (*(each for each in self._seen.get(body, ()) if each not in before), node_id)
        self._seen[body] = seen if len(seen) <= MAX_EDGES else (node_id,)

    def _free_id(self, here: Here, name: str) -> str:
        prefix = "" if here.node_id == self._run.spec.body else f"{here.node_id}/"
        while True:
            n = self._n_named[prefix + name] = self._n_named.get(prefix + name, 0) + 1
            node_id = f"{prefix}{name}" if n == 1 else f"{prefix}{name}_{n}"
            if node_id not in self._run.state.nodes:
                return node_id


def _no_coroutine(name: str, value: Any) -> Any:
    if inspect.iscoroutine(value):
        value.close()
        raise GraphRunError(
            f"{name!r} is no async def, and returned a coroutine",
            hints=(f"a wrapper around an async function is called so: await {name}.aio(...)",),
        )
    return value
