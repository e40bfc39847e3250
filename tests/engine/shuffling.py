"""An event loop without a wall clock, whose ready callbacks run in an order that a seed decides."""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

PATIENCE = 200_000


class _NoWaiting(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """A selector that takes no time: when nothing is ready, time moves on to the next timer."""

    loop: ShuffledLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("the loop would sleep for ever: nothing is ready and no timer is set")
        if not ready and timeout:
            self.loop.now += timeout
        return ready


class ShuffledLoop(asyncio.SelectorEventLoop):
    """Runs what is ready in any order, as real loops do over time, and tells when it has had `n_steps`.

    Within one round the order of callbacks is asyncio's promise to those who use `call_soon`; what is shuffled are
    callbacks of different tasks, among which no order is promised to the code under test.
    """

    def __init__(self, seed: int) -> None:
        self.now = 1_000.0
        self.random = random.Random(seed)  # noqa: S311 (an order, no secret)
        self.n_steps = 0
        self.at_step: dict[int, Any] = {}
        selector = _NoWaiting()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]  # the queue of what runs in this round
        shuffled = list(ready)
        self.random.shuffle(shuffled)
        ready.clear()
        ready.extend(shuffled)
        self.n_steps += 1
        if self.n_steps > PATIENCE:
            raise AssertionError("the loop never comes to rest")
        act = self.at_step.pop(self.n_steps, None)
        if act is not None:
            act()
        super()._run_once()  # type: ignore[misc]


class LoopClock:
    """The engine's clock, going with the loop's."""

    def __init__(self, loop: ShuffledLoop) -> None:
        self._loop = loop

    def time(self) -> float:
        return 1_700_000_000.0 + self._loop.now

    def call_at(self, at: float, callback: Any) -> asyncio.TimerHandle:
        return self._loop.call_at(at - 1_700_000_000.0, callback)


@contextlib.contextmanager
def shuffled_loop(seed: int) -> Iterator[ShuffledLoop]:
    """Give a loop, and close it; tasks that are left over on it are a mistake."""
    loop = ShuffledLoop(seed)
    try:
        yield loop
        left = asyncio.all_tasks(loop)
        assert not left, f"tasks are left over: {left}"
    finally:
        loop.close()


def run_on(loop: ShuffledLoop, main: Coroutine[Any, Any, Any]) -> Any:
    """Run `main` to its end, and then let the loop come to rest."""
    result = loop.run_until_complete(main)
    loop.run_until_complete(asyncio.sleep(3600))
    return result
