"""Runs that their loop leaves behind: what the contract says of waits and restarts, a test a sentence.

Part 2: *Waits in run_async*, *Run identity*, *Continuations*. Part 3: `open_run`. Part 4: 3, 4, 33. Left out: the
same over processes.
"""

from __future__ import annotations

import asyncio
import gc

import pytest

from graphrun_nb import (
    DualStageTool,
    GraphRunError,
    GraphRunFailed,
    NodeStatus,
    RunStatus,
    graph,
    graphify,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.testing import ManualClock
from graphrun_nb.tools import ask_approval, ask_text
from tests.contract.conftest import gate, until


@pytest.mark.parametrize("on_wait", ["raise", "return"])
def test_open_waits_keep_their_tokens_after_their_loop_has_ended(store, on_wait):
    token = asyncio.run(_handed_out(store, on_wait))
    assert list_runs(store=store)[0].status in (RunStatus.WAITING, RunStatus.INTERRUPTED)

    async def go_on():
        future = run(gate, {"amount": 5}, run_id="r", store=store)
        await until(lambda: future.waits)
        resume(token, True, store=store)
        return await future

    assert asyncio.run(go_on()) == {"ok": True}


@pytest.mark.parametrize("on_wait", ["raise", "return"])
def test_a_run_that_was_handed_out_can_be_handed_out_again_and_goes_on_without_a_loop_of_its_callers(
    store, on_wait, caplog
):
    again = {"run_id": "r", "store": store}
    tokens = [asyncio.run(_handed_out(store, on_wait)), asyncio.run(_handed_out(store, on_wait))]
    assert run(gate, {"amount": 5}, on_wait="return", **again).result(10)["waiting_nodes"] == ["approve"]
    assert tokens[1] in (None, tokens[0])
    future = run(gate, {"amount": 5}, **again)
    resume(tokens[0], True, store=store)
    assert future.result(10) == {"ok": True}
    assert caplog.records == []


async def _handed_out(store, on_wait="return"):
    try:
        waiting = await run_async(gate, {"amount": 5}, run_id="r", store=store, on_wait=on_wait)
    except GraphRunError as error:
        return error.continuations[0].token
    return waiting["continuations"][0].token


@pytest.mark.parametrize("on_deadline", ["fail", "default"])
def test_what_is_to_happen_at_the_deadline_survives_a_restart_and_fires_once(store, on_deadline):
    with graph(name="asking") as g:
        settings = {"default": "nobody came"} if on_deadline == "default" else {}
        g.expose("x", ask_text(prompt="?", _id="ask", deadline=60, on_deadline=on_deadline, **settings).text)
    built, clock = g.build(), ManualClock()
    again = {"run_id": "r", "store": store, "clock": clock}
    asyncio.run(run_async(built, on_wait="return", **again))
    gc.collect()
    clock.now += 61
    if on_deadline == "default":
        assert asyncio.run(run_async(built, **again)) == {"x": "nobody came"}
    else:
        with pytest.raises(GraphRunFailed, match="deadline"):
            asyncio.run(run_async(built, **again))
    assert [type(each.event).__name__ for each in store.read("r")].count("WaitExpired") == 1


def test_03_without_a_live_owner_the_answer_is_kept_and_used_when_the_run_is_continued(store):
    token = asyncio.run(_handed_out(store))
    gc.collect()
    resume(token, True, store=store)
    assert asyncio.run(run_async(gate, {"amount": 5}, run_id="r", store=store)) == {"ok": True}


def test_04_the_token_is_none_when_the_wait_is_read_back_later(store):
    asyncio.run(_handed_out(store))
    gc.collect()
    (wait,) = open_run("r", store=store).waits
    assert (wait.node_id, wait.kind, wait.prompt, wait.token) == ("approve", "approval", "Pay?", None)


def test_after_a_restart_a_node_runs_again_from_its_start_and_its_recorded_answers_are_replayed_in_order(store):
    begun, asked = [], []

    @tool(outputs=["x"])
    async def asks(context):
        begun.append(1)
        answers = []
        for question in ("one", "two", "three"):
            asked.append(question)
            answers.append((await context.wait("text", prompt=question))["text"])
        return answers

    with graph(name="interview") as g:
        g.expose("x", asks(_id="asks").x)
    built = g.build()

    async def a_while(*answers):
        future = run(built, run_id="r", store=store)
        for question, answer in answers:
            await until(lambda question=question: [wait.prompt for wait in future.waits] == [question])
            future.resume("asks", answer)
        await until(lambda: future.done() or (future.waits and len(answers) < 3))
        return future.result(0) if future.done() else None

    asyncio.run(a_while(("one", "1")))
    gc.collect()
    asyncio.run(a_while(("two", "2")))
    gc.collect()
    assert asyncio.run(a_while(("three", "3"))) == {"x": ["1", "2", "3"]}
    assert len(begun) == 3
    opened = [each.event.wait.prompt for each in store.read("r") if type(each.event).__name__ == "WaitOpened"]
    assert opened == ["one", "two", "three"]


def test_after_a_restart_a_two_stage_tool_re_runs_nothing(store):
    stages = []

    @tool(outputs=["x"])
    class Ask(DualStageTool):
        async def setup(self):
            stages.append("setup")
            return {"kind": "text", "prompt": "?"}

        async def on_resume(self, resume):
            stages.append("on_resume")
            return {"x": resume["text"]}

    with graph(name="two stages") as g:
        g.expose("x", Ask(_id="ask").x)
    built = g.build()

    async def first():
        future = run(built, run_id="r", store=store)
        await until(lambda: future.waits)

    async def second():
        future = run(built, run_id="r", store=store)
        future.resume("ask", "yes")
        return await future

    asyncio.run(first())
    gc.collect()
    assert asyncio.run(second()) == {"x": "yes"}
    assert stages == ["setup", "on_resume"]


def test_open_run_gives_the_same_for_an_interrupted_run(store):
    @graphify("opened when interrupted", outputs=["ok"])
    def asks():
        return {"ok": ask_approval(prompt="?", _id="approve").approved}

    asyncio.run(run_async(asks, run_id="r", store=store, on_wait="return"))
    gc.collect()
    opened = open_run("r", store=store)
    assert (opened.status, list_runs(store=store)[0].status) == (RunStatus.INTERRUPTED, RunStatus.INTERRUPTED)
    assert opened.node("approve").status is NodeStatus.WAITING

    async def go_on():
        future = opened.retry()
        future.resume("approve", True)
        return await future

    assert asyncio.run(go_on()) == {"ok": True}
