"""The machine's clock."""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Timer

LOOK_S = 10.0
"""How often is looked at the clock meanwhile: it can be set, and a machine can sleep."""


class SystemClock:
    """The machine's clock, with timers on the running loop."""

    time = staticmethod(time.time)
    """Return the current instant in Unix seconds (UTC)."""

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running loop once `time()` has reached `at`; soon if it has."""
        return _Alarm(at, callback)


class _Alarm:
    """Calls `callback` once, on the running loop, when the clock has reached `at`, also if that is set meanwhile."""

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self._at = at
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._arm(at - time.time())

    def cancel(self) -> None:
        """Do not call it."""
        self._handle.cancel()

    def _arm(self, left_s: float) -> None:
        after_s = min(max(left_s, 0.0), LOOK_S)
        self._handle = self._loop.call_later(after_s, self._look, context=contextvars.Context())

    def _look(self) -> None:
        left_s = self._at - time.time()
        if left_s > 0:
            self._arm(left_s)
        else:
            self._callback()
