"""Traps that a scheduler of coroutines can walk into, each of which somebody once did."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time

import pytest

from graphrun_nb import NodeContext, graph, graphify, run, run_async, tool
from graphrun_nb.engine.here import CURRENT


def side_by_side(*nodes):
    with graph(name="side") as g:
        for node in nodes:
            g.expose(node.name, node(_id=node.name).x)
    return g.build()


@tool(outputs=["x"])
async def after():
    await asyncio.sleep(0)
    return "ran"


async def test_a_node_that_cancels_its_own_task_and_returns_does_not_cancel_the_next_one():
    @tool(outputs=["x"])
    async def cancels_itself():
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "returned"

    outputs = await run_async(side_by_side(cancels_itself, after), max_concurrency=1)
    assert outputs["after"] == "ran"


async def test_a_cancel_that_a_node_swallows_does_not_stay_for_the_next_one():
    @tool(outputs=["x"])
    async def swallows():
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return task.cancelling()

    @tool(outputs=["x"])
    async def times_out():
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"

    outputs = await run_async(side_by_side(swallows, times_out), max_concurrency=1)
    assert outputs == {"swallows": 1, "times_out": "timed out"}


async def test_a_task_group_that_fails_inside_a_node_leaves_the_next_one_alone():
    async def fails():
        raise ValueError("inside")

    @tool(outputs=["x"])
    async def groups():
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                await asyncio.sleep(1)
        return "grouped"

    outputs = await run_async(side_by_side(groups, after), max_concurrency=1)
    assert outputs == {"groups": "grouped", "after": "ran"}


async def test_a_node_that_cancels_its_own_run_and_returns_without_awaiting_ends_it():
    @tool(outputs=["x"])
    async def ends_all(context: NodeContext):
        await context.cancel_run(context.run_id)
        return "returned"

    future = run(side_by_side(ends_all, after), max_concurrency=1)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), 5)
    assert future.status == "CANCELLED"
    assert await run_async(side_by_side(after)) == {"after": "ran"}


async def test_each_node_has_a_context_of_its_own_also_beside_others():
    seen = {}

    def named(name):
        @tool(outputs=["x"], name=name)
        async def node():
            for _ in range(3):
                here = CURRENT.get()
                assert here is not None
                seen.setdefault(name, set()).add(here.node_id)
                await asyncio.sleep(0)
            return name

        return node

    await run_async(side_by_side(*(named(f"n{i}") for i in range(20))), max_concurrency=8)
    assert seen == {f"n{i}": {f"n{i}"} for i in range(20)}


async def test_as_many_sync_tools_run_at_the_same_time_as_there_are_slots_on_any_machine():
    meeting = threading.Barrier(12)

    @tool(outputs=["x"])
    def meets(i):
        return meeting.wait(timeout=10)

    with graph(name="meeting") as g:
        for i in range(12):
            meets(i=i)
    await run_async(g, max_concurrency=12)
    assert meeting.n_waiting == 0


HANGS = """
import threading
from graphrun_nb import graph, run, tool

@tool(outputs=["x"])
def hangs():
    begun.set()
    threading.Event().wait()

begun = threading.Event()
with graph(name="g") as g:
    hangs()
run(g)
assert begun.wait(10)
"""


def test_a_tool_that_hangs_in_its_thread_does_not_delay_the_exit():
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


async def test_nodes_that_never_suspend_let_the_loop_turn():
    @graphify("busy", inputs={}, outputs=[])
    def busy():
        for i in range(3000):
            spin(i=i)

    @tool(outputs=["x"])
    async def spin(i):
        end = time.perf_counter() + 0.0001
        while time.perf_counter() < end:
            pass
        return i

    turns = 0

    async def turning():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(turning())
    await run_async(busy, max_concurrency=64)
    other.cancel()
    assert turns > 20


async def test_a_long_chain_and_a_wide_graph_recurse_nowhere():
    @tool(outputs=["x"])
    async def add(x=0):
        return x + 1

    with graph(name="chain") as chain:
        value = add().x
        for _ in range(9_999):
            value = add(x=value).x
        chain.expose("y", value)
    assert await run_async(chain) == {"y": 10_000}
    with graph(name="wide") as wide:
        wide.expose("y", [add(x=i).x for i in range(10_000)])
    assert sum((await run_async(wide))["y"]) == sum(range(1, 10_001))
