"""What is recorded when a run is resumed: which nodes keep their outputs, and which run again.

A node that is done keeps its outputs unless it is asked to run again; one that failed, was cancelled, or was skipped
because of either, begins anew with a fresh budget. What was under way when the process ended is lost and will be tried
again, except what was waiting and what is made of other nodes: those attempts are carried on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptLost,
    CancelRequested,
    NodeCancelled,
    NodeReset,
    NodeSkipped,
    RunFinished,
)
from graphrun_nb.core.graph import topological_order
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from graphrun_nb.core.events import Event, NodeInfo
    from graphrun_nb.core.state import NodeState

_GROWING = ("map", "body")


def appeared(nodes: Mapping[str, NodeState], info: NodeInfo) -> bool:
    """Tell whether the node is none of its graph's definition: it, or what it is a part of, came while the run went."""
    while info.parent:
        parent = nodes[info.parent].info
        if parent.kind in _GROWING:
            return True
        info = parent
    return False


def with_appeared(nodes: Mapping[str, NodeState], infos: Sequence[NodeInfo]) -> tuple[NodeInfo, ...]:
    """Return `infos` and those nodes that appeared in containers which are still among them. O(nodes)."""
    known = {info.node_id for info in infos}
    kept = list(infos)
    for node_id, node in nodes.items():
        if node_id not in known and node.info.parent in known and appeared(nodes, node.info):
            known.add(node_id)
            kept.append(node.info)
    return tuple(kept)


def changed_nodes(nodes: Mapping[str, NodeState], infos: Sequence[NodeInfo]) -> list[str]:
    """Return the ids of the nodes that `infos` define differently, newly, or no longer. O(nodes)."""
    before = {node_id: node.info for node_id, node in nodes.items() if not appeared(nodes, node.info)}
    now = {info.node_id: info for info in infos}
    changed = [
        node_id
        for node_id, info in now.items()
        if node_id not in before or before[node_id].fingerprint != info.fingerprint
    ]
    return changed + [node_id for node_id in before if node_id not in now]


def with_all_below(infos: Sequence[NodeInfo], start: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return what has to run again together with `start`. O(nodes + edges).

    Returns
    -------
    set of str
        `start`, all below it, and the parts of containers among them.
    set of str
        Containers that only have to be gone through again, because some of their parts are in the first set.
    """
    after = _after(infos)
    parts = _parts(infos)
    parent = {info.node_id: info.parent for info in infos if info.parent}
    again: set[str] = set()
    opened: set[str] = set()
    queue = [node_id for node_id in dict.fromkeys(start) if node_id in after]
    again.update(queue)
    for node_id in queue:
        for each in (*after[node_id], *parts.get(node_id, ())):
            if each not in again:
                again.add(each)
                queue.append(each)
        container = parent.get(node_id)
        while container and container not in again and container not in opened:
            opened.add(container)
            for each in after[container]:
                if each not in again:
                    again.add(each)
                    queue.append(each)
            container = parent.get(container)
    return again, opened - again


def resumed(
    nodes: Mapping[str, NodeState], infos: Sequence[NodeInfo], again: Collection[str] = (), *, reason: str, lost: str
) -> list[Event]:
    """Return the events that let the run go on. O(nodes + edges).

    Parameters
    ----------
    nodes
        Where the nodes stand.
    infos
        The nodes from now on, those that appeared among them; each of them that `nodes` does not have is new.
    again
        Nodes that run once more although they may be done.
    reason
        Why nodes are reset, for people.
    lost
        What became of the attempts that were under way, for people.
    """
    by_id = {info.node_id: info for info in infos}
    before = {
        info.node_id: dict.fromkeys((*info.needs, *info.after, *((info.parent,) if info.parent else ())))
        for info in infos
    }
    taking = _Taking(nodes, by_id, _parts(infos), again=set(again), reason=reason, lost=lost)
    for node_id in topological_order(before):
        taking.take(node_id, before[node_id])
    return taking.events


class _Taking:
    """What has been found so far, going from what comes first to what comes last."""

    def __init__(
        self,
        nodes: Mapping[str, NodeState],
        infos: Mapping[str, NodeInfo],
        parts: Mapping[str, list[str]],
        *,
        again: set[str],
        reason: str,
        lost: str,
    ) -> None:
        self.nodes = nodes
        self.infos = infos
        self.again = again
        self.reason = reason
        self.lost = lost
        self.parts = parts
        self.events: list[Event] = []
        self.skipped: set[str] = set()
        self.restarted_bodies: set[str] = set()

    def take(self, node_id: str, before: Iterable[str]) -> None:
        """Decide about one node; all before it have been decided about."""
        node = self.nodes.get(node_id)
        info = self.infos[node_id]
        status = NodeStatus.PENDING if node is None else node.status
        if self._is_left_over(node_id, info):
            if status not in TERMINAL:
                self.events.append(NodeCancelled(node_id, info.parent))
            return
        forced = node_id in self.again
        skipped_above = next((each for each in before if each in self.skipped), "")
        if status is NodeStatus.PENDING:
            if skipped_above:
                self.skipped.add(node_id)
                self.events.append(NodeSkipped(node_id, skipped_above))
        elif status in TERMINAL:
            is_skipped = status is NodeStatus.SKIPPED and node is not None and bool(skipped_above or not node.because)
            if forced or not (is_skipped or status is NodeStatus.DONE):
                self.events.append(NodeReset(node_id, self.reason))
                is_skipped = bool(skipped_above)
                if is_skipped:
                    self.events.append(NodeSkipped(node_id, skipped_above))
            if is_skipped:
                self.skipped.add(node_id)
        elif forced:
            self.events += (NodeCancelled(node_id), NodeReset(node_id, self.reason))
        elif status is NodeStatus.RUNNING and node is not None and self._is_lost(node_id, info):
            self.events.append(AttemptLost(node_id, node.attempt, self.lost))
        if info.kind == "body" and (forced or status not in (NodeStatus.DONE, NodeStatus.SKIPPED)):
            self.restarted_bodies.add(node_id)

    def _is_left_over(self, node_id: str, info: NodeInfo) -> bool:
        """Tell whether the node was called by a body that begins again, and is going to make calls of its own."""
        if not info.parent or info.parent not in self.restarted_bodies:
            return False
        self.restarted_bodies.add(node_id)
        return True

    def _is_lost(self, node_id: str, info: NodeInfo) -> bool:
        if info.kind not in CONTAINERS:
            return True
        if info.kind != "body":
            return False
        known = [self.nodes[each] for each in self.parts.get(node_id, ()) if each in self.nodes]
        left = [each for each in known if each.status not in TERMINAL]
        return not left or any(each.status is NodeStatus.RUNNING for each in left)


def _after(infos: Sequence[NodeInfo]) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {info.node_id: [] for info in infos}
    for info in infos:
        for each in dict.fromkeys((*info.needs, *info.after)):
            after[each].append(info.node_id)
    return after


def _parts(infos: Sequence[NodeInfo]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for info in infos:
        if info.parent:
            parts.setdefault(info.parent, []).append(info.node_id)
    return parts


def called_off(nodes: Mapping[str, NodeState], by: str) -> list[Event]:
    """Return what is recorded when a run that nobody drives is cancelled."""
    left = [NodeCancelled(node_id) for node_id, node in nodes.items() if node.status not in TERMINAL]
    return [CancelRequested(by), *left, RunFinished(RunStatus.CANCELLED)]
