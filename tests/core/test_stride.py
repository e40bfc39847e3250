"""What a stride leaves to `decide`, and what it refuses; that it does the same otherwise is for test_machine.py."""

from __future__ import annotations

import pytest

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    Event,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    RunStarted,
    SpecAccepted,
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.state import RunState, apply
from graphrun_nb.core.stride import stride
from graphrun_nb.errors import IllegalTransition

AT = 1_700_000_000.0
ERROR = ErrorInfo(types=("builtins.ValueError",))


def node(node_id, *needs, **rest):
    return NodeInfo(node_id=node_id, name=node_id, needs=needs, **rest)


def begun(*infos):
    """Return state and frontier of a run whose first node has started."""
    state = RunState("run")
    for event in (RunStarted("g"), SpecAccepted("f", infos), AttemptStarted(infos[0].node_id, 1)):
        apply(state, event, AT)
    return state, Frontier(state)


def told(state, frontier, *events):
    for event in events:
        apply(state, event, AT)
        frontier.advance(event)


def strode(state, frontier, *successes, free=4, at=AT):
    events: list[Event] = list(successes)
    started, is_all = stride(state, frontier, events, at, free)
    return [each.info.node_id for each in started], is_all, events[len(successes) :]


def test_what_a_success_makes_ready_starts():
    state, frontier = begun(node("a"), node("b", "a"), node("c", "b"))
    assert strode(state, frontier, AttemptSucceeded("a", 1)) == (["b"], True, [AttemptStarted("b", 1)])
    assert state.seq == 5


def test_as_many_start_as_there_are_slots_in_order_of_definition():
    state, frontier = begun(node("a"), *(node(each, "a") for each in "bcde"))
    assert strode(state, frontier, AttemptSucceeded("a", 1), free=2)[:2] == (["b", "c"], True)
    assert strode(state, frontier, free=0)[:2] == ([], True)
    assert strode(state, frontier, free=9)[:2] == (["d", "e"], True)


@pytest.mark.parametrize("rest", [{"conditional": True}, {"kind": "map"}, {"kind": "graph"}, {"kind": "body"}])
def test_a_node_with_a_condition_and_a_container_are_left_to_decide_with_all_after_them(rest):
    state, frontier = begun(node("a"), node("b", "a"), node("c", "a", **rest), node("d", "a"))
    assert strode(state, frontier, AttemptSucceeded("a", 1))[:2] == (["b"], False)


def test_the_end_of_the_run_is_left_to_decide():
    state, frontier = begun(node("a"))
    assert strode(state, frontier, AttemptSucceeded("a", 1))[:2] == ([], False)


@pytest.mark.parametrize(
    "trouble",
    [
        (AttemptStarted("b", 1), AttemptFailed("b", 1, ERROR)),
        (AttemptStarted("b", 1), AttemptLost("b", 1, "gone")),
        (AttemptStarted("m", 1), NodeAdded(node("m[0]", parent="m")), NodeCancelled("m")),
        (AttemptStarted("b", 1), WaitOpened("b", 1, WaitInfo(no=0, kind="text", deadline=AT))),
    ],
    ids=["failed", "lost", "a cancelled container", "due"],
)
def test_nothing_starts_before_what_is_in_the_way_was_decided(trouble):
    state, frontier = begun(node("a"), node("b"), node("m", kind="map"), node("c", "a"))
    frontier.take(2)
    told(state, frontier, *trouble)
    assert strode(state, frontier, AttemptSucceeded("a", 1))[:2] == ([], False)


def test_what_is_due_later_is_not_in_the_way():
    state, frontier = begun(node("a"), node("b"), node("c", "a"))
    frontier.take(1)
    wait = WaitInfo(no=0, kind="text", deadline=AT + 1)
    told(state, frontier, AttemptStarted("b", 1), WaitOpened("b", 1, wait))
    assert strode(state, frontier, AttemptSucceeded("a", 1))[:2] == (["c"], True)


def test_nothing_starts_in_a_run_that_is_cancelled():
    state, frontier = begun(node("a"), node("b", "a"))
    told(state, frontier, CancelRequested("user"))
    assert strode(state, frontier, AttemptSucceeded("a", 1))[:2] == ([], False)


def test_a_part_whose_container_was_lost_does_not_start():
    state, frontier = begun(node("m", kind="map"), node("a"))
    told(state, frontier, NodeAdded(node("m[0]", parent="m")), AttemptLost("m", 1, "gone"))
    frontier.lost.clear()
    frontier.take(1)
    assert strode(state, frontier)[0] == ["a"]


@pytest.mark.parametrize(
    "success", [AttemptSucceeded("a", 2), AttemptSucceeded("b", 0), AttemptSucceeded("nobody", 1)], ids=str
)
def test_a_success_that_does_not_fit_is_refused_and_changes_nothing(success):
    state, frontier = begun(node("a"), node("b"))
    before = state.digest()
    with pytest.raises(IllegalTransition, match="does not fit"):
        strode(state, frontier, success)
    assert state.digest() == before
    assert frontier.n_open == 2


def test_a_run_that_is_taken_up_beside_a_failed_node_knows_of_it():
    state, frontier = begun(node("a"), node("b"))
    told(state, frontier, AttemptFailed("a", 1, ERROR))
    assert Frontier(state).has_failed
