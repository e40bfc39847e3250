"""What happens after a failure, and how long to wait before."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrun_nb.core.ids import qualified_name

if TYPE_CHECKING:
    from graphrun_nb.core.events import ErrorInfo

POISONED = "graphrun_nb.poisoned"
NEVER_RETRIED = frozenset({POISONED, "graphrun_nb.errors.WaitExpired", "graphrun_nb.errors.NodeOutputError"})
LOST_LIMIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failed attempt is followed by another.

    Parameters
    ----------
    max_attempts
        Attempts in all, at least 1.
    backoff_first_s
        Seconds before the second attempt.
    backoff_base
        Factor from each pause to the next, at least 1.
    backoff_max_s
        No pause is longer, in seconds.
    jitter
        0 to 1: the share of a pause that varies. It is a hash of run, node and attempt, so a replay agrees.
    retry_on
        Exception types that are worth another attempt.
    give_up_on
        Exception types that are not, even if `retry_on` names them.

    Examples
    --------
    >>> [RetryPolicy(max_attempts=4).pause_s("run", "node", n) for n in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """

    max_attempts: int = 1
    backoff_first_s: float = 1.0
    backoff_base: float = 2.0
    backoff_max_s: float = 60.0
    jitter: float = 0.0
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    give_up_on: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("retry_on", "give_up_on"):
            kinds = getattr(self, name)
            if isinstance(kinds, type):
                kinds = (kinds,)
                object.__setattr__(self, name, kinds)
            if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
                raise TypeError(f"RetryPolicy({name}=...) takes exception types, not {kinds!r}")
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise ValueError(f"RetryPolicy(max_attempts=...) counts all attempts, so at least 1: {self.max_attempts!r}")
        if not (self.backoff_first_s >= 0 and self.backoff_base >= 1 and self.backoff_max_s >= 0):
            raise ValueError("RetryPolicy: pauses are not negative, and backoff_base is at least 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"RetryPolicy(jitter=...) is a share between 0 and 1: {self.jitter!r}")

    def wants_another(self, error: ErrorInfo, failures: int) -> bool:
        """Tell whether a node that has failed `failures` times, the last time with `error`, is tried again."""
        if failures >= self.max_attempts:
            return False
        types = set(error.types)
        if types & NEVER_RETRIED or any(qualified_name(kind) in types for kind in self.give_up_on):
            return False
        return any(qualified_name(kind) in types for kind in self.retry_on)

    def pause_s(self, run_id: str, node_id: str, failures: int, attempt: int = 0) -> float:
        """Return the seconds between failure number `failures` (from 1) and the next attempt.

        `attempt` is the one that failed: as many as failures, unless some were lost or forgiven.
        """
        try:
            growth = float(self.backoff_base) ** (failures - 1)
        except OverflowError:
            growth = math.inf
        pause = min(self.backoff_first_s * growth, self.backoff_max_s) if self.backoff_first_s else 0.0
        if not self.jitter:
            return pause
        share = zlib.crc32(f"{run_id}\x1f{node_id}\x1f{attempt or failures}".encode()) / 2**32
        return pause * (1 - self.jitter * share)
