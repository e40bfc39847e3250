"""A store whose latest turns were lost with its -wal is refused, and no other one."""

import asyncio
import shutil
import sqlite3

import pytest

from graphrun_nb import SqliteStore, StoreCorrupt, graph, run_async, tool
from graphrun_nb.stores.latest import Latest


@tool(outputs=["x"])
async def one(a: int) -> int:
    return a + 1


def work(store, run_id, n=2, **overrides):
    with graph(name="some") as g:
        for i in range(n):
            g.expose(f"x{i}", one(i, _id=f"n{i}").x)
    asyncio.run(run_async(g.build(), store=store, run_id=run_id, **overrides))


def copied(path, folder, *suffixes):
    folder.mkdir()
    for suffix in ("", *suffixes):
        shutil.copy(f"{path}{suffix}", folder / f"runs.db{suffix}")
    return folder / "runs.db"


@pytest.mark.parametrize("durability", ["process", "power", "off"])
def test_a_lost_wal_is_noticed_and_one_that_is_there_is_not_complained_of(tmp_path, durability):
    path = tmp_path / "runs.db"
    store = SqliteStore(path)
    for i in range(40):
        work(store, f"r{i}", n=1 + i % 5, durability=durability)
        if i % 7 == 3:
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            connection.close()
            continue
        whole = SqliteStore(copied(path, tmp_path / f"{i} whole", "-wal", ".latest"))
        assert whole.run_ids() == store.run_ids()
        lame = copied(path, tmp_path / f"{i} lame", ".latest")
        before = lame.read_bytes()
        with pytest.raises(StoreCorrupt, match="-wal was lost"):
            SqliteStore(lame)
        assert lame.read_bytes() == before


def test_a_store_that_was_closed_or_begun_anew_is_not_complained_of(tmp_path):
    path = tmp_path / "runs.db"
    store = SqliteStore(path)
    work(store, "r")
    store.close()
    assert SqliteStore(path).run_ids() == ("r",)
    store.close()
    path.unlink()
    for suffix in ("-wal", "-shm"):
        path.with_name(f"runs.db{suffix}").unlink(missing_ok=True)
    assert SqliteStore(path).run_ids() == ()


def test_deleting_runs_raises_no_alarm(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    work(store, "r")
    assert store.prune(older_than_s=-10) == ["r"]
    assert SqliteStore(tmp_path / "runs.db").run_ids() == ()


def test_notes_of_another_boot_count_if_they_survive_a_power_cut(tmp_path, monkeypatch):
    latest = Latest(tmp_path / "x.latest")
    latest.note("sure", 3, lasting=True)
    latest.note("unsure", 5, lasting=False)
    assert latest.expected() == [("sure", 3), ("unsure", 5)]
    data = latest.path.read_bytes()
    monkeypatch.setattr("graphrun_nb.stores.latest.this_process", lambda: type("Process", (), {"boot": "other"}))
    assert latest.expected() == [("sure", 3)]
    latest.path.write_bytes(data[:9] + b"7" + data[10:])
    assert latest.expected() == []
