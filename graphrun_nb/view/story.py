"""The attempts and waits of a log, from when to when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    NodeAdded,
    NodeCancelled,
    NodeReset,
    NodeSkipped,
    OutputPinned,
    RetryScheduled,
    RunResumed,
    SpecAccepted,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)

if TYPE_CHECKING:
    from graphrun_nb.core.events import ErrorInfo, NodeInfo


@dataclass(slots=True)
class Slice:
    """An attempt, or a wait.

    Attributes
    ----------
    start, end
        Unix seconds.
    status
        How it ended: ``done``, ``failed``, ``lost``, ``cancelled``, or ``running``; of a wait ``answered``, what became
        of it at its deadline, ``dropped``, or ``open``.
    queued
        Seconds for which the attempt could have run and did not.
    """

    node_id: str
    attempt: int
    start: float
    end: float = 0.0
    status: str = ""
    error: str = ""
    queued: float = 0.0
    no: int = 0
    prompt: str = ""


class Story:
    """Put together event by event."""

    def __init__(self) -> None:
        self.infos: dict[str, NodeInfo] = {}
        self.attempts: list[Slice] = []
        self.waits: list[Slice] = []
        self.retries: list[tuple[float, RetryScheduled]] = []
        self._running: dict[str, Slice] = {}
        self._asking: dict[str, dict[int, Slice]] = {}
        self._resumed = 0.0
        self._since: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def take(self, at: float, event: object) -> None:
        """Take in the next event of the log."""
        match event:
            case SpecAccepted(nodes=nodes):
                self.infos.update((each.node_id, each) for each in nodes)
                for each in nodes:
                    self._since.setdefault(each.node_id, at)
            case NodeAdded(node=node):
                self.infos[node.node_id] = node
                self._since[node.node_id] = at
            case RunResumed():
                self._resumed = at
            case NodeReset(node_id=node_id):
                self._since[node_id] = at
            case RetryScheduled(node_id=node_id, due=due):
                self.retries.append((at, event))
                self._since[node_id] = due
            case NodeSkipped(node_id=node_id) | OutputPinned(node_id=node_id):
                self._ended[node_id] = at
            case WaitOpened() | WaitResolved() | WaitExpired():
                self._take_wait(at, event)
            case _:
                self._take_attempt(at, event)

    def _take_attempt(self, at: float, event: object) -> None:
        match event:
            case AttemptStarted(node_id=node_id, attempt=attempt):
                queued = max(at - self._ready_at(node_id), 0.0)
                self._running[node_id] = Slice(node_id, attempt, at, queued=queued)
                self.attempts.append(self._running[node_id])
                self._begun[node_id] = at
            case AttemptSucceeded(node_id=node_id):
                self._end(node_id, at, "done")
            case AttemptFailed(node_id=node_id, error=error):
                self._end(node_id, at, "failed", error)
            case AttemptLost(node_id=node_id):
                self._end(node_id, at, "lost")
            case NodeCancelled(node_id=node_id):
                self._end(node_id, at, "cancelled")

    def _take_wait(self, at: float, event: WaitOpened | WaitResolved | WaitExpired) -> None:
        match event:
            case WaitOpened(node_id=node_id, attempt=attempt, wait=wait):
                asked = Slice(node_id, attempt, at, no=wait.no, prompt=wait.prompt or wait.kind)
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

    def _ready_at(self, node_id: str) -> float:
        """Return when a node could have started: all that it comes after was over, and its container had begun."""
        ready = max(self._since.get(node_id, 0.0), self._resumed)
        info = self.infos.get(node_id)
        if info is None:
            return ready
        before = (self._ended.get(each, 0.0) for each in (*info.needs, *info.after))
        return max(ready, self._begun.get(info.parent, 0.0), *before)

    def _end(self, node_id: str, at: float, status: str, error: ErrorInfo | None = None) -> None:
        self._ended[node_id] = at
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
