"""``%graphrun debug``: the interactive debugger in a node that failed, where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.frames import is_users, without_our_frames
from graphrun_nb.core.events import CONTAINERS
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import GraphRunError, PartsFailed, UnknownNode
from graphrun_nb.notebook.line import UsageError, take_options, unquoted

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from graphrun_nb.engine.run import Run
    from graphrun_nb.notebook.scope import Scope

_USAGE = "%graphrun debug RUN NODE"
_IN_THIS_PROCESS = ("thread", "loop")


def debug(words: list[str], scope: Scope) -> None:
    """Open the debugger for ``[RUN] [NODE]``: by default the latest run that has a failed node, and its first one.

    Raises
    ------
    GraphRunError
        Nothing failed, or the frames of the failure are not in this process.
    """
    rest, _ = take_options(words)
    if len(rest) > 2:
        raise UsageError(f"debug takes a run and a node, not {' '.join(rest)!r}", hints=(_USAGE,))
    run, node_id = _meant(rest, scope)
    if not node_id:
        node_id = first_failed(run)
    _look(scope.shell, _trace(run, node_id))


def failed_nodes(run: Run) -> list[str]:
    """Return the ids of the failed nodes in order of definition, those that others are made of last. O(nodes)."""
    failed = [node for node in run.state.nodes.values() if node.status is NodeStatus.FAILED]
    failed.sort(key=lambda node: node.info.kind in CONTAINERS)
    return [node.info.node_id for node in failed]


def first_failed(run: Run) -> str:
    """Return the id of the run's first failed node; raises GraphRunError if there is none."""
    failed = failed_nodes(run)
    if not failed:
        raise GraphRunError(f"no node of run {run.run_id!r} has failed", hints=(f"it is {run.state.status.lower()}",))
    return failed[0]


def latest_failed() -> Run | None:
    """Return the run of this process that began last, of those that have a failed node."""
    failed = [run for run in RUNS.values() if failed_nodes(run)]
    return max(failed, key=lambda run: run.state.started_at, default=None)


def _meant(words: list[str], scope: Scope) -> tuple[Run, str]:
    """Return the run and node that the words name; one word is a run, or else a node of the latest failed run."""
    if len(words) == 2:
        return scope.run(words[0]), unquoted(words[1])
    latest = latest_failed()
    if words:
        word = unquoted(words[0])
        try:
            return scope.run(words[0]), ""
        except GraphRunError:
            if latest is None or word not in latest.state.nodes:
                raise
        return latest, word
    if latest is None:
        raise GraphRunError("no run of this process has a failed node", hints=("all runs: %graphrun",))
    return latest, ""


def _trace(run: Run, node_id: str) -> TracebackType:
    """Return the traceback of a node's failure, without frames of ours."""
    node = run.state.nodes.get(node_id)
    hint = f"failed: {', '.join(failed_nodes(run)) or 'none'}"
    if node is None:
        raise UnknownNode(f"run {run.run_id!r} has no node {node_id!r}", hints=(hint,))
    if node.status is not NodeStatus.FAILED:
        what = f"node {node_id!r} of run {run.run_id!r} has not failed: it is {node.status.lower()}"
        raise GraphRunError(what, hints=(hint,))
    error = run.exceptions.get(node_id)
    if error is None:
        raise GraphRunError(
            f"the exception of node {node_id!r} is not in this process",
            hints=(f"what is known of it is under Error: %graphrun show {run.run_id}",),
        )
    while isinstance(error, PartsFailed) and error.__cause__ is not None:
        error = error.__cause__
    trace = without_our_frames(error.__traceback__)
    files = [frame.f_code.co_filename for frame in _frames(trace)]
    where = run.graph.spec_of(node_id).executor or run.env.executor
    if where not in _IN_THIS_PROCESS and not any(map(is_users, files)):
        raise GraphRunError(
            f"node {node_id!r} failed outside of this process, and its frames stayed there (executor {where!r})",
            hints=("run it here to debug it: %graphrun NAME key=value … --executor thread",),
        )
    if trace is None:
        raise GraphRunError(
            f"node {node_id!r} failed outside of its function: {type(error).__name__}: {error}",
            hints=("there is no frame of yours to look at",),
        )
    return trace


def _frames(trace: TracebackType | None) -> list[FrameType]:
    found = []
    while trace is not None:
        found.append(trace.tb_frame)
        trace = trace.tb_next
    return found


def _look(shell: Any, trace: TracebackType) -> None:
    """Let the shell's own debugger begin at the innermost frame of the user's code."""
    debugger = shell.debugger_cls()
    whole_stack = debugger.get_stack

    def get_stack(frame: FrameType | None, trace: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        stack, at = whole_stack(frame, trace)
        users = [i for i, (each, _) in enumerate(stack) if is_users(each.f_code.co_filename)]
        return stack, users[-1] if users else at

    debugger.get_stack = get_stack
    debugger.reset()
    try:
        debugger.interaction(None, trace)
    except NotImplementedError as error:  # what ipykernel raises for input() where the client takes no questions
        raise GraphRunError(
            "this front end cannot ask for input, which the debugger needs",
            hints=("open the notebook in JupyterLab, or read the Error tab of the node",),
        ) from error
