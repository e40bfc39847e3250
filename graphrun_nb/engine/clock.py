"""The time as it is."""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Timer


class SystemClock:
    """The machine's clock, with timers on the running loop."""

    time = staticmethod(time.time)
    """Return the current instant in Unix seconds (UTC)."""

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running loop once `time()` has reached `at`; at once if it has."""
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0.0, at - time.time()), callback, context=contextvars.Context())
