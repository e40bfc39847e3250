"""How a run comes to its end early: by a cancel, by the first failure."""

from __future__ import annotations

import pytest

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    NodeCancelled,
    NodeSkipped,
    RetryScheduled,
    RunFinished,
)
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.status import NodeStatus, RunStatus

from .driven import BAD_CONDITION, START, Driven, node, poison


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
