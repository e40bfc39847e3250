"""Part 2 of the contract, *Waits in run_async*, a test a sentence.

Not here: that another process can answer (kept runs), and that the widget's button does (``tests/browser``).
"""

from __future__ import annotations

import asyncio

import pytest

from graphrun_nb import (
    Continuation,
    GraphHasPendingWaits,
    RunStatus,
    graph,
    list_runs,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_approval, ask_text
from tests.contract.conftest import add, gate, until


async def test_the_run_stays_alive_while_only_waits_are_left(begin):
    run = await begin(gate, {"amount": 5})
    await run.clock.advance(1_000_000)
    assert not run.future.done()
    assert run.future.status is RunStatus.WAITING
    run.future.resume("approve", True)
    assert await run.future == {"ok": True}


async def test_on_wait_is_block_by_default():
    with pytest.raises(TimeoutError):
        await run_async(gate, {"amount": 5}, timeout=0.05)


def test_another_cell_can_resume_it(kernel):
    kernel.run("f = run(gate, {'amount': 5})")
    assert kernel.run("f.resume('approve', True)\nawait f").text == "{'ok': True}"


async def test_raise_raises_graph_has_pending_waits_with_nodes_and_continuations():
    with pytest.raises(GraphHasPendingWaits) as raised:
        await run_async(gate, {"amount": 5}, on_wait="raise")
    assert raised.value.waiting_nodes == ("approve",)
    (continuation,) = raised.value.continuations
    assert isinstance(continuation, Continuation)
    assert (continuation.node_id, continuation.kind, continuation.prompt) == ("approve", "approval", "Pay?")


async def test_return_gives_status_run_id_waiting_nodes_and_continuations(store):
    waiting = await run_async(gate, {"amount": 5}, on_wait="return", store=store, run_id="r1")
    assert waiting.keys() == {"status", "run_id", "waiting_nodes", "continuations"}
    assert (waiting["status"], waiting["run_id"], waiting["waiting_nodes"]) == ("waiting", "r1", ["approve"])
    assert [each.node_id for each in waiting["continuations"]] == ["approve"]


async def test_raise_and_return_wait_until_only_waits_are_left():
    steps = []

    @tool(outputs=["x"])
    async def slow():
        await asyncio.sleep(0.02)
        steps.append("slow")

    with graph(name="both") as g:
        ask_text(prompt="?", _id="ask")
        slow()
    await run_async(g, on_wait="return")
    assert steps == ["slow"]


@pytest.mark.parametrize("on_wait", ["raise", "return"])
async def test_both_leave_the_run_persisted_and_resumable(store, on_wait):
    held = run(gate, {"amount": 5}, on_wait=on_wait, store=store, run_id="r1")
    try:
        continuations = (await held)["continuations"]
    except GraphHasPendingWaits as error:
        continuations = error.continuations
    (row,) = list_runs(store=store)
    assert (row.run_id, row.status) == ("r1", RunStatus.WAITING)
    resume(continuations[0].token, True, store=store)
    await until(lambda: held.status is RunStatus.DONE)
    assert held.node("approve").outputs == {"approved": True, "choice": "Approve"}


async def test_a_run_whose_outputs_do_not_depend_on_the_wait_still_waits(begin):
    with graph(name="aside") as g:
        g.expose("y", add(a=1, b=2).total)
        ask_approval(prompt="Seen?", _id="seen")
    run = await begin(g, executor="loop")
    assert run.future.node("add").outputs == {"total": 3}
    assert not run.future.done()
    run.future.resume("seen", True)
    assert await run.future == {"y": 3}
