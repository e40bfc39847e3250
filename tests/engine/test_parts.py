"""Mapped nodes, nested graphs, and runs that nodes start."""

from __future__ import annotations

import asyncio
import copy

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    RetryPolicy,
    arg,
    each,
    graph,
    graph_fn,
    graphify,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_text
from tests.engine.conftest import ManualClock, settle


@tool(outputs=["items"])
def items(n):
    return {"items": list(range(n))}


@tool(outputs=["y"])
async def work(x, k=10):
    await asyncio.sleep(0)
    if x == 3 and k == 3:
        raise ValueError("three")
    return x * k


@tool(outputs=["total"])
def add(a, b):
    return a + b


@graphify("inner", inputs=["x"], outputs=["y"])
def inner(x):
    first = add(a=x, b=1, _id="first")
    return {"y": add(a=first.total, b=1, _id="second").total}


def statuses(future):
    return {node.node_id: str(node.status) for node in future.graph.nodes}


def mapped(**arguments):
    with graph(name="mapped") as g:
        g.expose("ys", work.map(x=items(n=arg("n")).items, **arguments).y)
    return g.build()


async def test_map_fans_out_over_a_list_known_only_at_run_time_and_gives_the_list_in_order():
    future = run(mapped(k=2), {"n": 5})
    assert await future == {"ys": [0, 2, 4, 6, 8]}
    assert [node.node_id for node in future.graph.nodes] == ["items", "work", *(f"work[{i}]" for i in range(5))]
    assert future.node("work[3]").inputs == {"x": 3, "k": 2}


async def test_an_empty_list_maps_to_an_empty_list():
    assert await run_async(mapped(), {"n": 0}) == {"ys": []}


async def test_one_failed_element_leaves_the_others_and_then_fails_the_mapped_node():
    future = run(mapped(k=3), {"n": 6})
    with pytest.raises(GraphRunFailed, match=r"node 'work\[3\]' of run .* failed: ValueError: three") as caught:
        await future
    assert caught.value.failed_nodes == ("work", "work[3]")
    assert isinstance(caught.value.__cause__, ValueError)
    assert [str(future.node(f"work[{i}]").status) for i in range(6)] == ["DONE"] * 3 + ["FAILED"] + ["DONE"] * 2
    assert "1 of 6 parts of 'work' failed" in future.node("work").error.message


async def test_mapped_elements_have_retries_of_their_own():
    failed = set()

    @tool(outputs=["y"])
    async def once_bad(x):
        if x not in failed:
            failed.add(x)
            raise ValueError("first time")
        return x

    with graph(name="g") as g:
        g.expose("ys", once_bad.map(x=[1, 2], _retry=RetryPolicy(max_attempts=2, backoff_first_s=0)).y)
    future = run(g)
    assert await future == {"ys": [1, 2]}
    assert [future.node(name).attempts for name in ("once_bad", "once_bad[0]", "once_bad[1]")] == [1, 2, 2]


async def test_several_lists_in_each_are_zipped():
    with graph(name="g") as g:
        g.expose("totals", add.map(a=each([1, 2]), b=each(items(n=2).items)).total)
    assert await run_async(g) == {"totals": [1, 3]}


async def test_lists_of_different_lengths_and_things_that_are_no_lists_are_errors_with_names():
    with graph(name="g") as g:
        add.map(a=each([1, 2]), b=each([1]))
    with pytest.raises(GraphRunFailed, match="different lengths: a has 2, b has 1"):
        await run_async(g)
    with graph(name="g") as g:
        work.map(x="text")
    with pytest.raises(GraphRunFailed, match="maps over 'x', which takes a list, and got a str"):
        await run_async(g)


async def test_a_mapped_node_holds_no_slot():
    assert await run_async(mapped(), {"n": 300}, max_concurrency=1) == {"ys": [10 * x for x in range(300)]}


async def test_a_mapped_wait_asks_once_an_element():
    with graph(name="g") as g:
        g.expose("names", ask_text.map(prompt=["One?", "Two?"]).text)
    future = run(g)
    await settle()
    assert future.status == "WAITING"
    future.resume("ask_text[1]", "b")
    future.resume("ask_text[0]", "a")
    assert await future == {"names": ["a", "b"]}


async def test_nodes_after_a_failed_map_are_skipped():
    with graph(name="g") as g:
        mapped_node = work.map(x=[3], k=3)
        add(a=mapped_node.y, b=[], _id="below")
    future = run(g)
    with pytest.raises(GraphRunFailed):
        await future
    assert statuses(future)["below"] == "SKIPPED"


def test_map_outside_of_a_graph_is_refused():
    with pytest.raises(GraphBuildError, match="no graph is being built here"):
        work.map(x=[1])


async def test_a_nested_graph_is_a_node_with_parts():
    with graph(name="outer") as g:
        one = inner(x=add(a=arg("x"), b=100).total)
        two = inner(x=one.y, _id="again")
        g.expose("y", two.y)
    future = run(g, {"x": 1}, max_concurrency=1)
    assert await future == {"y": 105}
    assert list(statuses(future)) == [
        *("add", "inner", "inner/first", "inner/second"),
        *("again", "again/first", "again/second"),
    ]
    assert future.node("inner").outputs == {"y": 103}


def test_the_inputs_of_a_nested_graph_may_stand_in_the_order_of_their_declaration():
    with graph(name="g") as g:
        g.expose("y", inner(add(a=1, b=1).total).y)
        with pytest.raises(GraphBuildError, match="takes 1 arguments, and 2 were given"):
            inner(1, 2)
    assert run(g).result() == {"y": 4}


@pytest.mark.parametrize("target", [inner, graph_fn("running")(lambda x: x)])
def test_a_graph_that_is_mapped_as_tools_are_says_what_to_write_instead(target):
    with pytest.raises(AttributeError, match="has no attribute 'map'") as refused:
        target.map(x=[1, 2])
    assert "run_and_wait" in refused.value.__notes__[0]
    assert copy.copy(target).name == target.name


async def test_nested_graphs_nest():
    @graphify("middle", inputs=["x"], outputs=["y"])
    def middle(x):
        return {"y": inner(x=x).y}

    with graph(name="outer") as g:
        g.expose("y", middle(x=1).y)
    future = run(g)
    assert await future == {"y": 3}
    assert list(statuses(future)) == ["middle", "middle/inner", "middle/inner/first", "middle/inner/second"]


async def test_a_nested_graph_whose_condition_is_false_is_skipped_with_its_parts():
    with graph(name="outer") as g:
        g.expose("y", inner(x=1, _condition=False).y)
    future = run(g)
    assert await future == {"y": None}
    assert set(statuses(future).values()) == {"SKIPPED"}


async def test_a_part_that_fails_fails_the_nested_graph_and_skips_what_is_below_both():
    @graphify("bad", inputs=[], outputs=["y"])
    def bad():
        return {"y": add(a=work(x=3, k=3).y, b=1).total}

    with graph(name="outer") as g:
        g.expose("y", add(a=bad().y, b=1, _id="below").total)
    future = run(g)
    with pytest.raises(GraphRunFailed) as caught:
        await future
    assert isinstance(caught.value.__cause__, ValueError)
    assert statuses(future) == {"bad": "FAILED", "bad/work": "FAILED", "bad/add": "SKIPPED", "below": "SKIPPED"}


async def test_the_parts_of_a_nested_graph_start_after_what_it_comes_after():
    order = []

    @tool(outputs=["x"])
    async def note(name):
        order.append(name)
        return name

    @graphify("late", inputs=[], outputs=["x"])
    def late():
        return {"x": note(name="inside").x}

    with graph(name="outer") as g:
        late(_after="before")
        note(name="before", _id="before")
    await run_async(g)
    assert order == ["before", "inside"]


async def test_a_nested_graph_that_takes_too_long_fails_with_its_parts_cancelled():
    @tool(outputs=["x"])
    async def forever():
        await asyncio.Event().wait()

    @graphify("slow", inputs=[], outputs=["x"])
    def slow():
        return {"x": forever().x}

    with graph(name="outer") as g:
        slow(_timeout=0.01)
    future = run(g)
    with pytest.raises(GraphRunFailed, match=r"did not end within 0\.01 s"):
        await future
    assert statuses(future) == {"slow": "FAILED", "slow/forever": "CANCELLED"}


async def test_unknown_and_missing_inputs_of_a_nested_graph_are_refused_when_it_is_built():
    with graph(name="outer"), pytest.raises(GraphBuildError, match="has no argument 'z'"):
        inner(z=1)
    with graph(name="outer"), pytest.raises(GraphBuildError, match="needs 'x'"):
        inner()


async def test_run_and_wait_gives_the_outputs_of_a_run_of_its_own_and_holds_no_slot(one_node):
    @graphify("known by its name", inputs=["x"], outputs=["y"])
    def known(x):
        return {"y": inner(x=x).y}

    async def caller(context):
        assert known.name == "known by its name"
        return (await context.run_and_wait("known by its name", {"x": 1}))["y"]

    assert await run_async(one_node(caller), max_concurrency=1) == {"x": 3}


async def test_a_spawned_run_knows_its_parent_and_can_be_waited_for_and_cancelled(one_node):
    @graphify("asking", inputs=[], outputs=["x"])
    def asking():
        return {"x": ask_text(prompt="?", _id="ask").text}

    async def caller(context):
        run_id = await context.spawn_run(asking, run_id="child")
        with pytest.raises(TimeoutError):
            await context.wait_run(run_id, timeout_s=0.01)
        assert await context.cancel_run(run_id)
        with pytest.raises(asyncio.CancelledError):
            await context.wait_run(run_id)
        assert not await context.cancel_run(run_id)
        with pytest.raises(GraphRunError, match="no run 'nobody' in this process"):
            await context.wait_run("nobody")
        return run_id

    future = run(one_node(caller), run_id="mother")
    assert await future == {"x": "child"}
    assert future.parent is None
    log = future.run.env.store.read("child")
    assert log[0].event.parent == ("mother", "caller")


async def test_cancelling_a_node_that_waits_for_a_run_cancels_that_run(one_node):
    @graphify("asking", inputs=[], outputs=["x"])
    def asking():
        return {"x": ask_text(prompt="?", _id="ask").text}

    async def caller(context):
        await context.run_and_wait(asking, run_id="left-alone")

    future = run(one_node(caller), clock=ManualClock())
    await settle()
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    await settle()
    assert type(future.run.env.store.read("left-alone")[-1].event).__name__ == "RunFinished"
