"""What nodes print and log outlives their process: best effort, bounded, with no secrets in it."""

import asyncio
import signal
import sqlite3
import sys
import time

import pytest

from graphrun_nb import SqliteStore, graphify, open_run, run, run_async, tool
from graphrun_nb.engine.live import RUNS
from graphrun_nb.engine.output import MAX_BYTES
from graphrun_nb.errors import StoreBusy
from graphrun_nb.stores import failpoint
from tests.stores.programs import told
from tests.stores.zygote import zygote


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "runs.db")


@tool(outputs=["x"])
def says(n: int, length: int = 10) -> int:
    for i in range(n):
        sys.stdout.write(f"{i:05d} {'x' * length}\n")
    return n


@graphify("saying", inputs={"n": 2, "length": 10}, outputs=["x"])
def saying(n, length):
    return {"x": says(n, length, _id="says").x}


def lines_on_disk(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT node_id, data FROM lines").fetchall()


def test_lines_of_a_killed_process_are_shown_after_it_without_its_secrets(tmp_path):
    path, ready = tmp_path / "runs.db", tmp_path / "ready"
    with zygote(tmp_path) as children:
        child = children.start("tests.stores.programs:tell_and_wait", str(path), str(ready))
        while not ready.exists():
            assert not child.has_ended, child.text()
            time.sleep(0.01)
        child.kill()
        assert child.wait() == -signal.SIGKILL
    store = SqliteStore(path)
    lines = open_run("told", store=store).node("first").logs
    assert [(each.stream, each.text) for each in lines[:3]] == [("stdout", f"first says {i}") for i in range(3)]
    assert ("log", "WARNING graphrun.first: first warns") in [(each.stream, each.text) for each in lines]
    assert not any("hunter2" in each.text for each in lines)
    assert b"hunter2-secret" not in b"".join(data for _, data in lines_on_disk(path))

    async def go_on():
        future = run(told, run_id="told", store=store)
        future.resume("ask", True)
        await future
        return future

    future = asyncio.run(go_on())
    assert future.node("first").logs == lines
    assert [each.text for each in future.node("second").logs][:3] == [f"second says {i}" for i in range(3)]


async def test_lines_of_a_run_that_ended_are_on_disk_when_its_result_is_there(store):
    await run_async(saying, store=store, run_id="r")
    assert [node_id for node_id, _ in lines_on_disk(store.path)] == ["says"]
    first = open_run("r", store=store)
    RUNS.clear()
    assert open_run("r", store=SqliteStore(store.path)).node("says").logs == first.node("says").logs


async def test_64_kb_of_an_attempt_are_kept(store):
    await run_async(saying, {"n": 2_000, "length": 100}, store=store, run_id="r")
    RUNS.clear()
    lines = open_run("r", store=store).node("says").logs
    assert sum(len(each.text) for each in lines if each.stream == "stdout") <= MAX_BYTES
    assert lines[-1].stream == "note"
    assert lines[-2].text.startswith("00")


async def test_a_store_that_is_busy_or_fails_hurts_no_run_and_gets_the_lines_later(store):
    failpoint.arm("lines.begun:1:sqlite")
    try:
        future = run(saying, {"n": 3}, store=store, run_id="r")
        assert await future == {"x": 3}
    finally:
        failpoint.arm("")
    while not lines_on_disk(store.path):  # noqa: ASYNC110 (a thread writes them)
        await asyncio.sleep(0.02)
    RUNS.clear()
    assert len(open_run("r", store=store).node("says").logs) == 3


async def test_lines_that_are_damaged_are_left_out_and_the_run_is_read(store):
    await run_async(saying, store=store, run_id="r")
    RUNS.clear()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE lines SET data = x'00ff'")
    future = open_run("r", store=store)
    assert future.node("says").logs == ()
    assert await future == {"x": 2}


async def test_pruned_runs_take_their_lines_with_them(store):
    await run_async(saying, store=store, run_id="r")
    assert store.prune(older_than_s=-1) == ["r"]
    assert lines_on_disk(store.path) == []


async def test_nothing_is_written_for_nodes_that_print_nothing(store):
    await run_async(saying, {"n": 0}, store=store, run_id="r")
    assert lines_on_disk(store.path) == []


def test_lines_that_could_not_be_written_are_had_still(store):
    keeper = store.keeper("r", lasting=True)
    from graphrun_nb.protocols import Signal

    told = [Signal("n", 1, "stdout", f"{i}", float(i)) for i in range(3)]
    for each in told:
        keeper.add_line(each)
    with sqlite3.connect(store.path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.write_lines(keeper.shelf, role="desk", wait_s=0.0)
        other.rollback()
    store.write_lines(keeper.shelf, role="desk", wait_s=0.0)
    assert list(keeper.lines("n")) == told
