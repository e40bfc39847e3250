"""What the nodes of one run write: joined to lines, at most 64 kB an attempt, told to observers in batches."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphrun_nb.authoring.node_view import LogLine
from graphrun_nb.core.events import AttemptFailed, AttemptLost, AttemptSucceeded, NodeCancelled
from graphrun_nb.protocols import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.here import Here
    from graphrun_nb.engine.run import Run

MAX_BYTES = 64 * 1024
BATCH_S = 0.05
TICK_S = 1e-6
UNFINISHED = "\r"
_DROPPED = f"what was written after this was dropped: {MAX_BYTES // 1024} kB of an attempt are kept"


@dataclass(eq=False, slots=True)
class _Node:
    lines: list[LogLine] = field(default_factory=list)
    attempts: list[_Attempt] = field(default_factory=list)
    last_at: float = 0.0


@dataclass(eq=False, slots=True)
class _Attempt:
    """`room` is negative once something was dropped; `begun` has the pieces of a line, by stream."""

    node: _Node
    node_id: str
    attempt: int
    room: int = MAX_BYTES
    begun: dict[str, list[str]] = field(default_factory=dict)
    n_begun: int = 0


class RunOutput:
    """The output of one run's nodes. `write` and `add_line` come from any thread, and who reads may, too.

    Nothing is made for a node before it writes something. Observers hear the first line of a quiet spell at once and
    the rest every 50 ms; of a line that is not finished they hear how it stands, with a carriage return before it.

    Attributes
    ----------
    echoes
        Whether what nodes write also goes on to the streams; None leaves it to `Capture.begin`.
    """

    def __init__(self, run: Run) -> None:
        self.echoes: bool | None = None
        self._run = run
        self._lock = threading.RLock()  # a finaliser that prints may run anywhere
        self._nodes: dict[str, _Node] = {}
        self._attempts: dict[tuple[str, int], _Attempt] = {}
        self._unfinished: set[str] = set()
        self._untold: list[Signal] = []
        self._moved: dict[_Attempt, None] = {}
        self._is_telling = False
        self._is_watching = False
        self._is_closed = False

    def write(self, here: Here, stream: str, text: str) -> None:
        """Add text as it is printed, in pieces; each newline ends a line. Costs nothing once there is no room."""
        of = self._attempts.get((here.node_id, here.attempt)) or self._new(here)
        if of.room < 0 or not text:
            return
        with self._lock:
            if "\n" in text or "\r" in text or of.n_begun + len(text) > of.room:
                for start in range(0, len(text), MAX_BYTES):
                    if of.room >= 0:
                        self._join(of, stream, text[start : start + MAX_BYTES])
            else:
                self._begin(of, stream, text)
        if not self._is_telling:
            self._tell_soon()

    def add_line(self, here: Here, stream: str, text: str) -> None:
        """Add what is a line as it is, for example a log record."""
        of = self._attempts.get((here.node_id, here.attempt)) or self._new(here)
        with self._lock:
            self._keep(of, stream, text)
        self._tell_soon()

    def lines(self, node_id: str) -> tuple[LogLine, ...]:
        """Return the finished lines of a node's attempts, in order; no two of a process have the same instant."""
        with self._lock:
            node = self._nodes.get(node_id)
            here = tuple(node.lines) if node is not None else ()
        return self._with_earlier(node_id, here) if self._run.has_past else here

    def unfinished(self, node_id: str) -> tuple[LogLine, ...]:
        """Return the lines that a node has begun, as they stand now."""
        with self._lock:
            node = self._nodes.get(node_id)
            return tuple(
                LogLine(stream, self._sendable("".join(pieces)), self._now(of.node))
                for of in (node.attempts if node is not None else ())
                for stream, pieces in of.begun.items()
            )

    def open(self) -> None:
        """Tell what comes from now on, also if `close` was called before."""
        self._is_closed = self._is_watching = self._is_telling = False

    def close(self) -> None:
        """Finish all lines and tell what is left, on the loop's thread; what comes later is kept, and not told."""
        with self._lock:
            for node_id in list(self._unfinished):
                self._finish(node_id)
            self._is_closed = True
        self._tell()
        self._run.log.detach(self)

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Finish the lines of attempts that have ended."""
        del state
        if self._unfinished:
            for _, event in batch:
                if isinstance(event, AttemptSucceeded | AttemptFailed | AttemptLost | NodeCancelled):
                    with self._lock:
                        self._finish(event.node_id)
            self._tell_soon()

    def on_signal(self, signal: Signal) -> None:
        """Nothing to note."""

    def _with_earlier(self, node_id: str, here: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
        """Return `here` with what other processes wrote, whose lines the store alone has."""
        known = {line.at for line in here}
        kept = self._run.keeper.lines(node_id)
        others = tuple(LogLine(each.stream, each.text, each.at) for each in kept if each.at not in known)
        return tuple(sorted((*others, *here), key=lambda line: line.at)) if others else here

    def _new(self, here: Here) -> _Attempt:
        with self._lock:
            node = self._nodes.setdefault(here.node_id, _Node())
            key = (here.node_id, here.attempt)
            of = self._attempts.setdefault(key, _Attempt(node, *key))
            if of not in node.attempts:
                node.attempts.append(of)
            return of

    def _join(self, of: _Attempt, stream: str, text: str) -> None:
        begun = "".join(of.begun.pop(stream, ()))
        of.n_begun -= len(begun)
        *lines, rest = (begun + text).split("\n")
        for line in lines:
            self._keep(of, stream, _shown(line))
        if rest and of.room >= 0:
            rest = _shown(rest) + (UNFINISHED if rest.endswith("\r") else "")
            if len(rest) > of.room:
                self._keep(of, stream, rest)
            else:
                self._begin(of, stream, rest)

    def _begin(self, of: _Attempt, stream: str, text: str) -> None:
        of.begun.setdefault(stream, []).append(text)
        of.n_begun += len(text)
        self._unfinished.add(of.node_id)
        self._moved[of] = None
        if not self._is_watching:
            self._is_watching = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: no attempt of it will end
                self._run.post(lambda: self._run.log.attach(self))

    def _keep(self, of: _Attempt, stream: str, text: str) -> None:
        if of.room < 0:
            return
        data = text.encode("utf-8", "backslashreplace")
        room = of.room - len(data) - 1
        if room >= 0:
            self._append(of, stream, data.decode())
        else:
            if of.room:
                self._append(of, stream, data[: of.room].decode("utf-8", "ignore"))
            self._append(of, "note", _DROPPED)
            of.begun.clear()
        of.room = room

    def _append(self, of: _Attempt, stream: str, text: str) -> None:
        line = LogLine(stream, self._run.secrets.scrub(text), self._now(of.node))
        of.node.lines.append(line)
        told = Signal(of.node_id, of.attempt, stream, line.text, line.at)
        self._run.keeper.add_line(told)
        if not self._is_closed:
            self._untold.append(told)

    def _finish(self, node_id: str) -> None:
        if node_id in self._unfinished:
            self._unfinished.discard(node_id)
            for of in self._nodes[node_id].attempts:
                begun, of.begun, of.n_begun = of.begun, {}, 0
                for stream, pieces in begun.items():
                    line = _shown("".join(pieces))
                    if line.strip():
                        self._keep(of, stream, line)

    def _sendable(self, text: str) -> str:
        """Return what can be seen of a line that is not finished, with characters that cannot be encoded spelt out."""
        return self._run.secrets.scrub(_shown(text)).encode("utf-8", "backslashreplace").decode()

    def _now(self, node: _Node) -> float:
        """Return the instant, moved on so that what a view has and what it hears never fall together."""
        node.last_at = max(self._run.clock.time(), node.last_at + TICK_S)
        return node.last_at

    def _tell_soon(self) -> None:
        with self._lock:
            if self._is_telling or self._is_closed or not (self._untold or self._moved):
                return
            self._is_telling = True
        loop = self._run.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody hears
                loop.call_soon_threadsafe(self._tell, context=self._run.launcher.base.copy())

    def _tell(self) -> None:
        with self._lock:
            signals, self._untold = self._untold, []
            moved, self._moved = self._moved, {}
            for of in moved:
                for stream, pieces in of.begun.items():
                    shown = UNFINISHED + self._sendable("".join(pieces))
                    signals.append(Signal(of.node_id, of.attempt, stream, shown, self._now(of.node)))
            self._is_telling = bool(signals) and not self._is_closed
        for signal in signals:
            self._run.log.signal(signal)
        loop = self._run.loop
        if self._is_telling and loop is not None:
            loop.call_later(BATCH_S, self._tell)


def _shown(line: str) -> str:
    """Return what a terminal shows of a line in the end: after a carriage return it begins anew."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line
