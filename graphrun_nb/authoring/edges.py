"""The edges among the nodes of a graph, and questions about who needs whom. Pure functions of node specs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from graphrun_nb.core import graph as graphs
from graphrun_nb.core.spec import refs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphrun_nb.core.spec import NodeSpec

EdgeKind = Literal["value", "condition", "order", "part"]
"""What leads from one node to another: an argument, a ``_condition``, ``_after``, or a container to its first parts."""


def edges_of(nodes: Mapping[str, NodeSpec]) -> dict[tuple[str, str], EdgeKind]:
    """Return the (earlier, later) pairs and, for each, the strongest reason for it. O(nodes + edges)."""
    edges: dict[tuple[str, str], EdgeKind] = {}
    for node_id, node in nodes.items():
        for _, binding in node.inputs:
            for ref in refs(binding):
                edges[ref.node_id, node_id] = "value"
        for ref in refs(node.condition) if node.condition is not None else ():
            edges.setdefault((ref.node_id, node_id), "condition")
        for earlier in node.after:
            edges.setdefault((earlier, node_id), "order")
        if node.parent and not any(nodes[each].parent == node.parent for each in node.before() if each in nodes):
            edges.setdefault((node.parent, node_id), "part")
    return edges


def needs_of(nodes: Mapping[str, NodeSpec]) -> dict[str, list[str]]:
    """Return for each node those right before it. O(nodes + edges)."""
    needs: dict[str, list[str]] = {node_id: [] for node_id in nodes}
    for earlier, later in edges_of(nodes):
        needs[later].append(earlier)
    return needs


def parts_of(nodes: Mapping[str, NodeSpec]) -> dict[str, list[str]]:
    """Return for each container its parts."""
    parts: dict[str, list[str]] = {}
    for node_id, node in nodes.items():
        if node.parent:
            parts.setdefault(node.parent, []).append(node_id)
    return parts


def without_elements(nodes: Mapping[str, NodeSpec]) -> tuple[dict[str, NodeSpec], Counter[str]]:
    """Return the nodes without the elements of mapped ones, and how many of these each has."""
    shown: dict[str, NodeSpec] = {}
    n_elements: Counter[str] = Counter()
    for node_id, node in nodes.items():
        if node.parent and nodes[node.parent].kind == "map":
            n_elements[node.parent] += 1
        else:
            shown[node_id] = node
    return shown, n_elements


def order_of(nodes: Mapping[str, NodeSpec]) -> list[str]:
    """Return the ids so that each comes after all it needs; what needs a container comes after its parts, too.

    O(n log n + edges).
    """
    parts = parts_of(nodes)
    needs: dict[str, list[str]] = {}
    for node_id, before in needs_of(nodes).items():
        inside = _containers_of(nodes, node_id)
        needs[node_id] = [each if each in inside else _end(each) if each in parts else each for each in before]
        if node_id in parts:
            needs[_end(node_id)] = [node_id, *(_end(each) if each in parts else each for each in parts[node_id])]
    return [each for each in graphs.topological_order(needs) if each in nodes]


def upstream_of(nodes: Mapping[str, NodeSpec], node_id: str) -> list[str]:
    """Return all that a node needs, directly or not, nearest first: of a container that it needs also the parts."""
    parts = parts_of(nodes)
    step: dict[str, list[str]] = {}
    for each, before in needs_of(nodes).items():
        whole = [need for need in before if need in parts and need not in _containers_of(nodes, each)]
        step[each] = [*before, *(part for need in whole for part in parts[need])]
    return graphs.reach([node_id], step)


def runnable(nodes: Mapping[str, NodeSpec], chosen: Iterable[str]) -> set[str]:
    """Return `chosen` and all that has to be there for them to run: what they need, and containers as a whole."""
    parts = parts_of(nodes)
    step = {each: [*before, *parts.get(each, ())] for each, before in needs_of(nodes).items()}
    for node_id, node in nodes.items():
        if node.parent:
            step[node_id].append(node.parent)
    wanted = list(dict.fromkeys(chosen))
    return {*wanted, *graphs.reach(wanted, step)}


def _containers_of(nodes: Mapping[str, NodeSpec], node_id: str) -> set[str]:
    inside: set[str] = set()
    while nodes[node_id].parent:
        node_id = nodes[node_id].parent
        inside.add(node_id)
    return inside


def _end(container: str) -> str:
    """Name the end of a container; no node has a line break in its id."""
    return f"{container}\n"
