"""`Workers`: tasks that take started attempts from a queue and step them inline, one after the other.

A worker whose node suspends stays with it to its end, while another takes over the queue.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.stepping import ENDED, drive_on, stepper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.stepping import Launch, Outcome

UNYIELDING_S = 0.005
"""How long nodes that never suspend may keep the loop."""


class Workers:
    """The workers of one run.

    Attributes
    ----------
    queue
        Attempts that were recorded as started and that nobody is with.
    under_way
        These, and those that somebody is with, by node id.
    outcomes
        What came of attempts, until the next turn takes it.
    n_suspended
        How many attempts hold a slot and have suspended.
    base
        The Context that every attempt begins with a copy of.

    Parameters
    ----------
    launch
        Makes the coroutine of an attempt; called inside the attempt's Context.
    turn
        Makes a turn of the outcomes right now.
    later
        Has one made in the loop's next round.
    on_cancel
        Called when a worker is cancelled, before its node hears of it.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        turn: Callable[[], None],
        later: Callable[[], None],
        on_cancel: Callable[[], None],
    ) -> None:
        self.queue: deque[Attempt] = deque()
        self.under_way: dict[str, Attempt] = {}
        self.outcomes: list[Outcome] = []
        self.n_suspended = 0
        self.base = contextvars.Context()
        self._launch = launch
        self._turn = turn
        self._later = later
        self._on_cancel = on_cancel
        self._idle: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, base: contextvars.Context) -> None:
        """Work on `loop` from now on."""
        self._loop = loop
        self.base = base

    def post(self, act: Callable[..., None], *arguments: Any) -> None:
        """Call `act` on the loop, in no node's Context; from any thread. Raises RuntimeError if the loop has ended."""
        assert self._loop is not None  # noqa: S101 (somebody works)
        self._loop.call_soon_threadsafe(act, *arguments, context=self.base.copy())

    def wake(self) -> None:
        """See to it that somebody takes the queue, if there is anything in it."""
        if not self.queue:
            return
        while self._idle:
            waiter = self._idle.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        if self._loop is not None and not self._stopped:
            task = self._loop.create_task(self._work(), context=self.base.copy())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
        self.queue.clear()
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        self._idle.clear()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a worker is a task)
        queue, under_way, copy, cancelling = self.queue, self.under_way, self.base.copy, task.cancelling
        steps = stepper(self._launch, self.outcomes)
        step = steps.send
        step(None)
        now, outcomes = loop.time, self.outcomes
        yielded_at = now()
        while not self._stopped:
            while queue:
                attempt = queue.popleft()
                context = copy()
                pending = context.run(step, attempt)
                if pending is not ENDED:
                    attempt.task = task
                    if attempt.cancelled:
                        task.cancel()
                    await self._drive(attempt, drive_on(steps, context, pending, self._on_cancel))
                if not attempt.abandoned:
                    under_way.pop(attempt.node_id, None)
                if attempt.cancelled or cancelling():
                    # A cancel that the node swallowed would hit the next one.
                    self._later()
                    return
            if outcomes:
                if self.n_suspended:
                    self._later()
                else:
                    self._turn()
            if not queue:
                if not self._stopped:
                    await self._called(loop.create_future())
                yielded_at = now()
            elif now() - yielded_at > UNYIELDING_S:
                await asyncio.sleep(0)
                yielded_at = now()

    async def _called(self, waiter: asyncio.Future[None]) -> None:
        """Return when there is work again, or nothing more to do."""
        self._idle.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            self._on_cancel()
            raise

    async def _drive(self, attempt: Attempt, rest: Awaitable[None]) -> None:
        """Stay with a node that has suspended, to its end; another worker takes over the queue."""
        is_leaf = attempt.holds_slot
        self.n_suspended += is_leaf
        if self.queue:
            self.wake()
        elif self.outcomes:
            self._later()
        try:
            await rest
        finally:
            self.n_suspended -= is_leaf
