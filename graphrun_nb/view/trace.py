"""A run as a Chrome trace, for Perfetto and ``chrome://tracing``: one slice an attempt, waits as async slices. Pure.

Format: the Trace Event Format of Chromium, "JSON Object Format". Times are µs since the run began, which is in
``otherData``. Slices of one thread may only nest, so attempts that overlap are on threads of their own: as few as it
takes, and not the scheduler's slots, which an attempt that waits hands back.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    NodeAdded,
    NodeCancelled,
    RetryScheduled,
    SpecAccepted,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphrun_nb.core.events import Envelope, ErrorInfo, NodeInfo

_PROCESS = 1


@dataclass(slots=True)
class _Slice:
    """An attempt, or a wait, from `start` to `end` (Unix seconds)."""

    node_id: str
    attempt: int
    start: float
    end: float = 0.0
    status: str = ""
    error: str = ""
    no: int = 0
    prompt: str = ""


class _Story:
    """The attempts and waits of a log, put together event by event."""

    def __init__(self) -> None:
        self.infos: dict[str, NodeInfo] = {}
        self.attempts: list[_Slice] = []
        self.waits: list[_Slice] = []
        self.retries: list[tuple[float, str, float]] = []
        self._running: dict[str, _Slice] = {}
        self._asking: dict[str, dict[int, _Slice]] = {}

    def take(self, at: float, event: object) -> None:
        match event:
            case SpecAccepted(nodes=nodes):
                self.infos.update((each.node_id, each) for each in nodes)
            case NodeAdded(node=node):
                self.infos[node.node_id] = node
            case AttemptStarted(node_id=node_id, attempt=attempt):
                self._running[node_id] = _Slice(node_id, attempt, at)
                self.attempts.append(self._running[node_id])
            case AttemptSucceeded(node_id=node_id):
                self._end(node_id, at, "done")
            case AttemptFailed(node_id=node_id, error=error):
                self._end(node_id, at, "failed", error)
            case AttemptLost(node_id=node_id):
                self._end(node_id, at, "lost")
            case NodeCancelled(node_id=node_id):
                self._end(node_id, at, "cancelled")
            case RetryScheduled(node_id=node_id, due=due):
                self.retries.append((at, node_id, due))
            case WaitOpened(node_id=node_id, attempt=attempt, wait=wait):
                asked = _Slice(node_id, attempt, at, no=wait.no, prompt=wait.prompt or wait.kind)
                self._asking.setdefault(node_id, {})[wait.no] = asked
                self.waits.append(asked)
            case WaitResolved(node_id=node_id, no=no):
                self._close(node_id, no, at, "answered")
            case WaitExpired(node_id=node_id, no=no, outcome=outcome):
                self._close(node_id, no, at, outcome)

    def break_off(self, at: float) -> None:
        """End what is under way, as far as the log tells."""
        for node_id in list(self._running):
            self._end(node_id, at, "running")

    def _end(self, node_id: str, at: float, status: str, error: ErrorInfo | None = None) -> None:
        ended = self._running.pop(node_id, None)
        if ended is not None:
            ended.end, ended.status = at, status
            ended.error = f"{error.type_name}: {error.message}" if error is not None else ""
        for no in list(self._asking.get(node_id, ())):
            self._close(node_id, no, at, "open" if status == "running" else "dropped")

    def _close(self, node_id: str, no: int, at: float, status: str) -> None:
        asked = self._asking.get(node_id, {}).pop(no, None)
        if asked is not None:
            asked.end, asked.status = at, status


def to_trace(log: Sequence[Envelope]) -> bytes:
    """Return a whole log as a trace, as compact JSON. O(events · log(attempts))."""
    story = _Story()
    for each in log:
        story.take(each.at, each.event)
    begun = log[0].at if log else 0.0
    story.break_off(log[-1].at if log else 0.0)
    lanes = _lanes(story.attempts)
    name = getattr(log[0].event, "graph", "") if log else ""
    events: list[dict[str, Any]] = [_meta("process_name", 0, name)]
    events += [_meta("thread_name", lane, f"attempts {lane}") for lane in sorted(set(lanes))]
    events += [_attempt(each, lane, begun, story.infos) for each, lane in zip(story.attempts, lanes, strict=True)]
    for number, wait in enumerate(story.waits, start=1):
        events += _wait(wait, number, begun)
    events += [_retry(at, node_id, due, begun) for at, node_id, due in story.retries]
    told = {"run_id": log[0].run_id if log else "", "graph": name, "started_at": begun}
    return msgspec.json.encode({"traceEvents": events, "displayTimeUnit": "ms", "otherData": told})


def _lanes(attempts: Iterable[_Slice]) -> list[int]:
    """Return a lane for each attempt, counted from 1, so that those of one lane do not overlap."""
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    lanes = []
    n = 0
    for each in attempts:
        while busy and busy[0][0] <= each.start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            n += 1
            lane = n
        heapq.heappush(busy, (each.end, lane))
        lanes.append(lane)
    return lanes


def _meta(what: str, lane: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": _PROCESS, "tid": lane, "args": {"name": name}}


def _attempt(each: _Slice, lane: int, begun: float, infos: dict[str, NodeInfo]) -> dict[str, Any]:
    info = infos.get(each.node_id)
    args: dict[str, Any] = {"node": each.node_id, "attempt": each.attempt, "status": each.status}
    if each.error:
        args["error"] = each.error
    if info is not None and info.labels:
        args["labels"] = ", ".join(info.labels)
    return {
        "ph": "X",
        "name": each.node_id,
        "cat": "container" if info is not None and info.kind in CONTAINERS else "attempt",
        "pid": _PROCESS,
        "tid": lane,
        "ts": _us(each.start - begun),
        "dur": _us(each.end - each.start),
        "args": args,
    }


def _wait(wait: _Slice, number: int, begun: float) -> Iterable[dict[str, Any]]:
    common = {"name": f"{wait.node_id}: wait", "cat": "wait", "id": number, "pid": _PROCESS, "tid": 0}
    args = {"node": wait.node_id, "attempt": wait.attempt, "prompt": wait.prompt}
    yield {**common, "ph": "b", "ts": _us(wait.start - begun), "args": args}
    yield {**common, "ph": "e", "ts": _us(wait.end - begun), "args": {"ended": wait.status}}


def _retry(at: float, node_id: str, due: float, begun: float) -> dict[str, Any]:
    common = {"ph": "i", "name": f"{node_id}: retry scheduled", "cat": "retry", "s": "p", "pid": _PROCESS, "tid": 0}
    return {**common, "ts": _us(at - begun), "args": {"node": node_id, "in_s": round(due - at, 3)}}


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 1)
