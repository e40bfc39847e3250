"""What a run's log says: `apply` folds one event into the state, and nothing else ever changes it.

The TypeScript reducer mirrors this file; the logs in tests/golden run through both.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import Struct, field

from graphrun_nb.core.events import (
    CONTAINERS,
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Envelope,
    ErrorInfo,
    Event,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    NodeReset,
    NodeSkipped,
    OutputPinned,
    RetryScheduled,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitExpired,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.status import NODE_STATUS, NodeStatus, RunStatus, statuses_allowing
from graphrun_nb.errors import IllegalTransition

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALLOWED: dict[type, frozenset[NodeStatus]] = {
    kind: statuses_allowing(kind.__name__)
    for kind in (
        AnswerKept,
        AttemptFailed,
        AttemptLost,
        AttemptStarted,
        AttemptSucceeded,
        NodeCancelled,
        NodeReset,
        NodeSkipped,
        OutputPinned,
        RetryScheduled,
        WaitExpired,
        WaitOpened,
        WaitResolved,
    )
}
_CAN_START = _ALLOWED[AttemptStarted]
CAN_SUCCEED = _ALLOWED[AttemptSucceeded]
_RUNNING = NodeStatus.RUNNING
_DONE = NodeStatus.DONE
_MOVING = (NodeStatus.RUNNING, NodeStatus.RETRYING)


class OpenWait(Struct, frozen=True, gc=False):
    """A question nobody has answered yet, and when it was asked (Unix seconds)."""

    wait: WaitInfo
    attempt: int
    at: float


class NodeState(Struct, gc=False):
    """Where one node stands. Only `apply` changes it; everyone else reads.

    Attributes
    ----------
    attempt
        Number of the latest attempt, from 1; 0 before the first.
    failures, lost
        Attempts that ended in an error since the last reset (the retry budget), and that died with their process.
    started_at, ended_at
        Unix seconds: start of the latest attempt, and the end of the node or 0.
    due
        When the next attempt starts, while the node is RETRYING.
    because
        The node that made this one SKIPPED or CANCELLED.
    """

    info: NodeInfo
    status: NodeStatus = NodeStatus.PENDING
    attempt: int = 0
    failures: int = 0
    lost: int = 0
    values: tuple[ValueRef, ...] = ()
    error: ErrorInfo | None = None
    waits: tuple[OpenWait, ...] = ()
    started_at: float = 0.0
    ended_at: float = 0.0
    due: float = 0.0
    because: str = ""


class RunState(Struct):
    """Where a run stands, at `seq`."""

    run_id: str
    seq: int = 0
    graph: str = ""
    fingerprint: str = ""
    inputs: tuple[tuple[str, ValueRef], ...] = ()
    parent: tuple[str, str] | None = None
    session_id: str = ""
    max_concurrency: int = 4
    started_at: float = 0.0
    ended_at: float = 0.0
    cancelled_by: str = ""
    finished: RunStatus | None = None
    outputs: tuple[tuple[str, ValueRef], ...] = ()
    nodes: dict[str, NodeState] = field(default_factory=dict)

    @property
    def status(self) -> RunStatus:
        """The run's status. O(nodes) while the run is under way."""
        if self.finished is not None:
            return self.finished
        if not self.seq:
            return RunStatus.PENDING
        waiting = False
        for node in self.nodes.values():
            if node.status is NodeStatus.WAITING:
                waiting = True
            elif node.status in _MOVING and node.info.kind not in CONTAINERS:
                return RunStatus.RUNNING
        return RunStatus.WAITING if waiting else RunStatus.RUNNING

    def counts(self) -> Counter[NodeStatus]:
        """Count the nodes in each status. O(nodes)."""
        return Counter(node.status for node in self.nodes.values())

    def drawn(self) -> list[str]:
        """Return the ids of the nodes that are drawn: all but the elements of mapped nodes. O(nodes)."""
        nodes = self.nodes
        return [
            node_id
            for node_id, node in nodes.items()
            if not node.info.parent or nodes[node.info.parent].info.kind != "map"
        ]

    def digest(self) -> str:
        """Return a checksum of all that a view shows of the state; equal in Python and TypeScript. O(nodes).

        It tells whether a view has missed something. It is no protection against anybody.
        """
        lines = [
            f"{node_id}\x1f{node.status}\x1f{node.attempt}\x1f{node.failures}\x1f{node.lost}\x1f{len(node.waits)}\n"
            for node_id, node in self.nodes.items()
        ]
        lines.append(f"{self.seq}\x1f{self.finished or ''}\x1f{self.cancelled_by}\n")
        return f"{zlib.crc32(''.join(lines).encode()):08x}"


def apply(state: RunState, event: Event, at: float) -> None:
    """Fold `event`, recorded at `at` (Unix seconds), into `state`, in place. O(1), except for SpecAccepted.

    Raises
    ------
    IllegalTransition
        The event does not fit where the node or run stands. The state is unchanged.
    """
    apply_all(state, (event,), at)


def apply_all(state: RunState, events: Iterable[Event], at: float) -> None:
    """Fold `events`, all recorded at `at`, in order, as `apply` does each; what came before one that raises stays."""
    nodes = state.nodes
    seq = state.seq
    for event in events:
        # Compared by `is`: isinstance on a Struct's type costs 0.14 µs where it is false, and these two are most of a
        # log. Setting a Struct's attribute costs ten times as much as reading it.
        if type(event) is AttemptStarted:
            node = nodes.get(event.node_id)
            if node is None or node.status not in _CAN_START:
                state.seq = seq
                raise illegal(state, event, node)
            node.status = _RUNNING
            node.attempt = event.attempt
            node.started_at = at
        elif type(event) is AttemptSucceeded:
            node = nodes.get(event.node_id)
            if node is None or node.status not in CAN_SUCCEED or node.attempt != event.attempt:
                state.seq = seq
                raise illegal(state, event, node)
            node.status = _DONE
            node.ended_at = at
            if event.values:
                node.values = event.values
            if node.error is not None:
                node.error = None
            if node.waits:
                node.waits = ()
        else:
            state.seq = seq
            _apply_rarer(state, event, at)
            nodes = state.nodes
        seq += 1
    state.seq = seq


def _apply_rarer(state: RunState, event: Event, at: float) -> None:  # noqa: C901, PLR0912, PLR0915 (one case per event)
    match event:
        case AttemptFailed():
            node = _checked(state, event)
            if node.attempt != event.attempt:
                raise illegal(state, event, node)
            node.status = NodeStatus.FAILED
            node.failures += 1
            node.error = event.error
            node.ended_at = at
            node.waits = ()
        case AttemptLost():
            node = _checked(state, event)
            if node.attempt != event.attempt:
                raise illegal(state, event, node)
            node.status = NodeStatus.PENDING
            node.lost += 1
            node.waits = ()
        case RetryScheduled():
            node = _checked(state, event)
            node.status = NodeStatus.RETRYING
            node.due = event.due
            node.ended_at = 0.0
        case WaitOpened():
            node = _checked(state, event)
            if node.attempt != event.attempt:
                raise illegal(state, event, node)
            node.status = NodeStatus.WAITING
            node.waits = (*node.waits, OpenWait(event.wait, event.attempt, at))
        case WaitResolved() | WaitExpired():
            node = _checked(state, event)
            left = tuple(each for each in node.waits if each.wait.no != event.no)
            if node.attempt != event.attempt or len(left) == len(node.waits):
                raise illegal(state, event, node)
            node.waits = left
            if not left:
                node.status = NodeStatus.RUNNING
        case AnswerKept():
            if event.node_id:
                _checked(state, event)
            elif state.finished is not None:
                raise illegal(state, event, None)
        case NodeSkipped():
            _end(_checked(state, event), NodeStatus.SKIPPED, event.because, at)
        case NodeCancelled():
            _end(_checked(state, event), NodeStatus.CANCELLED, event.because, at)
        case NodeReset():
            node = _checked(state, event)
            state.nodes[event.node_id] = NodeState(node.info, attempt=node.attempt)
        case OutputPinned():
            node = _checked(state, event)
            node.values = event.values
            _end(node, NodeStatus.DONE, "", at)
        case NodeAdded():
            if event.node.node_id in state.nodes:
                raise illegal(state, event, state.nodes[event.node.node_id])
            state.nodes[event.node.node_id] = NodeState(event.node)
        case SpecAccepted():
            known = state.nodes
            state.fingerprint = event.fingerprint
            if known:
                state.nodes = {info.node_id: _with_info(known.get(info.node_id), info) for info in event.nodes}
            else:
                state.nodes = {info.node_id: NodeState(info) for info in event.nodes}
        case RunStarted():
            if state.seq:
                raise illegal(state, event, None)
            state.graph = event.graph
            state.inputs = event.inputs
            state.parent = event.parent
            state.session_id = event.session_id
            state.max_concurrency = event.max_concurrency
            state.started_at = at
        case RunResumed():
            state.inputs = event.inputs or state.inputs
            state.finished = None
            state.outputs = ()
            state.cancelled_by = ""
            state.ended_at = 0.0
        case RunForked():
            state.finished = None
        case CancelRequested():
            if state.finished is not None:
                raise illegal(state, event, None)
            state.cancelled_by = event.by
        case RunFinished():
            if state.finished is not None:
                raise illegal(state, event, None)
            state.finished = event.status
            state.outputs = event.outputs
            state.ended_at = at
        case AttemptStarted() | AttemptSucceeded():
            raise AssertionError(event)
        case _:
            assert_never(event)


def fold(run_id: str, log: Iterable[Envelope]) -> RunState:
    """Return the state that `log` leads to, from the beginning.

    Raises
    ------
    IllegalTransition
        An event does not fit, is numbered wrongly or belongs to another run.
    """
    state = RunState(run_id)
    for envelope in log:
        if envelope.run_id != run_id or envelope.seq != state.seq + 1:
            raise IllegalTransition(
                f"event {envelope.seq} of run {envelope.run_id!r} cannot follow event {state.seq} of run {run_id!r}"
            )
        apply(state, envelope.event, envelope.at)
    return state


def _with_info(node: NodeState | None, info: NodeInfo) -> NodeState:
    if node is None:
        return NodeState(info)
    node.info = info
    return node


def _end(node: NodeState, status: NodeStatus, because: str, at: float) -> None:
    node.status = status
    node.because = because
    node.ended_at = at
    node.waits = ()


def _checked(state: RunState, event: Any) -> NodeState:
    node = state.nodes.get(event.node_id)
    if node is None or node.status not in _ALLOWED[type(event)]:
        raise illegal(state, event, node)
    return node


def illegal(state: RunState, event: Event, node: NodeState | None) -> IllegalTransition:
    """Return the error that says why `event` does not fit, with the story of its node."""
    where = f"run {state.run_id!r} at event {state.seq}"
    name = type(event).__name__
    if node is None:
        subject = getattr(event, "node_id", None)
        story = f"no node {subject!r}" if subject else f"run is {state.status}"
        return IllegalTransition(f"{name} does not fit {where}: {story}")
    allowed = ", ".join(NODE_STATUS[node.status].allows)
    return IllegalTransition(
        f"{name} does not fit {where}: node {node.info.node_id!r} is {node.status}, attempt {node.attempt}, "
        f"{node.failures} failed, {node.lost} lost (event: {event!r})",
        hints=(f"a node that is {node.status} allows: {allowed}",),
    )
