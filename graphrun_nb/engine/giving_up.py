"""`GivingUp`: asks attempts to end, and goes on without those that do not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from graphrun_nb.core.events import CancelRequested, Event, NodeCancelled
from graphrun_nb.core.status import TERMINAL
from graphrun_nb.engine.limit import GRACE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.slots import Slots
    from graphrun_nb.engine.workers import Workers
    from graphrun_nb.protocols import Clock


class GivingUp:
    """What becomes of the attempts of one run that were cancelled.

    Parameters
    ----------
    tell
        Records facts, unless the run has ended.
    later
        Has a turn made soon.
    """

    def __init__(
        self,
        workers: Workers,
        slots: Slots,
        clock: Clock,
        *,
        tell: Callable[..., None],
        later: Callable[[], None],
    ) -> None:
        self._under_way = workers.under_way
        self._slots = slots
        self._clock = clock
        self._tell = tell
        self._later = later

    def carry_out(self, events: Sequence[Event]) -> None:
        """Do what was recorded."""
        for event in events:
            if isinstance(event, CancelRequested):
                self.cancel_all()
                if self._under_way:
                    self._in_a_while(self._give_up_all)
            elif isinstance(event, NodeCancelled) and event.node_id in self._under_way:
                attempt = self._under_way[event.node_id]
                attempt.cancel()
                self._in_a_while(partial(self.let_go, attempt))

    def cancel_all(self) -> None:
        """Ask all attempts to end."""
        for attempt in self._under_way.values():
            attempt.cancel()

    def let_go(self, attempt: Attempt) -> None:
        """Take its slot from an attempt that does not end; what it still gives is dropped."""
        if self._under_way.get(attempt.node_id) is not attempt:
            return
        del self._under_way[attempt.node_id]
        attempt.abandoned = attempt.cancelled = True
        if attempt.holds_slot:
            self._slots.release(attempt)
            self._later()

    def _give_up_all(self) -> None:
        left = [each.node_id for each in self._under_way.values() if each.node.status not in TERMINAL]
        if left:
            self._tell(*(NodeCancelled(node_id, "did not end when it was cancelled") for node_id in left))

    def _in_a_while(self, act: Callable[[], None]) -> None:
        self._clock.call_at(self._clock.time() + GRACE_S, act)
