"""What follows from what has been recorded: the only place where policy lives.

`decide` looks at what changed since it was last asked (the frontier remembers) and returns the events that follow. They
belong into the same turn as their causes, so that no viewer ever sees a node failed that is about to be tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptFailed,
    AttemptStarted,
    CancelRequested,
    ErrorInfo,
    Event,
    NodeCancelled,
    NodeSkipped,
    RetryScheduled,
    RunFinished,
    WaitExpired,
)
from graphrun_nb.core.policy import LOST_LIMIT, POISONED, RetryPolicy
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.core.frontier import Frontier  # noqa: TC004 (msgspec does not look it up)
    from graphrun_nb.core.state import RunState  # noqa: TC004 (msgspec does not look it up)

_RETRY = -1
_FAILED = NodeStatus.FAILED


class Rules:
    """What `decide` asks about a run that its log does not say.

    Parameters
    ----------
    retry
        Gives a node's retry policy.
    holds
        Evaluates a node's condition; returns the error as data if it cannot be evaluated.
    fail_fast
        One failed node ends the run.
    """

    __slots__ = ("fail_fast", "holds", "retry")

    def __init__(
        self,
        *,
        retry: Callable[[str], RetryPolicy],
        holds: Callable[[str], bool | ErrorInfo],
        fail_fast: bool = False,
    ) -> None:
        self.retry = retry
        self.holds = holds
        self.fail_fast = fail_fast


def decide(state: RunState, frontier: Frontier, rules: Rules, now: float, free: int) -> list[Event]:
    """Return what follows, in order; every event must then be applied and told to the frontier.

    Parameters
    ----------
    state, frontier
        As they are after all causes of this turn were applied.
    rules
        Policies and conditions.
    now
        Unix seconds.
    free
        How many more nodes may run at the same time.

    Notes
    -----
    O(changed): failed nodes and all below them, what is due, and at most `free` starts. A cancel looks at every node,
    once.
    """
    events: list[Event] = []
    if state.finished is not None:
        return events
    turn = _Turn(state, frontier, rules, now, events, state.cancelled_by)
    if frontier.lost:
        turn.give_up_on_poisoned()
    if frontier.failed:
        turn.answer_failures()
    if frontier.stopped:
        turn.stop_parts()
    if not turn.cancelled_by:
        due = frontier.next_due()
        if due is not None and due <= now:
            turn.serve_timers()
        if free > 0 and frontier.has_ready():
            turn.start_ready(free)
    if turn.cancelled_by:
        turn.cancel_the_rest()
    if frontier.n_open == turn.n_ended:
        events.append(RunFinished(turn.verdict()))
    return events


class _Turn(Struct, eq=False):
    """One call of `decide`: what it has decided so far."""

    state: RunState
    frontier: Frontier
    rules: Rules
    now: float
    events: list[Event]
    cancelled_by: str
    ended: set[str] = field(default_factory=set)
    n_ended: int = 0

    def give_up_on_poisoned(self) -> None:
        """Fail nodes that took their process down too often."""
        lost, self.frontier.lost = self.frontier.lost, []
        for node_id in dict.fromkeys(lost):
            node = self.state.nodes[node_id]
            if node.lost >= LOST_LIMIT and node.status is NodeStatus.PENDING:
                error = ErrorInfo(
                    types=(POISONED, "builtins.BaseException"),
                    message=f"the process died {node.lost} times while this node ran",
                )
                self.fail_for_good(node_id, node.attempt, error)

    def answer_failures(self) -> None:
        """Schedule another attempt, or skip all that depends on the failed node."""
        failed, self.frontier.failed = self.frontier.failed, []
        given_up, self.frontier.given_up = self.frontier.given_up, set()
        state = self.state
        for node_id in failed:
            node = state.nodes[node_id]
            if node.status is not NodeStatus.FAILED or node.error is None or node_id in given_up:
                continue
            policy = self.rules.retry(node_id)
            if node.attempt and not self.cancelled_by and policy.wants_another(node.error, node.failures):
                due = self.now + policy.pause_s(state.run_id, node_id, node.failures, node.attempt)
                self.events.append(RetryScheduled(node_id, node.attempt + 1, due))
                self.n_ended -= 1
                continue
            self.give_up(node_id)

    def fail_for_good(self, node_id: str, attempt: int, error: ErrorInfo) -> None:
        """Fail a node that no further attempt could mend."""
        self.events.append(AttemptFailed(node_id, attempt, error))
        self.ended.add(node_id)
        self.n_ended += 1
        self.frontier.given_up.add(node_id)
        self.give_up(node_id)

    def give_up(self, node_id: str) -> None:
        """Draw the consequences of a failure that stays."""
        self.skip_below(node_id)
        if self.rules.fail_fast and not self.cancelled_by and not self.is_handled(node_id):
            self.cancelled_by = "fail_fast"
            self.events.append(CancelRequested("fail_fast"))

    def is_handled(self, node_id: str) -> bool:
        """Tell whether the node is a part of a running body, which may catch its failure."""
        nodes = self.state.nodes
        parent = nodes[node_id].info.parent
        while parent and nodes[parent].info.kind != "body":
            parent = nodes[parent].info.parent
        return bool(parent)

    def skip_below(self, node_id: str) -> None:
        """Skip everything below `node_id` that has not begun; its own parts that have are cancelled."""
        queue = [node_id]
        for above in queue:
            for each in self.frontier.below(above):
                node = self.state.nodes[each]
                if each in self.ended or node.status in TERMINAL:
                    continue
                if node.status is NodeStatus.PENDING:
                    self.events.append(NodeSkipped(each, node_id))
                elif node.info.parent == above:
                    self.events.append(NodeCancelled(each, node_id))
                else:
                    continue
                self.ended.add(each)
                self.n_ended += 1
                queue.append(each)

    def stop_parts(self) -> None:
        """Cancel what has not ended of containers that were cancelled."""
        queue, self.frontier.stopped = self.frontier.stopped, []
        for container in queue:
            for each in self.frontier.children(container):
                if each not in self.ended and self.state.nodes[each].status not in TERMINAL:
                    self.ended.add(each)
                    self.n_ended += 1
                    self.events.append(NodeCancelled(each, container))
                    queue.append(each)

    def cancel_the_rest(self) -> None:
        """End every node that is not running; the shell stops those that are and reports each."""
        started = {event.node_id for event in self.events if type(event) is AttemptStarted}
        retried = {event.node_id for event in self.events if type(event) is RetryScheduled}
        for node_id, node in self.state.nodes.items():
            if node_id in self.ended or node_id in started or node.status is NodeStatus.RUNNING:
                continue
            if node.status not in TERMINAL or node_id in retried:
                self.ended.add(node_id)
                self.n_ended += 1
                self.events.append(NodeCancelled(node_id))

    def serve_timers(self) -> None:
        """Expire waits that are due, and let nodes whose pause is over start again."""
        for node_id, no in self.frontier.take_due(self.now):
            if no == _RETRY:
                self.frontier.make_ready(node_id)
                continue
            node = self.state.nodes[node_id]
            outcome = next(each.wait.on_deadline for each in node.waits if each.wait.no == no)
            self.events.append(WaitExpired(node_id, node.attempt, no, outcome))

    def start_ready(self, free: int) -> None:
        """Start up to `free` nodes; one whose condition does not hold is skipped, with all below it."""
        events = self.events
        while free and (taken := self.frontier.take(free)):
            for node in taken:
                info = node.info
                if self.ended and info.node_id in self.ended:
                    continue
                if info.conditional and node.status is NodeStatus.PENDING:
                    verdict = self.rules.holds(info.node_id)
                    if verdict is not True:
                        self.refuse(info.node_id, node.attempt, verdict)
                        if self.cancelled_by:
                            return
                        continue
                events.append(AttemptStarted(info.node_id, node.attempt + 1))
                if info.kind not in CONTAINERS:
                    free -= 1

    def refuse(self, node_id: str, attempt: int, verdict: bool | ErrorInfo) -> None:
        """End a node whose condition is false or cannot be evaluated."""
        if isinstance(verdict, ErrorInfo):
            self.fail_for_good(node_id, attempt, verdict)
            return
        self.ended.add(node_id)
        self.n_ended += 1
        self.events.append(NodeSkipped(node_id))
        self.skip_below(node_id)

    def verdict(self) -> RunStatus:
        """Return how the run ended; a failed part counts if its container failed of it. O(nodes) if any failed.

        One that was cancelled from outside counts as cancelled, whatever failed in it before or meanwhile.
        """
        nodes = self.state.nodes
        if self.state.cancelled_by not in ("", "fail_fast"):
            return RunStatus.CANCELLED
        failed = []
        if self.frontier.has_failed:
            failed = [node_id for node_id, node in nodes.items() if node.status is _FAILED]
        failed += [event.node_id for event in self.events if type(event) is AttemptFailed]
        if any(not nodes[node_id].info.parent for node_id in failed):
            return RunStatus.FAILED
        return RunStatus.CANCELLED if self.state.cancelled_by else RunStatus.DONE
