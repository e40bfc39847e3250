"""The graph, checked, its components and the rank of every node: from early and from late, edges short.

The only module that imports networkx. Knows neither the order within a rank nor pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphrun_nb.view.drawing import Edge, Pair


def distinct(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """Drop repeated edges; raise if a node is named twice or an edge's end is not among the nodes."""
    known = set(nodes)
    if len(known) < len(nodes):
        twice = next(name for i, name in enumerate(nodes) if name in nodes[:i])
        message = f"node {twice!r} is named twice among the {len(nodes)} nodes to draw"
        raise GraphValidationError(
            message, code="graph_duplicate_node_id", hints=["Give every node a name of its own."]
        )
    once = list(dict.fromkeys(edges))
    for start, end in once:
        for name in (start, end):
            if name not in known:
                message = f"edge {start!r} -> {end!r} touches {name!r}, which is none of the {len(known)} nodes to draw"
                hints = ["Name every node that an edge touches in `nodes`."]
                raise GraphValidationError(message, code="graph_dangling_reference", hints=hints)
    return once


def digraph(n_nodes: int, pairs: Iterable[Pair]) -> nx.DiGraph[int]:
    """Build the graph of the nodes 0, 1, … n_nodes - 1."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n_nodes))
    graph.add_edges_from(pairs)
    return graph


def components(graph: nx.DiGraph[int]) -> list[list[int]]:
    """Return the members of each weakly connected component, both in the order of their numbers."""
    return sorted(sorted(found) for found in nx.weakly_connected_components(graph))


def knots(graph: nx.DiGraph[int]) -> list[set[int]]:
    """Return the sets of nodes that lie on cycles together."""
    return [found for found in nx.strongly_connected_components(graph) if len(found) > 1]


def generations(graph: nx.DiGraph[int], nodes: Sequence[str]) -> list[list[int]]:
    """Return the nodes of each earliest rank; raise if the graph has a cycle, told in the users' names."""
    try:
        return list(nx.topological_generations(graph))
    except nx.NetworkXUnfeasible:
        cycle = [nodes[start] for start, _ in nx.find_cycle(graph)]
        around = " -> ".join(map(repr, [*cycle[:8], *(["…"] if len(cycle) > 8 else []), cycle[0]]))
        message = f"a graph with a cycle has no ranks: {around}"
        hints = ["Draw a loop as one node, or leave out the edge that leads back."]
        raise GraphValidationError(message, code="graph_cycle", hints=hints) from None


def ranked(graph: nx.DiGraph[int], nodes: Sequence[str]) -> tuple[list[int], list[int]]:
    """Rank all nodes twice, tightened: from as early as they can be, and from as late."""
    layers = generations(graph, nodes)
    early, late = [0] * len(nodes), [0] * len(nodes)
    for at, members in enumerate(layers):
        for node in members:
            early[node] = at
    for members in reversed(layers):
        for node in members:
            late[node] = min((late[child] for child in graph.successors(node)), default=len(layers)) - 1
    along = [node for members in layers for node in members]
    _tighten(graph, along, early)
    _tighten(graph, along, late)
    return early, late


def _tighten(graph: nx.DiGraph[int], along: Sequence[int], rank: list[int]) -> None:
    """Move every node with more edges on one side as far as it can to that side."""
    pull = [graph.out_degree(node) - graph.in_degree(node) for node in range(len(rank))]
    uneven = [node for node in along if pull[node]]
    for turn in range(16):
        moved = False
        for node in uneven if turn % 2 else reversed(uneven):
            if pull[node] > 0:
                to = min(rank[child] for child in graph.successors(node)) - 1
            else:
                to = max(rank[parent] for parent in graph.predecessors(node)) + 1
            moved = moved or to != rank[node]
            rank[node] = to
        if not moved:
            break
