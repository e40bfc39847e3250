"""The core alone, driven at random: whatever happens in whatever order, what is recorded stays true.

``HYPOTHESIS_EXAMPLES=20000 pytest tests/core/test_machine.py`` looks longer.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    ValueRef,
    WaitExpired,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.state import apply, fold
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.errors import IllegalTransition

from .shell import ERROR, RETRYING, RUNNING, WAITING, Shell, edge

START = 1_700_000_000.0
PICK = st.integers(min_value=0, max_value=1_000)


class Core(RuleBasedStateMachine):
    """A run of the core alone; what a shell would do is done by the rules."""

    run = None

    @initialize(
        needs=st.lists(st.lists(PICK, max_size=3), min_size=1, max_size=8),
        conditions=st.lists(st.sampled_from([None, None, None, True, False, "error"]), min_size=8, max_size=8),
        mapped=st.integers(min_value=-3, max_value=7),
        attempts=st.integers(min_value=1, max_value=3),
    )
    def begin(self, needs, conditions, mapped, attempts):
        infos = tuple(
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
        policy = RetryPolicy(max_attempts=attempts, backoff_first_s=1.0)
        self.run = Shell(infos, policy, {f"n{i}": each for i, each in enumerate(conditions)}, START)
        self.n_parts = 0
        self.run.begin()

    def picked(self, pick, *statuses):
        found = self.run.leaves(*statuses)
        return self.run.state.nodes[found[pick % len(found)]]

    @precondition(lambda self: self.run.leaves(RUNNING, WAITING))
    @rule(pick=PICK, n=st.integers(min_value=1, max_value=3), seconds=st.sampled_from([0.0, 0.0, 2.0]))
    def succeed(self, pick, n, seconds):
        """Also while it asks something that it does not wait for any more."""
        self.run.now += seconds
        under_way = self.run.leaves(RUNNING, WAITING)
        first = pick % len(under_way)
        self.run.succeed((under_way[first:] + under_way[:first])[:n])

    @precondition(lambda self: self.run.leaves(RUNNING, WAITING))
    @rule(pick=PICK)
    def fail(self, pick):
        node = self.picked(pick, RUNNING, WAITING)
        self.run.record(AttemptFailed(node.info.node_id, node.attempt, ERROR))
        self.run.turn()

    @precondition(lambda self: self.run.leaves(RUNNING, WAITING))
    @rule(pick=PICK)
    def lose(self, pick):
        """What ran it died."""
        node = self.picked(pick, RUNNING, WAITING)
        self.run.record(AttemptLost(node.info.node_id, node.attempt, "gone"))
        self.run.turn()

    @precondition(lambda self: self.run.leaves(RUNNING, WAITING))
    @rule(pick=PICK, deadline=st.sampled_from([None, 0.5, 5.0]), outcome=st.sampled_from(["fail", "default"]))
    def ask(self, pick, deadline, outcome):
        node = self.picked(pick, RUNNING, WAITING)
        due = None if deadline is None else self.run.now + deadline
        wait = WaitInfo(no=len(self.run.log), kind="text", deadline=due, on_deadline=outcome)
        self.run.record(WaitOpened(node.info.node_id, node.attempt, wait))
        self.run.turn()

    @precondition(lambda self: self.run.leaves(WAITING))
    @rule(pick=PICK)
    def answer(self, pick):
        node = self.picked(pick, WAITING)
        wait = node.waits[pick % len(node.waits)].wait
        self.run.record(WaitResolved(node.info.node_id, node.attempt, wait.no, ValueRef(), "me"))
        self.run.turn()

    @precondition(lambda self: self.run.leaves(WAITING))
    @rule(pick=PICK)
    def give_a_wait_up(self, pick):
        node = self.picked(pick, WAITING)
        wait = node.waits[pick % len(node.waits)].wait
        self.run.record(WaitExpired(node.info.node_id, node.attempt, wait.no, "dropped"))
        self.run.turn()

    @rule(pick=PICK, no=st.integers(min_value=0, max_value=60), back=st.integers(min_value=1, max_value=2))
    def what_is_late_or_wrong_changes_nothing(self, pick, no, back):
        """An answer to another wait, one that was answered, an old attempt, a node that is not there."""
        state = self.run.state
        node = list(state.nodes.values())[pick % len(state.nodes)]
        node_id, attempt = node.info.node_id, node.attempt
        wrong = [
            AttemptSucceeded(node_id, attempt - back),
            AttemptFailed(node_id, attempt - back, ERROR),
            WaitResolved(node_id, attempt - back, no, ValueRef(), "late"),
            WaitExpired(node_id, attempt, 1_000, "fail"),
            WaitResolved("nobody", 1, no, ValueRef(), "late"),
            AttemptStarted("nobody", 1),
            NodeCancelled("nobody"),
        ]
        wrong += [WaitResolved(node_id, attempt - back, each.wait.no, ValueRef(), "old") for each in node.waits]
        if not any(each.wait.no == no for each in node.waits):
            wrong.append(WaitResolved(node_id, attempt, no, ValueRef(), "late"))
        if node.status in TERMINAL:
            wrong += [AttemptSucceeded(node_id, attempt), AttemptStarted(node_id, attempt + 1), NodeCancelled(node_id)]
        before = (state.digest(), edge(state, self.run.frontier))
        for event in wrong:
            with pytest.raises(IllegalTransition, match="does not fit"):
                apply(state, event, self.run.now)
        assert (state.digest(), edge(state, self.run.frontier)) == before

    @precondition(lambda self: self.run.container() and self.n_parts < 6)
    @rule()
    def add_part(self):
        parent = self.run.container()
        part = f"{parent}[{self.n_parts}]"
        self.n_parts += 1
        attempts = self.run.policy.max_attempts
        self.run.record(NodeAdded(NodeInfo(node_id=part, name=part, parent=parent, max_attempts=attempts)))
        self.run.turn()

    @precondition(lambda self: self.parts())
    @rule(pick=PICK)
    def cancel_one_part(self, pick):
        parts = self.parts()
        self.run.record(NodeCancelled(parts[pick % len(parts)], "somebody gave up"))
        self.run.turn()

    def parts(self):
        nodes = self.run.state.nodes
        return [each for each in self.run.leaves(RUNNING, WAITING, RETRYING) if nodes[each].info.parent]

    @precondition(lambda self: self.run.container() and not self.run.frontier.n_open_children(self.run.container()))
    @rule()
    def end_container(self):
        self.run.end_container()

    @precondition(lambda self: self.run.state.finished is None and not self.run.state.cancelled_by)
    @rule()
    def cancel(self):
        self.run.record(CancelRequested("user"))
        self.run.turn()

    @precondition(lambda self: self.run.state.cancelled_by and self.run.state.finished is None)
    @rule()
    def what_runs_hears_of_the_cancel(self):
        self.run.stop_all()

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, -5.0, 7200.0, -7200.0]))
    def time_goes(self, seconds):
        """Also backwards: somebody sets the clock."""
        self.run.now += seconds
        self.run.turn()

    @rule(pick=PICK, some=st.booleans())
    def process_dies_and_the_run_is_taken_up(self, pick, some):
        """From the log alone; maybe with a node that is to run again."""
        known = list(self.run.state.nodes)
        self.run.resume(known[pick % len(known)] if some else None)

    @rule(share=st.floats(min_value=0, max_value=1))
    def from_any_prefix_of_the_log_a_run_comes_to_its_end(self, share):
        """What a crash leaves is a prefix; what was done in it stays so, and the rest is done."""
        run = self.run
        prefix = run.log[: max(2, int(len(run.log) * share))]
        other = Shell(run.infos, run.policy, run.conditions, run.now, prefix)
        done = {each: node.attempt for each, node in other.state.nodes.items() if node.status is NodeStatus.DONE}
        other.resume()
        other.go_to_the_end()
        assert {each: other.state.nodes[each].attempt for each in done} == done
        assert all(other.state.nodes[each].status is NodeStatus.DONE for each in done)
        assert fold("run", other.log).digest() == other.state.digest()

    def teardown(self):
        if self.run is not None:
            assert fold("run", self.run.log).digest() == self.run.state.digest()

    @invariant()
    def the_frontier_is_what_the_state_makes_of_it(self):
        if self.run is not None:
            assert edge(self.run.state, self.run.frontier) == edge(self.run.state, Frontier(self.run.state))

    @invariant()
    def a_run_ends_when_and_only_when_all_of_it_has(self):
        if self.run is not None:
            ended = all(node.status in TERMINAL for node in self.run.state.nodes.values())
            assert ended == (self.run.state.finished is not None)


TestCore = Core.TestCase
TestCore.settings = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "500")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
