"""Any graph, whatever happens to its nodes."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    NodeCancelled,
    NodeSkipped,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.events import ValueRef as Value
from graphrun_nb.core.policy import LOST_LIMIT, RetryPolicy
from graphrun_nb.core.status import TERMINAL, NodeStatus, RunStatus

from .driven import BAD_CONDITION, ERROR, Driven, node, started


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
