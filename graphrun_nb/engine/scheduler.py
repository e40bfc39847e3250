"""`ForwardScheduler`: starts what the log says was started, and turns what came of it into the next turn.

A turn drains all outcomes and facts that have gathered, stages them as events, asks `decide` what follows, commits the
lot as one unit and only then lets the consequences happen. It is O(changed).

`Workers` step what was started; at most `max_concurrency` attempts hold a slot, and one that waits for an answer none.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    CONTAINERS,
    AnswerKept,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    NodeCancelled,
    RunFinished,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.engine.alarm import Alarm
from graphrun_nb.engine.attempt import Attempt
from graphrun_nb.engine.ends import Ends
from graphrun_nb.engine.giving_up import GivingUp
from graphrun_nb.engine.large_values import LIGHT, LargeValues
from graphrun_nb.engine.slots import Slots
from graphrun_nb.engine.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from graphrun_nb.core.state import NodeState
    from graphrun_nb.engine.log import RunLog
    from graphrun_nb.engine.run import Run
    from graphrun_nb.engine.stepping import Launch
    from graphrun_nb.protocols import Clock

    Settle = Callable[[Attempt, Any, BaseException | None], Event]

_OF_OPEN_NODES = (NodeCancelled, WaitOpened, WaitResolved, WaitExpired, AnswerKept)
_RUNNING = NodeStatus.RUNNING
_WAITING = NodeStatus.WAITING


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
        self._settle = settle
        self._rules = rules
        self._now = clock.time
        self._on_events = on_events
        self._on_finish = on_finish
        self._on_left = on_left
        self._seal = seal
        later = self._later
        self._workers = Workers(launch, turn=self._turn_here, later=later, on_cancel=self.leave_if_loop_ends)
        self._slots = Slots(max_concurrency)
        self._ends = Ends(log)
        self._giving_up = GivingUp(self._workers, self._slots, clock, tell=self.tell, later=later)
        self._alarm = Alarm(clock, later)
        self._large = LargeValues(self._workers, write, later=later, fail=self.fail) if write is not None else None
        self._facts: list[Event] = []
        self._unkept: tuple[Sequence[NodeState], Sequence[Event]] = ((), ())
        self._in_turn = False
        self._turn_due = False
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bystander: asyncio.Task[None] | None = None

    def start(self, carried: Iterable[tuple[str, int]] = ()) -> None:
        """Begin, on the running loop; the first turn follows in the loop's next round.

        Parameters
        ----------
        carried
            Nodes and attempts that were under way when their process ended, and are carried on.
        """
        workers = self._workers
        self._loop = asyncio.get_running_loop()
        workers.begin(self._loop, contextvars.copy_context())
        self._bystander = self._loop.create_task(_stand_by(self._loop))
        nodes = self._log.state.nodes
        for node_id, no in carried:
            attempt = workers.under_way[node_id] = Attempt(self._run, node_id, no, False, nodes[node_id])
            (workers.queue if nodes[node_id].info.kind in CONTAINERS else self._slots.carried).append(attempt)
        self._later()

    def tell(self, *facts: Event) -> None:
        """Record facts from elsewhere, at once if no turn is under way; must be called on the loop's thread."""
        self._facts += facts
        if self._in_turn or self._loop is None:
            self._later()
        else:
            self._workers.base.copy().run(self._turn)  # what observers print is not the node's that told the fact
            self._workers.wake()

    @property
    def has_unrecorded(self) -> bool:
        """Whether facts were told that are not kept yet."""
        return bool(self._facts) or self._log.is_behind

    def only_waits_left(self) -> bool:
        """Tell whether nothing moves before somebody answers. O(attempts under way)."""
        workers = self._workers
        if workers.queue or self._slots.carried or workers.outcomes or self._facts:
            return False
        if self._log.frontier.has_ready() or not workers.under_way:
            return False
        return not any(self._moves(each) for each in workers.under_way.values())

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
        await self._ends.of_node(node_id)

    async def parts_ended(self, node_id: str) -> None:
        """Return when no part of the container is left open."""
        await self._ends.of_parts(node_id)

    def leave_if_loop_ends(self) -> None:
        """Stop without a word if the loop is being shut down: then every task on it is cancelled, the bystander too."""
        if self._stopped or self._log.state.cancelled_by:
            return
        if self._bystander is not None and self._bystander.cancelling():
            self._halt()
            self._on_left()

    def leave(self) -> None:
        """Stop without a word, and let go of what is under way; what was recorded can be gone on with."""
        self._giving_up.cancel_all()
        self._halt()
        self._on_left()

    def give_up(self, node_id: str, because: str) -> None:
        """Cancel one node, if it has not ended."""
        if not self._stopped and self._log.state.nodes[node_id].status not in TERMINAL:
            self.tell(NodeCancelled(node_id, because))

    def is_under_way(self, node_id: str, attempt: int) -> bool:
        """Tell whether a worker is with this attempt, or will be."""
        under_way = self._workers.under_way.get(node_id)
        return under_way is not None and under_way.attempt == attempt

    def release(self, node_id: str) -> None:
        """Take the slot of a node that now waits for an answer; tell the WaitOpened afterwards."""
        self._slots.release(self._workers.under_way[node_id])

    async def regain(self, node_id: str) -> None:
        """Give a node whose wait is over its slot back, as soon as there is one."""
        attempt = self._workers.under_way.get(node_id)
        if attempt is not None and not attempt.holds_slot and attempt.node.info.kind not in CONTAINERS:
            await self._slots.regain(attempt)

    def fail_unended(self, attempt: Attempt, error: BaseException) -> None:
        """Fail an attempt that does not end, and go on without it."""
        if self._stopped:
            return
        self._giving_up.let_go(attempt)
        if attempt.abandoned and attempt.node.status not in TERMINAL:
            self.tell(self._settle(attempt, None, error))

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
        self._workers.wake()

    def fail(self, error: Exception) -> None:
        """Stop: nothing can be recorded any more."""
        if not self._stopped:
            self._stop(error)

    def _later(self) -> None:
        if not self._turn_due and self._loop is not None:
            self._turn_due = True
            self._loop.call_soon(self._late_turn, context=self._workers.base.copy())

    def _late_turn(self) -> None:
        if self._turn_due:
            self._turn()
        self._workers.wake()

    def _turn_here(self) -> None:
        """Make a turn without waiting for the loop, unless some observer turns it during another one."""
        if self._in_turn:
            self._later()
        else:
            self._turn()

    def _turn(self) -> None:
        log, slots = self._log, self._slots
        self._turn_due = False
        if self._stopped:
            self._workers.outcomes.clear()
            self._facts.clear()
            return
        if log.is_behind:
            return
        self._in_turn = True
        try:
            now = self._now()
            causes, are_successes = self._causes()
            notable: list[Event] = []
            if are_successes and not (self._facts or slots.returning or slots.carried):
                started, is_all = log.stride(causes, now, slots.free)
            else:
                started, is_all = [], False
                notable = self._staged(causes, now)
            if not is_all:
                self._decide(now, started, notable)
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
        settle, large, n_freed = self._settle, self._large, 0
        outcomes = self._workers.outcomes
        for attempt, value, error in outcomes:
            if large is not None and error is None and type(value) not in LIGHT and large.put_off(attempt, value):
                continue
            n_freed += attempt.holds_slot
            node = attempt.node
            if node.attempt == attempt.attempt and (node.status is _RUNNING or node.status is _WAITING):
                event = settle(attempt, value, None) if error is None else self._event_of(attempt, error)
                if type(event) is not AttemptSucceeded:
                    are_successes = False
                causes.append(event)
        outcomes.clear()
        self._slots.free += n_freed
        return causes, are_successes

    def _event_of(self, attempt: Attempt, error: BaseException) -> Event:
        if isinstance(error, asyncio.CancelledError) and (attempt.cancelled or self._log.state.cancelled_by):
            return NodeCancelled(attempt.node_id)
        return self._settle(attempt, None, error)

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
        self._workers.queue.extend(self._slots.hand_out())
        return fitting

    def _decide(self, now: float, started: list[NodeState], notable: list[Event]) -> None:
        """Stage what follows by `decide`; add to `started` the nodes that start, and to `notable` the other events."""
        log = self._log
        events = decide(log.state, log.frontier, self._rules, now, self._slots.free - len(started))
        if events and type(events[-1]) is RunFinished:
            events[-1] = self._seal(events[-1])
        log.stage_all(events, now)
        nodes = log.state.nodes
        for event in events:
            if type(event) is AttemptStarted:
                started.append(nodes[event.node_id])
            else:
                notable.append(event)

    def _follow(self, started: Sequence[NodeState], notable: Sequence[Event]) -> None:
        """Let happen what follows from what was recorded."""
        if started:
            self._start(started)
        if notable:
            self._on_events(notable)
            self._giving_up.carry_out(notable)
            if isinstance(notable[-1], RunFinished):
                self._stop()
                return
        frontier, ends = self._log.frontier, self._ends
        if frontier.timers or self._alarm.timer is not None:
            self._alarm.set(frontier.next_due())
        if self._slots.free > 0 and frontier.ready:
            self._later()  # a container has just started, and its parts with it
        if ends.nodes or ends.parts:
            ends.tell()

    def _start(self, started: Sequence[NodeState]) -> None:
        run, under_way, queue, n_slots = self._run, self._workers.under_way, self._workers.queue, 0
        for node in started:
            info = node.info
            node_id = info.node_id
            holds_slot = info.kind not in CONTAINERS
            n_slots += holds_slot
            attempt = under_way[node_id] = Attempt(run, node_id, node.attempt, holds_slot, node)
            queue.append(attempt)
        self._slots.free -= n_slots

    def _stop(self, error: Exception | None = None) -> None:
        if error is not None:
            self._giving_up.cancel_all()
        self._halt()
        self._on_finish(error)

    def _halt(self) -> None:
        self._stopped = True
        if self._bystander is not None:
            self._bystander.cancel()
        self._workers.stop()
        self._alarm.set(None)
        self._ends.stop()


async def _stand_by(loop: asyncio.AbstractEventLoop) -> None:
    """Do nothing: nobody but the end of the loop, or of the run, cancels this."""
    await loop.create_future()
