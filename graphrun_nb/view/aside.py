"""Calls to users' code that nobody can answer for: in a daemon thread, and left there when they take too long."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from concurrent.futures import Future, InvalidStateError
from functools import partial
from queue import Empty, LifoQueue, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_THREADS = 4
"""After so many calls that have not returned, nothing is begun until one of them does."""


class _Thread(threading.Thread):
    """Makes one call after the other; each returns how its caller is told, once the thread is free again."""

    def __init__(self, pool: _Pool) -> None:
        super().__init__(name="graphrun aside", daemon=True)
        self.calls: SimpleQueue[Callable[[], Callable[[], None]]] = SimpleQueue()
        self._pool = pool

    def run(self) -> None:
        while True:
            tell = self.calls.get()()
            self._pool.free.put(self)
            tell()
            del tell  # and with it what it would keep alive until the next call


class _Pool:
    """At most `MAX_THREADS` threads, made when none is free; those that hang come back when their call returns."""

    def __init__(self) -> None:
        self.threads: list[_Thread] = []
        self.free: LifoQueue[_Thread] = LifoQueue()

    def take(self) -> _Thread | None:
        """Return a free thread, or None if all of them hang."""
        with contextlib.suppress(Empty):
            while True:
                thread = self.free.get_nowait()
                if thread.is_alive():  # a forked process has none of its parent's
                    return thread
        self.threads = [each for each in self.threads if each.is_alive()]
        if len(self.threads) >= MAX_THREADS:
            return None
        thread = _Thread(self)
        self.threads.append(thread)
        thread.start()
        return thread


_POOL = _Pool()


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

    def settle(result: T) -> None:
        with contextlib.suppress(InvalidStateError):  # the other thread was faster
            done.set_result(result)

    def call() -> Callable[[], None]:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 (users' code may raise anything, and this is its own thread)
            result = otherwise(error)
        return lambda: settle(result)

    def late() -> None:
        if not done.done():
            settle(otherwise(None))

    thread = _POOL.take()
    if thread is None:
        late()
        return done
    thread.calls.put(partial(contextvars.copy_context().run, call))
    try:
        loop = None if waits else asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is not None:
        loop.call_later(deadline_s, late)
        return done
    with contextlib.suppress(TimeoutError):
        done.exception(deadline_s)
    late()
    return done
