"""`Slots`: how many more nodes may run, and who gets a slot back."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.engine.attempt import Attempt


class Slots:
    """The slots of one run. Attempts that had one come before nodes that start.

    Attributes
    ----------
    free
        How many more attempts may hold one.
    carried
        Attempts that were under way when their process ended, oldest first, and have none yet.
    returning
        Attempts that have waited for an answer, and want theirs back.
    """

    def __init__(self, n: int) -> None:
        self.free = n
        self.carried: deque[Attempt] = deque()
        self.returning: dict[Attempt, list[asyncio.Future[None]]] = {}

    def release(self, attempt: Attempt) -> None:
        """Take an attempt's slot, if it holds one."""
        if attempt.holds_slot:
            attempt.holds_slot = False
            self.free += 1

    async def regain(self, attempt: Attempt) -> None:
        """Give an attempt a slot, as soon as there is one."""
        turn_comes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.returning.setdefault(attempt, []).append(turn_comes)
        if self.free > 0:
            self._give_back(attempt)
        await turn_comes

    def hand_out(self) -> Iterator[Attempt]:
        """Give slots to those that want them, and yield the carried ones that have got theirs."""
        while self.returning and self.free > 0:
            self._give_back(next(iter(self.returning)))
        while self.carried and self.free > 0:
            attempt = self.carried.popleft()
            attempt.holds_slot = True
            self.free -= 1
            yield attempt

    def _give_back(self, attempt: Attempt) -> None:
        """Give the attempt one slot, whichever of its coroutines wait for it."""
        waiting = [each for each in self.returning.pop(attempt) if not each.done()]
        if waiting:
            self.free -= 1
            attempt.holds_slot = True
        for turn_comes in waiting:
            turn_comes.set_result(None)
