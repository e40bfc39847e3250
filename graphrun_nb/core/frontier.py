"""Which nodes can start now, and what falls due when: an index over spec and state that never needs a scan.

It could be rebuilt from the state at any time (`Frontier(state)`); keeping it by `advance` makes a turn O(changed).
"""

from __future__ import annotations

import heapq
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

if TYPE_CHECKING:
    from graphrun_nb.core.events import Event, NodeInfo
    from graphrun_nb.core.state import RunState

_FREES = frozenset({NodeStatus.DONE})
_WAITS_FOR_A_SLOT = frozenset({NodeStatus.PENDING, NodeStatus.RETRYING})


class Frontier:
    """The moving edge of a run.

    Attributes
    ----------
    n_open
        Nodes that have not ended.
    failed
        Nodes whose failure no policy has been asked about yet.
    given_up
        Those of them that no policy need be asked about: `decide` failed them itself.
    lost
        Nodes whose process died since the last decision.
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._rank: dict[str, int] = {}
        self._names: list[str] = []
        self._after: dict[str, list[str]] = {}
        self._left: dict[str, int] = {}
        self._ready: list[int] = []
        self._timers: list[tuple[float, int, int]] = []
        self.n_open = 0
        self.failed: list[str] = []
        self.given_up: set[str] = set()
        self.lost: list[str] = []
        for node in state.nodes.values():
            self._place(node.info)
        for node_id, node in state.nodes.items():
            if node.status is NodeStatus.PENDING and node.lost:
                self.lost.append(node_id)
            if node.status is NodeStatus.PENDING and not self._left[node_id]:
                self._ready.append(self._rank[node_id])
            elif node.status is NodeStatus.RETRYING:
                self._timers.append((node.due, self._rank[node_id], -1))
            for open_wait in node.waits:
                if open_wait.wait.deadline is not None:
                    self._timers.append((open_wait.wait.deadline, self._rank[node_id], open_wait.wait.no))
        heapq.heapify(self._timers)

    def advance(self, event: Event) -> None:
        """Take note of an event that has just been applied to the state. O(dependents of its node)."""
        if type(event) is AttemptStarted:
            return
        if isinstance(event, (AttemptSucceeded, OutputPinned)):
            self.n_open -= 1
            left = self._left
            for node_id in self._after[event.node_id]:
                n = left[node_id] = left[node_id] - 1
                if not n and self._state.nodes[node_id].status is NodeStatus.PENDING:
                    heapq.heappush(self._ready, self._rank[node_id])
            return
        match event:
            case AttemptFailed():
                self.n_open -= 1
                self.failed.append(event.node_id)
            case NodeSkipped() | NodeCancelled():
                self.n_open -= 1
            case RetryScheduled():
                self.n_open += 1
                heapq.heappush(self._timers, (event.due, self._rank[event.node_id], -1))
            case AttemptLost():
                self.lost.append(event.node_id)
                heapq.heappush(self._ready, self._rank[event.node_id])
            case WaitOpened() if event.wait.deadline is not None:
                heapq.heappush(self._timers, (event.wait.deadline, self._rank[event.node_id], event.wait.no))
            case NodeAdded():
                self._place(event.node)
                if not self._left[event.node.node_id]:
                    heapq.heappush(self._ready, self._rank[event.node.node_id])
            case _:
                pass

    def take(self) -> str | None:
        """Remove and return the next node that can start, by order of definition; None if there is none."""
        while self._ready:
            node_id = self._names[heapq.heappop(self._ready)]
            if self._state.nodes[node_id].status in _WAITS_FOR_A_SLOT:
                return node_id
        return None

    def make_ready(self, node_id: str) -> None:
        """Let a node start as soon as a slot is free: its pause before a retry is over."""
        heapq.heappush(self._ready, self._rank[node_id])

    def has_ready(self) -> bool:
        """Tell whether some node may be able to start."""
        return bool(self._ready)

    def next_due(self) -> float | None:
        """Return when something falls due next (Unix seconds), or None."""
        while self._timers and not self._is_live(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def take_due(self, now: float) -> list[tuple[str, int]]:
        """Remove and return what is due at `now`: node id, and the number of the wait or -1 for a retry."""
        due: list[tuple[str, int]] = []
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)
            if self._is_live(timer):
                due.append((self._names[timer[1]], timer[2]))
        return due

    def below(self, node_id: str) -> list[str]:
        """Return the nodes right after `node_id`."""
        return self._after[node_id]

    def _is_live(self, timer: tuple[float, int, int]) -> bool:
        due, rank, no = timer
        node = self._state.nodes[self._names[rank]]
        if no < 0:
            return node.status is NodeStatus.RETRYING and node.due == due
        return any(each.wait.no == no and each.wait.deadline == due for each in node.waits)

    def _place(self, info: NodeInfo) -> None:
        nodes = self._state.nodes
        self._rank[info.node_id] = len(self._names)
        self._names.append(info.node_id)
        self._after.setdefault(info.node_id, [])
        left = 0
        for before in dict.fromkeys((*info.needs, *info.after)):
            self._after.setdefault(before, []).append(info.node_id)
            left += nodes[before].status not in _FREES
        self._left[info.node_id] = left
        self.n_open += nodes[info.node_id].status not in TERMINAL
