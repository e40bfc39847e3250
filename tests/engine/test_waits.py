"""Waits: opened by nodes, answered from anywhere, exactly once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from graphrun_nb import (
    AlreadyResumed,
    GraphHasPendingWaits,
    GraphRunError,
    InvalidToken,
    NodeStatus,
    PayloadRejected,
    RunStatus,
    graph,
    graphify,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import AnswerKept, WaitOpened, WaitResolved
from graphrun_nb.tools import ask_approval, ask_choices
from tests.engine.conftest import settle


@graphify(name="gate", inputs=["amount"], outputs=["ok", "choice"])
def gate(amount):
    answer = ask_approval(prompt="Pay?", _id="approve")
    return {"ok": answer.approved, "choice": answer.choice}


async def waiting_gate(**overrides):
    future = run(gate, {"amount": 5}, **overrides)
    await settle()
    assert future.node("approve").status is NodeStatus.WAITING
    return future


def test_the_approval_gate_of_the_contract():
    future = run(gate, {"amount": 5})
    future.resume("approve", {"approved": True})
    assert future.result()["ok"] is True


async def test_a_run_with_only_waits_left_is_waiting_and_blocks():
    future = await waiting_gate()
    assert future.status is RunStatus.WAITING
    assert not future.done()
    (wait,) = future.waits
    assert (wait.node_id, wait.kind, wait.prompt) == ("approve", "approval", "Pay?")
    future.resume("approve", True)
    assert await future == {"ok": True, "choice": "Approve"}


@pytest.mark.parametrize(
    ("payload", "choice"),
    [
        ({"approved": True}, "Approve"),
        ({"approved": False}, "Reject"),
        ({"choice": "Reject"}, "Reject"),
        (True, "Approve"),
        ("Reject", "Reject"),
        ({"approved": True, "choice": "Approve"}, "Approve"),
    ],
)
async def test_every_form_of_an_approval_gives_approved_and_choice(payload, choice):
    future = await waiting_gate()
    future.resume("approve", payload)
    assert await future == {"ok": choice == "Approve", "choice": choice}


@pytest.mark.parametrize(
    "payload", [None, 3, {}, {"approved": "yes"}, {"choice": "Maybe"}, "aprove", {"approved": True, "choice": "Reject"}]
)
async def test_a_payload_that_does_not_fit_is_refused_and_the_wait_stays_open(payload):
    future = await waiting_gate()
    before = future.events
    with pytest.raises(PayloadRejected) as caught:
        future.resume("approve", payload)
    assert isinstance(caught.value, ValueError)
    assert caught.value.errors
    assert future.events == before
    future.resume("approve", False)
    assert (await future)["ok"] is False


async def test_a_second_answer_is_told_who_was_first():
    future = await waiting_gate()
    receipt = future.resume("approve", True, by="first")
    with pytest.raises(AlreadyResumed) as caught:
        future.resume("approve", False)
    assert (caught.value.by, caught.value.at) == ("first", receipt.at)
    assert (await future)["ok"] is True
    with pytest.raises(AlreadyResumed):
        future.resume("approve", False)


async def test_of_many_threads_that_answer_at_once_exactly_one_wins():
    future = await waiting_gate()
    outcomes = []
    barrier = threading.Barrier(8)

    def answer(n):
        barrier.wait()
        try:
            outcomes.append(future.resume("approve", n % 2 == 0, by=f"thread {n}"))
        except AlreadyResumed as lost:
            outcomes.append(lost)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
    lost = [each for each in outcomes if isinstance(each, AlreadyResumed)]
    assert len(outcomes) == 8
    assert len(lost) == 7
    assert len([each for each in future.events if isinstance(each.event, WaitResolved)]) == 1
    assert len({each.by for each in lost}) == 1
    await future


async def test_an_answer_by_token_is_accepted_once():
    future = await waiting_gate()
    token = future.waits[0].token
    assert len(token) >= 22
    resume(token, {"approved": True})
    with pytest.raises(AlreadyResumed):
        resume(token, {"approved": False})
    assert (await future)["ok"] is True
    with pytest.raises(AlreadyResumed):
        resume(token, {"approved": False})


@pytest.mark.parametrize("token", ["", "wrong", "x" * 100_000, "\ud800", None, 3, b"bytes"])
async def test_bad_tokens_are_refused_alike(token):
    future = await waiting_gate()
    before = future.events
    with pytest.raises(InvalidToken) as caught:
        resume(token, True)
    assert str(caught.value) == "this token opens no wait"
    assert future.events == before
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future


async def test_the_token_of_a_cancelled_run_is_invalid():
    future = await waiting_gate()
    token = future.waits[0].token
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    with pytest.raises(InvalidToken):
        resume(token, True)


async def test_a_token_shows_in_no_repr_and_only_its_digest_in_the_log():
    future = await waiting_gate()
    (wait,) = future.waits
    assert wait.token not in repr(wait)
    assert wait.token not in repr(future.events)
    (opened,) = [each.event for each in future.events if isinstance(each.event, WaitOpened)]
    assert len(opened.wait.token_digest) == 64
    future.resume("approve", True)
    await future


async def test_an_early_answer_is_kept_and_delivered_when_the_wait_opens():
    gate_open = asyncio.Event()

    @tool(outputs=["x"])
    async def before():
        await gate_open.wait()

    with graph(name="g") as g:
        first = before()
        g.expose("choice", ask_choices(prompt="Which?", options=["a", "b"], _id="ask", _after=first).choice)
    future = run(g.build())
    await settle()
    future.resume("ask", "b")
    assert isinstance(future.events[-1].event, AnswerKept)
    gate_open.set()
    assert await future == {"choice": "b"}


async def test_an_early_answer_that_does_not_fit_leaves_the_wait_open():
    future = run(gate, {"amount": 1})
    future.resume("approve", "Perhaps")
    await settle()
    assert future.node("approve").status is NodeStatus.WAITING
    future.resume("approve", True)
    assert (await future)["ok"] is True


async def test_several_waits_in_one_node_are_answered_in_order():
    @tool(outputs=["name"])
    async def dialogue(*, context):
        channel = context.channel()
        first = await channel.ask_text("First name?")
        last = await channel.ask_text("Last name?")
        sure = await channel.ask_approval(f"{first} {last}?")
        return f"{first} {last} {sure['approved']}"

    with graph(name="g") as g:
        g.expose("name", dialogue().name)
    future = run(g.build())
    for answer in ("Ada", "Lovelace", True):
        await settle()
        future.resume("dialogue", answer)
    assert await future == {"name": "Ada Lovelace True"}


async def test_an_unknown_node_is_an_error_at_once():
    future = await waiting_gate()
    with pytest.raises(GraphRunError, match="no node 'aprove'") as caught:
        future.resume("aprove", True)
    assert caught.value.hints == ("did you mean 'approve'?",)
    future.resume("approve", True)
    await future


async def test_on_wait_raise_hands_out_the_waits_and_the_run_lives_on():
    with pytest.raises(GraphHasPendingWaits) as caught:
        await run_async(gate, {"amount": 1}, on_wait="raise")
    assert caught.value.waiting_nodes == ("approve",)
    (wait,) = caught.value.continuations
    assert resume(wait.token, True).node_id == "approve"


async def test_on_wait_return_gives_a_status_dict():
    status = await run_async(gate, {"amount": 1}, on_wait="return", run_id="returns-status")
    assert {key: status[key] for key in ("status", "run_id", "waiting_nodes")} == {
        "status": "waiting",
        "run_id": "returns-status",
        "waiting_nodes": ["approve"],
    }
    resume(status["continuations"][0].token, False)


async def test_cancel_while_waiting_ends_the_run():
    future = await waiting_gate()
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert future.node("approve").status is NodeStatus.CANCELLED
    assert future.waits == ()
