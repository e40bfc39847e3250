"""`TaskGraph`: a checked definition with its functions, and how far a run of it has come."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.digraph import digraph
from graphrun_nb.authoring.dot import dot
from graphrun_nb.authoring.edges import edges_of, order_of, runnable, upstream_of
from graphrun_nb.authoring.graph_diff import diff
from graphrun_nb.authoring.graph_text import pretty, signature_of_io
from graphrun_nb.authoring.node_view import NodeView, NotStarted
from graphrun_nb.authoring.plan import Plan
from graphrun_nb.authoring.secret_places import SecretPlaces
from graphrun_nb.authoring.selection import restricted, selected
from graphrun_nb.core.spec import NodeSpec, closest
from graphrun_nb.core.topology import Topology
from graphrun_nb.errors import UnknownNode
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.authoring.digraph import DiGraph
    from graphrun_nb.authoring.graph_diff import GraphDiff
    from graphrun_nb.authoring.node_view import Live
    from graphrun_nb.core.events import NodeInfo
    from graphrun_nb.core.policy import RetryPolicy
    from graphrun_nb.core.spec import GraphSpec
    from graphrun_nb.core.state import RunState
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
        The function of each node, by node id; a node that only a log knows has none.
    plans : dict of str to Plan
        How nodes are called, of those that were asked for by `plan_of`.
    module
        Where the graph is defined that it was built from, by name; empty if it was built by hand.
    """

    def __init__(self, spec: GraphSpec, functions: dict[str, NodeFunction]) -> None:
        self.spec = spec
        self.module = ""
        self.functions = functions
        self._live: Live = NotStarted(self)
        self._by_id = {node.node_id: node for node in spec.nodes}
        self._infos: dict[int, tuple[NodeInfo, ...]] = {}
        self._topologies: dict[int, Topology] = {}
        self.plans: dict[str, Plan] = {}
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
        plan = self.plans.get(node_id)
        if plan is None:
            plan = self.plans[node_id] = Plan(self.spec_of(node_id), self.functions[node_id], self.only_output)
        return plan

    def only_output(self, node_id: str) -> str:
        """Return the name of a node's output, if it has one; empty also for a node that is not there (yet)."""
        spec = self._by_id.get(node_id)
        return spec.outputs[0] if spec is not None and len(spec.outputs) == 1 else ""

    def distinct_functions(self) -> list[NodeFunction]:
        """Return the functions of its nodes, each once. O(nodes)."""
        return list({id(each): each for each in self.functions.values()}.values())

    def grow(self, spec: NodeSpec, function: NodeFunction) -> None:
        """Add a node while the graph runs: to the graph of this run alone."""
        self._own()
        self._by_id[spec.node_id] = spec
        self.plans[spec.node_id] = Plan(spec, function, self.only_output)
        self.functions[spec.node_id] = function

    def remember(self, info: NodeInfo) -> None:
        """Add a node that appeared when the graph ran earlier, so that it can be looked at."""
        self._own()
        self._by_id[info.node_id] = NodeSpec.remembered(info)

    def _own(self) -> None:
        if not self._grown:
            self._grown = True
            self._by_id = dict(self._by_id)
            self.plans = dict(self.plans)
            self.functions = dict(self.functions)

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

    @functools.cached_property
    def secret_places(self) -> SecretPlaces:
        """Where values are that must stay hidden, going by names; worked out once. O(nodes + edges)."""
        return SecretPlaces(self.spec)

    def build(self) -> TaskGraph:
        """Return this graph."""
        return self

    @property
    def is_known(self) -> bool:
        """Whether its functions are here, so that it can run."""
        return len(self.functions) >= len(self.spec.nodes)

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
        UnknownNode
            There is no such node; a hint names the closest.
        """
        return NodeView(self.spec_of(node_id), self._live)

    def spec_of(self, node_id: str) -> NodeSpec:
        """Return one node's definition; raises as `node` does."""
        spec = self._by_id.get(node_id)
        if spec is None:
            hint = closest(node_id, self._by_id) or f"it has: {', '.join(list(self._by_id)[:12])}"
            raise UnknownNode(f"graph {self.name!r} has no node {node_id!r}", hints=(hint,))
        return spec

    @property
    def status(self) -> RunStatus:
        """Where the run of this graph stands; PENDING if it was never started. O(nodes)."""
        return self._live.state.status

    @property
    def state(self) -> RunState:
        """How far the run of this graph has come, read-only; all pending if it was never started."""
        return self._live.state

    def topological_order(self) -> list[str]:
        """Return the node ids so that each comes after all it needs. O(n log n + edges)."""
        return order_of(self._by_id)

    def dependents(self, node_id: str) -> list[str]:
        """Return the nodes right after `node_id`; raises as `node` does. O(nodes + edges)."""
        before = self.spec_of(node_id).node_id
        return [later for earlier, later in self.edges() if earlier == before]

    def upstream(self, node_id: str) -> list[str]:
        """Return all nodes that `node_id` needs, directly or not; raises as `node` does. O(nodes + edges)."""
        return upstream_of(self._by_id, self.spec_of(node_id).node_id)

    def edges(self) -> list[tuple[str, str]]:
        """Return all (earlier, later) pairs: of values, order, and containers to their parts. O(nodes + edges)."""
        return list(edges_of(self._by_id))

    def select(self, text: str) -> list[str]:
        """Return the ids of the nodes that `text` names, in order of definition.

        Parameters
        ----------
        text
            Terms with blanks between them, each of which adds nodes: ``id``, ``@name`` (a ``_name`` or an id),
            ``#label``, ``/regular expression/`` (searched for in ids). Double quotes keep blanks together:
            ``@"my node"``. A text that is an id as a whole means that node.

        Raises
        ------
        UnknownNode
            A term names no node.
        BadSelection
            It cannot be read.
        """
        return selected(self._by_id, text, self.name)

    def subgraph(self, *selections: str) -> TaskGraph:
        """Return a graph of the selected nodes and of all that they need, so that it runs.

        A nested graph of which a part is selected comes as a whole. It has those outputs of this graph that can still
        be given, and those inputs that are still used. Nodes that appeared while the graph ran are no part of it.

        Parameters
        ----------
        selections
            As for `select`.

        Raises
        ------
        UnknownNode, BadSelection
            As `select`.
        """
        spec = self.spec
        nodes = {node.node_id: node for node in spec.nodes}
        chosen = [node_id for text in selections for node_id in selected(nodes, text, self.name)]
        part = restricted(spec, runnable(nodes, chosen))
        return TaskGraph(part, {node.node_id: self.functions[node.node_id] for node in part.nodes})

    def io_signature(self) -> dict[str, Any]:
        """Return inputs and outputs: ``{"inputs": {"required": list, "optional": dict}, "outputs": dict}``.

        Optional inputs are given with their defaults, outputs with where they come from, as text: ``node.output``,
        ``input x``, or the repr of a plain value.
        """
        return signature_of_io(self.spec)

    def pretty(self) -> str:
        """Return the graph as a text table, a node a line in order of definition.

        It tells what each node needs, its condition, labels and retry, and, once the graph has run, its status.
        """
        return pretty(self.spec, self._by_id, self.state)

    def to_dot(self) -> str:
        """Return the graph in the language of Graphviz, with groups as clusters, and statuses once it has run."""
        return dot(self.name, self._by_id, self.state)

    def to_networkx(self) -> DiGraph:
        """Return the graph as a networkx graph.

        Nodes have the attributes ``name``, ``kind``, ``status``, ``labels`` (list), ``group`` and ``parent``; edges
        have ``kind``: ``value``, ``condition``, ``order``, or ``part`` (from a container to its first parts).
        """
        return digraph(self.name, self._by_id, self.state)

    def diff(self, other: TaskGraph) -> GraphDiff:
        """Return what leads from this graph to `other`; it is false if nothing does. O(n log n + edges)."""
        return diff(self.spec, other.spec)

    def __repr__(self) -> str:
        n = len(self._by_id)
        return f"<TaskGraph {self.name}: {n} node{'s' if n != 1 else ''}>"

    def _repr_html_(self) -> str:
        """Return the graph as a picture, for a notebook."""
        return hooks.illustrator(self.state, self.pretty())
