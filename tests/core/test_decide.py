"""What `decide` makes of what has happened: who starts, who is retried, who is skipped."""

from __future__ import annotations

import pytest

from graphrun_nb.core.decide import Rules
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    NodeAdded,
    NodeReset,
    NodeSkipped,
    OutputPinned,
    RetryScheduled,
    RunFinished,
    RunResumed,
    WaitExpired,
    WaitResolved,
)
from graphrun_nb.core.events import ValueRef as Value
from graphrun_nb.core.policy import LOST_LIMIT, RetryPolicy
from graphrun_nb.core.status import NodeStatus, RunStatus

from .driven import BAD_CONDITION, START, Driven, node, poison, started


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
