"""What travels between a run and its views: frames to the view, replies to its commands. protocol.ts is made from here.

A view keeps the state by folding the events it gets, as `core.state.apply` does. `EventsFrame.first` must be its own
sequence number plus one; otherwise something was lost and it asks with a ``sync`` command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from graphrun_nb.core.events import ErrorInfo, Event, NodeAdded, NodeInfo, SpecAccepted, WaitInfo, WaitOpened
from graphrun_nb.core.state import OpenWait
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.protocols import Signal
from graphrun_nb.view.look import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.state import RunState
    from graphrun_nb.view.drawing import Layout

PROTOCOL = 1

STATUS_CODES: dict[NodeStatus, str] = {
    NodeStatus.PENDING: "p",
    NodeStatus.RUNNING: "r",
    NodeStatus.WAITING: "w",
    NodeStatus.RETRYING: "t",
    NodeStatus.DONE: "d",
    NodeStatus.FAILED: "f",
    NodeStatus.SKIPPED: "s",
    NodeStatus.CANCELLED: "c",
}


class _Frame(Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """Base of all messages from kernel to view."""


class EventsFrame(_Frame, frozen=True, tag="events"):
    """Events `first`, `first` + 1, …, each with its instant in Unix seconds; token digests are blanked.

    Without any it says only that `first` is what comes next.
    """

    first: int
    at: tuple[float, ...]
    events: tuple[Event, ...]


class SnapshotFrame(_Frame, frozen=True, tag="snapshot"):
    """The whole state at `seq`; columns are in order of definition of the nodes.

    Attributes
    ----------
    nodes
        The definitions; empty if the view said that it has as many as there are.
    status
        One character a node, see `STATUS_CODES`.
    attempt, failures, lost
        A number a node.
    started_ms, ended_ms
        Whole milliseconds since `started_at`, or -1, a number a node.
    due, waits, errors, because
        Only for the nodes that have one, by index.
    """

    seq: int
    graph: str
    max_concurrency: int
    started_at: float
    ended_at: float
    cancelled_by: str
    finished: RunStatus | None
    nodes: tuple[NodeInfo, ...]
    status: str
    attempt: tuple[int, ...]
    failures: tuple[int, ...]
    lost: tuple[int, ...]
    started_ms: tuple[int, ...]
    ended_ms: tuple[int, ...]
    due: dict[int, float]
    waits: dict[int, tuple[OpenWait, ...]]
    errors: dict[int, ErrorInfo]
    because: dict[int, str]


class LayoutFrame(_Frame, frozen=True, tag="layout"):
    """Where the direct parts of a container stand: centres in px, x along the ranks, y down.

    Attributes
    ----------
    inside
        The container's id; empty for the run as a whole.
    x, y
        Rounded to whole px, a number a part, in order of definition. There may be more parts by now.
    bends
        For edges that are not one straight step: number of its start among the parts, number of its end, then x, y, x,
        y, ….
    width, height
        Of the whole drawing, px.
    """

    x: tuple[int, ...]
    y: tuple[int, ...]
    bends: tuple[tuple[int, ...], ...]
    width: int
    height: int
    inside: str = ""


class SignalsFrame(_Frame, frozen=True, tag="signals"):
    """Telemetry of nodes: lines of output, and progress. It may be dropped."""

    signals: tuple[Signal, ...]


class LoopFrame(_Frame, frozen=True, tag="loop"):
    """How the kernel's event loop is, once a second while the run is under way, and at once when something keeps it.

    Attributes
    ----------
    seq
        The number of the latest event that was sent.
    busy_s
        How long the loop has not turned, or had not when it `turns` again; 0 if nothing kept it.
    run_id, node_id
        Whose code kept it; empty if that was no node, `run_id` also if it was one of this run.
    """

    seq: int
    busy_s: float = 0.0
    turns: bool = True
    run_id: str = ""
    node_id: str = ""


class Reply(_Frame, frozen=True, tag="reply"):
    """The answer to the command `id`; `error` and `hint` are empty if it was carried out.

    Attributes
    ----------
    errors
        Of an answer that does not fit its wait: path inside the payload (empty for the whole) and message.
    """

    id: int
    error: str = ""
    hint: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    data: dict[str, Any] | None = None


Frame = EventsFrame | SnapshotFrame | LayoutFrame | SignalsFrame | LoopFrame | Reply


class ValueView(Struct, frozen=True, omit_defaults=True):
    """A value as people see it: name, type and at most 4 kB of text.

    Attributes
    ----------
    size
        How large it is, in words.
    look
        It as a table, an array or a tree, where it is one.
    is_rich
        Whether it may have a picture or HTML of its own: a ``look`` command asks for it.
    """

    name: str
    type: str
    text: str
    truncated: bool = False
    size: str = ""
    look: Look | None = None
    is_rich: bool = False


class ValueLook(Struct, frozen=True, omit_defaults=True):
    """The answer to a ``look`` command: the picture or HTML that a value makes of itself, or why there is none."""

    look: Look | None = None
    problem: str = ""


class ValueText(Struct, frozen=True, omit_defaults=True):
    """The answer to a ``value`` command: a piece of a value's whole text.

    Attributes
    ----------
    start, total
        In characters; the piece begins at `start`, and there are `total` that can be had.
    is_cut
        Whether the value is longer than that.
    """

    text: str
    start: int
    total: int
    is_cut: bool = False


class NodeDetail(Struct, frozen=True, omit_defaults=True):
    """The answer to a ``detail`` command: what the log does not say of a node.

    Attributes
    ----------
    source
        The function's source, dedented, with the number of its first line and its file as the user knows it.
    story
        The node's own events with their sequence numbers and instants.
    """

    node_id: str
    inputs: tuple[ValueView, ...] = ()
    outputs: tuple[ValueView, ...] = ()
    logs: tuple[tuple[float, str, str], ...] = ()
    source: str = ""
    source_file: str = ""
    source_line: int = 0
    story: tuple[tuple[int, float, Event], ...] = ()


_ENCODER = msgspec.json.Encoder()


def encode(frame: Frame) -> bytes:
    """Return `frame` as JSON."""
    return _ENCODER.encode(frame)


def to_builtins(frame: Frame) -> dict[str, Any]:
    """Return `frame` as plain dicts and lists, for a transport that encodes by itself."""
    plain: dict[str, Any] = msgspec.to_builtins(frame, str_keys=True)
    return plain


def events_frame(first: int, batch: Sequence[tuple[float, Event]]) -> EventsFrame:
    """Return the frame for consecutive events, without secrets' digests and nodes' fingerprints."""
    return EventsFrame(first, tuple(at for at, _ in batch), tuple(_seen(event) for _, event in batch))


def history_piece(first: int, batch: Sequence[tuple[float, Event]], max_bytes: int) -> EventsFrame:
    """Return the frame for as many of consecutive events as fit into `max_bytes` of JSON, at least one."""
    n_bytes = 0
    n = 0
    for at, event in batch:
        n_bytes += len(_ENCODER.encode((at, event)))
        if n and n_bytes > max_bytes:
            break
        n += 1
    return events_frame(first, batch[:n])


def snapshot_frame(state: RunState, *, known_nodes: int = 0) -> SnapshotFrame:
    """Return the whole of `state`; the definitions only if a view does not know as many. O(nodes)."""
    nodes = list(state.nodes.values())
    start = state.started_at

    def since(at: float) -> int:
        return round((at - start) * 1000) if at else -1

    return SnapshotFrame(
        seq=state.seq,
        graph=state.graph,
        max_concurrency=state.max_concurrency,
        started_at=start,
        ended_at=state.ended_at,
        cancelled_by=state.cancelled_by,
        finished=state.finished,
        nodes=() if known_nodes == len(nodes) else tuple(_without_fingerprint(node.info) for node in nodes),
        status="".join(STATUS_CODES[node.status] for node in nodes),
        attempt=tuple(node.attempt for node in nodes),
        failures=tuple(node.failures for node in nodes),
        lost=tuple(node.lost for node in nodes),
        started_ms=tuple(since(node.started_at) for node in nodes),
        ended_ms=tuple(since(node.ended_at) for node in nodes),
        due={i: node.due for i, node in enumerate(nodes) if node.status is NodeStatus.RETRYING},
        waits={i: tuple(map(_public_wait, node.waits)) for i, node in enumerate(nodes) if node.waits},
        errors={i: node.error for i, node in enumerate(nodes) if node.error is not None},
        because={i: node.because for i, node in enumerate(nodes) if node.because},
    )


def layout_frame(layout: Layout, parts: Sequence[str], *, inside: str = "") -> LayoutFrame:
    """Return `layout` of the parts of a container, numbered in the order given."""
    index = {node_id: i for i, node_id in enumerate(parts)}
    return LayoutFrame(
        x=tuple(round(layout.position[node_id][0]) for node_id in parts),
        y=tuple(round(layout.position[node_id][1]) for node_id in parts),
        bends=tuple(
            (index[start], index[end], *(round(value) for point in points for value in point))
            for (start, end), points in layout.bends.items()
        ),
        width=round(layout.size[0]),
        height=round(layout.size[1]),
        inside=inside,
    )


def _seen(event: Event) -> Event:
    """Return `event` as a view needs it: fingerprints are a fourth of a large graph's definitions, and not shown."""
    match event:
        case SpecAccepted(nodes=nodes):
            return msgspec.structs.replace(event, nodes=tuple(map(_without_fingerprint, nodes)))
        case NodeAdded(node=node):
            return NodeAdded(_without_fingerprint(node))
        case _:
            return public_event(event)


def _without_fingerprint(info: NodeInfo) -> NodeInfo:
    return msgspec.structs.replace(info, fingerprint="") if info.fingerprint else info


def public_event(event: Event) -> Event:
    """Return `event` as a view may see it: without the digest of a wait's token."""
    if isinstance(event, WaitOpened):
        return WaitOpened(event.node_id, event.attempt, _public(event.wait))
    return event


def public_state(state: RunState) -> RunState:
    """Return a copy of `state` as anybody may see it: without the digests of its waits' tokens. O(nodes)."""
    nodes = {
        node_id: msgspec.structs.replace(node, waits=tuple(map(_public_wait, node.waits))) if node.waits else node
        for node_id, node in state.nodes.items()
    }
    return msgspec.structs.replace(state, nodes=nodes)


def _public_wait(wait: OpenWait) -> OpenWait:
    return OpenWait(_public(wait.wait), wait.attempt, wait.at)


def _public(wait: WaitInfo) -> WaitInfo:
    return msgspec.structs.replace(wait, token_digest="")
