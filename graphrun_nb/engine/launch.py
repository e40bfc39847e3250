"""Makes the coroutine of an attempt that was started, and the event that records how it ended."""

from __future__ import annotations

import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.slips import hint_for
from graphrun_nb.authoring.tool import named_outputs
from graphrun_nb.core.events import CONTAINERS, AttemptFailed, AttemptLost, AttemptSucceeded, Event
from graphrun_nb.core.spec import closest, resolve
from graphrun_nb.engine.containers import run_container
from graphrun_nb.engine.context import NodeContext
from graphrun_nb.engine.here import CURRENT
from graphrun_nb.engine.limit import limited
from graphrun_nb.errors import GraphValidationError, NodeLost
from graphrun_nb.executors import EXECUTORS, make_executor
from graphrun_nb.protocols import Call, Error, Lost, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from graphrun_nb.authoring.plan import Plan
    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Executor

_SET_CURRENT = CURRENT.set


class _Gone(Exception):
    """The attempt was lost with what ran it."""


class Launcher:
    """Calls the nodes of one run.

    Attributes
    ----------
    base
        The Context that every attempt begins with a copy of.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._plan_of = run.graph.plan_of
        self._plans = run.graph.plans
        self._values = run.values
        self._only = run.values.only
        self._secret_outputs = run.secrets.outputs
        self._refers = run.keeper.refers
        chosen = run.env.executor
        self._lent = {} if isinstance(chosen, str) else {chosen.name: chosen}
        self._executors: dict[str, Executor] = dict(self._lent)
        self._default = chosen if isinstance(chosen, str) else chosen.name
        self.base = contextvars.Context()
        for node in run.spec.nodes:
            if node.executor:
                self.check(node.node_id, node.executor)

    def launch(self, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        """Return the coroutine that gives the node's value or raises."""
        plan = attempt.plan = self._plans.get(attempt.node_id) or self._plan_of(attempt.node_id)
        call: Callable[..., Coroutine[Any, Any, Any]] = plan.call
        n_fed = plan.n_fed
        if n_fed > 1:
            return call(*plan.fetch(self._only))
        if n_fed == 1:
            return call(plan.fetch(self._only))
        if n_fed == 0:
            return call()
        run, values = self._run, self._values
        arguments: dict[str, Any] = {}
        for name, node_id, output in plan.refs:
            arguments[name] = values.of(node_id, output)
        for name, binding in plan.rest:
            arguments[name] = resolve(binding, values, run.inputs)
        if plan.context:
            arguments[plan.context] = NodeContext(attempt, dict(arguments))
        if plan.direct:
            return call(**arguments)
        if plan.spec.kind in CONTAINERS:
            return run_container(run, attempt, plan, arguments)
        return self.submit(plan, attempt, arguments)

    def context_of(self, attempt: Attempt) -> contextvars.Context:
        """Return a new Context that knows the attempt."""
        context = self.base.copy()
        context.run(_SET_CURRENT, attempt)
        return context

    def settle(self, attempt: Attempt, value: Any, error: BaseException | None) -> Event:
        """Return the event that records how an attempt ended."""
        if error is None:
            try:
                node_id = attempt.node_id
                plan = attempt.plan or self._plan_of(node_id)
                if plan.output and not isinstance(value, dict):
                    self._only[node_id] = value
                elif plan.outputs or plan.spec.kind != "body":
                    self._values[node_id] = named_outputs(node_id, plan.outputs, value)
                else:
                    self._values[node_id] = value
                if self._secret_outputs and node_id in self._secret_outputs:
                    self._run.secrets.add_outputs(node_id, self._values[node_id])
                if not self._refers:
                    return AttemptSucceeded(node_id, attempt.attempt)
                kept = self._run.persistence.keep_outputs(node_id, plan.outputs, self._values[node_id])
                return AttemptSucceeded(node_id, attempt.attempt, kept)
            except BaseException as unfit:  # noqa: BLE001 (a dict of the user's may raise anything)
                error = unfit
        if isinstance(error.__cause__, StopIteration) and str(error) == "coroutine raised StopIteration":
            error = error.__cause__  # what Python makes of one that leaves a coroutine says nothing of the user's line
        if isinstance(error, _Gone):
            self._run.exceptions[attempt.node_id] = NodeLost(f"node {attempt.node_id!r} was lost: {error}")
            return AttemptLost(attempt.node_id, attempt.attempt, str(error))
        hint = hint_for(error, self._run.graph.spec_of(attempt.node_id).kind)
        if hint:
            error.add_note(f"hint: {hint}")
        self._run.exceptions[attempt.node_id] = error
        return AttemptFailed(attempt.node_id, attempt.attempt, self._run.secrets.describe(error))

    def writing(self, attempt: Attempt, value: Any) -> Callable[[], None] | None:
        """Return what writes the large ones among a node's outputs, or None if there are none."""
        keeper = self._run.keeper
        plan = attempt.plan or self._plan_of(attempt.node_id)
        outputs = list(value.values()) if type(value) is dict and plan.outputs else [value]
        heavy = [each for each in outputs if keeper.is_heavy(each)]
        return functools.partial(keeper.write, heavy) if heavy else None

    async def submit(self, plan: Plan, attempt: Attempt, arguments: dict[str, Any]) -> Any:
        """Run a node's function where it belongs, and return its value or raise; awaits a coroutine it returns."""
        call = Call(self._run.run_id, attempt.node_id, attempt.attempt, plan.call, arguments, plan.context)
        rest = _value_from(self._executor_of(plan), call)
        return await limited(self._run, attempt, plan.spec.timeout_s, rest)

    def check(self, node_id: str, executor: str) -> None:
        """Raise GraphValidationError if this run has no executor that is called as a node wants it."""
        if executor not in EXECUTORS and executor not in self._lent:
            known = (*EXECUTORS, *self._lent)
            raise GraphValidationError(
                f"node {node_id!r} wants the executor {executor!r}, and there is none",
                code="graph_unknown_executor",
                hints=(closest(executor, known) or f"there are: {', '.join(known)}",),
            )

    def executor(self, name: str) -> Executor:
        """Return this run's executor called `name`, which is made when it is first needed."""
        if name not in self._executors:
            self._executors[name] = make_executor(name)
        return self._executors[name]

    def close(self) -> None:
        """Let go of the executors that were made for this run."""
        for name, executor in self._executors.items():
            if name not in self._lent:
                executor.close()

    def _executor_of(self, plan: Plan) -> Executor:
        wanted = plan.spec.executor
        if plan.function.is_async and wanted in ("", "thread"):
            return self.executor("loop")
        return self.executor(wanted or self._default)


async def _value_from(executor: Executor, call: Call) -> Any:
    match await executor.submit(call):
        case Error(exception):
            raise exception
        case Lost(reason):
            raise _Gone(reason)
        case Value(value) if inspect.iscoroutine(value):  # a sync wrapper around an async function
            return await value
        case Value(value):
            return value
        case outcome:
            raise TypeError(f"an executor gives a Value, an Error or a Lost, not {outcome!r}")
