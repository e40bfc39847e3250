"""What a run came to, kept beside its log: tables of runs say the same with it as without, and nothing else uses it."""

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import pytest

from graphrun_nb import (
    GraphRunFailed,
    MemoryStore,
    RunStatus,
    SqliteStore,
    StoreCorrupt,
    graph,
    list_runs,
    open_run,
    run,
    run_async,
    tool,
)
from graphrun_nb.core import codec
from graphrun_nb.engine.live import RUNS
from graphrun_nb.engine.log import RunLog
from graphrun_nb.engine.summary import runs_table
from graphrun_nb.stores.tables import VERSION
from graphrun_nb.tools import ask_text
from tests.core.test_golden import GOLDEN, NAMES
from tests.stores.earlier import TO_2

_INTO_THE_FILE = "PRAGMA wal_checkpoint(TRUNCATE)"
ALLOWED: list[bool] = []


class Holder:
    is_alive = True

    def on_mail(self): ...


@tool(outputs=["x"])
def picky() -> int:
    if not ALLOWED:
        raise ValueError("not yet")
    return 1


@pytest.fixture
def path(tmp_path):
    ALLOWED.clear()
    RUNS.clear()
    return tmp_path / "runs.db"


def picky_graph():
    with graph(name="picky graph") as g:
        g.expose("x", picky(_id="picky").x)
    return g.build()


async def ended(path):
    """Return a store with a run that has failed, and one that is done."""
    store = SqliteStore(path)
    with pytest.raises(GraphRunFailed):
        await run_async(picky_graph(), store=store, run_id="failed", session_id="s")
    ALLOWED.append(True)
    await run_async(picky_graph(), store=store, run_id="done")
    RUNS.clear()
    return store


def changed(path, *statements):
    """Change the file as another program would, and return a store of it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)
    return SqliteStore(path)


def unreadable(run_id, after=0):
    raise AssertionError(f"the log of {run_id} was read")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_golden_log_is_told_of_alike_by_its_outline_and_its_fold(name, kind, path, monkeypatch):
    store = MemoryStore() if kind == "memory" else SqliteStore(path)
    kept = RunLog("golden")
    kept.lease = store.claim("golden", Holder())
    for at, turn in groupby(codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()), attrgetter("at")):
        kept.begin([each.event for each in turn], at)
        assert kept.commit()
        (outline,) = store.outlines().values()
        assert (outline is None) == (kept.state.finished is None)
        told = list_runs(store=store)
        with monkeypatch.context() as patch:
            patch.setattr(type(store), "outlines", lambda self: {"golden": None})
            assert list_runs(store=store) == told


async def test_the_logs_of_runs_that_have_ended_are_not_read_for_a_table(path, monkeypatch):
    store = await ended(path)
    monkeypatch.setattr(store, "read", unreadable)
    rows = list_runs(store=store)
    assert [(row.run_id, row.graph, row.status, row.session_id) for row in rows] == [
        ("done", "picky graph", "DONE", ""),
        ("failed", "picky graph", "FAILED", "s"),
    ]
    assert [dict(row.counts) for row in rows] == [{"DONE": 1}, {"FAILED": 1}]


async def test_a_run_that_is_taken_up_again_has_no_outline_until_it_ends_again(path):
    store = await ended(path)
    seen = []

    class Looking:
        def on_events(self, batch, state):
            seen.append((state.finished is None, store.outlines()["failed"] is None))

        def on_signal(self, signal): ...

    assert await run_async(picky_graph(), store=store, run_id="failed", observers=[Looking()]) == {"x": 1}
    assert {True, False} == {is_under_way for is_under_way, _ in seen}
    assert all(is_under_way == is_gone for is_under_way, is_gone in seen)
    assert store.outlines()["failed"].status == "DONE"


async def test_a_run_that_is_cancelled_without_a_process_has_an_outline(path):
    with graph(name="asks") as g:
        g.expose("text", ask_text(prompt="?", _id="ask").text)
    store = SqliteStore(path)
    assert (await run_async(g.build(), store=store, run_id="r", on_wait="return"))["status"] == "waiting"
    RUNS.clear()
    assert store.outlines() == {"r": None}
    future = open_run("r", store=store)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(future, 20)
    assert store.outlines()["r"].status == "CANCELLED"


async def test_a_table_does_not_say_how_long_an_interrupted_run_took(path):
    done, failed = list_runs(store=await ended(path))
    left = replace(failed, status=RunStatus.INTERRUPTED, ended_at=0.0)
    head, *lines = runs_table([left, done]).splitlines()
    assert [line[head.index("took") :].strip() != "" for line in lines] == [False, True]


async def test_a_file_of_version_2_is_read_and_outlines_what_ends_from_now_on(path):
    rows = list_runs(store=await ended(path))
    store = changed(path, *TO_2, "PRAGMA user_version = 2", _INTO_THE_FILE)
    assert store.outlines() == {"failed": None, "done": None}
    assert list_runs(store=store) == rows
    assert await run_async(picky_graph(), store=store, run_id="done") == {"x": 1}
    await run_async(picky_graph(), store=store, run_id="new")
    assert [run_id for run_id, kept in store.outlines().items() if kept] == ["new"]
    with contextlib.closing(sqlite3.connect(path)) as found:
        assert found.execute("PRAGMA user_version").fetchone() == (VERSION,)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE runs SET outline = CAST(replace(outline, 'FAILED', 'DONE') AS BLOB)",
        "UPDATE runs SET outline = (SELECT outline FROM runs WHERE run_id = 'done')  WHERE run_id = 'failed'",
        "UPDATE runs SET outline = 'FAILED'",
        "UPDATE runs SET outline = x''",
        "UPDATE runs SET outline = 7",
        "UPDATE runs SET outline = NULL",
    ],
)
async def test_an_outline_that_is_not_what_was_kept_is_left_aside(path, damage):
    rows = list_runs(store=await ended(path))
    store = changed(path, damage)
    assert store.outlines()["failed"] is None
    assert list_runs(store=store) == rows


async def test_an_outline_hides_no_damage_from_whoever_goes_on_with_the_run(path):
    await ended(path)
    store = changed(path, "UPDATE turns SET at = at + 1 WHERE run_id = 'failed'")
    assert [row.status for row in list_runs(store=store)] == ["DONE", "FAILED"]
    with pytest.raises(StoreCorrupt):
        run(picky_graph(), store=store, run_id="failed")
