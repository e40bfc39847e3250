"""What the nodes of one run write: joined to lines, at most 64 kB an attempt, told to observers in batches."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from graphrun_nb.authoring.node_view import LogLine
from graphrun_nb.core.events import AttemptFailed, AttemptLost, AttemptSucceeded, NodeCancelled
from graphrun_nb.engine.here import CURRENT
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


class RunOutput:
    """The output of one run's nodes. `write` and `add_line` come from any thread, and who reads may, too.

    Nothing is made for a node before it writes something. Observers hear the first line of a quiet spell at once and
    the rest every 50 ms; of a line that is not finished they hear how it stands, with a carriage return before it.

    Attributes
    ----------
    echoes
        Whether what nodes write also goes on to the streams; None as long as the run has not begun.
    """

    def __init__(self, run: Run) -> None:
        self.echoes: bool | None = None
        self._run = run
        self._lock = threading.RLock()  # a finaliser that prints may run anywhere
        self._lines: dict[str, list[LogLine]] = {}
        self._room: dict[tuple[str, int], int] = {}
        self._open: dict[str, dict[tuple[int, str], str]] = {}
        self._untold: list[Signal] = []
        self._moved: dict[tuple[str, int, str], None] = {}
        self._last_at: dict[str, float] = {}
        self._is_telling = False
        self._is_watching = False
        self._is_closed = False

    def show_caller(self) -> None:
        """Let what is written go on to the streams, since the caller waits for the run and nobody else shows it."""
        if CURRENT.get() is None:
            self.echoes = True

    def write(self, here: Here, stream: str, text: str) -> None:
        """Add text as it is printed, in pieces; each newline ends a line."""
        owner = (here.node_id, here.attempt)
        if self._room.get(owner, MAX_BYTES) < 0:
            return
        with self._lock:
            for start in range(0, len(text), MAX_BYTES):
                self._join(owner, stream, text[start : start + MAX_BYTES])
                if self._room.get(owner, MAX_BYTES) < 0:
                    break
        self._tell_soon()

    def add_line(self, here: Here, stream: str, text: str) -> None:
        """Add what is a line as it is, for example a log record."""
        owner = (here.node_id, here.attempt)
        if self._room.get(owner, MAX_BYTES) >= 0:
            with self._lock:
                self._keep(owner, stream, text)
            self._tell_soon()

    def lines(self, node_id: str) -> tuple[LogLine, ...]:
        """Return the finished lines of a node's attempts, in order; no two have the same instant."""
        with self._lock:
            return tuple(self._lines.get(node_id, ()))

    def unfinished(self, node_id: str) -> tuple[LogLine, ...]:
        """Return the lines that a node has begun, as they stand now."""
        with self._lock:
            found = self._open.get(node_id, {})
            return tuple(
                LogLine(stream, _sendable(_shown(text)), self._now(node_id)) for (_, stream), text in found.items()
            )

    def close(self) -> None:
        """Finish all lines and tell what is left, on the loop's thread; what comes later is kept, and not told."""
        with self._lock:
            for node_id in list(self._open):
                self._finish(node_id)
            self._is_closed = True
        self._tell()
        self._run.log.detach(self)

    def on_events(self, first: int, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Finish the lines of attempts that have ended."""
        del first, state
        if self._open:
            with self._lock:
                for _, event in batch:
                    if isinstance(event, AttemptSucceeded | AttemptFailed | AttemptLost | NodeCancelled):
                        self._finish(event.node_id)
            self._tell_soon()

    def on_signal(self, signal: Signal) -> None:
        """Nothing to note."""

    def _join(self, owner: tuple[str, int], stream: str, text: str) -> None:
        node_id, attempt = owner
        unfinished = self._open.get(node_id, {})
        *lines, rest = (unfinished.pop((attempt, stream), "") + text).split("\n")
        for line in lines:
            self._keep(owner, stream, _shown(line))
        room = self._room.get(owner, MAX_BYTES)
        if not rest or room < 0:
            return
        rest = _shown(rest) + (UNFINISHED if rest.endswith("\r") else "")
        if len(rest) > room:
            self._keep(owner, stream, rest)
            return
        self._open.setdefault(node_id, unfinished)[attempt, stream] = rest
        self._moved[node_id, attempt, stream] = None
        if not self._is_watching:
            self._is_watching = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: no attempt of it will end
                self._run.post(lambda: self._run.log.attach(self))

    def _keep(self, owner: tuple[str, int], stream: str, text: str) -> None:
        before = self._room.get(owner, MAX_BYTES)
        if before < 0:
            return
        data = text.encode("utf-8", "backslashreplace")
        room = self._room[owner] = before - len(data) - 1
        if room >= 0:
            self._append(owner, stream, data.decode())
            return
        if before:
            self._append(owner, stream, data[:before].decode("utf-8", "ignore"))
        self._append(owner, "note", _DROPPED)
        node_id, attempt = owner
        for key in [each for each in self._open.get(node_id, ()) if each[0] == attempt]:
            del self._open[node_id][key]

    def _append(self, owner: tuple[str, int], stream: str, text: str) -> None:
        node_id, attempt = owner
        line = LogLine(stream, text, self._now(node_id))
        self._lines.setdefault(node_id, []).append(line)
        if not self._is_closed:
            self._untold.append(Signal(node_id, attempt, stream, text, line.at))

    def _finish(self, node_id: str) -> None:
        for (attempt, stream), text in self._open.pop(node_id, {}).items():
            line = _shown(text)
            if line.strip():
                self._keep((node_id, attempt), stream, line)

    def _now(self, node_id: str) -> float:
        """Return the instant, moved on so that what a view has and what it hears never fall together."""
        at = max(self._run.clock.time(), self._last_at.get(node_id, 0.0) + TICK_S)
        self._last_at[node_id] = at
        return at

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
            for node_id, attempt, stream in moved:
                text = self._open.get(node_id, {}).get((attempt, stream))
                if text is not None:
                    shown = UNFINISHED + _sendable(_shown(text))
                    signals.append(Signal(node_id, attempt, stream, shown, self._now(node_id)))
            self._is_telling = bool(signals) and not self._is_closed
        for signal in signals:
            self._run.log.signal(signal)
        loop = self._run.loop
        if self._is_telling and loop is not None:
            loop.call_later(BATCH_S, self._tell)


def _shown(line: str) -> str:
    """Return what a terminal shows of a line in the end: after a carriage return it begins anew."""
    return line.rstrip("\r").rpartition("\r")[2]


def _sendable(text: str) -> str:
    """Return `text` with characters that cannot be encoded spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()
