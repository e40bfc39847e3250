"""What becomes of a run whose nodes fail: retries, skipped descendants, and the error that is raised."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from graphrun_nb import (
    GraphRunFailed,
    NodeStatus,
    RetryPolicy,
    graph,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import NodeSkipped, RetryScheduled
from graphrun_nb.errors import NodeOutputError
from tests.engine.conftest import settle


@tool(outputs=["total"])
def add(a: int, b: int) -> dict:
    return {"total": a + b}


async def test_failure_skips_descendants_and_lets_siblings_finish():
    @tool(outputs=["x"])
    async def fail():
        raise ValueError("no")

    with graph(name="g") as g:
        failed = fail()
        below = add(a=failed.x, b=1, _id="below")
        add(a=below.total, b=1, _id="deeper")
        add(a=1, b=1, _id="aside")
    future = run(g.build())
    with pytest.raises(GraphRunFailed) as caught:
        await future
    assert caught.value.failed_nodes == ("fail",)
    statuses = {node.node_id: node.status for node in future.graph.nodes}
    assert statuses == {"fail": "FAILED", "below": "SKIPPED", "deeper": "SKIPPED", "aside": "DONE"}
    skipped = [each.event for each in future.events if isinstance(each.event, NodeSkipped)]
    assert [(each.node_id, each.because) for each in skipped] == [("below", "fail"), ("deeper", "fail")]


async def test_failure_is_chained_from_the_users_exception_with_our_frames_trimmed(one_node):
    def inner():
        raise KeyError("missing")

    def outer():
        inner()

    future = run(one_node(outer))
    with pytest.raises(GraphRunFailed) as caught:
        await future
    cause = caught.value.__cause__
    assert isinstance(cause, KeyError)
    assert [frame.name for frame in traceback.extract_tb(cause.__traceback__)] == ["outer", "inner"]
    error = future.node("outer").error
    assert error.type_name == "KeyError"
    assert [(frame.function, frame.user) for frame in error.frames] == [("outer", True), ("inner", True)]
    assert error.frames[-1].source.strip() == 'raise KeyError("missing")'


async def test_fail_fast_cancels_running_nodes():
    started = asyncio.Event()

    @tool(outputs=["x"])
    async def forever():
        started.set()
        await asyncio.Event().wait()

    @tool(outputs=["x"])
    async def fail():
        await started.wait()
        raise ValueError("no")

    with graph(name="g") as g:
        forever()
        fail()
    future = run(g.build(), fail_fast=True)
    with pytest.raises(GraphRunFailed):
        await future
    assert future.node("forever").status is NodeStatus.CANCELLED


async def test_retries_wait_their_backoff_and_hold_no_slot_meanwhile(clock):
    tries = []

    @tool(outputs=["x"])
    async def flaky():
        tries.append(clock.now)
        if len(tries) < 3:
            raise ConnectionError("reset")
        return len(tries)

    @tool(outputs=["x"])
    async def other():
        return "other"

    with graph(name="g") as g:
        g.expose("flaky", flaky(_retry=RetryPolicy(max_attempts=3, backoff_first_s=2)).x)
        g.expose("other", other().x)
    future = run(g.build(), clock=clock, max_concurrency=1)
    start = clock.now
    await settle()
    assert future.node("flaky").status is NodeStatus.RETRYING
    assert future.node("other").status is NodeStatus.DONE
    await clock.advance(10)
    assert await future == {"flaky": 3, "other": "other"}
    assert tries == [start, start + 2, start + 6]


async def test_no_viewer_sees_a_node_failed_that_is_about_to_retry(clock):
    seen = []

    class Viewer:
        def on_events(self, batch, state):
            del batch
            seen.append(state.nodes["flaky"].status)

        def on_signal(self, signal): ...

    tries = []

    @tool(outputs=["x"])
    async def flaky():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("reset")

    with graph(name="g") as g:
        flaky(_retry=2)
    future = run(g.build(), clock=clock, observers=[Viewer()])
    await clock.advance(5)
    await future
    assert "FAILED" not in seen
    assert "RETRYING" in seen


async def test_what_the_policy_does_not_name_is_not_retried(one_node):
    tries = []

    async def fail():
        tries.append(1)
        raise ValueError("no")

    with pytest.raises(GraphRunFailed):
        await run_async(one_node(fail, _retry=RetryPolicy(max_attempts=5, retry_on=(ConnectionError,))))
    assert len(tries) == 1


async def test_wrong_outputs_are_an_error_that_names_both_sets(one_node):
    def wrong():
        return {"totl": 1}

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(one_node(wrong, outputs=("total",)))
    assert isinstance(caught.value.__cause__, NodeOutputError)
    assert "['total']" in str(caught.value.__cause__)
    assert "['totl']" in str(caught.value.__cause__)
    assert caught.value.__cause__.hints == ("'totl': did you mean 'total'?",)


async def test_base_exceptions_of_a_node_are_its_failure_not_the_loops(one_node):
    async def leave():
        raise SystemExit(3)

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(one_node(leave))
    assert isinstance(caught.value.__cause__, SystemExit)


async def test_the_story_of_a_retry_is_in_the_log(clock, one_node):
    tries = []

    async def flaky():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("reset")

    future = run(one_node(flaky, _retry=2), clock=clock)
    await clock.advance(1)
    await future
    kinds = [type(each.event).__name__ for each in future.events]
    assert kinds == [
        "RunStarted",
        "SpecAccepted",
        "AttemptStarted",
        "AttemptFailed",
        "RetryScheduled",
        "AttemptStarted",
        "AttemptSucceeded",
        "RunFinished",
    ]
    assert [each.seq for each in future.events] == list(range(1, 9))
    assert next(each.event.due for each in future.events if isinstance(each.event, RetryScheduled)) == clock.now


async def test_an_error_text_that_cannot_be_encoded_still_ends_the_run(one_node):
    async def half_a_character():
        raise ValueError("\ud800")

    future = run(one_node(half_a_character))
    with pytest.raises(GraphRunFailed):
        await future
    assert future.node("half_a_character").error.message == "\\ud800"
