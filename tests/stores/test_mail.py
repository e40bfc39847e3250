"""Answers and events that come from elsewhere."""

import asyncio
import sqlite3
import time

import pytest

from graphrun_nb import (
    NodeContext,
    graph,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import AnswerKept, WaitOpened
from graphrun_nb.errors import StoreFull
from graphrun_nb.stores import failpoint
from graphrun_nb.tools import wait_event, wait_until
from tests.engine.conftest import ManualClock

from .here import CALLS, asking, forget, gate, sums


async def test_a_deadline_that_passed_while_nobody_was_there_counts_once(store):
    @tool(outputs=["answer"])
    async def ask(context: NodeContext) -> dict:
        CALLS.append("ask")
        return {"answer": await context.wait("q", deadline=60, on_deadline="default", default="nobody")}

    with graph(name="late") as g:
        g.expose("answer", ask(_id="ask").answer)
        wait_until(30, _id="until")
    clock = ManualClock(1_000.0)
    future = run(g.build(), store=store, run_id="r", clock=clock)
    await asking(future, 2)
    future.run.scheduler._halt()  # as if the process had ended
    future.run._on_left()
    forget()
    await clock.advance(3_600)
    outputs = await asyncio.wait_for(run_async(g.build(), store=store, run_id="r", clock=clock), 5)
    assert outputs["answer"] == "nobody"
    expired = [each for each in store.read("r") if type(each.event).__name__ == "WaitExpired"]
    assert len(expired) == 2


async def test_an_event_from_elsewhere_is_kept_for_a_run_that_nobody_drives(store):
    with graph(name="events") as g:
        g.expose("payload", wait_event("paid", _id="wait").payload)
    future = run(g.build(), store=store, run_id="r")
    await asking(future)
    future.run.scheduler._halt()
    future.run._on_left()
    forget()
    from graphrun_nb import send_event

    first = send_event("r", "paid", {"euros": 3}, key="k", store=store)
    assert first.node_id == "wait"
    assert send_event("r", "paid", {"euros": 4}, key="k", store=store).at == first.at
    assert await run_async(g.build(), store=store, run_id="r") == {"payload": {"euros": 3}}


def test_resuming_with_a_token_that_is_wrong_changes_no_byte(store, path):
    from graphrun_nb import InvalidToken

    asyncio.run(run_async(sums, {"a": 3}, store=store, run_id="r"))
    before = [path.read_bytes(), path.with_name("runs.db-wal").read_bytes()]
    for token in ("", "x", "a" * 32, "a" * 10_000, "\x00", "'; DROP TABLE runs; --", 3, None, b"x"):
        with pytest.raises(InvalidToken):
            resume(token, True, store=store)
    assert [path.read_bytes(), path.with_name("runs.db-wal").read_bytes()] == before


async def test_a_letter_that_was_recorded_and_not_settled_counts_once(store, monkeypatch):
    with graph(name="events") as g:
        first = wait_event("paid", _id="first")
        g.expose("second", wait_event("paid", _id="second", _after=first).payload)
    built = g.build()
    monkeypatch.setattr("graphrun_nb.engine.mail.Mail.settle", lambda self: None)
    future = run(built, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put(1, str)
    assert store.post("r", "event 1", AnswerKept("", ref, name="paid", by="event"), time.time()) is None
    while future.node("first").status != "DONE":  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    assert len(store.letters("r")) == 1
    future.run.scheduler._halt()
    future.run._on_left()
    forget()
    again = run(built, store=store, run_id="r")
    await again.opened("second")
    again.run.mail.read()
    assert again.node("second").status == "WAITING"
    again.send_event("paid", 2)
    assert await again == {"second": 2}


def digest_of_wait(store):
    return next(each.event.wait.token_digest for each in store.read("r") if type(each.event) is WaitOpened)


async def test_an_answer_from_elsewhere_that_could_not_be_recorded_is_not_lost(store, path):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put({"approved": True}, str)
    store.post("r", digest_of_wait(store), AnswerKept("approve", ref, by="afar"), time.time())
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    failpoint.arm("append.rows:1:sqlite")
    try:
        future.run.mail.read()
        assert future.run.log.is_behind
        holding.execute("ROLLBACK")
        with pytest.raises(StoreFull, match="full"):
            await future
    finally:
        failpoint.arm("")
        holding.close()
    assert [each.fact.by for each in store.letters("r")] == ["afar"]
    assert await future.retry() == {"ok": True}
    assert store.letters("r") == []


async def test_an_answer_from_elsewhere_that_does_not_fit_is_taken_back_although_that_failed_first(store):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put({"approved": "perhaps"}, str)
    store.post("r", digest_of_wait(store), AnswerKept("approve", ref, by="afar"), time.time())
    failpoint.arm("settle.rows:1:sqlite")
    try:
        future.run.mail.read()
    finally:
        failpoint.arm("")
    assert len(store.letters("r")) == 1
    future.run.mail.read()
    assert store.letters("r") == []
    future.resume("approve", True)
    assert await future == {"ok": True}
