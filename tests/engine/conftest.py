"""A clock that stands still until a test moves it, and graphs of one line."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools

import pytest

from graphrun_nb import graph, tool


class ManualClock:
    """Time moves when a test says so."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self._timers: list[tuple[float, int, list]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, at, callback):
        box = [callback]
        heapq.heappush(self._timers, (at, next(self._order), box))

        class Timer:
            def cancel(self) -> None:
                box.clear()

        return Timer()

    async def advance(self, seconds: float) -> None:
        until = self.now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= until:
            at, _, box = heapq.heappop(self._timers)
            self.now = max(self.now, at)
            for callback in box:
                callback()
            await settle()
        self.now = until


async def settle() -> None:
    """Let everything that can happen without time passing happen."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def one_node():
    """Make a graph of one node from a function; keywords are node controls."""

    def make(function, outputs=("x",), **controls):
        with graph(name="one") as g:
            g.expose("x", tool(outputs=list(outputs))(function)(**controls)[outputs[0]])
        return g.build()

    return make


@contextlib.contextmanager
def loop_errors():
    """Collect what the loop's exception handler is given."""
    caught = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: caught.append(context))
    try:
        yield caught
    finally:
        loop.set_exception_handler(None)
