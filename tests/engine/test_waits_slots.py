"""Slots of nodes that wait: none while they ask, one as soon as there is one, and never two."""

from __future__ import annotations

import asyncio

import pytest

from graphrun_nb import NodeStatus, graph, graph_fn, run, tool
from graphrun_nb.tools import ask_text
from tests.engine.conftest import settle


class Work:
    """A tool that lasts until it is let go, and how many of its calls ran at the same time."""

    def __init__(self) -> None:
        self.running = 0
        self.highest = 0
        self.let_go = asyncio.Event()

    async def __call__(self):
        self.running += 1
        self.highest = max(self.highest, self.running)
        await self.let_go.wait()
        self.running -= 1


@pytest.fixture
def work():
    return Work()


def tool_of(work):
    @tool(outputs=["x"])
    async def busy():
        await work()

    return busy


async def test_a_waiting_node_holds_no_slot():
    @tool(outputs=["x"])
    async def other():
        return 1

    with graph(name="g") as g:
        g.expose("answer", ask_text(prompt="Name?", _id="ask").text)
        g.expose("x", other().x)
    future = run(g.build(), max_concurrency=1)
    await settle()
    assert future.node("ask").status is NodeStatus.WAITING
    assert future.node("other").status is NodeStatus.DONE
    future.resume("ask", {"text": "Ada"})
    assert await future == {"answer": "Ada", "x": 1}


async def test_an_answered_node_goes_on_only_when_a_slot_is_free(work):
    @tool(outputs=["x"])
    async def ask_then_work(*, context):
        await context.wait("text", prompt="Go?")
        await work()

    with graph(name="g") as g:
        ask_then_work(_id="ask")
        tool_of(work)()
    future = run(g.build(), max_concurrency=1)
    await settle()
    future.resume("ask", "go")
    await settle()
    assert work.running == 1
    work.let_go.set()
    await future
    assert work.highest == 1


async def test_a_node_whose_gathered_waits_are_answered_at_once_takes_one_slot(work):
    @tool(outputs=["x"])
    async def ask_twice(*, context):
        return {"x": await asyncio.gather(context.wait("first"), context.wait("second"))}

    with graph(name="g") as g:
        g.expose("x", ask_twice(_id="ask").x)
        for _ in range(3):
            tool_of(work)()
    future = run(g.build(), max_concurrency=1)
    await settle()
    future.resume("ask", 1)
    future.resume("ask", 2)
    await settle()
    work.let_go.set()
    assert await future == {"x": [1, 2]}
    assert work.highest == 1


async def test_a_node_that_still_asks_something_holds_no_slot(work):
    answered = []

    @tool(outputs=["x"])
    async def ask_twice(*, context):
        async def one(word):
            answered.append(await context.wait(word))

        await asyncio.gather(one("first"), one("second"))
        await work()

    with graph(name="g") as g:
        ask_twice(_id="ask")
        tool_of(work)(_id="below", _after=ask_text("go?", _id="gate"))
    future = run(g.build(), max_concurrency=1)
    await settle()
    future.resume("ask", 1)
    await settle()
    assert answered == [1]
    assert future.node("ask").status is NodeStatus.WAITING
    future.resume("gate", "go")
    await settle()
    assert future.node("below").status is NodeStatus.RUNNING
    future.resume("ask", 2)
    await settle()
    assert work.running == 1
    work.let_go.set()
    await future
    assert work.highest == 1


async def test_a_node_that_gives_its_question_up_goes_on_only_when_a_slot_is_free(work):
    @tool(outputs=["x"])
    async def impatient(*, context):
        asked = asyncio.ensure_future(context.wait("text"))
        await nudge.wait()
        asked.cancel()
        await asyncio.wait([asked])
        await work()

    nudge = asyncio.Event()
    with graph(name="g") as g:
        impatient()
        tool_of(work)()
    future = run(g.build(), max_concurrency=1)
    await settle()
    assert work.running == 1
    nudge.set()
    await settle()
    assert work.running == 1
    work.let_go.set()
    await future
    assert work.highest == 1


async def test_a_running_body_that_asks_holds_no_slot_before_or_after():
    @tool(outputs=["x"])
    async def same(x):
        return x

    @graph_fn(outputs=["x"])
    async def asks(*, context):
        answer = await context.channel().ask_text("?")
        return (await same(x=answer))["x"]

    future = run(asks, max_concurrency=1)
    await settle()
    future.resume("asks", "hi")
    assert await future == {"x": "hi"}


async def test_max_concurrency_of_one_never_deadlocks_on_nodes_that_wait_for_each_other():
    @tool(outputs=["x"])
    async def receiver(*, context):
        return {"x": await asyncio.gather(context.wait_event("ping"), context.wait_event("pong"))}

    @tool(outputs=[])
    async def sender(name):
        future.send_event(name, name.upper())

    with graph(name="g") as g:
        g.expose("x", receiver().x)
        first = sender("ping", _id="first")
        sender("pong", _id="second", _after=first)
    future = run(g.build(), max_concurrency=1)
    assert await future == {"x": ["PING", "PONG"]}


async def test_a_node_asked_to_go_on_while_it_asks_again_gives_the_slot_back(work):
    async def asks_again(context):
        await context.wait("first")
        await context.wait("third")

    @tool(outputs=["x"])
    async def ask(*, context):
        await asyncio.gather(asks_again(context), context.wait("second"))

    with graph(name="g") as g:
        ask(_id="ask")
        tool_of(work)(_id="busy")
    future = run(g.build(), max_concurrency=1)
    await settle()
    future.resume("ask", 1)
    await settle()
    future.resume("ask", 2)
    await settle()
    work.let_go.set()
    await settle()
    assert future.node("busy").status is NodeStatus.DONE
    future.resume("ask", 3)
    await future
    assert future.run.scheduler._slots.free == 1
