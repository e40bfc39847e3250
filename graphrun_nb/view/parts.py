"""What lies directly inside a container, as a graph of its own. Pure; places nothing."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from graphrun_nb.core.status import NodeStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.state import RunState

    Edge = tuple[str, str]

COUNTED = (
    NodeStatus.DONE,
    NodeStatus.RUNNING,
    NodeStatus.WAITING,
    NodeStatus.RETRYING,
    NodeStatus.FAILED,
    NodeStatus.SKIPPED,
    NodeStatus.CANCELLED,
    NodeStatus.PENDING,
)
"""The order in which counts are read out, as in ``select.ts``."""


def parts_of(state: RunState, container: str = "") -> tuple[list[str], dict[Edge, bool]]:
    """Return the direct parts of `container`, in order of definition, and what connects them.

    Parameters
    ----------
    state
        A run's.
    container
        Id of a node that is made of others; empty for the run as a whole.

    Returns
    -------
    parts, edges
        (earlier, later) -> whether values pass there, or the order alone matters.

    Notes
    -----
    O(nodes + edges x depth). A node that needs something inside another part comes after that part; what it needs from
    outside of the container is left out.
    """
    nodes = state.nodes
    parts = [node_id for node_id, node in nodes.items() if node.info.parent == container]
    edges: dict[Edge, bool] = {}
    for node_id in parts:
        info = nodes[node_id].info
        for passes, before in ((True, info.needs), (False, info.after)):
            for need in before:
                earlier = need
                while earlier and nodes[earlier].info.parent != container:
                    earlier = nodes[earlier].info.parent
                if earlier and earlier != node_id:
                    edges.setdefault((earlier, node_id), passes)
    return parts, edges


def groups_of(state: RunState, parts: Iterable[str]) -> dict[str, str]:
    """Return the group of each of `parts` that has one. O(parts)."""
    return {part: group for part in parts if (group := state.nodes[part].info.group)}


def home(state: RunState) -> str:
    """Return the container that one looks into first: the body that is all there is to a run, or none. O(1)."""
    begin = list(islice(state.nodes.values(), 2))
    if len(begin) < 2 or begin[0].info.kind != "body" or begin[1].info.parent != begin[0].info.node_id:
        return ""
    return begin[0].info.node_id


def part_counts(state: RunState) -> dict[str, Counter[NodeStatus]]:
    """Count the direct parts of each container that has any, by status. O(nodes)."""
    counts: dict[str, Counter[NodeStatus]] = {}
    for node in state.nodes.values():
        if node.info.parent:
            counts.setdefault(node.info.parent, Counter())[node.status] += 1
    return counts


def troubles(state: RunState) -> list[str]:
    """Return the nodes that failed or wait, in order; a container only if none of its parts did. O(nodes)."""
    found = {
        node_id: None for node_id, node in state.nodes.items() if node.status in (NodeStatus.FAILED, NodeStatus.WAITING)
    }
    for node_id in list(found):
        found.pop(state.nodes[node_id].info.parent, None)
    return list(found)
