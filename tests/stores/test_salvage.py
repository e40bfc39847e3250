"""What is whole of a damaged file is found, also where SQLite reads nothing of it; the file stays as it is."""

import asyncio
import random
import sqlite3

import pytest

from graphrun_nb import SqliteStore, graph, resume, run, run_async, tool
from graphrun_nb.core.state import fold
from graphrun_nb.engine.live import RUNS
from graphrun_nb.stores.salvage import salvage
from graphrun_nb.tools import ask_text

PAGE = 4096
RUN_IDS = ("one", "two", "three", "asking")


@tool(outputs=["x"])
async def text(i: int) -> str:
    print(f"line {i}")  # noqa: T201 (it is kept)
    return f"value {i} " * (i % 7 * 120)


@tool(outputs=["x"])
async def large() -> str:
    return "x" * 100_000


def everything(store):
    """Return all logs, values and printed lines of a store."""
    found = {}
    for run_id in store.run_ids():
        log = store.read(run_id)
        keeper = store.keeper(run_id, lasting=True)
        nodes = fold(run_id, log).nodes
        values = [[keeper.get(ref) for ref in node.values] for node in nodes.values()]
        found[run_id] = (log, values, [[line.text for line in keeper.lines(node_id)] for node_id in nodes])
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file with three runs that are done and one that asks, what it holds, and the token of the question."""
    path = tmp_path_factory.mktemp("whole") / "runs.db"
    store = SqliteStore(path)
    for run_id in RUN_IDS[:3]:
        with graph(name=run_id) as g:
            big = large(_id="large")
            for i in range(40):
                g.expose(f"x{i}", text(i, _id=f"n{i}", _after=big).x)
        asyncio.run(run_async(g.build(), store=store, run_id=run_id))

    async def ask():
        with graph(name="asking") as g:
            g.expose("text", ask_text(prompt="?", _id="ask").text)
        future = run(g.build(), store=store, run_id="asking")
        while not future.waits:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)
        return future.waits[0].token

    token = asyncio.run(ask())
    RUNS.clear()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path, everything(store), token


def copied(whole, tmp_path, data):
    """Put the bytes `data` beside the large values of the whole store."""
    path = tmp_path / "old.db"
    path.write_bytes(data)
    values = path.with_name("old.db.values")
    if not values.exists():
        values.symlink_to(whole[0].with_name("runs.db.values"))
    return path


def test_all_of_a_whole_store_is_copied_with_its_questions_and_their_answers(whole, tmp_path):
    old = copied(whole, tmp_path, whole[0].read_bytes())
    store = SqliteStore(old)
    resume(whole[2], "yes", store=store)
    told = salvage(old, tmp_path / "new.db")
    new = SqliteStore(tmp_path / "new.db")
    assert everything(new) == whole[1]
    assert sum(len(lines) for run_id in RUN_IDS[:3] for lines in whole[1][run_id][2]) == 120
    assert {(each.n_lost, each.lost_values) for each in told.values()} == {(0, ())}
    assert [each.key for each in new.letters("asking")] == [each.key for each in store.letters("asking")]
    assert new.run_of_wait(store.letters("asking")[0].key) == "asking"


def test_runs_are_found_where_sqlite_reads_nothing(whole, tmp_path):
    data = whole[0].read_bytes()
    old = copied(whole, tmp_path, bytes(PAGE) + data[PAGE:])
    salvage(old, tmp_path / "new.db")
    assert everything(SqliteStore(tmp_path / "new.db")) == whole[1]


@pytest.mark.parametrize("kind", ["page", "bit", "end"])
def test_every_row_that_is_whole_is_returned_and_the_old_file_is_left_alone(whole, tmp_path, kind):
    data, held = whole[0].read_bytes(), whole[1]
    n_whole = 0
    for seed in range(25):
        rng = random.Random(seed)  # noqa: S311 (a seed)
        at = rng.randrange(PAGE, len(data))
        page = at // PAGE * PAGE
        broken = {
            "page": data[:page] + bytes(PAGE) + data[page + PAGE :],
            "bit": data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :],
            "end": data[:at],
        }[kind]
        old, new = copied(whole, tmp_path, broken), tmp_path / f"{seed}.db"
        told = salvage(old, new)
        store = SqliteStore(new)
        for run_id, (log, *_) in held.items():
            kept = store.read(run_id)
            assert kept == log[: len(kept)]
            assert run_id not in told or told[run_id].n_events == len(kept)
            n_whole += kept == log
        assert old.read_bytes() == broken
        assert not list(tmp_path.glob("old.db-*"))
        assert not list(tmp_path.glob("*-old-*"))
        store.close()
    assert n_whole >= (20 if kind == "end" else 25 * (len(held) - 1))


def test_what_was_lost_is_told(whole, tmp_path):
    old = copied(whole, tmp_path, whole[0].read_bytes())
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE turns SET at = at + 1 WHERE run_id = 'two' AND seq > 20")
    connection.close()
    old.with_name("old.db.values").unlink()
    told = salvage(old, tmp_path / "new.db")
    held = whole[1]
    assert told["two"].n_events + told["two"].n_lost == len(held["two"][0])
    assert told["two"].n_lost > 0
    assert told["three"].n_lost == 0
    assert [len(told[run_id].lost_values) for run_id in RUN_IDS] == [1, 1, 1, 0]


def test_a_run_that_was_deleted_does_not_come_back(whole, tmp_path):
    old = copied(whole, tmp_path, whole[0].read_bytes())
    with sqlite3.connect(old) as connection:
        for table in ("turns", "kept", "waits", "runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_id = 'two'")  # noqa: S608 (our own names)
    connection.close()
    assert set(salvage(old, tmp_path / "new.db")) == {"one", "three", "asking"}
