"""Answers that a view gives: each is recorded once, or refused and recorded not at all."""

from __future__ import annotations

import pytest

from graphrun_nb import RetryPolicy, graph, graphify, run, tool
from graphrun_nb.core.events import WaitResolved
from graphrun_nb.tools import ask_form
from tests.engine.conftest import ManualClock, settle

from .views import View, trace


async def test_an_answer_is_recorded_once_and_told_when(view):
    asked = {"node_id": "approve", "attempt": 1, "no": 0}
    reply = view.ask("resume", **asked, payload={"choice": "Reject"})
    (resolved,) = [each for each in view.future.events if isinstance(each.event, WaitResolved)]
    assert reply["data"] == {"at": pytest.approx(resolved.at, abs=1)}
    assert resolved.event.by == "view"
    again = view.ask("resume", **asked, payload={"approved": True})
    assert "has its answer, from view" in again["error"]
    assert again["hint"]
    assert await view.future == {"ok": False}
    assert len([each for each in view.future.events if isinstance(each.event, WaitResolved)]) == 1
    late = view.ask("resume", **asked, payload={"approved": True})
    assert late["error"]


@pytest.mark.parametrize(
    "payload", [None, 3, {}, [], "Maybe", {"approved": "yes"}, {"choice": []}, {"choice": {"x": 1}}]
)
async def test_an_answer_that_does_not_fit_is_refused_and_records_nothing(view, payload):
    before = trace(view.future)
    reply = view.ask("resume", node_id="approve", attempt=1, no=0, payload=payload)
    assert reply["error"]
    await settle()
    assert trace(view.future) == before
    assert "error" not in view.ask("resume", node_id="approve", attempt=1, no=0, payload=True)


async def test_a_refused_answer_tells_the_path_of_each_thing_that_is_wrong():
    item = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}

    @graphify(name="order")
    def order():
        ask_form(prompt="What?", schema=schema, _id="ask")

    future = run(order)
    await settle()
    view = View(future)
    place = {"node_id": "ask", "attempt": 1, "no": 0}
    reply = view.ask("resume", **place, payload={"items": [{"n": 1}, {"n": "x"}, {}]})
    assert reply["errors"] == [["items.1.n", "'x' is not of type 'integer'"], ["items.2.n", "is required"]]
    assert "errors" not in view.ask("resume", **place, payload={"items": []})
    await settle()
    assert future.node("ask").outputs == {"items": []}


@pytest.mark.parametrize("payload", ["Aprove", {"choice": "Maybe"}, 3])
async def test_a_refused_answer_says_what_would_do(view, payload):
    reply = view.ask("resume", node_id="approve", attempt=1, no=0, payload=payload)
    assert "Approve" in reply["hint"]


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ({"node_id": "aprove", "attempt": 1, "no": 0}, "has no node 'aprove'"),
        ({"node_id": "approve", "attempt": 2, "no": 0}, "attempt 2"),
        ({"node_id": "approve", "attempt": 0, "no": 0}, "attempt 0"),
        ({"node_id": "approve", "attempt": 1, "no": 1}, "has asked no question"),
        ({"node_id": "approve", "attempt": 1, "no": -1}, "has asked no question"),
    ],
)
async def test_an_answer_to_what_was_not_asked_is_refused_and_records_nothing(view, place, error):
    before = trace(view.future)
    assert error in view.ask("resume", **place, payload=True)["error"]
    await settle()
    assert trace(view.future) == before


async def test_an_unknown_node_is_told_which_is_close(view):
    reply = view.ask("resume", node_id="aprove", attempt=1, no=0, payload=True)
    assert reply["hint"] == "did you mean 'approve'?"


async def test_an_answer_meant_for_an_earlier_attempt_does_not_reach_the_next_one():
    clock, asked = ManualClock(), []

    @tool(outputs=["x"])
    async def ask_twice(context):
        asked.append(context.attempt)
        answer = await context.wait("text", prompt=f"Attempt {context.attempt}?")
        if context.attempt == 1:
            raise ValueError("once more")
        return answer["text"]

    with graph(name="g") as g:
        g.expose("x", ask_twice(_id="ask").x)
    future = run(g.build(), retry=RetryPolicy(max_attempts=2, backoff_first_s=1), clock=clock)
    await settle()
    view = View(future)
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=0, payload="first")
    await clock.advance(1)
    assert asked == [1, 2]
    before = trace(future)
    assert "attempt 1" in view.ask("resume", node_id="ask", attempt=1, no=0, payload="late")["error"]
    assert trace(future) == before
    assert "error" not in view.ask("resume", node_id="ask", attempt=2, no=0, payload="second")
    assert await future == {"x": "second"}


async def test_an_answer_goes_to_the_question_of_its_number():
    @tool(outputs=["both"])
    async def ask_two(context):
        first = await context.wait("text", prompt="First?")
        second = await context.wait("text", prompt="Second?")
        return first["text"] + second["text"]

    with graph(name="g") as g:
        g.expose("both", ask_two(_id="ask").both)
    future = run(g.build())
    await settle()
    view = View(future)
    assert view.ask("resume", node_id="ask", attempt=1, no=1, payload="b")["error"]
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=0, payload="a")
    await settle()
    assert "has its answer" in view.ask("resume", node_id="ask", attempt=1, no=0, payload="x")["error"]
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=1, payload="b")
    assert await future == {"both": "ab"}
