"""What `RunFuture.result` returns or raises, according to the run's log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import CONTAINERS
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.engine.failure import users_trace
from graphrun_nb.errors import GraphBuildError, GraphHasPendingWaits, GraphRunError, GraphRunFailed
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from graphrun_nb.core.events import NodeInfo
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run


def result_of(run: Run, on_wait: str = "block") -> dict[str, Any]:
    """Return the graph's outputs, or the status dict of a run that only waits, if that is wanted.

    Raises
    ------
    GraphRunFailed
        Nodes failed; chained from the first one's own exception.
    GraphHasPendingWaits
        The run only waits, and was told to raise then.
    TimeoutError
        Its time was up.
    asyncio.CancelledError
        It was cancelled.
    GraphBuildError
        It is done, and its outputs were not kept.
    GraphRunError
        It was interrupted, or its log could not be written.
    """
    state = run.log.state
    if run.crash is not None:
        raise run.crash
    match state.finished:
        case RunStatus.DONE if run.keeper.outputs is not None:
            return dict(run.keeper.outputs)
        case RunStatus.DONE:
            raise GraphBuildError(
                f"the outputs of run {run.run_id!r} were not kept",
                code="resume_snapshot_policy_violation",
                stage="resume_guard",
                hints=("run it again by its run_id, with on_unsaved='rerun'",),
            )
        case RunStatus.FAILED:
            raise _failure(run)
        case RunStatus.CANCELLED if state.cancelled_by == "timeout":
            raise TimeoutError(f"run {run.run_id!r} did not end within {run.env.timeout:g} s")
        case RunStatus.CANCELLED:
            raise asyncio.CancelledError(f"run {run.run_id!r} was cancelled by {state.cancelled_by}")
    if not run.is_alive:
        raise GraphRunError(
            f"run {run.run_id!r} was interrupted, and no process is driving it",
            hints=(f"future.retry() continues it, and so does run(graph, run_id={run.run_id!r})",),
        )
    return _waiting(run, on_wait)


def _waiting(run: Run, on_wait: str) -> dict[str, Any]:
    open_waits = run.waits.open()
    waiting = list(dict.fromkeys(each.node_id for each in open_waits))
    if on_wait == "raise":
        raise GraphHasPendingWaits(
            f"run {run.run_id!r} waits for {', '.join(map(repr, waiting))}",
            waiting_nodes=waiting,
            continuations=open_waits,
        )
    return {
        "status": "waiting",
        "run_id": run.run_id,
        "waiting_nodes": waiting,
        "continuations": list(open_waits),
    }


def _failure(run: Run) -> GraphRunFailed:
    state = run.log.state
    nodes = state.nodes
    failed = [
        node_id
        for node_id, node in nodes.items()
        if node.status is NodeStatus.FAILED and not _was_caught(node.info, state)
    ]
    own = [node_id for node_id in failed if nodes[node_id].info.kind not in CONTAINERS] or failed
    first = nodes[own[0]].error
    also = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
    reason = f"{first.type_name}: {first.message}" if first is not None else "unknown"
    presenter = hooks.here()
    error = GraphRunFailed(
        f"node {own[0]!r}{also} of run {run.run_id!r} failed: {reason}",
        run_id=run.run_id,
        failed_nodes=failed,
        hints=presenter.after_failure(goes_on=not run.spec.body) if presenter is not None else (),
    )
    cause = run.exceptions.get(own[0])
    if cause is not None:
        error.__cause__ = cause.with_traceback(users_trace(cause))
    return error


def _was_caught(info: NodeInfo, state: RunState) -> bool:
    """Tell whether the failure stayed inside some container."""
    while info.parent:
        node = state.nodes[info.parent]
        if node.status is not NodeStatus.FAILED:
            return True
        info = node.info
    return False
