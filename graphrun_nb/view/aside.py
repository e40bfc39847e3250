"""Calls to users' code that nobody can answer for: in a daemon thread, and left there when they take too long."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_LEFT = 4
"""Threads that may be left behind at the same time; after that nothing is begun until one of them ends."""

_left: list[threading.Thread] = []


def aside(
    work: Callable[[], T],
    otherwise: Callable[[BaseException | None], T],
    *,
    deadline_s: float,
    waits: bool = False,
) -> Future[T]:
    """Return what `work` gives, or `otherwise` if it raises or takes longer than `deadline_s`; that always comes.

    `otherwise` is told what was raised, or None. If it `waits`, or no loop runs here, it has come when this returns.
    """
    done: Future[T] = Future()

    def settle(make: Callable[[], T]) -> None:
        if not done.done():
            result = make()
            with contextlib.suppress(InvalidStateError):  # the other thread was faster
                done.set_result(result)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 (users' code may raise anything, and this is its own thread)
            result = otherwise(error)
        settle(lambda: result)

    def late() -> None:
        settle(lambda: otherwise(None))

    _left[:] = [each for each in _left if each.is_alive()]
    if len(_left) >= MAX_LEFT:
        late()
        return done
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="graphrun aside", daemon=True)
    _left.append(thread)
    thread.start()
    try:
        loop = None if waits else asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is None:
        thread.join(deadline_s)
        late()
    else:
        loop.call_later(deadline_s, late)
    return done
