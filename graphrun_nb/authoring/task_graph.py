"""`TaskGraph`: a checked definition with its functions, and how far a run of it has come."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from graphrun_nb.authoring.plan import Plan
from graphrun_nb.core import graph as graphs
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import closest
from graphrun_nb.core.state import NodeState, RunState
from graphrun_nb.core.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphrun_nb.core.events import ErrorInfo, NodeInfo
    from graphrun_nb.core.spec import GraphSpec, NodeSpec
    from graphrun_nb.core.status import NodeStatus, RunStatus


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


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line a node printed or logged; `at` is Unix seconds (UTC)."""

    stream: str
    text: str
    at: float


class Live(Protocol):
    """Where a graph's state comes from while, and after, it runs."""

    @property
    def state(self) -> RunState:
        """The run's state."""
        ...

    def inputs_of(self, node_id: str) -> Mapping[str, Any]:
        """Return a node's arguments, as far as they are known."""
        ...

    def outputs_of(self, node_id: str) -> Mapping[str, Any]:
        """Return a node's outputs, empty before it is done."""
        ...

    def logs_of(self, node_id: str) -> tuple[LogLine, ...]:
        """Return what a node printed and logged."""
        ...

    def now(self) -> float:
        """Return the current instant in Unix seconds."""
        ...


class NodeView:
    """One node of a graph, with its state at the moment of asking."""

    __slots__ = ("_live", "spec")

    def __init__(self, spec: NodeSpec, live: Live) -> None:
        self.spec = spec
        self._live = live

    @property
    def _state(self) -> NodeState:
        return self._live.state.nodes[self.spec.node_id]

    @property
    def node_id(self) -> str:
        """The node's id, unique in its graph."""
        return self.spec.node_id

    @property
    def name(self) -> str:
        """What the node is called; several may share a name."""
        return self.spec.name

    @property
    def status(self) -> NodeStatus:
        """Where it stands."""
        return self._state.status

    @property
    def attempts(self) -> int:
        """How many attempts there have been so far."""
        return self._state.attempt

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its arguments by name, as far as they are known."""
        return self._live.inputs_of(self.node_id)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Its outputs by name, empty before it is done."""
        return self._live.outputs_of(self.node_id)

    @property
    def error(self) -> ErrorInfo | None:
        """The last attempt's error."""
        return self._state.error

    @property
    def logs(self) -> tuple[LogLine, ...]:
        """What it printed and logged."""
        return self._live.logs_of(self.node_id)

    @property
    def duration_s(self) -> float | None:
        """Seconds of the latest attempt, up to now if it has not ended; None before the first."""
        state = self._state
        if not state.started_at:
            return None
        return (state.ended_at or self._live.now()) - state.started_at

    def __repr__(self) -> str:
        return f"<node {self.node_id}: {self.status.lower()}>"


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
        self._live: Live = _NotStarted(self)
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


class _NotStarted:
    """The state of a graph that nobody has run."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph
        self._state: RunState | None = None

    @property
    def state(self) -> RunState:
        if self._state is None:
            nodes = {info.node_id: NodeState(info) for info in self._graph.infos(RetryPolicy())}
            self._state = RunState("", graph=self._graph.name, nodes=nodes)
        return self._state

    def inputs_of(self, node_id: str) -> Mapping[str, Any]:  # noqa: ARG002 (nothing is known yet)
        return {}

    def outputs_of(self, node_id: str) -> Mapping[str, Any]:  # noqa: ARG002 (nothing is known yet)
        return {}

    def logs_of(self, node_id: str) -> tuple[LogLine, ...]:  # noqa: ARG002 (nothing is known yet)
        return ()

    def now(self) -> float:
        return 0.0
