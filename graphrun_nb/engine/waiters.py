"""`concurrent.futures.wait` and `as_completed` on a loop's own thread keep it turning, as `RunFuture.result` does."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any

from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Waiters(list[Any]):
    """Those who wait for a future: `concurrent.futures` appends one, and then blocks in its `event`.

    Parameters
    ----------
    blocked
        Returns the loop that would stand still, if the calling thread blocked now; or None.

    Notes
    -----
    Source: `concurrent.futures._base`, which has no public way to this, and is the same in Python 3.11 to 3.14.
    """

    def __init__(self, blocked: Callable[[], asyncio.AbstractEventLoop | None]) -> None:
        super().__init__()
        self._blocked = blocked

    def append(self, waiter: Any) -> None:
        """Add one, and see to it that it does not block the loop."""
        loop = self._blocked()
        if loop is not None and type(waiter.event) is threading.Event:
            waiter.event = _TurningEvent(loop)
        super().append(waiter)


class _TurningEvent(threading.Event):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._bell: Future[None] = Future()

    def set(self) -> None:
        super().set()
        try:
            self._bell.set_result(None)
        except InvalidStateError:
            return

    def clear(self) -> None:
        self._bell = Future()
        super().clear()

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            try:
                hooks.loop_driver(self._loop, self._bell, timeout)
            except TimeoutError:
                return self.is_set()
        return True
