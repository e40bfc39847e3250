"""`ForwardScheduler`: starts what the log says was started, and turns what came of it into the next turn.

A turn drains all outcomes and facts that have gathered, stages them as events, asks `decide` what follows, commits the
lot as one unit and only then lets the consequences happen. It is O(changed).

Workers take started nodes from a queue and step them inline; a worker whose node suspends stays with it while another
takes over the queue. At most `max_concurrency` nodes hold a slot; one that waits for an answer holds none.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import AttemptStarted, CancelRequested, Event, NodeCancelled, RunFinished
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.engine.stepping import DrivenOn
from graphrun_nb.protocols import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from graphrun_nb.engine.log import RunLog
    from graphrun_nb.protocols import Clock, Outcome, Timer

    Launch = Callable[[str, int], tuple[contextvars.Context, Coroutine[Any, Any, Outcome]]]
    Settle = Callable[[str, int, Outcome], Event]

UNYIELDING_S = 0.005
GRACE_S = 2.0
_ALIVE = (NodeStatus.RUNNING, NodeStatus.WAITING)


class Attempt:
    """One attempt under way."""

    __slots__ = ("cancelled", "holds_slot", "node_id", "number", "task")

    def __init__(self, node_id: str, number: int) -> None:
        self.node_id = node_id
        self.number = number
        self.task: asyncio.Task[None] | None = None
        self.holds_slot = True
        self.cancelled = False


class ForwardScheduler:
    """Runs one graph forward, on the loop that `start` is called on.

    Parameters
    ----------
    log
        The run's log; the scheduler is its only writer once started.
    launch
        Makes the coroutine of an attempt, and the Context it runs in.
    settle
        Turns an outcome into the event that records it.
    rules
        Policies and conditions, see `decide`.
    max_concurrency
        How many nodes may run at the same time, at least 1.
    on_events
        Called with the events of a turn, after they were committed and before nodes start.
    on_finish
        Called once, when nothing is left to do, or with the error that keeps the log from being written.
    """

    def __init__(
        self,
        log: RunLog,
        *,
        launch: Launch,
        settle: Settle,
        rules: Rules,
        max_concurrency: int,
        clock: Clock,
        on_events: Callable[[Sequence[Event]], None],
        on_finish: Callable[[Exception | None], None],
    ) -> None:
        self._log = log
        self._launch = launch
        self._settle = settle
        self._rules = rules
        self._free = max_concurrency
        self._clock = clock
        self._on_events = on_events
        self._on_finish = on_finish
        self._queue: deque[Attempt] = deque()
        self._outcomes: list[tuple[Attempt, Outcome]] = []
        self._facts: list[Event] = []
        self._attempts: dict[str, Attempt] = {}
        self._idle: list[asyncio.Future[None]] = []
        self._returning: deque[tuple[Attempt, asyncio.Future[None]]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._base = contextvars.Context()
        self._n_suspended = 0
        self._in_turn = False
        self._turn_due = False
        self._stopped = False
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin, on the running loop; the first turn follows in the loop's next round."""
        self._loop = asyncio.get_running_loop()
        self._base = contextvars.copy_context()
        self._later()

    def tell(self, *facts: Event) -> None:
        """Record facts from elsewhere, at once if no turn is under way; must be called on the loop's thread."""
        self._facts += facts
        if self._in_turn or self._loop is None:
            self._later()
        else:
            self._turn()
            if self._queue:
                self._wake_worker()

    def only_waits_left(self) -> bool:
        """Tell whether nothing moves before somebody answers. O(attempts under way)."""
        moving = self._queue or self._outcomes or self._facts or self._log.frontier.has_ready()
        return not moving and bool(self._attempts) and not any(each.holds_slot for each in self._attempts.values())

    def release(self, node_id: str) -> None:
        """Take the slot of a node that now waits for an answer; tell the WaitOpened afterwards."""
        attempt = self._attempts[node_id]
        if attempt.holds_slot:
            attempt.holds_slot = False
            self._free += 1

    async def regain(self, node_id: str) -> None:
        """Give a node whose wait is over its slot back, as soon as there is one."""
        attempt = self._attempts.get(node_id)
        if attempt is None or attempt.holds_slot or self._loop is None:
            return
        if self._free > 0:
            self._free -= 1
            attempt.holds_slot = True
            return
        turn_comes: asyncio.Future[None] = self._loop.create_future()
        self._returning.append((attempt, turn_comes))
        await turn_comes

    def _turn(self) -> None:
        log = self._log
        self._turn_due = False
        if self._stopped:
            self._outcomes.clear()
            self._facts.clear()
            return
        self._in_turn = True
        try:
            now = self._clock.time()
            outcomes, self._outcomes = self._outcomes, []
            facts, self._facts = self._facts, []
            nodes = log.state.nodes
            for attempt, outcome in outcomes:
                if attempt.holds_slot:
                    self._free += 1
                node = nodes[attempt.node_id]
                if node.attempt == attempt.number and node.status in _ALIVE:
                    log.stage(self._event_of(attempt, outcome), now)
            for fact in facts:
                log.stage(fact, now)
            while self._returning and self._free > 0:
                returning, comes = self._returning.popleft()
                if not comes.done():
                    self._free -= 1
                    returning.holds_slot = True
                    comes.set_result(None)
            events = decide(log.state, log.frontier, self._rules, now, self._free)
            for event in events:
                log.stage(event, now)
            log.commit()
        except Exception as error:  # noqa: BLE001 (the run cannot go on if its log cannot)
            self._stop(error)
            return
        finally:
            self._in_turn = False
        self._carry_out(facts, events)

    def _carry_out(self, facts: Sequence[Event], events: Sequence[Event]) -> None:
        notable = list(facts)
        for event in events:
            if type(event) is AttemptStarted:
                self._free -= 1
                attempt = self._attempts[event.node_id] = Attempt(event.node_id, event.attempt)
                self._queue.append(attempt)
            else:
                notable.append(event)
        if notable:
            self._on_events(notable)
            if any(isinstance(event, CancelRequested) for event in notable):
                self._cancel_attempts()
            if isinstance(notable[-1], RunFinished):
                self._stop()
                return
        self._arm_timer()

    def _event_of(self, attempt: Attempt, outcome: Outcome) -> Event:
        cancelled = isinstance(outcome, Error) and isinstance(outcome.exception, asyncio.CancelledError)
        if cancelled and (attempt.cancelled or self._log.state.cancelled_by):
            return NodeCancelled(attempt.node_id)
        return self._settle(attempt.node_id, attempt.number, outcome)

    def _later(self) -> None:
        if not self._turn_due and self._loop is not None:
            self._turn_due = True
            self._loop.call_soon(self._late_turn, context=self._base.copy())

    def _late_turn(self) -> None:
        if self._turn_due:
            self._turn()
        if self._queue:
            self._wake_worker()

    def _wake_worker(self) -> None:
        while self._idle:
            waiter = self._idle.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        loop = self._loop
        if loop is not None and not self._stopped:
            task = loop.create_task(self._work(), context=self._base.copy())
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        queue = self._queue
        yielded_at = loop.time()
        while not self._stopped:
            while queue:
                attempt = queue.popleft()
                attempt.task = task
                outcome = await self._step(attempt)
                self._attempts.pop(attempt.node_id, None)
                self._outcomes.append((attempt, outcome))
                if attempt.cancelled or (task is not None and task.cancelling()):
                    # A cancel that the node swallowed would hit the next one.
                    self._later()
                    return
            if self._outcomes:
                if self._n_suspended or self._in_turn:
                    self._later()
                else:
                    self._turn()
            if not queue and not self._stopped:
                waiter = loop.create_future()
                self._idle.append(waiter)
                await waiter
                yielded_at = loop.time()
            elif loop.time() - yielded_at > UNYIELDING_S:
                await asyncio.sleep(0)
                yielded_at = loop.time()

    async def _step(self, attempt: Attempt) -> Outcome:
        if self._log.state.cancelled_by:
            attempt.cancelled = True
            return Error(asyncio.CancelledError())
        context, coroutine = self._launch(attempt.node_id, attempt.number)
        try:
            pending = context.run(coroutine.send, None)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        except BaseException as exception:  # noqa: BLE001 (user code: whatever it raises is an outcome)
            return Error(exception)
        self._n_suspended += 1
        if self._queue:
            self._wake_worker()
        elif self._outcomes:
            self._later()
        try:
            return await DrivenOn(coroutine, context, pending)
        except BaseException as exception:  # noqa: BLE001 (user code: whatever it raises is an outcome)
            return Error(exception)
        finally:
            self._n_suspended -= 1

    def _cancel_attempts(self) -> None:
        for attempt in self._attempts.values():
            attempt.cancelled = True
            if attempt.task is not None:
                attempt.task.cancel()
        if self._attempts:
            self._clock.call_at(self._clock.time() + GRACE_S, self._abandon)

    def _abandon(self) -> None:
        """Go on without nodes that did not end when they were cancelled; what they still give is dropped."""
        if not self._stopped:
            nodes = self._log.state.nodes
            left = [node_id for node_id in self._attempts if nodes[node_id].status in _ALIVE]
            if left:
                self.tell(*(NodeCancelled(node_id, "did not end when it was cancelled") for node_id in left))

    def _arm_timer(self) -> None:
        due = self._log.frontier.next_due()
        if self._timer is not None:
            if due == self._timer_at:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer_at = due
            self._timer = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._later()

    def _stop(self, error: Exception | None = None) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        self._idle.clear()
        self._on_finish(error)
