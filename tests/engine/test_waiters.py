"""`concurrent.futures.wait` and `as_completed` where they would block the loop that has to produce the outcome."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pytest

from graphrun_nb import graph, run, tool
from graphrun_nb.errors import ResultInsideNode

DEADLINE_S = 30


def graph_of(function, **arguments):
    with graph(name="one") as g:
        g.expose("x", function(**arguments, _id="one").x)
    return g.build()


@tool(outputs=["x"])
async def later(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


async def test_wait_keeps_the_loop_turning():
    futures = [run(graph_of(later, n=n)) for n in (5, 1, 3)]
    done, not_done = concurrent.futures.wait(futures, timeout=DEADLINE_S)
    assert (done, not_done) == (set(futures), set())
    assert [future.result()["x"] for future in futures] == [5, 1, 3]


async def test_wait_for_the_first_returns_while_others_go_on():
    gate = asyncio.Event()

    @tool(outputs=["x"])
    async def held():
        await gate.wait()
        return 0

    slow, quick = run(graph_of(held)), run(graph_of(later, n=1))
    done, not_done = concurrent.futures.wait([slow, quick], DEADLINE_S, concurrent.futures.FIRST_COMPLETED)
    assert (done, not_done) == ({quick}, {slow})
    gate.set()
    await slow


async def test_as_completed_gives_them_as_they_end():
    futures = [run(graph_of(later, n=n)) for n in (500, 1, 100)]
    order = [future.result()["x"] for future in concurrent.futures.as_completed(futures, timeout=DEADLINE_S)]
    assert sorted(order) == [1, 100, 500]
    assert order[-1] == 500


async def test_wait_gives_up_after_its_timeout_and_the_run_goes_on():
    gate = asyncio.Event()

    @tool(outputs=["x"])
    async def held():
        await gate.wait()
        return 1

    future = run(graph_of(held))
    assert concurrent.futures.wait([future], timeout=0.01).not_done == {future}
    gate.set()
    assert await future == {"x": 1}


async def test_futures_of_other_executors_may_be_among_them():
    go = threading.Event()

    @tool(outputs=["x"])
    async def opens():
        go.set()
        return 1

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        other = pool.submit(go.wait, DEADLINE_S)
        both = {other, run(graph_of(opens))}
        assert concurrent.futures.wait(both, timeout=DEADLINE_S).done == both


async def test_inside_a_node_on_the_same_loop_it_is_refused_with_a_hint():
    other = run(graph_of(later, n=1000))

    @tool(outputs=["x"])
    async def waits():
        concurrent.futures.wait([other], timeout=DEADLINE_S)

    with pytest.raises(Exception, match="node 'one' asked for the result") as raised:
        await run(graph_of(waits))
    assert isinstance(raised.value.__cause__, ResultInsideNode)
    assert await other == {"x": 1000}


def test_without_a_loop_on_this_thread_it_blocks_as_ever():
    futures = [run(graph_of(later, n=n)) for n in (5, 1)]
    assert concurrent.futures.wait(futures, timeout=DEADLINE_S).done == set(futures)
