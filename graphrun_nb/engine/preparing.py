"""Makes runs ready to start: new ones, resumed ones, and those that inherit from others.

Everything that could be refused is refused here, before anything is recorded: `Run.start` only records, and goes on.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from graphrun_nb.authoring.registry import latest, redefined
from graphrun_nb.authoring.task_graph import TaskGraph
from graphrun_nb.core.events import SpecAccepted
from graphrun_nb.core.ids import is_run_id
from graphrun_nb.core.resumption import appeared
from graphrun_nb.core.spec import GraphSpec, NodeSpec, closest
from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.binding import bind_inputs, graph_of
from graphrun_nb.engine.env import RuntimeEnv, default_store
from graphrun_nb.engine.inheriting import started_of, taken_over
from graphrun_nb.engine.live import RUNS
from graphrun_nb.engine.log import RunLog
from graphrun_nb.engine.resuming import Resuming, differing
from graphrun_nb.engine.run import Run
from graphrun_nb.errors import GraphBuildError, GraphRunError, UnknownNode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.env import OnChanged
    from graphrun_nb.protocols import RunStore


def prepared(
    target: Any, inputs: Mapping[str, Any] | None, env: RuntimeEnv, parent: tuple[str, str] | None = None
) -> Run:
    """Return a run that is ready to start; or one of this process that is under way already, if it has the same id.

    Raises
    ------
    GraphBuildError
        The target or its inputs are refused, or the run cannot go on from what was kept; nothing was recorded.
    SpecChanged
        The graph is not the one that the run began with.
    """
    __tracebackhide__ = True
    graph = graph_of(target)
    known = known_run(env.run_id, env.store) if env.run_id else None
    if known is not None and known.is_alive:
        if graph.fingerprint() == known.source.fingerprint():
            return _joined(known, graph, inputs)
        resuming = Resuming(known, graph, inputs, env, reason="it was called again")
        resuming.events()  # what is refused leaves it as it is
        resuming.refuse_bodies()
        known.call(known.set_down)
        return resuming.onto(known)
    if known is not None:
        return Resuming(known, graph, inputs, env, reason="it was called again").onto(known)
    if env.resume_from_run_id:
        return _taking_over(graph, inputs, env, parent)
    run = Run(graph, bind_inputs(graph.spec, inputs), env, parent=parent)
    run.prepare((started_of(run), SpecAccepted(graph.fingerprint(), graph.infos(env.retry))))
    return run


def retried(run: Run, from_: Sequence[str] = (), on_changed: OnChanged = "keep") -> Run:
    """Return `run`, ready to go on: with what did not end well, or with the nodes `from_` and all below them.

    If its graph has been defined anew since, the new definition is used.

    Raises
    ------
    GraphRunError
        It is under way, or its graph is not defined here.
    GraphBuildError
        Everything is done (code ``resume_no_failed_nodes``), or outputs that are needed were not kept.
    SpecChanged
        The graph has changed, and `on_changed` is ``"raise"``.
    UnknownNode
        `from_` names no node.
    """
    if not run.is_alive:
        run = known_run(run.run_id, run.store) or run
    if run.is_alive:
        raise GraphRunError(
            f"run {run.run_id!r} is under way",
            hints=("retry it when it has ended, or cancel it first: future.cancel()",),
        )
    nodes = run.state.nodes
    for node_id in cast("Sequence[object]", from_):
        if not isinstance(node_id, str) or node_id not in nodes:
            hint = closest(str(node_id), nodes) or f"it has: {', '.join(list(nodes)[:12])}"
            raise UnknownNode(f"run {run.run_id!r} has no node {node_id!r}", hints=(hint,))
    if not from_ and run.state.finished is RunStatus.DONE:
        raise _nothing_failed(run)
    graph = as_defined_now(run)
    env = dataclasses.replace(run.env, observers=(), resume_from_run_id="", on_changed=on_changed)
    env.check()
    return Resuming(run, graph, None, env, reason="it was retried", from_=from_).onto(run)


def anew(run: Run, inputs: Mapping[str, Any]) -> Run:
    """Return a new run of the graph of `run` as it is defined now, with what else that ran with, ready to start.

    Raises
    ------
    GraphBuildError
        The graph or its inputs are refused.
    GraphRunError
        The graph is not defined here.
    """
    graph = as_defined_now(run)
    if not graph.is_known:
        raise GraphRunError(
            f"the graph {graph.name!r} is not defined in this process", hints=("run the cell that defines it",)
        )
    return prepared(graph, inputs, dataclasses.replace(run.env, run_id="", resume_from_run_id=""))


def defined_now(run: Run) -> Any:
    """Return what the run's graph was defined as again, where it was defined; None if it was not.

    Of a run that another process began, only the graph's name is known.
    """
    name, module = run.source.name, run.source.module
    return redefined(name, module) if module else None if run.source.is_known else latest(name)


def as_defined_now(run: Run) -> TaskGraph:
    """Return the graph of `defined_now`, or else the run's own."""
    target = defined_now(run)
    return run.source if target is None else graph_of(target)


def known_run(run_id: str, store: RunStore) -> Run | None:
    """Return a run from this process, if it has it, or else as the store knows it; None if there is none."""
    run = RUNS.get(run_id)
    if run is not None and run.store == store and run.follower is not None:
        run.call(run.follower.look)
    if run is not None and run.store == store and (run.is_alive or len(run.log) == store.n_events(run_id)):
        return run
    history = store.read(run_id) if is_run_id(run_id) else ()
    if not history:
        return None
    log = RunLog(run_id, history)
    run = RUNS[run_id] = Run(_definition(log.state), {}, RuntimeEnv(run_id=run_id, store=store), log=log)
    return run


def asking(digest: str, store: RunStore | None) -> Run | None:
    """Return the run of `store`, by default of the default store, that asked with the token of this digest, if any."""
    store = default_store() if store is None else store
    run_id = store.run_of_wait(digest)
    return None if run_id is None else known_run(run_id, store)


def opened(run_id: str, store: RunStore | None = None) -> Run:
    """Return a run of `store`, by default of the default store, as it stands.

    Raises
    ------
    GraphRunError
        There is none.
    """
    store = default_store() if store is None else store
    run = known_run(run_id, store)
    if run is None:
        raise GraphRunError(f"there is no run {run_id!r} in this store", hints=_known_ids(run_id, store))
    return run


def _definition(state: RunState) -> TaskGraph:
    """Return the run's graph if it is defined in this process, or else what its log says of it."""
    target = latest(state.graph)
    if target is not None:
        try:
            graph = graph_of(target)
        except Exception:  # noqa: BLE001 (a body may raise anything; the run can be looked at without it)
            graph = None
        if graph is not None and graph.fingerprint() == state.fingerprint:
            return graph
    nodes = state.nodes
    specs = tuple(NodeSpec.remembered(each.info) for each in nodes.values() if not appeared(nodes, each.info))
    return TaskGraph(GraphSpec(name=state.graph, nodes=specs), {})


def _joined(run: Run, graph: TaskGraph, inputs: Mapping[str, Any] | None) -> Run:
    """Return a run that is under way, if it is the one that was meant."""
    others = [] if inputs is None else differing(bind_inputs(graph.spec, inputs), run.inputs)
    if others:
        raise GraphRunError(
            f"run {run.run_id!r} is under way, with another {' and '.join(map(repr, others))}",
            hints=("wait for it, cancel it first, or leave run_id out for a run of its own",),
        )
    return run


def _taking_over(
    graph: TaskGraph, inputs: Mapping[str, Any] | None, env: RuntimeEnv, parent: tuple[str, str] | None
) -> Run:
    """Return a new run that takes over what is done in another one.

    Raises
    ------
    GraphBuildError
        There is no such run (code ``resume_source_run_missing``), all of it is done (``resume_no_failed_nodes``), or
        outputs that are needed were not kept.
    SpecChanged
        As `prepared`.
    """
    source = known_run(env.resume_from_run_id, env.store)
    if source is None:
        raise GraphBuildError(
            f"there is no run {env.resume_from_run_id!r} to resume from",
            code="resume_source_run_missing",
            stage="resume_prepare",
            hints=_known_ids(env.resume_from_run_id, env.store),
        )
    resuming = Resuming(source, graph, inputs, env, reason="")
    events = resuming.events()
    if source.state.finished is RunStatus.DONE and not events:
        raise _nothing_failed(source)
    run, opening = taken_over(resuming, events, parent)
    run.prepare(opening)
    return run


def _nothing_failed(run: Run) -> GraphBuildError:
    return GraphBuildError(
        f"all nodes of run {run.run_id!r} are done",
        code="resume_no_failed_nodes",
        stage="resume_guard",
        hints=("future.retry(from_=NODE) runs a node and all below it again",),
    )


def _known_ids(run_id: str, store: RunStore) -> tuple[str, ...]:
    known = list(store.run_ids())
    return (closest(run_id, known) or f"its runs are: {', '.join(known[-8:]) or 'none'}",)
