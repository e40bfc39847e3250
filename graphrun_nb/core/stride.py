"""The turn in which attempts succeeded and nothing else happened: most turns of most runs.

`stride` does in one pass over what changed what `apply_all`, `Frontier.advance_all` and `decide` do in five. It knows
no event and no policy that they do not know; tests/core/test_machine.py drives both and compares them after every step.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import AttemptStarted
from graphrun_nb.core.state import CAN_SUCCEED, illegal
from graphrun_nb.core.status import NodeStatus

if TYPE_CHECKING:
    from graphrun_nb.core.frontier import Frontier
    from graphrun_nb.core.state import NodeState, RunState

_PENDING = NodeStatus.PENDING
_RETRYING = NodeStatus.RETRYING
_RUNNING = NodeStatus.RUNNING
_DONE = NodeStatus.DONE


def stride(
    state: RunState, frontier: Frontier, events: list[Any], at: float, free: int
) -> tuple[list[NodeState], bool]:
    """Fold `events`, which are successes, start up to `free` plain nodes, and add these starts to `events`.

    Parameters
    ----------
    events
        AttemptSucceeded alone; afterwards all that is to be recorded at `at`.

    Returns
    -------
    started
        The nodes that were started, in the order of their events.
    is_all
        False if `decide` could find more to do.

    Raises
    ------
    IllegalTransition
        A success does not fit; what came before it stays.

    Notes
    -----
    O(changed). A node with a condition, a container, a failure that nobody has answered and what is due are left to
    `decide`.
    """
    topology = frontier.topology
    rank, after, parent = topology.rank, topology.after, topology.parent
    nodes, left, ready = frontier.nodes, frontier.left, frontier.ready
    for event in events:
        i = rank.get(event.node_id, -1)
        node = nodes[i]
        fits = i >= 0 and node.attempt == event.attempt
        if not fits or (node.status is not _RUNNING and node.status not in CAN_SUCCEED):
            raise illegal(state, event, node if i >= 0 else None)
        node.status = _DONE
        node.ended_at = at
        if event.values:
            node.values = event.values
        if node.error is not None:
            node.error = None
        if node.waits:
            node.waits = ()
        for each in after[i]:
            n = left[each] = left[each] - 1
            if not n:
                heappush(ready, each)
        if parent:
            frontier.child_ended(i)
    frontier.n_open -= len(events)
    started: list[NodeState] = []
    timers = frontier.timers
    is_calm = not (
        frontier.failed or frontier.lost or frontier.stopped or state.cancelled_by or (timers and timers[0][0] <= at)
    )
    if is_calm:
        names, is_plain = topology.names, topology.is_plain
        while ready and free > 0 and is_plain[ready[0]]:
            i = heappop(ready)
            node = nodes[i]
            status = node.status
            if (status is _PENDING and not left[i]) or status is _RETRYING:
                no = node.attempt + 1
                node.status = _RUNNING
                node.attempt = no
                node.started_at = at
                events.append(AttemptStarted(names[i], no))
                started.append(node)
                free -= 1
    state.seq += len(events)
    return started, is_calm and frontier.n_open > 0 and not (ready and free > 0)
