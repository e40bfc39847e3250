"""How much a widget may send: no more on average than a rate, and no more at once than a burst."""

from __future__ import annotations


class Allowance:
    """A bucket that fills with `rate` bytes a second up to `burst`, and may be overdrawn once.

    Parameters
    ----------
    rate
        Bytes a second.
    burst
        Bytes that may leave at once after a while of silence.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = float("-inf")

    def spend(self, n_bytes: int, now: float) -> None:
        """Count what was sent at `now` (seconds of any clock that only goes forward)."""
        self._left = self._level(now) - n_bytes
        self._at = now

    def forgive(self, now: float) -> None:
        """Count no longer what was too much."""
        self._left = max(self._level(now), 0.0)
        self._at = now

    def wait_s(self, now: float) -> float:
        """Return how long to send nothing more, in seconds; 0 if there is something left."""
        return max(0.0, -self._level(now) / self._rate)

    def _level(self, now: float) -> float:
        return min(self._burst, self._left + (now - self._at) * self._rate)
