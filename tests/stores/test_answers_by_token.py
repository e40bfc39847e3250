"""Whoever answers a run that is driven elsewhere reads how the question was asked, and not the run's log."""

import asyncio
import contextlib
import sqlite3

import pytest

from graphrun_nb import (
    AlreadyResumed,
    InvalidToken,
    NodeContext,
    PayloadRejected,
    SqliteStore,
    graph,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.engine import tokens
from graphrun_nb.engine.live import RUNS
from graphrun_nb.stores.sqlite import SqliteDatabase
from graphrun_nb.tools import ask_approval, ask_text, wait_event
from tests.stores.earlier import TO_4

NODES = ("first", "second", "third")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def asking_graph(**settings):
    with graph(name="asks") as g:
        for name in NODES:
            g.expose(name, ask_text(prompt="?", _id=name, **settings).text)
        g.expose("approved", ask_approval(prompt="Pay?", _id="approve").approved)
        g.expose("payload", wait_event("paid", _id="paid").payload)
    return g.build()


@tool(outputs=["x"])
async def waiting_for_anything(*, context: NodeContext):
    return await context.wait("anything")


async def begun(shape, path):
    """Let a run ask on a loop that then ends, and return its questions as if this were another process."""
    running = run_async(shape, store=SqliteStore(path), run_id="r", on_wait="return")
    waiting = await asyncio.to_thread(asyncio.run, running)
    forget()
    return {each.node_id: each.token for each in waiting["continuations"]}


async def asked(path, **settings):
    return await begun(asking_graph(**settings), path)


def forget():
    RUNS.clear()
    tokens._RUNS.clear()
    tokens._ANSWERED.clear()


def refuse(*_, **__):
    raise AssertionError("a log was read")


async def test_the_log_is_not_read_for_an_answer(path, monkeypatch):
    given = await asked(path)
    monkeypatch.setattr(SqliteStore, "read", refuse)
    receipt = resume(given["first"], {"text": "yes"}, store=SqliteStore(path))
    assert (receipt.run_id, receipt.node_id) == ("r", "first")
    assert RUNS.get("r") is None
    with pytest.raises(PayloadRejected):
        resume(given["second"], {"text": 3}, store=SqliteStore(path))
    resume(given["second"], "still open", store=SqliteStore(path))
    for node_id in ("first", "second"):
        forget()
        with pytest.raises(AlreadyResumed) as caught:
            resume(given[node_id], "late", store=SqliteStore(path))
        assert caught.value.by == "token"
    monkeypatch.undo()
    store = SqliteStore(path)
    for node_id in ("third", "approve"):
        resume(given[node_id], {"third": "3", "approve": True}[node_id], store=store)
    future = run(asking_graph(), store=store, run_id="r")
    await asyncio.sleep(0)
    future.send_event("paid", {"amount": 5})
    outputs = await asyncio.wait_for(future, 20)
    assert outputs == {"first": "yes", "second": "still open", "third": "3", "approved": True, "payload": {"amount": 5}}


async def test_of_what_is_more_than_its_opening_the_log_is_read(path):
    given = await asked(path)
    store = SqliteStore(path)
    assert store.plain_wait(tokens.digest_of(given["paid"])) is None
    assert resume(given["paid"], {"amount": 1}, store=store).node_id == "paid"
    forget()
    open_run("r", store=store).cancel()
    forget()
    for node_id in NODES:
        with pytest.raises(InvalidToken):
            resume(given[node_id], "late", store=store)


async def test_an_answer_that_was_recorded_is_told_by_whoever_reads_the_log(path):
    given = await asked(path)
    store = SqliteStore(path)
    resume(given["first"], "yes", store=store, by="me")
    await asked(path)
    assert store.plain_wait(tokens.digest_of(given["first"])) is None
    assert store.plain_wait(tokens.digest_of(given["second"])) is not None
    with pytest.raises(AlreadyResumed) as caught:
        resume(given["first"], "late", store=store)
    assert caught.value.by == "me"


async def test_a_question_whose_deadline_has_passed_takes_no_answer(path, monkeypatch):
    given = await asked(path, deadline=60)
    store = SqliteStore(path)
    monkeypatch.setattr(SqliteStore, "read", refuse)
    monkeypatch.setattr("graphrun_nb.engine.by_token.SystemClock.time", lambda _: 9e12)
    with pytest.raises(InvalidToken):
        resume(given["first"], "late", store=store)


async def test_an_answer_that_came_for_the_node_before_it_asked_is_not_passed_over(path):
    with graph(name="later") as g:
        first = ask_text(prompt="?", _id="first")
        g.expose("x", ask_text(prompt="?", _id="second", _after=first).text)
    shape = g.build()
    store = SqliteStore(path)
    (token,) = (await begun(shape, path)).values()
    open_run("r", store=store).resume("second", "early")
    forget()
    resume(token, "now", store=store)
    outcome = await asyncio.wait_for(run(shape, store=store, run_id="r"), 20)
    assert outcome == {"x": "early"}


async def test_an_answer_that_no_other_process_could_read_is_refused_and_the_question_stays_open(path):
    with graph(name="anything") as g:
        g.expose("x", waiting_for_anything(_id="ask").x)
    shape = g.build()
    (token,) = (await begun(shape, path)).values()
    store = SqliteStore(path)
    with pytest.raises(PayloadRejected, match="cannot be kept"):
        resume(token, object(), store=store)
    with pytest.raises(PayloadRejected, match="cannot be kept"):
        open_run("r", store=store).resume("ask", object())
    forget()
    resume(token, [1], store=store)
    assert await asyncio.wait_for(run(shape, store=store, run_id="r"), 20) == {"x": [1]}


async def test_a_store_of_version_4_has_its_questions_answered_too(path, monkeypatch):
    monkeypatch.setattr(SqliteDatabase, "max_tail", 0)
    given = await asked(path)
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in TO_4:
            other.execute(statement)
        other.execute("PRAGMA user_version = 4")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store = SqliteStore(path)
    assert resume(given["first"], "yes", store=store).node_id == "first"
    with pytest.raises(AlreadyResumed):
        resume(given["first"], "late", store=store)
