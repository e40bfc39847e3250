"""`run`, `run_async`, `resume` and `send_event`: where runs begin and answers arrive."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine import tokens
from graphrun_nb.engine.binding import refuse_inputs
from graphrun_nb.engine.by_token import answered
from graphrun_nb.engine.calls import call_in_run
from graphrun_nb.engine.env import RuntimeEnv, default_store
from graphrun_nb.engine.following import followed
from graphrun_nb.engine.future import RunFuture, shorten, started
from graphrun_nb.engine.here import AWAY, CURRENT
from graphrun_nb.engine.live import RUNS
from graphrun_nb.engine.preparing import asking, opened, prepared
from graphrun_nb.protocols import Call, Error, Lost, Value, hooks
from graphrun_nb.stores import as_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from graphrun_nb.engine.continuation import Receipt
    from graphrun_nb.engine.identity import RequestIdentity
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Callee, RunStore


async def run_async(
    target: Any,
    inputs: Mapping[str, Any] | None = None,
    identity: RequestIdentity | None = None,
    **rt_overrides: Any,
) -> dict[str, Any]:
    """Run a graph on the current event loop and return its outputs.

    Parameters
    ----------
    target
        A ``@graphify`` function, a TaskGraph, a builder, an object with ``.build()``, or a callable giving one.
    inputs
        Values for the graph's inputs, by name.
    identity
        Used with API requests only; ignored locally.
    **rt_overrides
        Fields of `RuntimeEnv`, for this run alone: ``run_id``, ``retry``, ``max_concurrency``, ``timeout``, ….

    Returns
    -------
    dict
        The outputs; or a status dict, if only waits are left and ``on_wait="return"``.

    Raises
    ------
    GraphBuildError
        The target or its inputs were refused (`GraphMaterializationError` is a TypeError); nothing ran.
    GraphRunFailed
        Nodes failed; chained from the first one's own exception.
    GraphHasPendingWaits
        Only waits are left and ``on_wait="raise"``.
    TimeoutError
        The run did not end within ``timeout`` seconds; it was cancelled.

    Notes
    -----
    Cancelling the awaiting task cancels the run; a run that should live on is started with `run`.
    """
    __tracebackhide__ = True
    del identity
    begun, on_wait = _prepared(target, inputs, rt_overrides)
    is_ours = begun.is_prepared
    if is_ours:
        begun.output.echoes = True  # to where the caller prints: nobody else shows this run
    future = started(begun, on_wait)
    try:
        return await future
    except asyncio.CancelledError as cancelled:
        if is_ours:
            if not future.done():
                cancelled.args = (f"run {begun.run_id!r} was cancelled with its caller",)
            shorten(cancelled)
            begun.cancel(by="caller")
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await future
        raise


def run(
    target: Any,
    inputs: Mapping[str, Any] | None = None,
    identity: RequestIdentity | None = None,
    **rt_overrides: Any,
) -> RunFuture:
    """Start a graph and return its future at once.

    On a thread with a running event loop, such as a notebook's kernel, the run lives on that loop. Elsewhere it lives
    on one shared loop in a background thread. Parameters, and errors that are raised at once, as for `run_async`.

    Examples
    --------
    >>> from graphrun_nb import graphify, tool
    >>> @tool(outputs=["total"])
    ... def add(a, b):
    ...     return a + b
    >>> @graphify("sums", inputs=["x"], outputs=["y"])
    ... def sums(x):
    ...     first = add(a=x, b=1)
    ...     return {"y": add(a=first.total, b=10).total}
    >>> run(sums, {"x": 1}).result()
    {'y': 12}
    """
    __tracebackhide__ = True
    del identity
    return started(*_prepared(target, inputs, rt_overrides))


def open_run(run_id: str, *, store: RunStore | str | Path | None = None) -> RunFuture:
    """Return the future of a run that began earlier: alive, ended, or interrupted.

    Opening changes nothing. A run that another process drives is followed: its log, its state and its result are there
    as that records them, and answers reach it. A run that was interrupted goes on with `RunFuture.retry`, or when it is
    called again by its ``run_id``. Its nodes can be looked at without its graph; to go on, that has to be defined in
    this process.

    Parameters
    ----------
    store
        Where to look, by default in the default store: a store, or what names one.

    Raises
    ------
    GraphRunError
        There is no such run.
    """
    return RunFuture(followed(opened(run_id, None if store is None else as_store(store))))


def resume(token: str, payload: Any, *, store: RunStore | str | Path | None = None, by: str = "token") -> Receipt:
    """Answer the wait that `token` opens, from any thread.

    Parameters
    ----------
    token
        `Continuation.token` of a run. If no process drives that run, the answer is kept until one does.
    payload
        The answer.
    store
        Where the run is looked for; by default among those of this process, and then in the default store.
    by
        Where the answer comes from, for those who come later.

    Raises
    ------
    InvalidToken
        Wrong, expired, malformed and foreign tokens alike, and those of waits that were given up.
    AlreadyResumed
        Another answer won.
    PayloadRejected
        The answer does not fit; the wait stays open.
    """
    store = None if store is None else as_store(store)
    digest = tokens.digest_of(token)
    begun = tokens.run_of(digest, store)
    if begun is None:
        where = default_store() if store is None else store
        receipt = answered(where, digest, payload, by=by)
        if receipt is not None:
            return receipt
        begun = asking(digest, where)
    if begun is None or not (begun.is_reachable or begun.is_away):
        raise tokens.refusal(digest, store, default_store())
    return begun.call(functools.partial(begun.answering.answer_token, digest, payload, by=by))


def send_event(
    run_id: str, name: str, payload: Any, *, key: str | None = None, store: RunStore | str | Path | None = None
) -> Receipt:
    """Send an event to a run, from any thread: it answers one `wait_event` of its name.

    That is the oldest open one, or else the next one that opens. If no process drives the run, it is kept.

    Parameters
    ----------
    key
        Of events with the same name and key only the first counts; the others get its receipt.
    store
        Where the run is looked for; by default among those of this process, and then in the default store.

    Raises
    ------
    GraphRunError
        There is no such run, or it has ended.
    """
    store = None if store is None else as_store(store)
    begun = RUNS.get(run_id)
    if begun is None or not begun.is_alive or not (store is None or begun.store == store):
        begun = opened(run_id, store)
    return begun.call(functools.partial(begun.answering.send_event, name, payload, key))


class _Runner:
    """What graph functions ask the engine for; see `protocols.Runner`."""

    def is_inside(self) -> bool:
        return CURRENT.get() is not None or bool(AWAY.get())

    def call(
        self, callee: Callee, arguments: Mapping[str, Any], controls: Mapping[str, Any], *, in_thread: bool
    ) -> Any:
        return call_in_run(callee, arguments, controls, in_thread=in_thread)

    async def in_thread(self, function: Callable[[], Any]) -> Any:
        here = CURRENT.get()
        assert here is not None  # noqa: S101 (asked by a node)
        threads = here.run.launcher.executor("thread")
        match await threads.submit(Call(here.run.run_id, here.node_id, here.attempt, function, {})):
            case Error() as failed:
                raise failed.exception
            case Lost() as lost:
                raise AssertionError(lost.reason)
            case Value() as returned:
                return returned.value

    async def run(self, target: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return await run_async(target, inputs)

    def result(self, target: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        begun, on_wait = _prepared(target, inputs, {})
        begun.output.echoes = True
        return started(begun, on_wait).result()


hooks.runner = _Runner()


def _prepared(target: Any, inputs: Mapping[str, Any] | None, overrides: Mapping[str, Any]) -> tuple[Run, str]:
    """Return a run that is ready to start, and what is to happen when it only waits."""
    __tracebackhide__ = True
    refuse_inputs(target, RuntimeEnv.unknown(overrides))
    env = RuntimeEnv.from_overrides(overrides)
    here = CURRENT.get()
    parent = None if here is None else (here.run.run_id, here.node_id)
    return prepared(target, inputs, env, parent), env.on_wait
