"""A run as a Chrome trace, for Perfetto and ``chrome://tracing``: one slice an attempt, waits as async slices. Pure.

Format: the Trace Event Format of Chromium, "JSON Object Format". Times are µs since the run began, which is in
``otherData``. Slices of one thread may only nest, so attempts that overlap are on threads of their own: as few as it
takes, and not the scheduler's slots, which an attempt that waits hands back. How long an attempt was queued is among
its arguments: as slices, what is queued would be as many threads as nodes are ready.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import CONTAINERS
from graphrun_nb.view.story import Story

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphrun_nb.core.events import Envelope, NodeInfo, RetryScheduled
    from graphrun_nb.view.story import Slice

_PROCESS = 1


def to_trace(log: Sequence[Envelope]) -> bytes:
    """Return a whole log as a trace, as compact JSON. O(events · log(attempts))."""
    story = Story()
    for each in log:
        story.take(each.at, each.event)
    begun = log[0].at if log else 0.0
    story.break_off(log[-1].at if log else 0.0)
    lanes = _lanes(story.attempts)
    name = getattr(log[0].event, "graph", "") if log else ""
    events = [_meta("process_name", 1, name=name)]
    for lane in sorted(set(lanes)):
        events.append(_meta("thread_name", lane, name=f"attempts {lane}"))
        events.append(_meta("thread_sort_index", lane, sort_index=lane))
    events += [_attempt(each, lane, begun, story.infos) for each, lane in zip(story.attempts, lanes, strict=True)]
    lane_of = {(each.node_id, each.attempt): lane for each, lane in zip(story.attempts, lanes, strict=True)}
    for number, wait in enumerate(story.waits, start=1):
        events += _wait(wait, number, lane_of[wait.node_id, wait.attempt], begun)
    events += [
        _retry(at, event, lane_of.get((event.node_id, event.attempt - 1), 1), begun) for at, event in story.retries
    ]
    told = {"run_id": log[0].run_id if log else "", "graph": name, "started_at": begun}
    return msgspec.json.encode({"traceEvents": events, "displayTimeUnit": "ms", "otherData": told})


def _lanes(attempts: Iterable[Slice]) -> list[int]:
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


def _meta(what: str, lane: int, **args: str | int) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": _PROCESS, "tid": lane, "args": args}


def _attempt(each: Slice, lane: int, begun: float, infos: dict[str, NodeInfo]) -> dict[str, Any]:
    info = infos.get(each.node_id)
    args: dict[str, Any] = {"node": each.node_id, "attempt": each.attempt, "status": each.status}
    if each.queued:
        args["queued_ms"] = round(each.queued * 1e3, 3)
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
        "dur": _us(each.end - begun) - _us(each.start - begun),
        "args": args,
    }


def _wait(wait: Slice, number: int, lane: int, begun: float) -> Iterable[dict[str, Any]]:
    common = {"name": f"{wait.node_id}: wait", "cat": "wait", "id": f"wait {number}", "pid": _PROCESS, "tid": lane}
    args = {"node": wait.node_id, "attempt": wait.attempt, "prompt": wait.prompt}
    yield {**common, "ph": "b", "ts": _us(wait.start - begun), "args": args}
    yield {**common, "ph": "e", "ts": _us(wait.end - begun), "args": {"ended": wait.status}}


def _retry(at: float, event: RetryScheduled, lane: int, begun: float) -> dict[str, Any]:
    common = {"ph": "i", "name": f"{event.node_id}: retry scheduled", "cat": "retry", "s": "p"}
    args = {"node": event.node_id, "in_s": round(event.due - at, 3)}
    return {**common, "pid": _PROCESS, "tid": lane, "ts": _us(at - begun), "args": args}


def _us(seconds: float) -> int:
    """Return whole µs: a Unix time tells hardly more, and slices do not overlap by a rounding."""
    return round(seconds * 1e6)
