"""Waiting for a future on the thread of the loop that has to finish it.

`drive` turns a running asyncio loop from inside one of its own callbacks. It knows nothing of runs or kernels: any
`concurrent.futures.Future` will do. What a Stop means for a run is decided by the caller.

Theory. A cell is one callback of the loop, so nothing else happens while it blocks, unless it re-enters the loop's turn
(`_run_once`). Three things must then be put right: asyncio's current task (left before and re-entered after each turn),
the outer turn (it counted its ready handles before it called us, so it must find at least as many when we return), and
handles whose `Context` is entered further down the stack (they cannot run now, so they are held back).
"""
# ruff: noqa: SLF001 # a turn of the loop is private to asyncio, and there is no public way to re-enter one

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import deque
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Iterator
    from types import FrameType

_HANDLE_RUN = asyncio.Handle._run.__code__
_NOT_USERS = frozenset({"asyncio", "graphrun_nb"})
_PATCHERS = ("nest_asyncio2", "nest_asyncio")


class Interrupted(BaseException):
    """Raised in synchronous code on the loop that a Stop broke into.

    Not a `KeyboardInterrupt`, because asyncio re-raises that one through the loop, and a kernel's loop would end; not
    an `Exception`, so that `except Exception` in users' code does not swallow it. Whoever calls users' code on the loop
    treats it as a failure of that code.
    """


def drive(
    loop: asyncio.AbstractEventLoop, future: concurrent.futures.Future[Any], timeout: float | None = None
) -> None:
    """Keep `loop` turning on its own thread, from inside one of its callbacks or tasks, until `future` is done.

    The outcome stays in `future`. Calls may nest (a callback that runs meanwhile may drive another future); they end in
    last-in-first-out order, since the outer one lies below the inner one on the stack. An inner one that waits for what
    comes after the outer one never ends by itself; it keeps the loop turning, and Stop or its timeout ends it.

    Parameters
    ----------
    loop
        The loop running on this thread.
    future
        May be completed on any thread.
    timeout
        Seconds; None waits for ever. At least one turn is made, so that polling with 0 lets the loop get on.

    Raises
    ------
    TimeoutError
        `future` was not done in time. It is left as it is.
    KeyboardInterrupt
        SIGINT arrived. `future` is left as it is, and may be driven again. While a synchronous callback keeps the loop
        from turning, the first SIGINT is kept for its end; a second one raises `Interrupted` in that callback.
    Interrupted
        As KeyboardInterrupt, from a nested call: the outermost one raises KeyboardInterrupt in the cell.
    RuntimeError
        `loop` does not run on this thread, was stopped meanwhile (the kernel shuts down), or cannot be re-entered.
    """
    if asyncio._get_running_loop() is not loop:
        raise RuntimeError("drive() was called on a thread where its loop does not run")
    if _can_be_re_entered(loop):
        _Pump(loop).run(future, timeout)
    else:
        _drive_patched(loop, future, timeout)


def mechanism(loop: asyncio.AbstractEventLoop) -> str:
    """Return in words how `drive` would turn this loop; empty if it could not."""
    if _can_be_re_entered(loop):
        return "turns the loop from inside"
    patchable = isinstance(loop, asyncio.BaseEventLoop)
    return next((f"turns the loop by {name}" for name in _PATCHERS if patchable and find_spec(name)), "")


def _can_be_re_entered(loop: asyncio.AbstractEventLoop) -> bool:
    return hasattr(loop, "_run_once") and isinstance(getattr(loop, "_ready", None), deque)


class _Turning(Protocol):
    """What a pump uses of `asyncio.BaseEventLoop`."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def _run_once(self) -> None: ...


class _Stack(threading.local):
    """The pumps at work on this thread, the outermost first."""

    def __init__(self) -> None:
        self.pumps: list[_Pump] = []


_stack = _Stack()
_watched: WeakKeyDictionary[concurrent.futures.Future[Any], asyncio.AbstractEventLoop] = WeakKeyDictionary()


class _Pump:
    """One call of `drive` on a loop that can be re-entered."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.turning = cast("_Turning", loop)
        self.outer = _stack.pumps[-1] if _stack.pumps else None
        self.interrupted: bool = self.outer is not None and self.outer.interrupted
        self.expired = False
        self.held: list[asyncio.Handle] = []

    def run(self, future: concurrent.futures.Future[Any], timeout: float | None) -> None:
        """Turn until `future` is done."""
        _wake_when_done(self.loop, future)
        with self._alarm(timeout), self._re_entered(), self._interruptible():
            while not (future.done() or self.interrupted or self.expired or self.turning._stopping):
                self._turn()
        if self.interrupted:
            raise KeyboardInterrupt if self.outer is None else Interrupted
        if not future.done() and self.expired:
            raise TimeoutError(f"no result within {timeout} s")
        if not future.done():
            raise RuntimeError("the event loop was stopped before the result was there")

    def on_sigint(self, _signum: int, frame: FrameType | None) -> None:
        """Note an interrupt; break into users' code if it is not the first."""
        again = self.interrupted
        for pump in _stack.pumps:
            pump.interrupted = True
        self.loop.call_soon_threadsafe(_nothing)
        if again and _in_users_code(frame):
            raise Interrupted

    def _turn(self) -> None:
        self._hold_entered()
        try:
            self.turning._run_once()
        except KeyboardInterrupt:
            if self.outer is None:
                raise
            for pump in _stack.pumps:
                pump.interrupted = True

    def _hold_entered(self) -> None:
        """Take out of the queue what cannot run below this frame; put back what can again."""
        ready = self.turning._ready
        ready.extendleft(reversed(self.held))
        self.held.clear()
        if any(map(_entered, tuple(ready))):
            for _ in range(len(ready)):
                handle = ready.popleft()
                (self.held if _entered(handle) else ready).append(handle)

    @contextmanager
    def _alarm(self, timeout: float | None) -> Iterator[None]:
        alarm = None if timeout is None else self.loop.call_later(timeout, self._expire)
        try:
            yield
        finally:
            if alarm is not None:
                alarm.cancel()

    def _expire(self) -> None:
        self.expired = True

    @contextmanager
    def _re_entered(self) -> Iterator[None]:
        ready = self.turning._ready
        n_ready = len(ready)
        task = asyncio.current_task(self.loop)
        if task is not None:
            asyncio.tasks._leave_task(self.loop, task)
        _stack.pumps.append(self)
        try:
            yield
        finally:
            _stack.pumps.pop()
            if task is not None:
                asyncio.tasks._enter_task(self.loop, task)
            if self.outer is None:
                ready.extendleft(reversed(self.held))
            else:
                self._hold_entered()
                self.outer.held.extend(self.held)
            while len(ready) < n_ready:
                self.loop.call_soon(_nothing)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        if not self._owns_interrupts():
            yield
            return
        previous = signal.signal(signal.SIGINT, self.on_sigint)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _owns_interrupts(self) -> bool:
        """Say whether a SIGINT is meant for this frame.

        A kernel ignores SIGINT between cells, and while a cell awaits, SIGINT cancels that cell: then it is not meant
        for the callback of another task that drives.
        """
        if threading.current_thread() is not threading.main_thread():
            return False
        handler = signal.getsignal(signal.SIGINT)
        return handler is signal.default_int_handler or (callable(handler) and (self.outer is not None or _in_cell()))


def _nothing() -> None:
    """Wake the selector, or fill the queue."""


def _entered(handle: asyncio.Handle) -> bool:
    """Say whether the handle's context is in use, so that running it would raise and lose it."""
    try:
        cast("Any", handle)._context.run(int)
    except RuntimeError:
        return True
    return False


def _wake_when_done(loop: asyncio.AbstractEventLoop, future: concurrent.futures.Future[Any]) -> None:
    if _watched.get(future) is not loop:
        _watched[future] = loop
        future.add_done_callback(partial(_wake, loop))


def _wake(loop: asyncio.AbstractEventLoop, _future: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_nothing)


def _in_users_code(frame: FrameType | None) -> bool:
    """Say whether `frame` lies in a callback of the innermost turn that went on to code of others."""
    users = False
    while frame is not None and frame.f_code is not _Pump._turn.__code__:
        if frame.f_code is _HANDLE_RUN:
            return users
        users = users or _module(frame).partition(".")[0] not in _NOT_USERS
        frame = frame.f_back
    return False


def _in_cell() -> bool:
    """Say whether the callback that we are in is a cell of IPython."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not _HANDLE_RUN:
        if frame.f_code.co_name == "run_code" and _module(frame) == "IPython.core.interactiveshell":
            return True
        frame = frame.f_back
    return False


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


def _drive_patched(
    loop: asyncio.AbstractEventLoop, future: concurrent.futures.Future[Any], timeout: float | None
) -> None:
    """Wait on a loop whose turn cannot be re-entered, if nest_asyncio can patch it."""

    async def until_done() -> None:
        done = asyncio.Event()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
        await asyncio.wait_for(done.wait(), timeout)

    for name in _PATCHERS:
        try:
            import_module(name).apply(loop)
        except (ImportError, ValueError):
            continue
        loop.run_until_complete(until_done())
        return
    error = RuntimeError(f"{type(loop).__name__} cannot be turned from inside one of its callbacks")
    error.add_note("hint: await the future instead of calling result()")
    raise error
