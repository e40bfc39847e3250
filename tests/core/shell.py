"""A shell around the core that does at once what a scheduler does over time, and checks every event as it comes."""

from __future__ import annotations

import copy

from msgspec import structs

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Envelope,
    ErrorInfo,
    NodeCancelled,
    NodeReset,
    RetryScheduled,
    RunFinished,
    RunResumed,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitResolved,
)
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.policy import LOST_LIMIT, RetryPolicy
from graphrun_nb.core.resumption import resumed, with_all_below, with_appeared
from graphrun_nb.core.state import apply, fold
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus
from graphrun_nb.core.stride import stride

SLOTS = 3
ERROR = ErrorInfo(types=("builtins.ValueError", "builtins.Exception", "builtins.BaseException"), message="bad")
PENDING, RUNNING, WAITING, RETRYING = NodeStatus.PENDING, NodeStatus.RUNNING, NodeStatus.WAITING, NodeStatus.RETRYING
PATIENCE = 500


class Shell:
    """One run of the core alone.

    Parameters
    ----------
    conditions
        Truth of the nodes' conditions, by id; ``"error"`` if it cannot be evaluated.
    log
        What there is of the run already; it has to be taken up then.
    """

    def __init__(self, infos, policy, conditions, now, log=()):
        self.infos = infos
        self.policy = policy
        self.conditions = conditions
        self.now = now
        self.log = list(log)
        self.rules = Rules(retry=self.retry, holds=self.holds)
        self.state = fold("run", self.log)
        self.frontier = Frontier(self.state)

    def begin(self):
        for event in (RunStarted("g"), SpecAccepted("f", self.infos)):
            self.record(event, advance=False)
        self.frontier = Frontier(self.state)
        self.turn()

    def retry(self, node_id):
        return RetryPolicy() if self.state.nodes[node_id].info.kind in CONTAINERS else self.policy

    def holds(self, node_id):
        truth = self.conditions.get(node_id)
        return ERROR if truth == "error" else truth is not False

    def record(self, event, *, advance=True):
        self.check(event)
        apply(self.state, event, self.now)
        if advance:
            self.frontier.advance(event)
        self.log.append(Envelope("run", len(self.log) + 1, self.now, event))

    def check(self, event):
        """What must be true of an event when it comes, whoever recorded it."""
        assert self.state.finished is None or isinstance(event, RunResumed)
        node = self.state.nodes.get(getattr(event, "node_id", ""))
        if isinstance(event, AttemptStarted):
            assert event.attempt == node.attempt + 1
            assert all(self.state.nodes[each].status is NodeStatus.DONE for each in node.info.needs)
            assert not node.info.parent or self.state.nodes[node.info.parent].status in (RUNNING, WAITING)
            assert self.conditions.get(event.node_id) not in (False, "error")
            assert not self.state.cancelled_by
            assert node.lost < LOST_LIMIT
        if node is not None and node.status in TERMINAL:
            assert isinstance(event, NodeReset | RetryScheduled)
        if isinstance(event, RetryScheduled):
            assert node.failures < self.retry(event.node_id).max_attempts
        if isinstance(event, RunFinished):
            assert all(each.status in TERMINAL for each in self.state.nodes.values())
            failed = any(
                each.status is NodeStatus.FAILED and not each.info.parent for each in self.state.nodes.values()
            )
            if self.state.cancelled_by not in ("", "fail_fast"):
                assert event.status is RunStatus.CANCELLED
            elif failed:
                assert event.status is RunStatus.FAILED
            else:
                assert event.status is (RunStatus.CANCELLED if self.state.cancelled_by else RunStatus.DONE)

    @property
    def n_free(self):
        return max(0, SLOTS - len(self.leaves(RUNNING)))

    def turn(self):
        free = self.n_free
        events = decide(self.state, self.frontier, self.rules, self.now, free)
        starts = [each for each in events if isinstance(each, AttemptStarted)]
        assert sum(self.state.nodes[each.node_id].info.kind not in CONTAINERS for each in starts) <= free
        for event in events:
            if isinstance(event, NodeCancelled) and not event.because:
                assert self.state.nodes[event.node_id].status is not RUNNING, "only the shell can stop what runs"
            self.record(event)
        if any(each for each in starts if self.state.nodes[each.node_id].info.kind in CONTAINERS):
            self.turn()

    def succeed(self, node_ids):
        """Let nodes succeed in one turn, and see that a stride makes the same of it."""
        successes = [AttemptSucceeded(each, self.state.nodes[each].attempt) for each in node_ids]
        n_before = len(self.log)
        state, frontier = twins(self.state, self.frontier)
        running = self.leaves(RUNNING)  # more than there are slots, where waits have just expired
        free = max(0, SLOTS - len(set(running) - set(node_ids)))
        strode = list(successes)
        started, is_all = stride(state, frontier, strode, self.now, free)
        if not is_all:
            more = decide(state, frontier, self.rules, self.now, free - len(started))
            for event in more:
                apply(state, event, self.now)
                frontier.advance(event)
            strode += more
        for event in successes:
            self.record(event)
        events = decide(self.state, self.frontier, self.rules, self.now, self.n_free)
        for event in events:
            self.record(event)
        assert strode == [each.event for each in self.log[n_before:]]
        assert [node.info.node_id for node in started] == [
            each.node_id for each in strode[len(successes) :][: len(started)]
        ]
        assert (state.digest(), edge(state, frontier)) == (self.state.digest(), edge(self.state, self.frontier))
        self.turn()

    def stop_all(self):
        """Say that what still runs of a cancelled run has ended."""
        for node_id, node in self.state.nodes.items():
            if node.status is RUNNING and not node.info.parent:
                self.record(NodeCancelled(node_id))
        self.turn()
        assert self.state.finished is not None

    def leaves(self, *statuses):
        return [
            node_id
            for node_id, node in self.state.nodes.items()
            if node.status in statuses and node.info.kind not in CONTAINERS
        ]

    def container(self):
        found = [each for each, node in self.state.nodes.items() if node.info.kind == "map" and node.status is RUNNING]
        return found[0] if found else None

    def end_container(self):
        node_id = self.container()
        attempt = self.state.nodes[node_id].attempt
        parts = [self.state.nodes[each].status for each in self.frontier.children(node_id)]
        bad = NodeStatus.FAILED in parts or NodeStatus.CANCELLED in parts
        self.record(AttemptFailed(node_id, attempt, ERROR) if bad else AttemptSucceeded(node_id, attempt))
        self.turn()

    def resume(self, again=None):
        """Go on after the process died, from the log alone; maybe with a node that is to run again."""
        digest = self.state.digest()
        self.state = fold("run", self.log)
        assert self.state.digest() == digest
        infos = with_appeared(self.state.nodes, self.infos)
        reset, opened = with_all_below(infos, [again]) if again else (set(), set())
        events = resumed(self.state.nodes, infos, reset | opened, reason="again", lost="gone")
        self.record(RunResumed("again"), advance=False)
        were = {node_id: node.status for node_id, node in self.state.nodes.items()}
        for event in events:
            self.record(event, advance=False)
        for node_id, status in were.items():
            if status is NodeStatus.DONE and node_id not in reset | opened:
                assert self.state.nodes[node_id].status is NodeStatus.DONE
        self.frontier = Frontier(self.state)
        self.turn()

    def go_to_the_end(self):
        """Let all that runs succeed, answer what is asked, wait for what is due, until the run has finished."""
        for _ in range(PATIENCE):
            if self.state.finished is not None:
                return
            due = self.frontier.next_due()
            waiting = self.leaves(WAITING)
            running = self.leaves(RUNNING)
            container = self.container()
            if self.state.cancelled_by:
                self.stop_all()
            elif running:
                self.succeed(running[:2])
            elif waiting:
                node = self.state.nodes[waiting[0]]
                self.record(WaitResolved(waiting[0], node.attempt, node.waits[0].wait.no, ValueRef(), "me"))
                self.turn()
            elif container and not self.frontier.n_open_children(container):
                self.end_container()
            elif due is not None:
                self.now = max(self.now, due)
                self.turn()
            else:
                break
        raise AssertionError(f"the run stands still: {self.log[-5:]}")


def twins(state, frontier):
    """Return copies that go their own way; deepcopy would take most of this file's time."""
    nodes = {node_id: copy.copy(node) for node_id, node in state.nodes.items()}
    state, frontier = structs.replace(state, nodes=nodes), copy.copy(frontier)
    for name, value in vars(frontier).items():
        if isinstance(value, list | set | dict):
            setattr(frontier, name, value.copy())
    frontier._state, frontier._shared, frontier.nodes = state, True, list(nodes.values())
    frontier._take_over(frontier.topology)
    return state, frontier


def edge(state, frontier):
    """Return what a frontier knows, without what it has not yet forgotten."""
    nodes = frontier.nodes
    assert all(nodes[i] is node for i, node in enumerate(state.nodes.values()))
    waits = {(each.wait.deadline, i, each.wait.no) for i, node in enumerate(nodes) for each in node.waits}
    return {
        "n_open": frontier.n_open,
        "left": {i: frontier.left[i] for i, node in enumerate(nodes) if node.status is PENDING},
        "ready": {i for i in frontier.ready if nodes[i].status is PENDING and not frontier.left[i]},
        "open parts": {each: frontier.n_open_children(each) for each in state.nodes},
        "waits that are due": {each for each in frontier.timers if each in waits},
        "to be tried again": {
            *(i for due, i, no in frontier.timers if nodes[i].status is RETRYING and due == nodes[i].due and no < 0),
            *(i for i in frontier.ready if nodes[i].status is RETRYING),
        },
    }
