"""`ForwardScheduler`: starts what the log says was started, and turns what came of it into the next turn.

A turn drains all outcomes and facts that have gathered, stages them as events, asks `decide` what follows, commits the
lot as one unit and only then lets the consequences happen. It is O(changed).

Workers take started nodes from a queue and step them inline; a worker whose node suspends stays with it while another
takes over the queue. At most `max_concurrency` nodes hold a slot; one that waits for an answer holds none.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    CONTAINERS,
    AnswerKept,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Event,
    NodeCancelled,
    RunFinished,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.engine.here import Here
from graphrun_nb.engine.limit import GRACE_S
from graphrun_nb.engine.stepping import ENDED, drive_on, stepper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from graphrun_nb.authoring.plan import Plan
    from graphrun_nb.core.state import NodeState
    from graphrun_nb.engine.log import RunLog
    from graphrun_nb.engine.run import Run
    from graphrun_nb.engine.stepping import Launch, Outcome
    from graphrun_nb.protocols import Clock, Timer

    Settle = Callable[["Attempt", Any, BaseException | None], Event]

UNYIELDING_S = 0.005
_OF_OPEN_NODES = (NodeCancelled, WaitOpened, WaitResolved, WaitExpired, AnswerKept)
_LIGHT = frozenset({type(None), bool, int, float})
_RUNNING = NodeStatus.RUNNING
_WAITING = NodeStatus.WAITING


class Attempt(Here, eq=False):
    """One attempt under way."""

    holds_slot: bool
    node: NodeState
    cancelled: bool = False
    abandoned: bool = False
    task: asyncio.Task[None] | None = None
    plan: Plan | None = None
    is_written: bool = False


class ForwardScheduler:
    """Runs one graph forward, on the loop that `start` is called on.

    Parameters
    ----------
    run
        What attempts belong to.
    log
        The run's log; the scheduler is its only writer once started.
    launch
        Makes the coroutine of an attempt, which gives the node's value or raises; called inside the attempt's Context.
    settle
        Turns the value, or the exception, into the event that records it.
    rules
        Policies and conditions, see `decide`.
    max_concurrency
        How many nodes may run at the same time, at least 1.
    on_events
        Called with the events of a turn, after they were committed and before nodes start.
    on_finish
        Called once, when nothing is left to do, or with the error that keeps the log from being written.
    on_left
        Called instead, when the loop ends under the run: nothing more is recorded, and what was can be gone on with.
    seal
        Adds what the run gave to its last event.
    write
        Gives what has to be done in a thread before a value can be settled, or None if nothing; None if that never is.
    """

    def __init__(
        self,
        run: Run,
        log: RunLog,
        *,
        launch: Launch,
        settle: Settle,
        rules: Rules,
        max_concurrency: int,
        clock: Clock,
        on_events: Callable[[Sequence[Event]], None],
        on_finish: Callable[[Exception | None], None],
        on_left: Callable[[], None],
        seal: Callable[[RunFinished], RunFinished],
        write: Callable[[Attempt, Any], Callable[[], None] | None] | None = None,
    ) -> None:
        self._run = run
        self._log = log
        self._launch = launch
        self._settle = settle
        self._rules = rules
        self._free = max_concurrency
        self._clock = clock
        self._now = clock.time
        self._on_events = on_events
        self._on_finish = on_finish
        self._on_left = on_left
        self._seal = seal
        self._write = write
        self._unkept: tuple[Sequence[NodeState], Sequence[Event]] = ((), ())
        self._queue: deque[Attempt] = deque()
        self._carried: deque[Attempt] = deque()
        self._outcomes: list[Outcome] = []
        self._facts: list[Event] = []
        self._attempts: dict[str, Attempt] = {}
        self._idle: list[asyncio.Future[None]] = []
        self._returning: dict[Attempt, list[asyncio.Future[None]]] = {}
        self._ends: dict[str, list[asyncio.Future[None]]] = {}
        self._empties: dict[str, asyncio.Future[None]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._base = contextvars.Context()
        self._n_suspended = 0
        self._in_turn = False
        self._turn_due = False
        self._stopped = False
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bystander: asyncio.Task[None] | None = None

    def start(self, carried: Iterable[tuple[str, int]] = ()) -> None:
        """Begin, on the running loop; the first turn follows in the loop's next round.

        Parameters
        ----------
        carried
            Nodes and attempts that were under way when their process ended, and are carried on.
        """
        self._loop = asyncio.get_running_loop()
        self._base = contextvars.copy_context()
        self._bystander = self._loop.create_task(_stand_by(self._loop))
        nodes = self._log.state.nodes
        for node_id, no in carried:
            attempt = self._attempts[node_id] = Attempt(self._run, node_id, no, False, nodes[node_id])
            (self._queue if nodes[node_id].info.kind in CONTAINERS else self._carried).append(attempt)
        self._later()

    def tell(self, *facts: Event) -> None:
        """Record facts from elsewhere, at once if no turn is under way; must be called on the loop's thread."""
        self._facts += facts
        if self._in_turn or self._loop is None:
            self._later()
        else:
            self._base.copy().run(self._turn)  # what observers print is not the node's that told the fact
            if self._queue:
                self._wake_worker()

    @property
    def has_unrecorded(self) -> bool:
        """Whether facts were told that are not kept yet."""
        return bool(self._facts) or self._log.is_behind

    def only_waits_left(self) -> bool:
        """Tell whether nothing moves before somebody answers. O(attempts under way)."""
        if self._queue or self._carried or self._outcomes or self._facts:
            return False
        if self._log.frontier.has_ready() or not self._attempts:
            return False
        return not any(self._moves(each) for each in self._attempts.values())

    def _moves(self, attempt: Attempt) -> bool:
        if attempt.holds_slot:
            return True
        node = self._log.state.nodes[attempt.node_id]
        return node.info.kind == "body" and not node.waits and not self._log.frontier.n_open_children(attempt.node_id)

    def attempt_without_slot(self, node_id: str, attempt: int) -> Attempt:
        """Return an attempt that somebody else carries out, and that was recorded as started."""
        return Attempt(self._run, node_id, attempt, False, self._log.state.nodes[node_id])

    async def ended(self, node_id: str) -> None:
        """Return when the node has ended."""
        if self._loop is not None and self._log.state.nodes[node_id].status not in TERMINAL:
            end: asyncio.Future[None] = self._loop.create_future()
            self._ends.setdefault(node_id, []).append(end)
            await end

    async def parts_ended(self, node_id: str) -> None:
        """Return when no part of the container is left open."""
        while self._loop is not None and self._log.frontier.n_open_children(node_id):
            empty = self._empties[node_id] = self._loop.create_future()
            await empty

    def leave_if_loop_ends(self) -> None:
        """Stop without a word if the loop is being shut down: then every task on it is cancelled, the bystander too."""
        if self._stopped or self._log.state.cancelled_by:
            return
        if self._bystander is not None and self._bystander.cancelling():
            self._halt()
            self._on_left()

    def leave(self) -> None:
        """Stop without a word, and let go of what is under way; what was recorded can be gone on with."""
        for attempt in self._attempts.values():
            self._cancel(attempt)
        self._halt()
        self._on_left()

    def give_up(self, node_id: str, because: str) -> None:
        """Cancel one node, if it has not ended."""
        if not self._stopped and self._log.state.nodes[node_id].status not in TERMINAL:
            self.tell(NodeCancelled(node_id, because))

    def is_under_way(self, node_id: str, attempt: int) -> bool:
        """Tell whether a worker is with this attempt, or will be."""
        under_way = self._attempts.get(node_id)
        return under_way is not None and under_way.attempt == attempt

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
        if self._log.state.nodes[node_id].info.kind in CONTAINERS:
            return
        turn_comes: asyncio.Future[None] = self._loop.create_future()
        self._returning.setdefault(attempt, []).append(turn_comes)
        if self._free > 0:
            self._return_slot(attempt)
        await turn_comes

    def _turn(self) -> None:
        log = self._log
        self._turn_due = False
        if self._stopped:
            self._outcomes.clear()
            self._facts.clear()
            return
        if log.is_behind:
            return
        self._in_turn = True
        try:
            now = self._now()
            causes, is_plain = self._causes()
            notable: list[Event] = []
            if is_plain and not (self._facts or self._returning or self._carried):
                started, is_all = log.stride(causes, now, self._free)
            else:
                started, is_all = [], False
                notable = self._staged(causes, now)
            if not is_all:
                events = decide(log.state, log.frontier, self._rules, now, self._free - len(started))
                if events and type(events[-1]) is RunFinished:
                    events[-1] = self._seal(events[-1])
                log.stage_all(events, now)
                self._sort(events, started, notable)
            is_kept = log.commit()
        except Exception as error:  # noqa: BLE001 (the run cannot go on if its log cannot)
            self._stop(error)
            return
        finally:
            self._in_turn = False
        if is_kept:
            self._follow(started, notable)
        else:
            self._unkept = (started, notable)

    def _causes(self) -> tuple[list[Event], bool]:
        """Return the events of the attempts that have ended, and whether all of them are successes."""
        causes: list[Event] = []
        are_successes = True
        settle, write, n_freed = self._settle, self._write, 0
        for attempt, value, error in self._outcomes:
            if write is not None and error is None and type(value) not in _LIGHT and self._is_put_off(attempt, value):
                continue
            n_freed += attempt.holds_slot
            node = attempt.node
            if node.attempt == attempt.attempt and (node.status is _RUNNING or node.status is _WAITING):
                event = settle(attempt, value, None) if error is None else self._event_of(attempt, value, error)
                if type(event) is not AttemptSucceeded:
                    are_successes = False
                causes.append(event)
        self._outcomes.clear()
        self._free += n_freed
        return causes, are_successes

    def _is_put_off(self, attempt: Attempt, value: Any) -> bool:
        """Have a large value written first, if it is not; the attempt keeps its slot until that is done."""
        work = None if self._write is None or attempt.is_written else self._write(attempt, value)
        if work is None:
            return False
        attempt.is_written = True
        attempt.task = None
        self._attempts[attempt.node_id] = attempt
        threading.Thread(target=self._written, args=(attempt, value, work), name="graphrun value", daemon=True).start()
        return True

    def _written(self, attempt: Attempt, value: Any, work: Callable[[], None]) -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 (it is raised where the loop is)
            error = raised
        assert self._loop is not None  # noqa: S101 (it has started)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take_back, attempt, value, error, context=self._base.copy())

    def _take_back(self, attempt: Attempt, value: Any, error: Exception | None) -> None:
        if error is not None:
            self.fail(error)
        elif not self._stopped:
            if self._attempts.get(attempt.node_id) is attempt:
                del self._attempts[attempt.node_id]
            self._outcomes.append((attempt, value, None))
            self._later()

    def go_on(self, error: Exception | None) -> None:
        """Let happen what follows from a turn that took a while to be kept, or stop if it could not be."""
        if self._stopped:
            return
        if error is not None:
            self._stop(error)
            return
        unkept, self._unkept = self._unkept, ((), ())
        self._follow(*unkept)
        self._later()
        if self._queue:
            self._wake_worker()

    def fail(self, error: Exception) -> None:
        """Stop: nothing can be recorded any more."""
        if not self._stopped:
            self._stop(error)

    def _follow(self, started: Sequence[NodeState], notable: Sequence[Event]) -> None:
        """Let happen what follows from what was recorded."""
        self._start(started)
        if notable and not self._carry_out(notable):
            return
        frontier = self._log.frontier
        if self._timer is not None or frontier.timers:
            self._arm_timer()
        if self._free > 0 and frontier.ready:
            self._later()  # a container has just started, and its parts with it
        if self._ends or self._empties:
            self._tell_ends()

    def _staged(self, causes: Sequence[Event], now: float) -> list[Event]:
        """Stage `causes` and those facts that still fit, and return these: of a node that ended they came too late."""
        self._log.stage_all(causes, now)
        nodes = self._log.state.nodes
        facts, self._facts = self._facts, []
        fitting: list[Event] = []
        for fact in facts:
            if isinstance(fact, _OF_OPEN_NODES) and fact.node_id and nodes[fact.node_id].status in TERMINAL:
                continue
            self._log.stage(fact, now)
            fitting.append(fact)
        if self._returning:
            self._return_slots()
        if self._carried:
            self._start_carried()
        return fitting

    def _sort(self, events: Sequence[Event], started: list[NodeState], notable: list[Event]) -> None:
        """Add to `started` the nodes that `events` start, and to `notable` the other events."""
        nodes = self._log.state.nodes
        for event in events:
            if type(event) is AttemptStarted:
                started.append(nodes[event.node_id])
            else:
                notable.append(event)

    def _start_carried(self) -> None:
        """Give slots to attempts that are carried on, ahead of new ones: they had theirs already."""
        while self._carried and self._free > 0:
            attempt = self._carried.popleft()
            attempt.holds_slot = True
            self._free -= 1
            self._queue.append(attempt)

    def _return_slots(self) -> None:
        while self._returning and self._free > 0:
            self._return_slot(next(iter(self._returning)))

    def _return_slot(self, attempt: Attempt) -> None:
        """Give the attempt one slot, whichever of its coroutines wait for it."""
        waiting = [each for each in self._returning.pop(attempt) if not each.done()]
        if waiting:
            self._free -= 1
            attempt.holds_slot = True
        for turn_comes in waiting:
            turn_comes.set_result(None)

    def _start(self, started: Sequence[NodeState]) -> None:
        run, attempts, queue, n_slots = self._run, self._attempts, self._queue, 0
        for node in started:
            info = node.info
            node_id = info.node_id
            holds_slot = info.kind not in CONTAINERS
            n_slots += holds_slot
            attempt = attempts[node_id] = Attempt(run, node_id, node.attempt, holds_slot, node)
            queue.append(attempt)
        self._free -= n_slots

    def _carry_out(self, notable: Sequence[Event]) -> bool:
        """Tell of what is more than a start or a success, and act on it; return False if the run has ended."""
        self._on_events(notable)
        for event in notable:
            if isinstance(event, CancelRequested):
                self._cancel_attempts()
            elif isinstance(event, NodeCancelled) and event.node_id in self._attempts:
                attempt = self._attempts[event.node_id]
                self._cancel(attempt)
                self._clock.call_at(self._clock.time() + GRACE_S, partial(self._let_go, attempt))
        if isinstance(notable[-1], RunFinished):
            self._stop()
            return False
        return True

    def _tell_ends(self) -> None:
        nodes = self._log.state.nodes
        for node_id in [each for each in self._ends if nodes[each].status in TERMINAL]:
            for end in self._ends.pop(node_id):
                if not end.done():
                    end.set_result(None)
        frontier = self._log.frontier
        emptied, frontier.emptied = frontier.emptied, []
        for node_id in emptied:
            empty = self._empties.get(node_id)
            if empty is not None and not frontier.n_open_children(node_id):
                del self._empties[node_id]
                if not empty.done():
                    empty.set_result(None)

    def _event_of(self, attempt: Attempt, value: Any, error: BaseException | None) -> Event:
        if isinstance(error, asyncio.CancelledError) and (attempt.cancelled or self._log.state.cancelled_by):
            return NodeCancelled(attempt.node_id)
        return self._settle(attempt, value, error)

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
        assert task is not None  # noqa: S101 (a worker is a task)
        queue, attempts, base, cancelling = self._queue, self._attempts, self._base, task.cancelling
        steps = stepper(self._launch, self._outcomes)
        step = steps.send
        step(None)
        now, outcomes = loop.time, self._outcomes
        yielded_at = now()
        while not self._stopped:
            while queue:
                attempt = queue.popleft()
                attempt.task = task
                context = base.copy()
                pending = context.run(step, attempt)
                if pending is not ENDED:
                    await self._drive(attempt, drive_on(steps, context, pending, self.leave_if_loop_ends))
                if not attempt.abandoned:
                    attempts.pop(attempt.node_id, None)
                if attempt.cancelled or cancelling():
                    # A cancel that the node swallowed would hit the next one.
                    self._later()
                    return
            if outcomes:
                if self._n_suspended or self._in_turn:
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
            self.leave_if_loop_ends()
            raise

    async def _drive(self, attempt: Attempt, rest: Awaitable[None]) -> None:
        """Stay with a node that has suspended, to its end; another worker takes over the queue."""
        is_leaf = attempt.holds_slot
        self._n_suspended += is_leaf
        if self._queue:
            self._wake_worker()
        elif self._outcomes:
            self._later()
        try:
            await rest
        finally:
            self._n_suspended -= is_leaf

    def fail_unended(self, attempt: Attempt, error: BaseException) -> None:
        """Fail an attempt that does not end, and go on without it."""
        self._let_go(attempt)
        if attempt.abandoned and not self._stopped and attempt.node.status not in TERMINAL:
            self.tell(self._settle(attempt, None, error))

    def _let_go(self, attempt: Attempt) -> None:
        """Take its slot from an attempt that does not end; what it still gives is dropped."""
        if self._stopped or self._attempts.get(attempt.node_id) is not attempt:
            return
        del self._attempts[attempt.node_id]
        attempt.abandoned = attempt.cancelled = True
        if attempt.holds_slot:
            attempt.holds_slot = False
            self._free += 1
            self._later()

    def _cancel(self, attempt: Attempt) -> None:
        attempt.cancelled = True
        if attempt.task is not None:
            attempt.task.cancel()

    def _cancel_attempts(self) -> None:
        for attempt in self._attempts.values():
            self._cancel(attempt)
        if self._attempts:
            self._clock.call_at(self._clock.time() + GRACE_S, self._abandon)

    def _abandon(self) -> None:
        """Go on without nodes that did not end when they were cancelled; what they still give is dropped."""
        if not self._stopped:
            nodes = self._log.state.nodes
            left = [node_id for node_id in self._attempts if nodes[node_id].status not in TERMINAL]
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
        if error is not None:
            for attempt in self._attempts.values():
                self._cancel(attempt)
        self._halt()
        self._on_finish(error)

    def _halt(self) -> None:
        self._stopped = True
        if self._bystander is not None:
            self._bystander.cancel()
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        self._idle.clear()
        for end in [each for ends in self._ends.values() for each in ends] + list(self._empties.values()):
            if not end.done():
                end.cancel()


async def _stand_by(loop: asyncio.AbstractEventLoop) -> None:
    """Do nothing: nobody but the end of the loop, or of the run, cancels this."""
    await loop.create_future()
