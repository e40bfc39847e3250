"""A node of a graph as people read it: its definition, and its state at the moment of asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.state import NodeState, RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import ErrorInfo
    from graphrun_nb.core.spec import NodeSpec
    from graphrun_nb.core.status import NodeStatus


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


class NotStarted(Live):
    """The state of a graph that nobody has run."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph
        self._state: RunState | None = None

    @property
    def state(self) -> RunState:
        """All nodes pending."""
        if self._state is None:
            nodes = {info.node_id: NodeState(info) for info in self._graph.infos(RetryPolicy())}
            self._state = RunState("", graph=self._graph.name, nodes=nodes)
        return self._state

    def inputs_of(self, node_id: str) -> Mapping[str, Any]:  # noqa: ARG002 (nothing is known yet)
        """Return nothing."""
        return {}

    def outputs_of(self, node_id: str) -> Mapping[str, Any]:  # noqa: ARG002 (nothing is known yet)
        """Return nothing."""
        return {}

    def logs_of(self, node_id: str) -> tuple[LogLine, ...]:  # noqa: ARG002 (nothing is known yet)
        """Return nothing."""
        return ()

    def now(self) -> float:
        """Return the beginning of time, since none passes."""
        return 0.0
