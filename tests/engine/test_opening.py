"""`future.opened(node_id)`: the next wait of a node, as something to await."""

from __future__ import annotations

import asyncio

import pytest

from graphrun_nb import GraphRunError, SqliteStore, graph, graph_fn, open_run, run, tool
from graphrun_nb.errors import UnknownNode
from graphrun_nb.tools import ask_text


@tool(outputs=["r"])
async def asks_twice(context):
    return [await context.wait("first"), await context.wait("second")]


def asking():
    with graph(name="asking") as g:
        g.expose("r", asks_twice(_id="ask").r)
    return g.build()


async def test_each_question_of_a_node_can_be_awaited_and_answered_in_turn():
    future = run(asking())
    for kind in ("first", "second"):
        wait = await future.opened("ask")
        assert (wait.kind, wait.node_id) == (kind, "ask")
        assert wait.token
        future.resume("ask", kind)
    assert await future == {"r": ["first", "second"]}


async def test_a_question_that_is_open_already_is_given_at_once():
    future = run(asking())
    first = await future.opened("ask")
    assert (await future.opened("ask")).token == first.token
    future.cancel()


async def test_when_the_run_ends_before_the_node_asks_that_is_said():
    future = run(asking())
    await future.opened("ask")
    future.resume("ask", 1)
    future.cancel()
    with pytest.raises(GraphRunError, match="asks nothing"):
        await future.opened("ask")


async def test_a_node_that_is_not_there_is_refused_unless_it_may_still_appear():
    @graph_fn(name="body", outputs=["r"])
    async def body():
        await asyncio.sleep(0)
        return (await ask_text("Who?", _id="who"))["text"]

    future = run(asking())
    with pytest.raises(UnknownNode):
        await future.opened("aks")
    future.cancel()
    grows = run(body)
    assert (await grows.opened("who")).prompt == "Who?"
    grows.resume("who", "me")
    assert await grows == {"r": "me"}


def test_it_is_awaitable_on_another_loop_than_the_runs_own():
    future = run(asking())
    assert asyncio.run(future.opened("ask")).kind == "first"
    future.cancel()


def test_the_question_of_an_interrupted_run_is_given_without_its_token(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")

    async def begin():
        await run(asking(), run_id="r", store=store).opened("ask")

    asyncio.run(begin())
    assert asyncio.run(open_run("r", store=store).opened("ask")).token is None
