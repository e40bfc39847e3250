"""Part 2 of the contract, *Continuations*, a test a sentence.

Elsewhere: restarts and replay, in ``test_part2_interrupted_runs.py``; tabs, in ``tests/browser``. Left out:
processes.
"""

from __future__ import annotations

import base64
import dataclasses
import re
import threading

import pytest

from graphrun_nb import (
    AlreadyResumed,
    Continuation,
    DualStageTool,
    GraphRunFailed,
    InvalidToken,
    PayloadRejected,
    graph,
    resume,
    run,
    tool,
)
from graphrun_nb.stores.memory import MemoryLease
from graphrun_nb.tools import ask_approval, ask_text
from tests.contract.conftest import gate, names, until


@pytest.fixture
async def waiting(begin):
    return await begin(gate, {"amount": 5})


async def test_a_wait_opens_a_continuation_with_these_fields(waiting):
    (continuation,) = waiting.future.waits
    fields = [each.name for each in dataclasses.fields(Continuation)]
    assert fields[:10] == [
        *("token", "run_id", "node_id", "attempt", "kind", "prompt", "schema", "created_at", "deadline", "on_deadline")
    ]
    assert (continuation.run_id, continuation.node_id, continuation.attempt) == (waiting.future.run_id, "approve", 1)
    assert (continuation.kind, continuation.prompt, continuation.on_deadline) == ("approval", "Pay?", "fail")
    assert continuation.schema["properties"]["approved"] == {"type": "boolean"}
    assert (continuation.created_at, continuation.deadline) == (waiting.clock.now, None)


async def test_the_token_is_a_secret_of_at_least_128_bits(begin):
    tokens = [(await begin(gate, {"amount": 5})).future.waits[0].token for _ in range(20)]
    assert len(set(tokens)) == 20
    assert all(len(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) * 8 >= 128 for token in tokens)


async def test_the_token_is_stored_only_as_a_digest(waiting, store):
    (continuation,) = waiting.future.waits
    kept = repr(store.read(waiting.future.run_id))
    assert "WaitOpened" in kept
    assert continuation.token not in kept
    assert re.search(r"token_digest='[0-9a-f]{64}'", kept)


async def test_resume_by_token_answers(waiting, store):
    receipt = resume(waiting.future.waits[0].token, True, store=store)
    assert (receipt.run_id, receipt.node_id) == (waiting.future.run_id, "approve")
    assert await waiting.future == {"ok": True}


async def test_resume_by_node_in_the_owning_process_answers(waiting):
    waiting.future.resume("approve", False)
    assert await waiting.future == {"ok": False}


def test_exactly_one_of_any_number_of_competing_answers_wins_across_threads():
    future = run(gate, {"amount": 5})
    while not future.waits:
        pass
    token = future.waits[0].token
    barrier, won, lost = threading.Barrier(12), [], []

    def answer(number):
        barrier.wait()
        try:
            if number % 2:
                resume(token, number % 4 == 1, by=f"thread {number}")
            else:
                future.resume("approve", number % 4 == 0, by=f"thread {number}")
        except AlreadyResumed as error:
            lost.append(error)
        else:
            won.append(number)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(won), len(lost)) == (1, 11)
    assert {error.by for error in lost} == {f"thread {won[0]}"}
    assert future.result(10) == {"ok": won[0] % 4 in (0, 1)}


async def test_the_others_get_already_resumed_with_by_and_at(waiting):
    waiting.future.resume("approve", True, by="the first")
    with pytest.raises(AlreadyResumed) as refused:
        waiting.future.resume("approve", False)
    assert (refused.value.by, refused.value.at) == ("the first", waiting.clock.now)
    assert await waiting.future == {"ok": True}


async def test_a_payload_that_fails_the_schema_is_refused_and_the_wait_stays_open(waiting):
    (before,) = waiting.future.waits
    for payload in ("maybe", 3, {"approved": "yes"}, {}, None):
        with pytest.raises(PayloadRejected):
            resume(before.token, payload)
    assert waiting.future.waits == (before,)
    resume(before.token, True)
    assert await waiting.future == {"ok": True}


async def test_a_wrong_expired_malformed_or_foreign_token_is_refused_with_one_and_the_same_invalid_token(begin, store):
    from graphrun_nb import MemoryStore

    expiring = await begin(asking(deadline=1, on_deadline="default", default="late"))
    expired = expiring.future.waits[0].token
    await expiring.clock.advance(2)
    foreign = (await begin(gate, {"amount": 5}, store=MemoryStore())).future.waits[0].token
    here = (await begin(gate, {"amount": 5})).future.waits[0].token
    refusals = set()
    for token in (here[::-1], expired, foreign, "", here[:-1], here + "x", "A" * 10**6, None, 7):
        with pytest.raises(InvalidToken) as refused:
            resume(token, True, store=store)
        refusals.add((type(refused.value), str(refused.value), refused.value.hints))
    assert len(refusals) == 1


def asking(**settings):
    with graph(name="asking") as g:
        g.expose("x", ask_text(prompt="?", _id="ask", **settings).text)
    return g.build()


async def test_on_deadline_fail_fails_the_node_and_fires_once(begin):
    held = await begin(asking(deadline=60, on_deadline="fail"))
    await held.clock.advance(61)
    with pytest.raises(GraphRunFailed):
        await held.future
    await held.clock.advance(120)
    assert names(held.future).count("WaitExpired") == 1


async def test_on_deadline_default_takes_what_was_declared_beforehand_and_fires_once(begin):
    held = await begin(asking(deadline=60, on_deadline="default", default="nobody came"))
    await held.clock.advance(61)
    assert await held.future == {"x": "nobody came"}
    await held.clock.advance(120)
    assert names(held.future).count("WaitExpired") == 1


async def test_in_process_the_suspended_coroutine_simply_continues(begin):
    beginnings = []

    @tool(outputs=["x"])
    async def body(context):
        beginnings.append(1)
        local = object()
        before = id(local)
        await context.wait("go")
        return id(local) == before

    with graph(name="one") as g:
        g.expose("x", body(_id="body").x)
    held = await begin(g)
    held.future.resume("body", None)
    assert await held.future == {"x": True}
    assert beginnings == [1]


async def test_a_two_stage_tool_waits_between_setup_and_on_resume_and_re_runs_nothing(begin):
    stages = []

    @tool(outputs=["receipt"])
    class Pay(DualStageTool):
        async def setup(self, amount, *, context):
            stages.append("setup")
            return {"kind": "approval", "prompt": f"Pay {amount}?"}

        async def on_resume(self, resume, *, context):
            stages.append("on_resume")
            return {"receipt": resume["choice"]}

    with graph(name="paying") as g:
        g.expose("receipt", Pay(amount=5, _id="pay").receipt)
    held = await begin(g)
    assert (stages, held.future.waits[0].prompt) == (["setup"], "Pay 5?")
    held.future.resume("pay", False)
    assert await held.future == {"receipt": "Reject"}
    assert stages == ["setup", "on_resume"]


async def test_the_token_is_known_only_where_the_wait_was_opened(begin, store):
    with graph(name="asks") as g:
        ask_approval(prompt="?", _id="ask")
    held = await begin(g)
    assert held.future.waits[0].token
    shown = [repr(held.future), repr(held.future.waits), repr(held.future.events), repr(held.future.graph.state)]
    assert not any(held.future.waits[0].token in text for text in shown)
    held.future.cancel()
    await until(held.future.done)


async def test_a_wait_is_told_of_once_it_is_recorded_and_not_before(monkeypatch, store):
    seen = []
    append = MemoryLease.append

    def watched(self, batch, *more):
        seen.extend(wait.node_id for wait in future.waits)
        append(self, batch, *more)

    future = run(gate, {"amount": 5}, store=store)
    monkeypatch.setattr(MemoryLease, "append", watched)
    await until(lambda: future.waits)
    assert "WaitOpened" in names(future)
    assert seen == []
    future.cancel()
