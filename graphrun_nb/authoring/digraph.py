"""A graph as a networkx graph. The only module of this floor that knows networkx, and it imports it when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.authoring.edges import edges_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

    from graphrun_nb.core.spec import NodeSpec
    from graphrun_nb.core.state import RunState

    DiGraph = nx.DiGraph[str]


def digraph(name: str, nodes: Mapping[str, NodeSpec], state: RunState) -> DiGraph:
    """Return the graph with its attributes; see `TaskGraph.to_networkx`."""
    import networkx as nx  # noqa: PLC0415 (slow to import, and only wanted here)

    drawn: DiGraph = nx.DiGraph(name=name)
    for node_id, node in nodes.items():
        drawn.add_node(
            node_id,
            name=node.name,
            kind=node.kind,
            status=str(state.nodes[node_id].status),
            labels=list(node.labels),
            group=node.group,
            parent=node.parent,
        )
    for (earlier, later), kind in edges_of(nodes).items():
        drawn.add_edge(earlier, later, kind=kind)
    return drawn
