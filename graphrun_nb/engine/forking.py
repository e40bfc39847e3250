"""`fork`: a new run that begins where another one stood, with other inputs, answers or tools."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.events import (
    AnswerKept,
    AttemptStarted,
    NodeCancelled,
    NodeReset,
    NodeSkipped,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.status import TERMINAL, UNDER_WAY
from graphrun_nb.engine import tokens
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.engine.future import RunFuture, started
from graphrun_nb.engine.here import CURRENT
from graphrun_nb.engine.inheriting import taken_over
from graphrun_nb.engine.prefix import Prefix
from graphrun_nb.engine.preparing import as_defined_now, known_run, opened
from graphrun_nb.engine.recall import Recalled
from graphrun_nb.engine.resuming import Resuming
from graphrun_nb.errors import GraphBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.core.events import Event, ValueRef
    from graphrun_nb.engine.recall import Asked
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import RunStore

_FIRST = 2
"""The event that says what graph a run follows."""


def fork(
    run: RunFuture | str,
    *,
    at: int | None = None,
    inputs: Mapping[str, Any] | None = None,
    store: RunStore | None = None,
    **rt_overrides: Any,
) -> RunFuture:
    """Begin a new run where `run` stood after its event `at`, and return its future at once; `run` stays as it is.

    Nodes that were done keep their outputs and do not run. A question that was open is open again, with a token of its
    own and the time that it had; answers that its node had been given before are not asked for again. What was running
    begins anew. The graph is run as it is defined now, so that a tool mended in a cell is used; ``on_changed``
    chooses as for `RunFuture.retry`.

    Parameters
    ----------
    run
        A future, or the id of a run in `store`; under way, ended or interrupted.
    at
        Number of an event of its log, at least 2; by default the last one.
    inputs
        The ones to change; nodes that take them run again, and so does all below.
    store
        Where `run` is looked for, by default in the default store. The new run is kept where that one is.
    **rt_overrides
        As for `run`; what is left out is as it was in `run`.

    Raises
    ------
    GraphBuildError
        There is no such event (code ``fork_no_such_event``), `run_id` is taken (code ``fork_run_exists``), `run` is of
        a graph function, or outputs that are needed were not kept. Nothing was recorded.
    SpecChanged
        The graph has changed, and ``on_changed="raise"``.
    GraphInputBindError
        An input is unknown.
    GraphRunError
        There is no such run, or its graph is not defined here.

    Examples
    --------
    >>> from graphrun_nb import fork, graphify, run, tool
    >>> @tool(outputs=["total"])
    ... def add(a, b):
    ...     return a + b
    >>> @graphify("sums", inputs=["x", "z"], outputs=["y"])
    ... def sums(x, z):
    ...     return {"y": add(a=add(a=x, b=1).total, b=z).total}
    >>> future = run(sums, {"x": 1, "z": 10})
    >>> future.result()
    {'y': 12}
    >>> fork(future, inputs={"z": 20}).result()
    {'y': 22}
    """
    __tracebackhide__ = True
    source = opened(run, store) if isinstance(run, str) else run.run
    env = _env_of(source, rt_overrides)
    if env.run_id and known_run(env.run_id, env.store) is not None:
        raise GraphBuildError(
            f"there is a run {env.run_id!r} already",
            code="fork_run_exists",
            stage="resume_prepare",
            hints=("choose another run_id, or leave it out",),
        )
    here = CURRENT.get()
    parent = None if here is None else (here.run.run_id, here.node_id)
    return started(_forked(source, at, inputs, env, parent), env.on_wait, loop=source.loop)


def _env_of(source: Run, overrides: Mapping[str, Any]) -> RuntimeEnv:
    given = RuntimeEnv.from_overrides(overrides)
    chosen = {name: getattr(given, name) for name, value in overrides.items() if value is not None}
    return dataclasses.replace(
        source.env, **{"run_id": "", "observers": (), "resume_from_run_id": "", "on_changed": "keep", **chosen}
    )


def _forked(
    source: Run,
    at: int | None,
    inputs: Mapping[str, Any] | None,
    env: RuntimeEnv,
    parent: tuple[str, str] | None,
) -> Run:
    __tracebackhide__ = True
    n = len(source.log)
    if at is not None and (type(at) is not int or not _FIRST <= at <= n):
        raise GraphBuildError(
            f"run {source.run_id!r} cannot be forked at {at!r}",
            code="fork_no_such_event",
            stage="resume_prepare",
            hints=(f"at is the number of one of its events, from {_FIRST} to {n}: future.events lists them",),
        )
    past = Prefix(source, n if at is None else at)
    resuming = Resuming(past, as_defined_now(source), inputs or {}, env, reason="it was forked", changes_inputs=True)
    resuming.refuse_bodies()
    events = resuming.events()
    run, opening = taken_over(resuming, events, parent)
    run.outdated = resuming.outdated
    run.prepare((*opening, *_Carrying(run, past, events).events))
    return run


class _Carrying:
    """What the new run has of questions and answers, told with its own values and tokens.

    Parameters
    ----------
    run
        The new one.
    events
        What would let the other one go on.
    """

    def __init__(self, run: Run, past: Prefix, events: list[Event]) -> None:
        self.events: list[Event] = []
        self._run = run
        self._past = past
        self._now = run.clock.time()
        self._started: set[str] = set()
        self._known = {node.node_id for node in run.spec.nodes}
        self._again = {each.node_id for each in events if isinstance(each, NodeReset | NodeSkipped | NodeCancelled)}
        recalled = Recalled((each.at, each.event) for each in past.log)
        for node_id, of_node in recalled.asked.items():
            if self._goes_on(node_id):
                self._carry(node_id, [of_node[no] for no in sorted(of_node)])
        for node_id, each in recalled.kept.items():
            if (
                node_id in self._known
                and node_id not in self._again
                and past.state.nodes[node_id].status not in TERMINAL
            ):
                self._add(AnswerKept(node_id, each.answer, by=each.by))
        for name, arrived in recalled.events.items():
            for each in arrived:
                self._add(AnswerKept("", each.answer, name=name, by=each.by))

    def _goes_on(self, node_id: str) -> bool:
        """Tell whether the node, and all that it is a part of, is in the same place in the new run."""
        nodes = self._past.state.nodes
        while node_id:
            node = nodes[node_id]
            if node.status not in UNDER_WAY or node_id in self._again or node_id not in self._known:
                return False
            node_id = node.info.parent
        return True

    def _carry(self, node_id: str, asked: list[Asked]) -> None:
        try:
            told = [event for each in asked for event in self._told(node_id, each)]
        except LookupError:
            return  # what was not kept has to be asked once more, from the node's beginning
        if told:
            self._start(node_id)
            self.events += told

    def _start(self, node_id: str) -> None:
        parent = self._past.state.nodes[node_id].info.parent
        if parent:
            self._start(parent)
        if node_id not in self._started:
            self._started.add(node_id)
            self.events.append(AttemptStarted(node_id, 1))

    def _told(self, node_id: str, asked: Asked) -> list[Event]:
        """Return what the new run says of a question; raises LookupError if that needs what was not kept."""
        info = asked.info
        changes: dict[str, Any] = {}
        if info.default is not None:
            changes["default"] = self._kept(info.default)
        if info.deadline is not None and info.kind != "until" and not asked.how:
            changes["deadline"] = self._now + info.deadline - asked.at
        answer = None if asked.answer is None else self._kept(asked.answer)
        if info.token_digest:
            token, changes["token_digest"] = tokens.new_token(self._run)
            if not asked.how:
                self._run.new_tokens[changes["token_digest"]] = token
        events: list[Event] = [WaitOpened(node_id, 1, structs.replace(info, **changes))]
        if answer is not None:
            events.append(WaitResolved(node_id, 1, info.no, answer, asked.by))
        elif asked.how:
            events.append(WaitExpired(node_id, 1, info.no, info.on_deadline))
        return events

    def _kept(self, ref: ValueRef) -> ValueRef:
        return self._run.persistence.keep(self._past.keeper.get(ref))

    def _add(self, came: AnswerKept) -> None:
        try:
            self.events.append(structs.replace(came, answer=self._kept(came.answer)))
        except LookupError:
            return  # it was not kept
