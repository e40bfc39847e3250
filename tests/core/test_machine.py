"""The core alone, driven at random: whatever happens in whatever order, what is recorded stays true.

``HYPOTHESIS_EXAMPLES=20000 pytest tests/core/test_machine.py`` looks longer.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Envelope,
    ErrorInfo,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    NodeReset,
    RetryScheduled,
    RunFinished,
    RunResumed,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.resumption import taken_up, with_all_below, with_appeared
from graphrun_nb.core.state import RunState, apply, fold
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus

START = 1_700_000_000.0
SLOTS = 3
ERROR = ErrorInfo(types=("builtins.ValueError", "builtins.Exception", "builtins.BaseException"), message="bad")
PICK = st.integers(min_value=0, max_value=1_000)
RUNNING, WAITING = NodeStatus.RUNNING, NodeStatus.WAITING


class Core(RuleBasedStateMachine):
    """A run of the core alone; what a shell would do is done by the rules."""

    @initialize(
        needs=st.lists(st.lists(PICK, max_size=3), min_size=1, max_size=8),
        conditions=st.lists(st.sampled_from([None, None, None, True, False, "error"]), min_size=8, max_size=8),
        mapped=st.integers(min_value=-3, max_value=7),
        attempts=st.integers(min_value=1, max_value=3),
    )
    def begin(self, needs, conditions, mapped, attempts):
        self.now = START
        self.policy = RetryPolicy(max_attempts=attempts, backoff_first_s=1.0)
        self.conditions = {f"n{i}": each for i, each in enumerate(conditions)}
        self.infos = tuple(
            NodeInfo(
                node_id=f"n{i}",
                name=f"n{i}",
                kind="map" if i == mapped else "tool",
                needs=tuple(dict.fromkeys(f"n{each % i}" for each in above)) if i else (),
                conditional=conditions[i] is not None,
                max_attempts=attempts,
            )
            for i, above in enumerate(needs)
        )
        self.log = []
        self.state = RunState("run")
        self.n_parts = 0
        self.rules = Rules(retry=self.retry, holds=self.holds)
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
        if node is not None and node.status in TERMINAL:
            assert isinstance(event, NodeReset | RetryScheduled)
        if isinstance(event, RetryScheduled):
            assert node.failures < self.retry(event.node_id).max_attempts
        if isinstance(event, RunFinished):
            assert all(each.status in TERMINAL for each in self.state.nodes.values())
            failed = any(
                each.status is NodeStatus.FAILED and not each.info.parent for each in self.state.nodes.values()
            )
            cancelled = RunStatus.CANCELLED if self.state.cancelled_by else RunStatus.DONE
            assert event.status is (RunStatus.FAILED if failed else cancelled)

    def turn(self):
        free = max(0, SLOTS - len(self.leaves(RUNNING)))
        events = decide(self.state, self.frontier, self.rules, self.now, free)
        starts = [each for each in events if isinstance(each, AttemptStarted)]
        assert sum(self.state.nodes[each.node_id].info.kind not in CONTAINERS for each in starts) <= free
        for event in events:
            self.record(event)
        if self.state.cancelled_by and self.state.finished is None:
            under_way = [node_id for node_id, node in self.state.nodes.items() if node.status is RUNNING]
            if under_way:  # the shell stops what runs, and says so
                for node_id in under_way:
                    self.record(NodeCancelled(node_id))
                self.turn()
        elif any(each for each in starts if self.state.nodes[each.node_id].info.kind in CONTAINERS):
            self.turn()

    def leaves(self, *statuses):
        return [
            node_id
            for node_id, node in self.state.nodes.items()
            if node.status in statuses and node.info.kind not in CONTAINERS
        ]

    def container(self):
        found = [each for each, node in self.state.nodes.items() if node.info.kind == "map" and node.status is RUNNING]
        return found[0] if found else None

    @precondition(lambda self: self.leaves(RUNNING))
    @rule(pick=PICK)
    def succeed(self, pick):
        running = self.leaves(RUNNING)
        node_id = running[pick % len(running)]
        self.record(AttemptSucceeded(node_id, self.state.nodes[node_id].attempt))
        self.turn()

    @precondition(lambda self: self.leaves(RUNNING, WAITING))
    @rule(pick=PICK)
    def fail(self, pick):
        running = self.leaves(RUNNING, WAITING)
        node_id = running[pick % len(running)]
        self.record(AttemptFailed(node_id, self.state.nodes[node_id].attempt, ERROR))
        self.turn()

    @precondition(lambda self: self.leaves(RUNNING))
    @rule(pick=PICK, deadline=st.sampled_from([None, 0.5, 5.0]), outcome=st.sampled_from(["fail", "default"]))
    def ask(self, pick, deadline, outcome):
        running = self.leaves(RUNNING)
        node_id = running[pick % len(running)]
        due = None if deadline is None else self.now + deadline
        wait = WaitInfo(no=len(self.log), kind="text", deadline=due, on_deadline=outcome)
        self.record(WaitOpened(node_id, self.state.nodes[node_id].attempt, wait))
        self.turn()

    @precondition(lambda self: self.leaves(WAITING))
    @rule(pick=PICK)
    def answer(self, pick):
        waiting = self.leaves(WAITING)
        node = self.state.nodes[waiting[pick % len(waiting)]]
        wait = node.waits[pick % len(node.waits)].wait
        self.record(WaitResolved(node.info.node_id, node.attempt, wait.no, ValueRef(), "me"))
        self.turn()

    @precondition(lambda self: self.container() and self.n_parts < 6)
    @rule()
    def add_part(self):
        parent = self.container()
        part = f"{parent}[{self.n_parts}]"
        self.n_parts += 1
        self.record(NodeAdded(NodeInfo(node_id=part, name=part, parent=parent, max_attempts=self.policy.max_attempts)))
        self.turn()

    @precondition(lambda self: self.container() and not self.frontier.n_open_children(self.container()))
    @rule()
    def end_container(self):
        node_id = self.container()
        attempt = self.state.nodes[node_id].attempt
        parts = [self.state.nodes[each].status for each in self.frontier.children(node_id)]
        bad = NodeStatus.FAILED in parts or NodeStatus.CANCELLED in parts
        self.record(AttemptFailed(node_id, attempt, ERROR) if bad else AttemptSucceeded(node_id, attempt))
        self.turn()

    @precondition(lambda self: self.state.finished is None and not self.state.cancelled_by)
    @rule()
    def cancel(self):
        self.record(CancelRequested("user"))
        self.turn()

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, -5.0]))
    def time_goes(self, seconds):
        """Also backwards: somebody sets the clock."""
        self.now += seconds
        self.turn()

    @rule(pick=PICK, some=st.booleans())
    def process_dies_and_the_run_is_taken_up(self, pick, some):
        """From the log alone; maybe with a node that is to run again."""
        digest = self.state.digest()
        self.state = fold("run", self.log)
        assert self.state.digest() == digest
        known = list(self.state.nodes)
        infos = with_appeared(self.state.nodes, self.infos)
        again, opened = with_all_below(infos, [known[pick % len(known)]]) if some else (set(), set())
        events = taken_up(self.state.nodes, infos, again | opened, reason="again", lost="gone")
        self.record(RunResumed("again"), advance=False)
        self.state_before = {node_id: node.status for node_id, node in self.state.nodes.items()}
        for event in events:
            self.record(event, advance=False)
        for node_id, status in self.state_before.items():
            if status is NodeStatus.DONE and node_id not in again | opened:
                assert self.state.nodes[node_id].status is NodeStatus.DONE
        self.frontier = Frontier(self.state)
        self.turn()

    @rule(share=st.floats(min_value=0, max_value=1))
    def any_prefix_of_the_log_can_be_gone_on_from(self, share):
        """What a crash leaves is a prefix; folded and taken up it never stands still with nothing to wait for."""
        prefix = self.log[: max(2, int(len(self.log) * share))]
        state = fold("run", prefix)
        infos = with_appeared(state.nodes, self.infos)
        events = [RunResumed("again"), *taken_up(state.nodes, infos, reason="again", lost="gone")]
        for event in events:
            apply(state, event, self.now)
        frontier = Frontier(state)
        for event in decide(state, frontier, self.rules, self.now, SLOTS):
            apply(state, event, self.now)
            frontier.advance(event)
        moves = state.finished is not None or frontier.next_due() is not None
        under_way = any(node.status in (RUNNING, WAITING) for node in state.nodes.values())
        assert moves or under_way

    def teardown(self):
        if hasattr(self, "state"):
            assert fold("run", self.log).digest() == self.state.digest()

    @invariant()
    def the_frontier_is_what_the_state_makes_of_it(self):
        if hasattr(self, "frontier"):
            made = Frontier(self.state)
            assert made.n_open == self.frontier.n_open

    @invariant()
    def a_run_ends_when_and_only_when_all_of_it_has(self):
        if hasattr(self, "frontier"):
            ended = all(node.status in TERMINAL for node in self.state.nodes.values())
            assert ended == (self.state.finished is not None)


TestCore = Core.TestCase
TestCore.settings = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "500")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
