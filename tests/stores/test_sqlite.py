"""Runs in a SQLite file: what goes on without its process, and files that are no store, or are not what was written."""

import dataclasses
import sqlite3
import stat
import threading

import numpy as np
import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunFailed,
    MemoryStore,
    SpecChanged,
    SqliteStore,
    graph,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import RunStarted
from graphrun_nb.errors import StoreUnusable
from graphrun_nb.stores.sqlite import APPLICATION_ID
from graphrun_nb.stores.tables import VERSION

from .here import CALLS, Holder, asking, forget, gate, one, sums


async def test_a_run_that_is_done_gives_what_it_gave_without_its_process(store, path):
    assert await run_async(sums, {"a": 3}, store=store, run_id="r") == {"x": 8}
    forget()
    again = SqliteStore(path)
    assert await run_async(sums, {"a": 3}, store=again, run_id="r") == {"x": 8}
    assert CALLS == ["one", "two"]
    assert await open_run("r", store=again) == {"x": 8}
    assert open_run("r", store=again).node("one").outputs == {"x": 4}


async def test_a_failed_run_goes_on_without_its_process_and_repeats_nothing_that_is_done(store):
    with pytest.raises(GraphRunFailed):
        await run_async(sums, {"a": 3, "fails": True}, store=store, run_id="r")
    forget()
    with pytest.raises(GraphRunFailed):
        await run_async(sums, store=store, run_id="r")
    assert CALLS == ["one", "two", "two"]


async def test_stores_of_one_file_are_the_same_place(store, path):
    assert SqliteStore(path) == store
    assert SqliteStore(path.parent / "other.db") != store
    assert MemoryStore() != store
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    resume(future.waits[0].token, True, store=SqliteStore(path))
    assert await future == {"ok": True}


async def test_a_graph_that_has_changed_is_refused_with_the_nodes_named(store):
    await run_async(sums, {"a": 3}, store=store, run_id="r")
    forget()

    @tool(outputs=["x"])
    async def two(a: int, fails: bool = False) -> int:
        return a * 3

    with graph(name="sums") as g:
        g.declare_inputs(optional={"a": 1, "fails": False})
        g.expose("x", two(one(g.arg("a"), _id="one"), g.arg("fails"), _id="two").x)
    with pytest.raises(SpecChanged) as caught:
        await run_async(g.build(), {"a": 3}, store=store, run_id="r")
    assert list(caught.value.changed_nodes) == ["two"]
    assert await run_async(g.build(), {"a": 3}, store=store, run_id="r", on_changed="rerun") == {"x": 12}


async def test_a_value_that_is_no_typed_json_is_told_of_when_it_is_needed(store, path):
    @tool(outputs=["x"])
    def lock() -> object:
        CALLS.append("lock")
        return threading.Lock()

    @tool(outputs=["y"])
    def use(x: object) -> int:
        CALLS.append("use")
        if CALLS.count("use") == 1:
            raise ValueError("once")
        return 1

    with graph(name="locks") as g:
        g.expose("y", use(lock(_id="lock").x, _id="use").y)
    with pytest.raises(GraphRunFailed):
        await run_async(g.build(), store=store, run_id="r")
    forget()
    again = SqliteStore(path)
    with pytest.raises(GraphBuildError, match="'lock'") as caught:
        await run_async(g.build(), store=again, run_id="r")
    assert caught.value.code == "resume_snapshot_policy_violation"
    assert await run_async(g.build(), store=again, run_id="r", on_unsaved="rerun") == {"y": 1}
    assert CALLS == ["lock", "use", "lock", "use"]


@dataclasses.dataclass
class Point:
    x: int


async def test_values_of_all_sizes_and_declared_classes_come_back(store, path):
    @tool(outputs=["point", "array", "text"])
    def make() -> Point:
        return {"point": Point(3), "array": np.arange(50_000), "text": "é" * 100_000}

    with graph(name="values") as g:
        made = make(_id="make")
        for name in ("point", "array", "text"):
            g.expose(name, made[name])
    await run_async(g.build(), store=store, run_id="r")
    forget()
    outputs = await run_async(g.build(), store=SqliteStore(path), run_id="r")
    assert outputs["point"] == Point(3)
    assert (outputs["array"] == np.arange(50_000)).all()
    assert outputs["text"] == "é" * 100_000
    files = list(path.with_name("runs.db.values").rglob("*"))
    assert {stat.S_IMODE(each.stat().st_mode) for each in files if each.is_file()} == {0o600}
    assert len([each for each in files if each.is_file()]) == 2


def test_the_file_is_for_its_owner_alone(store, path):
    store.claim("r", Holder()).append(Batch(1.0, [RunStarted("g")]))
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_what_is_no_store_is_refused_and_left_as_it_is(tmp_path):
    text, other, empty = tmp_path / "notes.txt", tmp_path / "other.db", tmp_path / "empty.db"
    text.write_text("dear diary " * 50)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    for each in (text, other):
        before = each.read_bytes()
        with pytest.raises(StoreUnusable, match="no store of runs"):
            SqliteStore(each)
        assert each.read_bytes() == before
        assert list(tmp_path.glob(f"{each.name}-*")) == []
    empty.touch()
    assert SqliteStore(empty).run_ids() == ()


def test_a_store_of_a_later_version_is_refused_and_left_as_it_is(store, path):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match=f"version {VERSION + 1}") as caught:
        SqliteStore(path)
    assert "upgrade" in caught.value.hints[0]
    assert path.read_bytes() == before
    assert APPLICATION_ID == 0x67726E62


def test_ids_cannot_leave_the_folder_of_the_store(store, path):
    for run_id in ("../x", "/etc/passwd", "a/b", "..", "x" * 65, "a\x00"):
        assert store.fetch(run_id, "0" * 32) is None
        assert store.fetch("r", run_id) is None
        assert store.read(run_id) == ()
    assert not (path.parent.parent / "x").exists()
