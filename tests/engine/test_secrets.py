"""Values that nobody is to see, on their way through a run."""

from __future__ import annotations

import asyncio
import os

import pytest

from graphrun_nb import NodeContext, graph, graph_fn, graphify, run, tool

CANARY = "canary-5f2b8a"


@tool(outputs=["token"])
def log_in():
    return CANARY


@tool(outputs=["x"])
def call(token):
    print(f"calling with {token}")  # noqa: T201 (what a node prints is its log)
    return f"answer to {token}"


async def test_an_output_is_hidden_in_what_comes_after_it_and_still_arrives():
    with graph(name="chain") as g:
        g.expose("x", call(token=log_in(_id="login").token, _id="call").x)
    future = run(g)
    assert await future == {"x": f"answer to {CANARY}"}
    assert [line.text for line in future.node("call").logs] == ["calling with •••"]
    assert future.node("login").outputs == {"token": CANARY}


async def test_an_output_of_a_harmless_name_is_hidden_once_a_secret_parameter_takes_it():
    @tool(outputs=["text"])
    def read():
        return CANARY

    with graph(name="chain") as g:
        g.expose("x", call(token=read().text, _id="call").x)
    future = run(g)
    await future
    assert CANARY not in repr(future.node("call").logs)


@pytest.mark.parametrize(
    "options",
    [
        lambda other: {"api_key": CANARY},
        lambda other: [{"deep": {"password": CANARY}}],
        lambda other: {"api_key": CANARY, "other": other},
        lambda other: [{"deep": {"password": CANARY}}, other],
    ],
)
async def test_what_stands_under_a_secret_name_in_the_graph_itself_is_hidden(options):
    @tool(outputs=["x"])
    def connect(options):
        print(options)  # noqa: T201 (what a node prints is its log)
        return 1

    with graph(name="plain") as g:
        g.expose("x", connect(options(g.arg("other")), _id="connect").x)
    future = run(g, {"other": 1})
    await future
    assert "•••" in repr(future.node("connect").logs)
    assert CANARY not in repr(future.node("connect").logs)


async def test_elements_of_a_mapped_secret_are_hidden():
    @graphify("mapped", inputs=["tokens"], outputs=["x"])
    def mapped(tokens):
        return {"x": call.map(token=tokens).x}

    future = run(mapped, {"tokens": [CANARY, "other-canary-1"]})
    await future
    assert "canary" not in repr([line for node in future.graph.nodes for line in node.logs])
    assert "canary" not in repr(future.events)


async def test_calls_of_a_running_body_hide_theirs():
    @graph_fn("agent", outputs=["x"])
    async def agent():
        token = log_in()["token"]
        return call(token=token)["x"]

    future = run(agent)
    await future
    assert CANARY not in repr([line for node in future.graph.nodes for line in node.logs])


async def test_secrets_are_hidden_when_a_run_goes_on():
    @tool(outputs=["x"])
    async def prints(config, context: NodeContext):
        if context.attempt == 1:
            raise ValueError("once more")
        print(config)  # noqa: T201 (what a node prints is its log)
        return {"x": 1}

    with graph(name="again") as g:
        g.expose("x", prints(config=g.arg("config"), _id="prints").x)
    future = run(g, {"config": {"api_key": CANARY}})
    await asyncio.wait({asyncio.wrap_future(future)})
    again = future.retry()
    await again
    assert again.node("prints").logs
    assert CANARY not in repr(again.node("prints").logs)


async def test_a_secret_in_an_answer_or_an_input_is_hidden_wherever_it_stands_in_it():
    @tool(outputs=["x"])
    async def asks(config, context: NodeContext):
        print(config)  # noqa: T201 (what a node prints is its log)
        return {"x": await context.wait("form", prompt=f"for {config['api_key']}?")}

    with graph(name="asking") as g:
        g.expose("x", asks(config=g.arg("config"), _id="asks").x)
    future = run(g, {"config": {"api_key": CANARY}})
    future.resume("asks", {"password": "second-canary"})
    assert await future == {"x": {"password": "second-canary"}}
    assert "canary" not in repr(future.events) + repr(future.node("asks").logs)


async def test_what_stands_under_a_secret_name_in_the_environment_is_hidden(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", CANARY)

    @tool(outputs=["x"])
    def leaks():
        print(os.environ["SOME_API_KEY"])  # noqa: T201 (what a node prints is its log)
        return 1

    with graph(name="env") as g:
        g.expose("x", leaks(_id="leaks").x)
    future = run(g)
    await future
    assert [line.text for line in future.node("leaks").logs] == ["•••"]


async def test_a_secret_that_a_preview_cuts_in_two_is_hidden():
    @tool(outputs=["text"])
    def wraps(token):
        return "-" * 188 + token + "-" * 10_000

    with graph(name="cut") as g:
        g.expose("text", wraps(token=CANARY, _id="wraps").text)
    future = run(g)
    await future
    assert "canary" not in future.run.secrets.preview(future.node("wraps").outputs["text"])
