"""What follows from what was recorded: retries, skips, cancels, deadlines, and which node starts when."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    NodeReset,
    NodeSkipped,
    OutputPinned,
    RetryScheduled,
    RunFinished,
    RunResumed,
    RunStarted,
    SpecAccepted,
    WaitExpired,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.events import ValueRef as Value
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.policy import LOST_LIMIT, RetryPolicy
from graphrun_nb.core.state import RunState, apply
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus

START = 1_700_000_000.0
ERROR = ErrorInfo(types=("builtins.ValueError", "builtins.Exception", "builtins.BaseException"), message="bad")
BAD_CONDITION = ErrorInfo(types=("builtins.TypeError", "builtins.Exception", "builtins.BaseException"))


def node(node_id, *needs, **rest):
    return NodeInfo(node_id=node_id, name=node_id, needs=needs, **rest)


class Driven:
    """A run of the core alone: what happens is told, what follows is recorded and given back."""

    def __init__(self, *nodes, slots=4, retry=None, holds=None, fail_fast=False):
        self.now = START
        self.slots = slots
        self.state = RunState("run")
        self.frontier = Frontier(self.state)
        self.rules = Rules(
            retry=lambda _: retry or RetryPolicy(),
            holds=lambda node_id: (holds or {}).get(node_id, True),
            fail_fast=fail_fast,
        )
        self.first = self.turn(RunStarted("g"), SpecAccepted("f", nodes))

    def turn(self, *causes, after_s=0.0):
        self.now += after_s
        for event in causes:
            self._record(event)
        self.free = self.slots - len(self.having("RUNNING"))
        events = decide(self.state, self.frontier, self.rules, self.now, self.free)
        for event in events:
            self._record(event)
        return events

    def done(self, *node_ids):
        return self.turn(*(AttemptSucceeded(each, self.state.nodes[each].attempt) for each in node_ids))

    def fail(self, *node_ids, error=ERROR):
        return self.turn(*(AttemptFailed(each, self.state.nodes[each].attempt, error) for each in node_ids))

    def lose(self, node_id):
        return self.turn(AttemptLost(node_id, self.state.nodes[node_id].attempt, "process died"))

    def ask(self, node_id, **wait):
        return self.turn(WaitOpened(node_id, self.state.nodes[node_id].attempt, WaitInfo(kind="text", **wait)))

    def having(self, *statuses):
        return [node_id for node_id, each in self.state.nodes.items() if each.status in statuses]

    def status(self, node_id):
        return self.state.nodes[node_id].status

    def _record(self, event):
        apply(self.state, event, self.now)
        if isinstance(event, (SpecAccepted, NodeReset)):
            self.frontier = Frontier(self.state)
        else:
            self.frontier.advance(event)


def started(events):
    return [event.node_id for event in events if isinstance(event, AttemptStarted)]


def skipped(events):
    return {event.node_id: event.because for event in events if isinstance(event, NodeSkipped)}


def test_an_empty_graph_is_done_at_once():
    assert Driven().first == [RunFinished(RunStatus.DONE)]


def test_nodes_start_in_order_of_definition_as_far_as_slots_go():
    run = Driven(*map(node, "dcba"), slots=2)
    assert started(run.first) == ["d", "c"]
    assert started(run.done("c")) == ["b"]
    assert started(run.turn()) == []
    assert started(run.done("d", "b")) == ["a"]


def test_a_node_freed_late_goes_before_later_ones():
    run = Driven(node("gate"), node("early", "gate"), *map(node, "xyz"), slots=2)
    assert started(run.first) == ["gate", "x"]
    assert started(run.done("gate")) == ["early"]
    assert started(run.done("x", "early")) == ["y", "z"]


@pytest.mark.parametrize("slots", [0, -1])
def test_without_a_free_slot_nothing_starts(slots):
    run = Driven(node("a"), slots=slots)
    assert run.first == []
    run.slots = 1
    assert started(run.turn()) == ["a"]


def test_a_node_starts_after_all_it_needs_and_all_it_comes_after():
    run = Driven(node("a"), node("b"), node("c"), node("join", "a", "b", "a", after=("c", "b")))
    assert started(run.done("a", "b")) == []
    assert started(run.done("c")) == ["join"]


def test_the_run_is_done_with_its_last_node_and_nothing_follows():
    run = Driven(node("a"), node("b", "a"))
    run.done("a")
    assert run.done("b") == [RunFinished(RunStatus.DONE)]
    assert run.turn(after_s=1e9) == []


def test_a_failure_skips_all_below_and_nothing_else():
    run = Driven(node("bad"), node("good"), node("b", "bad"), node("c", "b", "good"), node("d", "good"))
    assert skipped(run.fail("bad")) == {"b": "bad", "c": "bad"}
    assert started(run.done("good")) == ["d"]
    assert run.done("d") == [RunFinished(RunStatus.FAILED)]


def test_a_node_below_two_failures_is_skipped_once():
    run = Driven(node("a"), node("b"), node("join", "a", "b"))
    assert skipped(run.fail("a", "b")) == {"join": "a"}
    assert run.state.finished is RunStatus.FAILED


def test_what_only_comes_after_a_failed_node_is_skipped_with_it():
    run = Driven(node("bad"), node("later", after=("bad",)))
    assert skipped(run.fail("bad")) == {"later": "bad"}


def test_a_failed_node_is_tried_again_when_its_pause_is_over():
    run = Driven(node("a"), node("b", "a"), retry=RetryPolicy(max_attempts=3, backoff_first_s=2.0))
    assert run.fail("a") == [RetryScheduled("a", 2, START + 2)]
    assert run.frontier.next_due() == START + 2
    assert run.turn(after_s=1.9) == []
    assert run.turn(after_s=0.1) == [AttemptStarted("a", 2)]
    assert run.fail("a") == [RetryScheduled("a", 3, START + 6)]
    assert run.turn(after_s=4) == [AttemptStarted("a", 3)]
    assert run.fail("a") == [NodeSkipped("b", "a"), RunFinished(RunStatus.FAILED)]


def test_a_retry_may_mend_a_run():
    run = Driven(node("a"), node("b", "a"), retry=RetryPolicy(max_attempts=2, backoff_first_s=0))
    run.fail("a")
    run.turn()
    assert started(run.done("a")) == ["b"]
    assert run.done("b") == [RunFinished(RunStatus.DONE)]


def test_a_retry_waits_for_a_slot_and_takes_its_place_by_definition():
    run = Driven(*map(node, "abc"), slots=1, retry=RetryPolicy(max_attempts=2, backoff_first_s=1))
    assert started(run.fail("a")) == ["b"]
    assert run.turn(after_s=5) == []
    assert run.done("b") == [AttemptStarted("a", 2)]


def test_the_type_of_the_error_is_the_policys_to_judge():
    run = Driven(node("a"), retry=RetryPolicy(max_attempts=3, give_up_on=ValueError))
    assert run.fail("a") == [RunFinished(RunStatus.FAILED)]


def test_a_lost_attempt_starts_again_and_does_not_spend_the_retry_budget():
    run = Driven(node("a"), retry=RetryPolicy(max_attempts=2, backoff_first_s=0))
    assert run.lose("a") == [AttemptStarted("a", 2)]
    run.fail("a")
    assert run.turn() == [AttemptStarted("a", 3)]
    assert run.fail("a") == [RunFinished(RunStatus.FAILED)]


def poison(run):
    for _ in range(LOST_LIMIT - 1):
        assert started(run.lose("poison")) == ["poison"]
    return run.lose("poison")


def test_a_node_that_took_its_process_down_three_times_is_given_up():
    run = Driven(node("poison"), node("below", "poison"), node("fine"))
    events = poison(run)
    assert LOST_LIMIT == 3
    assert [type(event) for event in events] == [AttemptFailed, NodeSkipped]
    assert events[0].error.type_name == "poisoned"
    assert events[0].error.message == "the process died 3 times while this node ran"
    assert run.done("fine") == [RunFinished(RunStatus.FAILED)]


def test_a_poisoned_node_is_not_retried_whatever_its_policy_says():
    run = Driven(node("poison"), node("fine"), retry=RetryPolicy(max_attempts=9, retry_on=BaseException))
    poison(run)
    assert run.done("fine") == [RunFinished(RunStatus.FAILED)]


def test_a_poisoned_node_is_given_up_although_another_was_reset_in_the_same_turn():
    run = Driven(node("poison"), node("fine"))
    run.fail("fine")
    for _ in range(LOST_LIMIT - 1):
        run.lose("poison")
    lost = AttemptLost("poison", run.state.nodes["poison"].attempt, "process died")
    assert started(run.turn(lost, RunResumed("failed_nodes"), NodeReset("fine", "failed"))) == ["fine"]
    assert run.status("poison") is NodeStatus.FAILED


def test_a_false_condition_skips_the_node_and_all_below_and_the_run_is_done():
    run = Driven(node("a"), node("b", "a", conditional=True), node("c", "b"), node("d", "a"), holds={"b": False})
    events = run.done("a")
    assert skipped(events) == {"b": "", "c": "b"}
    assert started(events) == ["d"]
    assert run.done("d") == [RunFinished(RunStatus.DONE)]


def test_a_condition_is_asked_only_when_the_node_could_start():
    asked = []
    run = Driven(node("a"), node("b", "a", conditional=True), slots=1)
    run.rules = Rules(retry=run.rules.retry, holds=lambda node_id: not asked.append(node_id))
    run.turn()
    assert asked == []
    assert started(run.done("a")) == ["b"]
    assert asked == ["b"]


def test_a_skipped_node_takes_no_slot():
    run = Driven(node("no", conditional=True), node("yes", conditional=True), slots=1, holds={"no": False})
    assert run.first == [NodeSkipped("no"), AttemptStarted("yes", 1)]


def test_a_condition_that_cannot_be_asked_fails_its_node_without_an_attempt():
    run = Driven(node("a", conditional=True), node("b", "a"), holds={"a": BAD_CONDITION})
    assert run.first == [
        AttemptFailed("a", 0, BAD_CONDITION),
        NodeSkipped("b", "a"),
        RunFinished(RunStatus.FAILED),
    ]


RETRIES = RetryPolicy(max_attempts=5, retry_on=BaseException, backoff_first_s=0)


def test_a_condition_that_cannot_be_asked_is_not_retried():
    run = Driven(node("a", conditional=True), node("b", "a"), node("c"), holds={"a": BAD_CONDITION}, retry=RETRIES)
    assert run.turn() == []
    assert run.done("c") == [RunFinished(RunStatus.FAILED)]


def test_a_condition_that_cannot_be_asked_any_more_after_a_loss_is_not_retried():
    holds = {}
    run = Driven(node("a", conditional=True), node("b", "a"), node("c"), holds=holds, retry=RETRIES)
    holds["a"] = BAD_CONDITION
    assert skipped(run.turn(AttemptLost("a", 1, "process died"))) == {"b": "a"}
    run.turn()
    assert run.status("a") is NodeStatus.FAILED
    assert run.done("c") == [RunFinished(RunStatus.FAILED)]


def test_a_cancel_ends_all_that_does_not_run_and_leaves_what_runs_to_the_shell():
    run = Driven(node("a"), node("b", "a"), node("ask"), node("flaky"), retry=RetryPolicy(max_attempts=2))
    run.fail("flaky")
    run.ask("ask", no=0)
    events = run.turn(CancelRequested("user"))
    assert events == [NodeCancelled("b"), NodeCancelled("ask"), NodeCancelled("flaky")]
    assert run.frontier.next_due() is None
    assert run.turn() == []
    assert run.turn(NodeCancelled("a")) == [RunFinished(RunStatus.CANCELLED)]


@pytest.mark.parametrize("by", ["user", "timeout"])
def test_a_run_that_is_cancelled_counts_as_that_whatever_fails_in_it_before_or_meanwhile(by):
    run = Driven(node("a"), node("b", "a"), node("bad"), slots=2)
    assert run.fail("bad") == []
    run.turn(CancelRequested(by))
    assert run.fail("a") == [RunFinished(RunStatus.CANCELLED)]


def test_nothing_starts_and_nothing_expires_once_a_cancel_is_asked_for():
    run = Driven(node("a"), node("ask"), node("later"), slots=2)
    run.ask("ask", no=0, deadline=START + 1)
    assert run.status("later") is NodeStatus.RUNNING
    run.now += 60
    events = run.turn(CancelRequested("user"), AttemptSucceeded("a", 1))
    assert events == [NodeCancelled("ask")]


def test_a_node_that_ends_well_after_a_cancel_counts_as_done():
    run = Driven(node("a"), node("b", "a"))
    run.turn(CancelRequested("user"))
    assert run.done("a") == [RunFinished(RunStatus.CANCELLED)]
    assert run.status("a") is NodeStatus.DONE


def test_fail_fast_ends_the_run_with_the_first_failure():
    run = Driven(node("bad"), node("runs"), node("b", "bad"), node("c", "runs"), fail_fast=True)
    events = run.fail("bad")
    assert events == [NodeSkipped("b", "bad"), CancelRequested("fail_fast"), NodeCancelled("c")]
    assert run.turn(NodeCancelled("runs")) == [RunFinished(RunStatus.FAILED)]


def test_fail_fast_lets_a_node_use_its_attempts_first():
    run = Driven(node("a"), node("b"), fail_fast=True, retry=RetryPolicy(max_attempts=2, backoff_first_s=0))
    assert run.fail("a") == [RetryScheduled("a", 2, START)]
    run.turn()
    assert run.fail("a") == [CancelRequested("fail_fast")]


def test_fail_fast_ends_a_retry_that_was_decided_in_the_same_turn():
    run = Driven(node("again"), node("bad"), fail_fast=True)
    again, never = RetryPolicy(max_attempts=2, backoff_first_s=60), RetryPolicy()
    run.rules.retry = lambda node_id: again if node_id == "again" else never
    assert run.fail("again", "bad")[-1] == RunFinished(RunStatus.FAILED)
    assert run.status("again") is NodeStatus.CANCELLED


def test_fail_fast_counts_a_condition_that_cannot_be_asked():
    run = Driven(node("a"), node("b", conditional=True), node("c"), slots=2, holds={"b": BAD_CONDITION}, fail_fast=True)
    assert run.first == [
        AttemptStarted("a", 1),
        AttemptFailed("b", 0, BAD_CONDITION),
        CancelRequested("fail_fast"),
        NodeCancelled("c"),
    ]
    assert run.turn(NodeCancelled("a")) == [RunFinished(RunStatus.FAILED)]


def test_fail_fast_counts_a_poisoned_node():
    run = Driven(node("poison"), node("fine"), node("below", "fine"), fail_fast=True)
    events = poison(run)
    assert events[1:] == [CancelRequested("fail_fast"), NodeCancelled("below")]


def test_a_wait_holds_no_start_back_and_expires_at_its_deadline():
    run = Driven(node("ask"), node("then", "ask"))
    run.ask("ask", no=0, deadline=START + 60, on_deadline="default")
    assert run.frontier.next_due() == START + 60
    assert run.turn(after_s=59.9) == []
    assert run.turn(after_s=0.1) == [WaitExpired("ask", 1, 0, "default")]
    assert run.status("ask") is NodeStatus.RUNNING
    assert run.turn(after_s=60) == []
    assert started(run.done("ask")) == ["then"]


def test_several_deadlines_are_served_in_order_and_an_answered_wait_never_expires():
    run = Driven(node("ask"), node("other"))
    run.ask("ask", no=0, deadline=START + 30)
    run.ask("ask", no=1, deadline=START + 10)
    run.ask("ask", no=2, deadline=START + 20)
    run.ask("other", no=0, deadline=START + 20)
    run.turn(WaitResolved("ask", 1, 2, Value(), "cell"))
    assert run.turn(after_s=60) == [
        WaitExpired("ask", 1, 1, "fail"),
        WaitExpired("other", 1, 0, "fail"),
        WaitExpired("ask", 1, 0, "fail"),
    ]


def test_a_deadline_of_a_lost_attempt_is_forgotten():
    run = Driven(node("ask"))
    run.ask("ask", no=0, deadline=START + 10)
    run.lose("ask")
    assert run.frontier.next_due() is None
    assert run.turn(after_s=60) == []
    run.ask("ask", no=0, deadline=START + 100)
    run.lose("ask")
    run.ask("ask", no=0, deadline=START + 200)
    assert run.turn(after_s=60) == []
    assert run.turn(after_s=80) == [WaitExpired("ask", 3, 0, "fail")]


def test_a_reset_node_runs_again_with_a_fresh_budget():
    run = Driven(node("a"), node("b", "a"), retry=RetryPolicy(max_attempts=2, backoff_first_s=0))
    run.fail("a")
    run.turn()
    run.fail("a")
    events = run.turn(RunResumed("failed_nodes"), NodeReset("a", "failed"), NodeReset("b", "failed"))
    assert events == [AttemptStarted("a", 3)]
    assert run.fail("a") == [RetryScheduled("a", 4, START)]


def test_a_reset_node_need_not_wait_again_for_what_is_done():
    run = Driven(node("a"), node("b", "a"), node("c", "a", "b"))
    run.done("a")
    run.fail("b")
    assert started(run.turn(RunResumed("failed_nodes"), NodeReset("b", "failed"), NodeReset("c", "failed"))) == ["b"]
    assert started(run.done("b")) == ["c"]


def test_a_pinned_output_counts_as_done():
    run = Driven(node("kept"), node("below", "kept"), slots=0)
    run.slots = 1
    assert started(run.turn(OutputPinned("kept", (), "other-run"))) == ["below"]


def test_a_node_that_appears_starts_when_it_can():
    run = Driven(node("agent"), slots=2)
    assert started(run.turn(NodeAdded(node("one", parent="agent")))) == ["one"]
    assert started(run.turn(NodeAdded(node("two", "one", parent="agent")))) == []
    assert started(run.done("one")) == ["two"]


def random_nodes(rng):
    nodes = []
    for i in range(rng.randint(1, 12)):
        above = [each.node_id for each in nodes]
        needs = rng.sample(above, rng.randint(0, min(3, i)))
        after = tuple(rng.sample(above, rng.randint(0, 1))) if above else ()
        nodes.append(node(f"n{i}", *needs, after=after, conditional=rng.random() < 0.3))
    return nodes


def happen(rng, run):
    """Let one thing happen to the run, or time pass."""
    running = run.having("RUNNING")
    waiting = run.having("WAITING")
    kinds = ["cancel"] if not run.state.cancelled_by and rng.random() < 0.05 else []
    kinds += ["answer"] if waiting else []
    kinds += ["done", "done", "fail", "lose", "ask"] if running else ["time"]
    kinds += ["stopped"] * 8 if run.state.cancelled_by and running else []
    some = rng.sample(running, rng.randint(1, len(running))) if running else []
    match rng.choice(kinds):
        case "cancel":
            causes = [CancelRequested("user")]
        case "answer":
            node_id = rng.choice(waiting)
            wait = run.state.nodes[node_id].waits[0]
            causes = [WaitResolved(node_id, wait.attempt, wait.wait.no, Value(), "cell")]
        case "done":
            causes = [AttemptSucceeded(each, run.state.nodes[each].attempt) for each in some]
        case "fail":
            causes = [AttemptFailed(each, run.state.nodes[each].attempt, ERROR) for each in some]
        case "lose":
            causes = [AttemptLost(each, run.state.nodes[each].attempt, "process died") for each in some]
        case "ask":
            wait = WaitInfo(run.state.seq, "text", deadline=rng.choice([None, run.now + 20]))
            causes = [WaitOpened(each, run.state.nodes[each].attempt, wait) for each in some]
        case "stopped":
            causes = map(NodeCancelled, some)
        case "time":
            causes = []
    return run.turn(*causes, after_s=30 if not running else 0)


def above(nodes, node_id):
    found = [node_id]
    for each in found:
        found += [one for one in (*nodes[each].info.needs, *nodes[each].info.after) if one not in found]
    return found[1:]


def check(run, events, policies):
    nodes = run.state.nodes
    for event in events:
        if isinstance(event, AttemptStarted):
            info = nodes[event.node_id].info
            assert all(nodes[each].status is NodeStatus.DONE for each in (*info.needs, *info.after))
        if isinstance(event, NodeSkipped) and event.because:
            assert nodes[event.because].status in (NodeStatus.FAILED, NodeStatus.SKIPPED)
            assert event.because in above(nodes, event.node_id)
    assert len(started(events)) <= max(run.free, 0)
    for node_id, each in nodes.items():
        assert each.failures <= policies[node_id].max_attempts
        assert each.lost <= LOST_LIMIT


@settings(max_examples=1000, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_any_graph_with_any_outcomes_ends_with_every_node_ended(seed):
    rng = random.Random(seed)  # noqa: S311 (graphs, not secrets)
    nodes = random_nodes(rng)
    policies = {
        each.node_id: RetryPolicy(
            max_attempts=rng.randint(1, 3), backoff_first_s=rng.choice([0, 10]), jitter=rng.choice([0, 0.5])
        )
        for each in nodes
    }
    holds = {each.node_id: rng.choice([True, True, False, BAD_CONDITION]) for each in nodes}
    slots = rng.randint(1, 4)
    run = Driven(*nodes, slots=slots, holds=holds, fail_fast=rng.random() < 0.3)
    run.rules.retry = policies.__getitem__
    check(run, run.first, policies)
    for _ in range(400):
        if run.state.finished is not None:
            break
        check(run, happen(rng, run), policies)
    assert run.state.finished is not None
    assert all(each.status in TERMINAL for each in run.state.nodes.values())
    failed = run.having("FAILED")
    is_cancelled = run.state.cancelled_by not in ("", "fail_fast")
    assert (run.state.finished is RunStatus.CANCELLED) is is_cancelled
    assert (run.state.finished is RunStatus.FAILED) is (bool(failed) and not is_cancelled)
