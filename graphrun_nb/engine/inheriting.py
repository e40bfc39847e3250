"""New runs that begin with the finished nodes of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import NodeSkipped, OutputPinned, RunForked, RunStarted, SpecAccepted, ValueRef
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.engine.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.core.events import Event, NodeInfo
    from graphrun_nb.engine.resuming import Resuming

_KEPT = (NodeStatus.DONE, NodeStatus.SKIPPED)


def taken_over(resuming: Resuming, events: Sequence[Event], parent: tuple[str, str] | None) -> tuple[Run, list[Event]]:
    """Return a new run, and what it begins with: the outputs of all nodes that stay done. O(nodes + edges).

    Parameters
    ----------
    events
        What would let the other run itself go on.
    """
    source, graph, env = resuming.past, resuming.graph, resuming.env
    run = Run(graph, resuming.inputs, env, parent=parent)
    own = graph.infos(env.retry)
    skipped: dict[str, str] = {each.node_id: each.because for each in events if type(each) is NodeSkipped}
    touched = {getattr(each, "node_id", "") for each in events}
    nodes = source.state.nodes
    infos = list(own)
    infos += [
        info
        for info in resuming.infos[len(own) :]
        if nodes[info.node_id].status is NodeStatus.DONE and info.node_id not in touched and _is_element(info, nodes)
    ]
    taken: list[Event] = []
    for info in infos:
        node = nodes.get(info.node_id)
        if info.node_id in skipped:
            taken.append(NodeSkipped(info.node_id, skipped[info.node_id]))
        elif node is None or node.status not in _KEPT or info.node_id in touched:
            continue
        elif node.status is NodeStatus.SKIPPED:
            taken.append(NodeSkipped(info.node_id, node.because))
        else:
            refs = tuple(ValueRef(preview=ref.preview) for ref in node.values)
            if info.node_id in source.values:
                values = run.values[info.node_id] = source.values[info.node_id]
                refs = run.persistence.keep_outputs(info.node_id, info.outputs, values)
            taken.append(OutputPinned(info.node_id, refs, source.run_id))
    accepted = SpecAccepted(graph.fingerprint(), tuple(infos))
    return run, [started_of(run), RunForked(source.run_id, source.state.seq), accepted, *taken]


def started_of(run: Run) -> RunStarted:
    """Return the first event of a new run."""
    env = run.env
    return RunStarted(
        graph=run.spec.name,
        inputs=tuple((name, run.persistence.keep(value, name=name)) for name, value in run.inputs.items()),
        max_concurrency=env.max_concurrency,
        session_id=env.session_id,
        agent_id=env.agent_id,
        app_id=env.app_id,
        parent=run.parent,
    )


def _is_element(info: NodeInfo, nodes: Mapping[str, Any]) -> bool:
    """Tell whether the node is an element of a mapped node, and not made by the calls of a running body."""
    while info.parent:
        info = nodes[info.parent].info
        if info.kind == "body":
            return False
    return True
