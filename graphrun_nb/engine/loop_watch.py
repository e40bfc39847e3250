"""How late an event loop is, and which node blocks it: all nodes, cells and clicks share one.

While somebody listens the loop beats ten times a second, and a thread looks at the beats. If one is late it looks for
the attempt whose code is on the loop's thread, and tells: the loop itself cannot, as long as it is kept.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING

from msgspec import Struct

from graphrun_nb.engine.calls import Calls
from graphrun_nb.engine.here import Here
from graphrun_nb.engine.stepping import stepper

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    Listener = Callable[["Pulse"], None]

BEAT_S = 0.1
LATE_S = 0.25
PULSE_S = 1.0
"""How often the listeners hear of a loop that turns; twice as often of one that is kept."""

_CARRIERS = (stepper.__code__, Calls.here_and_now.__code__)
"""What steps an attempt on the loop's thread; both call it `attempt`."""


class Pulse(Struct, frozen=True):
    """How the loop is.

    Attributes
    ----------
    busy_s
        How long it has not turned, or had not when it `turns` again; 0 if nothing kept it.
    run_id, node_id
        Whose code kept it; empty if that was no node.
    """

    busy_s: float = 0.0
    turns: bool = True
    run_id: str = ""
    node_id: str = ""


class LoopWatch:
    """The watch over one loop. `attach` and `detach` belong on the loop's thread; listeners are called on any."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._listeners: tuple[Listener, ...] = ()
        self._over = threading.Event()
        self._thread_id = 0
        self._due = 0.0
        self._told_at = 0.0
        self._kept_by: tuple[float, Here | None] = (0.0, None)
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, listener: Listener) -> None:
        """Tell `listener` of the loop's pulse from now on."""
        if listener in self._listeners:
            return
        self._listeners += (listener,)
        if self._timer is None:
            self._over = threading.Event()
            self._thread_id = threading.get_ident()
            self._told_at = 0.0
            self._wait_for_beat()
            threading.Thread(target=self._look, args=(self._over,), name="graphrun loop watch", daemon=True).start()

    def detach(self, listener: Listener) -> None:
        """Stop telling `listener`; after the last one nothing is watched any more."""
        self._listeners = tuple(each for each in self._listeners if each != listener)
        if not self._listeners and self._timer is not None:
            self._over.set()
            self._timer.cancel()
            self._timer = None

    def _wait_for_beat(self) -> None:
        loop = self._loop()
        if loop is not None:
            self._due = time.monotonic() + BEAT_S
            self._timer = loop.call_later(BEAT_S, self._beat, context=contextvars.Context())

    def _beat(self) -> None:
        now = time.monotonic()
        due = self._due
        self._wait_for_beat()
        if now - due >= LATE_S:
            at, kept_by = self._kept_by
            self._tell(_pulse(now - due, kept_by if at == due else None, turns=True), now)
        elif now - self._told_at >= PULSE_S:
            self._tell(Pulse(), now)

    def _look(self, over: threading.Event) -> None:
        while not over.wait(BEAT_S):
            loop = self._loop()
            if loop is None or loop.is_closed():
                return
            due, now = self._due, time.monotonic()
            if now - due < LATE_S:
                continue
            kept_by = attempt_on(self._thread_id)
            if kept_by is not None or self._kept_by[0] != due:
                self._kept_by = (due, kept_by)
            if now - self._told_at >= PULSE_S / 2:
                self._tell(_pulse(now - due, self._kept_by[1], turns=False), now)

    def _tell(self, pulse: Pulse, now: float) -> None:
        self._told_at = now
        for listener in self._listeners:
            listener(pulse)


_WATCHES: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch] = weakref.WeakKeyDictionary()


def watch_of(loop: asyncio.AbstractEventLoop) -> LoopWatch:
    """Return the one watch over `loop`."""
    watch = _WATCHES.get(loop)
    if watch is None:
        watch = _WATCHES[loop] = LoopWatch(loop)
    return watch


def attempt_on(thread_id: int) -> Here | None:
    """Return the attempt whose code a thread is in right now, if it is in one that is stepped there."""
    frame = sys._current_frames().get(thread_id)  # noqa: SLF001 (documented, in spite of its name)
    while frame is not None:
        if frame.f_code in _CARRIERS:
            attempt = frame.f_locals.get("attempt")
            if isinstance(attempt, Here):
                return attempt
        frame = frame.f_back
    return None


def _pulse(busy_s: float, kept_by: Here | None, *, turns: bool) -> Pulse:
    if kept_by is None:
        return Pulse(busy_s, turns)
    return Pulse(busy_s, turns, kept_by.run.run_id, kept_by.node_id)
