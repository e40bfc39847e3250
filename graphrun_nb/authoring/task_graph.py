"""`TaskGraph`: a checked definition with its functions, and how far a run of it has come."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.node_view import NodeView, NotStarted
from graphrun_nb.authoring.plan import Plan
from graphrun_nb.core import graph as graphs
from graphrun_nb.core.spec import closest
from graphrun_nb.core.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.authoring.node_view import Live
    from graphrun_nb.core.events import NodeInfo
    from graphrun_nb.core.policy import RetryPolicy
    from graphrun_nb.core.spec import GraphSpec, NodeSpec
    from graphrun_nb.core.status import RunStatus


@dataclass(frozen=True, slots=True)
class NodeFunction:
    """A function as its nodes call it.

    Attributes
    ----------
    call
        The function itself, never looked up again by name.
    context
        Name of the parameter that gets the NodeContext, or empty.
    is_async
        Calling it gives an awaitable.
    kind
        Kind of the nodes that call it.
    """

    call: Callable[..., Any]
    context: str = ""
    is_async: bool = False
    kind: str = "tool"


class TaskGraph:
    """A graph that can run, and whose state can be watched.

    Attributes
    ----------
    spec : GraphSpec
    functions : mapping of str to NodeFunction
        The function of each node, by node id.
    """

    def __init__(self, spec: GraphSpec, functions: dict[str, NodeFunction]) -> None:
        self.spec = spec
        self.functions = functions
        self._live: Live = NotStarted(self)
        self._by_id = {node.node_id: node for node in spec.nodes}
        self._infos: dict[int, tuple[NodeInfo, ...]] = {}
        self._topologies: dict[int, Topology] = {}
        self._plans: dict[str, Plan] = {}
        self._fingerprint = ""
        self._grown = False

    def topology(self, default_retry: RetryPolicy) -> Topology:
        """Return the order among the nodes; worked out once. O(nodes + edges)."""
        key = default_retry.max_attempts
        if key not in self._topologies:
            self._topologies[key] = Topology(self.infos(default_retry))
        return self._topologies[key]

    def plan_of(self, node_id: str) -> Plan:
        """Return how a node is called; worked out once. Raises as `node` does."""
        plan = self._plans.get(node_id)
        if plan is None:
            plan = self._plans[node_id] = Plan(self.spec_of(node_id), self.functions[node_id])
        return plan

    def grow(self, spec: NodeSpec, function: NodeFunction) -> None:
        """Add a node while the graph runs: to the graph of this run alone."""
        if not self._grown:
            self._grown = True
            self._by_id = dict(self._by_id)
            self._plans = dict(self._plans)
            self.functions = dict(self.functions)
        self._by_id[spec.node_id] = spec
        self._plans[spec.node_id] = Plan(spec, function)
        self.functions[spec.node_id] = function

    def watching(self, live: Live) -> TaskGraph:
        """Return the same graph with its state taken from `live`. O(1)."""
        twin = copy.copy(self)
        twin._live = live  # noqa: SLF001 (one of its own kind)
        return twin

    def fingerprint(self) -> str:
        """Return the identity of what the graph computes; worked out once. O(nodes + edges)."""
        if not self._fingerprint:
            infos = next(iter(self._infos.values()), None)
            known = None if infos is None else [info.fingerprint for info in infos]
            self._fingerprint = self.spec.fingerprint(known)
        return self._fingerprint

    def infos(self, default_retry: RetryPolicy) -> tuple[NodeInfo, ...]:
        """Return what a log keeps of the nodes; worked out once. O(nodes + edges)."""
        key = default_retry.max_attempts
        if key not in self._infos:
            self._infos[key] = tuple(node.info(default_retry) for node in self.spec.nodes)
        return self._infos[key]

    def build(self) -> TaskGraph:
        """Return this graph."""
        return self

    @property
    def name(self) -> str:
        """The graph's name."""
        return self.spec.name

    @property
    def nodes(self) -> tuple[NodeView, ...]:
        """All nodes, in order of definition."""
        return tuple(NodeView(node, self._live) for node in self._by_id.values())

    def node(self, node_id: str) -> NodeView:
        """Return one node.

        Raises
        ------
        KeyError
            There is no such node; a note names the closest.
        """
        return NodeView(self.spec_of(node_id), self._live)

    def spec_of(self, node_id: str) -> NodeSpec:
        """Return one node's definition; raises as `node` does."""
        spec = self._by_id.get(node_id)
        if spec is None:
            error = KeyError(f"graph {self.name!r} has no node {node_id!r}")
            error.add_note(f"hint: {closest(node_id, self._by_id) or 'it has: ' + ', '.join(list(self._by_id)[:12])}")
            raise error
        return spec

    @property
    def status(self) -> RunStatus:
        """Where the run of this graph stands; PENDING if it was never started. O(nodes)."""
        return self._live.state.status

    def topological_order(self) -> list[str]:
        """Return the node ids so that each comes after all it needs. O(n log n + edges)."""
        return graphs.topological_order(self._needs())

    def dependents(self, node_id: str) -> list[str]:
        """Return the nodes right after `node_id`. O(nodes + edges)."""
        return graphs.dependents(self._needs())[self.spec_of(node_id).node_id]

    def upstream(self, node_id: str) -> list[str]:
        """Return all nodes that `node_id` needs, directly or not. O(nodes + edges)."""
        return graphs.reach([self.spec_of(node_id).node_id], self._needs())

    def edges(self) -> list[tuple[str, str]]:
        """Return all (earlier, later) pairs, of values and of order. O(nodes + edges)."""
        return [(before, node) for node, needs in self._needs().items() for before in needs]

    def _needs(self) -> dict[str, list[str]]:
        return {
            node.node_id: list(dict.fromkeys([*(ref.node_id for ref in node.refs()), *node.after]))
            for node in self.spec.nodes
        }

    def __repr__(self) -> str:
        return f"<TaskGraph {self.name}: {len(self.spec.nodes)} nodes>"
