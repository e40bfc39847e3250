"""Which nodes can start now, and what falls due when: an index over spec and state that never needs a scan.

It could be rebuilt from the state at any time (`Frontier(state)`); keeping it by `advance` makes a turn O(changed).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    NodeAdded,
    NodeCancelled,
    NodeSkipped,
    OutputPinned,
    RetryScheduled,
    WaitOpened,
)
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.core.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.events import Event, NodeInfo
    from graphrun_nb.core.state import NodeState, RunState

_PENDING = NodeStatus.PENDING
_RETRYING = NodeStatus.RETRYING
_DONE = NodeStatus.DONE
_FAILED = NodeStatus.FAILED
_UNDER_WAY = (NodeStatus.RUNNING, NodeStatus.WAITING)


class Frontier:
    """The moving edge of a run.

    A node is ready once all that comes before it is done and its parent, if it has one, has started. A call made by a
    running body is ready at once: what comes before it had ended, one way or another, when it was made.

    Parameters
    ----------
    topology
        That of exactly the nodes of `state`, in the same order, where it is known already.

    Attributes
    ----------
    n_open
        Nodes that have not ended.
    failed
        Nodes whose failure no policy has been asked about yet.
    has_failed
        Whether any node ever failed.
    given_up
        Those of them that no policy need be asked about: `decide` failed them itself.
    lost
        Nodes whose process died since the last decision.
    stopped
        Containers that were cancelled since the last decision, whose parts are to be.
    emptied
        Containers that may have no open part any more.
    topology
        Who comes before whom, by position.
    nodes, left
        For each position its node, and how much has to happen before that can start.
    ready
        Heap of the positions of nodes that can start, with some that cannot any more.
    timers
        Heap of what falls due: instant, position, number of the wait or -1; with some that do not any more.
    """

    def __init__(self, state: RunState, topology: Topology | None = None) -> None:
        self._state = state
        self._shared = topology is not None
        self._take_over(topology or Topology([node.info for node in state.nodes.values()]))
        self.left = self.topology.n_before.copy()
        self._n_children = {parent: len(each) for parent, each in self._children.items()}
        self.timers: list[tuple[float, int, int]] = []
        self.n_open = len(state.nodes)
        self.failed: list[str] = []
        self.has_failed = False
        self.given_up: set[str] = set()
        self.lost: list[str] = []
        self.stopped: list[str] = []
        self.emptied: list[str] = []
        nodes = self.nodes = list(state.nodes.values())
        known = [i for i, node in enumerate(nodes) if node.status is not _PENDING or node.lost]
        for i in known:
            self._replay(i, nodes[i])
        self.ready = self.topology.roots.copy()
        if known:
            self.ready = [i for i, left in enumerate(self.left) if not left and nodes[i].status is _PENDING]
        heapify(self.timers)

    def advance(self, event: Event) -> None:
        """Take note of an event that has just been applied to the state. O(dependents of its node)."""
        self.advance_all((event,))

    def advance_all(self, events: Iterable[Event]) -> None:
        """Take note of events that have just been applied to the state, in order."""
        n_done = 0
        left, ready, after, rank, parent = self.left, self.ready, self._after, self._rank, self._parent
        for event in events:
            if type(event) is AttemptStarted:
                if self._children:
                    self._open_gate(event.node_id)
            elif type(event) is AttemptSucceeded or type(event) is OutputPinned:
                n_done += 1
                i = rank[event.node_id]
                for each in after[i]:
                    n = left[each] = left[each] - 1
                    if not n:
                        heappush(ready, each)
                if parent:
                    self.child_ended(i)
            else:
                self._advance_rarer(event)
                after, rank, parent = self._after, self._rank, self._parent
        self.n_open -= n_done

    def _advance_rarer(self, event: Event) -> None:
        match event:
            case AttemptFailed():
                self.has_failed = True
                self.failed.append(event.node_id)
                self._end(event.node_id)
            case NodeSkipped():
                self._end(event.node_id)
            case NodeCancelled():
                self._end(event.node_id)
                if self._rank[event.node_id] in self._children:
                    self.stopped.append(event.node_id)
            case RetryScheduled():
                self.n_open += 1
                i = self._rank[event.node_id]
                heappush(self.timers, (event.due, i, -1))
                if i in self._parent:
                    self._n_children[self._parent[i]] += 1
            case AttemptLost():
                i = self._rank[event.node_id]
                self.lost.append(event.node_id)
                heappush(self.ready, i)
                for child in self._children.get(i, ()):
                    self.left[child] += 1
            case WaitOpened() if event.wait.deadline is not None:
                heappush(self.timers, (event.wait.deadline, self._rank[event.node_id], event.wait.no))
            case NodeAdded():
                self._add(event.node)
            case _:
                pass

    def take(self, n: int) -> list[NodeState]:
        """Remove and return the next nodes that can start, by order of definition: `n`, or all there are."""
        nodes, left, ready = self.nodes, self.left, self.ready
        taken: list[NodeState] = []
        while ready and len(taken) < n:
            i = heappop(ready)
            node = nodes[i]
            status = node.status
            if (status is _PENDING and not left[i]) or status is _RETRYING:
                taken.append(node)
        return taken

    def make_ready(self, node_id: str) -> None:
        """Let a node start as soon as a slot is free: its pause before a retry is over."""
        heappush(self.ready, self._rank[node_id])

    def has_ready(self) -> bool:
        """Tell whether some node may be able to start."""
        return bool(self.ready)

    def next_due(self) -> float | None:
        """Return when something falls due next (Unix seconds), or None."""
        while self.timers and not self._is_live(self.timers[0]):
            heappop(self.timers)
        return self.timers[0][0] if self.timers else None

    def take_due(self, now: float) -> list[tuple[str, int]]:
        """Remove and return what is due at `now`: node id, and the number of the wait or -1 for a retry."""
        due: list[tuple[str, int]] = []
        while self.timers and self.timers[0][0] <= now:
            timer = heappop(self.timers)
            if self._is_live(timer):
                due.append((self._names[timer[1]], timer[2]))
        return due

    def below(self, node_id: str) -> list[str]:
        """Return the nodes that cannot run without `node_id`: those right after it, and its children."""
        i = self._rank[node_id]
        return [self._names[each] for each in (*self._after[i], *self._children.get(i, ()))]

    def children(self, node_id: str) -> list[str]:
        """Return the nodes that are parts of `node_id`, in order of definition."""
        return [self._names[each] for each in self._children.get(self._rank[node_id], ())]

    def n_open_children(self, node_id: str) -> int:
        """Return how many parts of `node_id` have not ended. O(1)."""
        return self._n_children.get(self._rank[node_id], 0)

    def _take_over(self, topology: Topology) -> None:
        self.topology = topology
        self._rank = topology.rank
        self._names = topology.names
        self._after = topology.after
        self._parent = topology.parent
        self._children = topology.children

    def _replay(self, i: int, node: NodeState) -> None:
        if node.status is _PENDING:
            self.lost.append(self._names[i])
            return
        if node.status in TERMINAL:
            self.has_failed |= node.status is _FAILED
            self.n_open -= 1
            if i in self._parent:
                self._n_children[self._parent[i]] -= 1
            for each in self._after[i]:
                if node.status is _DONE or self._is_call(each):
                    self.left[each] -= 1
        elif node.status in _UNDER_WAY:
            for each in self._children.get(i, ()):
                self.left[each] -= 1
        if node.status is _RETRYING:
            self.timers.append((node.due, i, -1))
        for open_wait in node.waits:
            if open_wait.wait.deadline is not None:
                self.timers.append((open_wait.wait.deadline, i, open_wait.wait.no))

    def _open_gate(self, node_id: str) -> None:
        left = self.left
        for each in self._children.get(self._rank[node_id], ()):
            left[each] -= 1
            if not left[each]:
                heappush(self.ready, each)

    def _end(self, node_id: str) -> None:
        self.n_open -= 1
        self.child_ended(self._rank[node_id])

    def child_ended(self, i: int) -> None:
        """Take note that the part at position `i` has ended, if it is one."""
        parent = self._parent.get(i)
        if parent is not None:
            self._n_children[parent] -= 1
            if not self._n_children[parent]:
                self.emptied.append(self._names[parent])

    def _is_call(self, i: int) -> bool:
        parent = self._parent.get(i)
        return parent is not None and self._state.nodes[self._names[parent]].info.kind == "body"

    def _is_live(self, timer: tuple[float, int, int]) -> bool:
        due, i, no = timer
        node = self.nodes[i]
        if no < 0:
            return node.status is _RETRYING and node.due == due
        return any(each.wait.no == no and each.wait.deadline == due for each in node.waits)

    def _add(self, info: NodeInfo) -> None:
        if self._shared:
            self._take_over(self.topology.copy())
            self._shared = False
        i = self.topology.add(info)
        nodes = self._state.nodes
        is_call = self._is_call(i)
        left = 0
        for each in self.topology.before(info):
            status = nodes[self._names[each]].status
            left += status not in TERMINAL if is_call else status is not _DONE
        if i in self._parent:
            parent = self._parent[i]
            left += nodes[self._names[parent]].status not in _UNDER_WAY
            self._n_children[parent] = self._n_children.get(parent, 0) + 1
        self.nodes.append(nodes[info.node_id])
        self.left.append(left)
        self.n_open += 1
        if not left:
            heappush(self.ready, i)
