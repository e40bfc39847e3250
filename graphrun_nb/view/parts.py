"""What lies directly inside a container, as a graph of its own. Pure; places nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.state import RunState


def parts_of(state: RunState, container: str = "") -> tuple[list[str], list[tuple[str, str]]]:
    """Return the direct parts of `container`, in order of definition, and the (earlier, later) pairs among them.

    Parameters
    ----------
    state
        A run's.
    container
        Id of a node that is made of others; empty for the run as a whole.

    Notes
    -----
    O(nodes + edges x depth). A node that needs something inside another part comes after that part; what it needs from
    outside of the container is left out.
    """
    nodes = state.nodes
    parts = [node_id for node_id, node in nodes.items() if node.info.parent == container]
    pairs: dict[tuple[str, str], None] = {}
    for node_id in parts:
        info = nodes[node_id].info
        for need in (*info.needs, *info.after):
            earlier = need
            while earlier and nodes[earlier].info.parent != container:
                earlier = nodes[earlier].info.parent
            if earlier and earlier != node_id:
                pairs[earlier, node_id] = None
    return parts, list(pairs)


def groups_of(state: RunState, parts: Iterable[str]) -> dict[str, str]:
    """Return the group of each of `parts` that has one. O(parts)."""
    return {part: group for part in parts if (group := state.nodes[part].info.group)}
