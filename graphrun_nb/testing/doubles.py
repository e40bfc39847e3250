"""What stands in for a part of the engine in tests."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING, Any

from graphrun_nb.executors.loop import LoopExecutor
from graphrun_nb.protocols import Call, Error, Outcome, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class ManualClock:
    """A `Clock` whose time moves when a test says so.

    Parameters
    ----------
    now
        Unix seconds (UTC).
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self._timers: list[tuple[float, int, list[Callable[[], None]]]] = []
        self._order = itertools.count()

    def time(self) -> float:
        """Return the current instant in Unix seconds (UTC)."""
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> _ManualTimer:
        """Call `callback` when `advance` has come to `at`."""
        box = [callback]
        heapq.heappush(self._timers, (at, next(self._order), box))
        return _ManualTimer(box)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, with everything that happens meanwhile."""
        until = self.now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= until:
            at, _, box = heapq.heappop(self._timers)
            self.now = max(self.now, at)
            for callback in box:
                callback()
            await settle()
        self.now = until


class _ManualTimer:
    def __init__(self, box: list[Callable[[], None]]) -> None:
        self._box = box

    def cancel(self) -> None:
        self._box.clear()


async def settle() -> None:
    """Let everything on this loop happen that can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


class ScriptedExecutor:
    """An executor that gives outcomes out of a script instead of calling functions: ``run(g, executor=Scripted…)``.

    Parameters
    ----------
    script
        By node id, what comes of its attempts in turn: an `Outcome`, an exception, or a value; the last one again for
        all attempts after it. A node that has no part in it is called as it is, on the loop.

    Attributes
    ----------
    calls : list of Call
        All that was submitted, in order.

    Examples
    --------
    >>> from graphrun_nb import graph, run, tool
    >>> @tool(outputs=["page"])
    ... def fetch():
    ...     raise AssertionError("no test goes there")
    >>> with graph(name="g") as g:
    ...     g.expose("page", fetch().page)
    >>> executor = ScriptedExecutor({"fetch": [OSError("down"), "text"]})
    >>> from graphrun_nb import RetryPolicy
    >>> run(g, executor=executor, retry=RetryPolicy(max_attempts=2, backoff_first_s=0)).result()
    {'page': 'text'}
    >>> [call.attempt for call in executor.calls]
    [1, 2]
    """

    name = "scripted"

    def __init__(self, script: Mapping[str, Sequence[Any]]) -> None:
        self._script = script
        self._n_calls: dict[str, int] = {}
        self._loop = LoopExecutor()
        self.calls: list[Call] = []

    async def submit(self, call: Call) -> Outcome:
        """Give the next outcome of the call's node."""
        self.calls.append(call)
        outcomes = self._script.get(call.node_id)
        if not outcomes:
            return await self._loop.submit(call)
        n = self._n_calls[call.node_id] = self._n_calls.get(call.node_id, 0) + 1
        outcome = outcomes[min(n, len(outcomes)) - 1]
        if isinstance(outcome, Outcome):
            return outcome
        return Error(outcome) if isinstance(outcome, BaseException) else Value(outcome)

    def close(self) -> None:
        """Nothing to let go of."""
