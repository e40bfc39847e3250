"""Runs that are cancelled, or run out of time."""

from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

from graphrun_nb import (
    NodeStatus,
    RunStatus,
    graph,
    graphify,
    run,
    run_async,
    tool,
)
from tests.engine.conftest import loop_errors, settle


@tool(outputs=["total"])
def add(a: int, b: int) -> dict:
    return {"total": a + b}


@graphify(name="sums", inputs=["x"], outputs=["y"])
def sums(x):
    first = add(a=x, b=1, _id="first")
    return {"y": add(a=first.total, b=10, _id="second").total}


async def test_timeout_cancels_the_run_and_raises(clock, one_node):
    async def forever():
        await asyncio.Event().wait()

    future = run(one_node(forever), timeout=5, clock=clock)
    await clock.advance(5)
    with pytest.raises(TimeoutError, match="did not end within 5 s"):
        await future
    assert future.status is RunStatus.CANCELLED


async def test_cancel_runs_finally_blocks_and_cancels_the_rest():
    log = []

    @tool(outputs=["x"])
    async def first():
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    with graph(name="g") as g:
        add(a=first().x, b=1)
    future = run(g.build())
    await settle()
    assert future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    with pytest.raises(concurrent.futures.CancelledError):
        future.result()
    assert log == ["cleaned up"]
    assert {node.status for node in future.graph.nodes} == {NodeStatus.CANCELLED}
    assert not future.cancel()


async def test_a_node_that_cancels_its_own_run_does_not_cancel_the_next_run():
    futures = []

    @tool(outputs=["x"])
    async def suicidal():
        futures[0].cancel()
        return 1

    with graph(name="g") as g:
        suicidal()
    futures.append(run(g.build()))
    with pytest.raises(asyncio.CancelledError):
        await futures[0]
    assert await run_async(sums, {"x": 1}) == {"y": 12}


async def test_a_node_that_swallows_cancellation_does_not_hold_the_run(clock, one_node):
    let_go = asyncio.Event()

    async def stubborn():
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    future = run(one_node(stubborn), clock=clock)
    await settle()
    future.cancel()
    await clock.advance(3)
    with pytest.raises(asyncio.CancelledError):
        await future
    with loop_errors() as errors:
        let_go.set()
        await settle()
    assert errors == []


async def test_interrupting_await_leaves_the_run_alive(one_node):
    gate = asyncio.Event()

    async def node():
        await gate.wait()
        return 1

    future = run(one_node(node))

    async def wait():
        await future

    waiting = asyncio.create_task(wait())
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError, match=f"run '{future.run_id}' was interrupted; the run goes on"):
        await waiting
    assert future.status is RunStatus.RUNNING
    gate.set()
    assert await future == {"x": 1}


async def test_cancelling_run_async_cancels_its_run():
    cleaned = []

    @tool(outputs=["x"])
    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(1)

    with graph(name="g") as g:
        forever()
    with pytest.raises(TimeoutError) as caught:
        await asyncio.wait_for(run_async(g.build()), 0.05)
    assert "was cancelled with its caller" in str(caught.value.__cause__)
    assert cleaned == [1]
