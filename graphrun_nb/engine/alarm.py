"""`Alarm`: tells when something of a run falls due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Clock, Timer


class Alarm:
    """One timer, which is set anew when something else falls due next. `ring` is called on the loop.

    Attributes
    ----------
    timer
        While it is set.
    """

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self.timer: Timer | None = None
        self._clock = clock
        self._ring = ring
        self._due = 0.0

    def set(self, due: float | None) -> None:
        """Ring at `due` (Unix seconds), and not before; never if that is None."""
        if self.timer is not None:
            if due == self._due:
                return
            self.timer.cancel()
            self.timer = None
        if due is not None:
            self._due = due
            self.timer = self._clock.call_at(due, self._rung)

    def _rung(self) -> None:
        self.timer = None
        self._ring()
