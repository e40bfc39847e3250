"""A run as a Chrome trace: a slice an attempt, on lanes where none overlap, and waits beside them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from graphrun_nb import GraphRunFailed, RetryPolicy, graphify, run, tool
from graphrun_nb.core import codec
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Envelope,
    ErrorInfo,
    NodeInfo,
    RetryScheduled,
    RunStarted,
    SpecAccepted,
)
from graphrun_nb.view.trace import to_trace

GOLDEN = Path(__file__).parent.parent / "golden"
LOGS = sorted(each.stem for each in GOLDEN.glob("*.jsonl"))


def traced(name):
    log = tuple(codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()))
    return log, json.loads(to_trace(log))


def slices(trace):
    return [each for each in trace["traceEvents"] if each["ph"] == "X"]


@pytest.mark.parametrize("name", LOGS)
def test_every_attempt_is_one_slice_and_those_of_a_lane_do_not_overlap(name):
    log, trace = traced(name)
    started = [
        (each.event.node_id, each.event.attempt) for each in log if type(each.event).__name__ == "AttemptStarted"
    ]
    assert [(each["args"]["node"], each["args"]["attempt"]) for each in slices(trace)] == started
    lanes = {}
    for each in slices(trace):
        lanes.setdefault(each["tid"], []).append(each)
    for lane in lanes.values():
        assert all(one["ts"] + one["dur"] <= other["ts"] for one, other in pairwise(lane))


@pytest.mark.parametrize("name", LOGS)
def test_what_is_opened_is_closed_after_it(name):
    _, trace = traced(name)
    begun = {each["id"]: each["ts"] for each in trace["traceEvents"] if each["ph"] == "b"}
    ended = {each["id"]: each["ts"] for each in trace["traceEvents"] if each["ph"] == "e"}
    assert begun.keys() == ended.keys()
    assert all(begun[number] <= ended[number] for number in begun)
    assert all(each["ts"] >= 0 and each["dur"] >= 0 for each in slices(trace))


FIELDS = {
    "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
    "M": {"name", "pid", "tid", "args"},
    "b": {"name", "cat", "id", "pid", "tid", "ts", "args"},
    "e": {"name", "cat", "id", "pid", "tid", "ts", "args"},
    "i": {"name", "cat", "s", "pid", "tid", "ts", "args"},
}


@pytest.mark.parametrize("name", LOGS)
def test_every_event_has_the_fields_that_its_phase_has_in_the_trace_event_format(name):
    log, trace = traced(name)
    assert trace.keys() == {"traceEvents", "displayTimeUnit", "otherData"}
    for each in trace["traceEvents"]:
        assert each.keys() == FIELDS[each["ph"]] | {"ph"}
        assert isinstance(each["name"], str)
        assert each["pid"] == 1
        assert each["tid"] > 0, "thread 0 is the idle one"
        assert all(type(each.get(field, 0)) is int for field in ("ts", "dur", "tid"))
        assert each.get("s", "p") == "p"
    named = [each for each in trace["traceEvents"] if each["ph"] == "M"]
    lanes = {each["tid"] for each in slices(trace)}
    assert {each["tid"] for each in named if each["name"] == "thread_name"} == lanes
    assert {each["args"]["sort_index"] for each in named if each["name"] == "thread_sort_index"} == lanes
    (process,) = [each["args"]["name"] for each in named if each["name"] == "process_name"]
    assert process == log[0].event.graph


@pytest.mark.parametrize("name", LOGS)
def test_a_wait_lies_within_its_attempt_on_the_same_lane(name):
    _, trace = traced(name)
    attempts = {(each["args"]["node"], each["args"]["attempt"]): each for each in slices(trace)}
    begun = {each["id"]: each for each in trace["traceEvents"] if each["ph"] == "b"}
    ended = {each["id"]: each for each in trace["traceEvents"] if each["ph"] == "e"}
    for number, wait in begun.items():
        around = attempts[wait["args"]["node"], wait["args"]["attempt"]]
        assert wait["tid"] == around["tid"]
        assert around["ts"] <= wait["ts"]
        assert ended[number]["ts"] <= around["ts"] + around["dur"]
        assert (ended[number]["name"], ended[number]["cat"]) == (wait["name"], wait["cat"])


def test_an_attempt_tells_how_long_it_was_queued_since_it_could_have_run():
    infos = (NodeInfo("a", "a"), NodeInfo("b", "b", needs=("a",)), NodeInfo("c", "c"))
    told = [
        (1.0, RunStarted("g", max_concurrency=1)),
        (1.0, SpecAccepted("f", infos)),
        (1.0, AttemptStarted("a", 1)),
        (3.0, AttemptSucceeded("a", 1)),
        (3.0, AttemptStarted("c", 1)),
        (3.5, AttemptFailed("c", 1, ErrorInfo(("builtins.ValueError",)))),
        (3.5, RetryScheduled("c", 2, 4.0)),
        (4.5, AttemptStarted("b", 1)),
        (5.0, AttemptStarted("c", 2)),
    ]
    log = [Envelope("r", seq, at, event) for seq, (at, event) in enumerate(told, start=1)]
    trace = json.loads(to_trace(log))
    queued = {(each["name"], each["args"]["attempt"]): each["args"].get("queued_ms", 0) for each in slices(trace)}
    assert queued == {("a", 1): 0, ("c", 1): 2000, ("b", 1): 1500, ("c", 2): 1000}


def test_a_retry_is_a_slice_of_its_own_that_says_how_it_ended():
    _, trace = traced("retry")
    flaky = [each["args"] for each in slices(trace) if each["name"] == "flaky"]
    assert [(each["attempt"], each["status"]) for each in flaky] == [(1, "failed"), (2, "failed"), (3, "done")]
    assert any(each["ph"] == "i" and each["cat"] == "retry" for each in trace["traceEvents"])


def test_a_wait_has_its_prompt_and_how_it_ended():
    _, trace = traced("approval")
    (begun,) = [each for each in trace["traceEvents"] if each["ph"] == "b"]
    (ended,) = [each for each in trace["traceEvents"] if each["ph"] == "e"]
    assert begun["cat"] == "wait"
    assert begun["args"]["prompt"]
    assert ended["args"]["ended"] == "answered"


def test_a_run_under_way_ends_where_its_log_does():
    log = tuple(codec.load_lines((GOLDEN / "diamond.jsonl").read_bytes()))[:3]
    (one,) = slices(json.loads(to_trace(log)))
    assert one["args"]["status"] == "running"


def test_an_empty_log_is_a_trace_of_nothing():
    assert slices(json.loads(to_trace(()))) == []


async def test_a_secret_is_in_no_trace():
    @tool(outputs=["y"])
    async def connect(password):
        raise ValueError(f"refused: {password}")

    @graphify("secretive", inputs=["password"], outputs=["y"])
    def secretive(password):
        return {"y": connect(password).y}

    future = run(secretive, {"password": "canary-5f2b8a"}, retry=RetryPolicy(max_attempts=1))
    with pytest.raises(GraphRunFailed):
        await future
    text = to_trace(tuple(future.run.log)).decode()
    assert "refused: " in text
    assert "canary" not in text
