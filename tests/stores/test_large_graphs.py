"""The graph of a large run is one event: no row is large for that, and a damaged piece of it is noticed."""

import asyncio
import random
import sqlite3

import msgspec
import pytest

from graphrun_nb import SqliteStore, StoreCorrupt, arg, graph, open_run, run_async, tool
from graphrun_nb.engine.live import RUNS
from graphrun_nb.stores.pieces import named
from graphrun_nb.stores.salvage import salvage
from tests.bench.engine import build
from tests.bench.shapes import layered
from tests.stores.earlier import TO_4

N = 2_000
MAX_BYTES = 64 * 1024
ROWS = (
    "SELECT 24 + length(CAST(run_id AS BLOB)) + length(body) + length(chain) FROM turns",
    "SELECT length(CAST(run_id AS BLOB)) + length(digest) + length(data) FROM kept",
)


@tool(outputs=["x"])
async def first(words: list) -> str:
    return str(len(words))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file with a run of a large graph, and its log."""
    path = tmp_path_factory.mktemp("large") / "runs.db"
    store = SqliteStore(path)
    asyncio.run(run_async(build(layered(N)), store=store, run_id="r" * 64, max_concurrency=64))
    RUNS.clear()
    log = store.read("r" * 64)
    store.close()
    return path, log


@pytest.fixture
def path(whole, tmp_path):
    """A copy of it."""
    copy = tmp_path / "runs.db"
    copy.write_bytes(whole[0].read_bytes())
    return copy


def ask(path, sql, *parameters):
    with sqlite3.connect(path) as connection:
        rows = connection.execute(sql, parameters).fetchall()
    connection.close()
    return rows


def pieces_of(path):
    return [digest for (body,) in ask(path, "SELECT body FROM turns") for digest in named(body)]


@pytest.mark.parametrize("sql", ROWS)
def test_no_row_is_larger_than_64_kb(path, sql):
    sizes = [size for (size,) in ask(path, sql)]
    assert MAX_BYTES * 0.9 < max(sizes) <= MAX_BYTES if "kept" in sql else max(sizes) <= MAX_BYTES
    assert len(pieces_of(path)) > 1


def test_a_damaged_piece_of_a_graph_is_noticed_and_what_is_before_it_can_be_salvaged(path):
    digests = pieces_of(path)
    for seed, digest in enumerate(digests):
        ((data,),) = ask(path, "SELECT data FROM kept WHERE digest = ?", digest)
        at = random.Random(seed).randrange(len(data))  # noqa: S311 (a seed)
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        ask(path, "UPDATE kept SET data = ? WHERE digest = ?", broken, digest)
        with pytest.raises(StoreCorrupt, match="is damaged"):
            SqliteStore(path).read("r" * 64)
        ask(path, "UPDATE kept SET data = ? WHERE digest = ?", data, digest)
    ask(path, "DELETE FROM kept WHERE digest = ?", digests[0])
    told = salvage(path, path.with_name("new.db"))
    assert told["r" * 64].n_events == 1
    assert told["r" * 64].n_lost > N


def test_a_large_graph_is_salvaged_whole_also_where_sqlite_reads_nothing(whole, path):
    data = path.read_bytes()
    path.write_bytes(bytes(4096) + data[4096:])
    told = salvage(path, path.with_name("new.db"))
    assert told["r" * 64].n_lost in (0, None)
    assert SqliteStore(path.with_name("new.db")).read("r" * 64) == whole[1]


def test_a_file_whose_graphs_are_rows_of_any_size_is_read_on(path, whole, monkeypatch):
    monkeypatch.setattr("graphrun_nb.stores.pieces.MAX_ROW", 10**9)
    old = path.with_name("old.db")
    asyncio.run(run_async(build(layered(N)), store=SqliteStore(old), run_id="old", max_concurrency=64))
    monkeypatch.undo()
    RUNS.clear()
    SqliteStore(old).close()
    for statement in (*TO_4, "PRAGMA user_version = 3", "PRAGMA wal_checkpoint(TRUNCATE)"):
        ask(old, statement)
    assert max(size for (size,) in ask(old, ROWS[0])) > 2 * MAX_BYTES
    future = open_run("old", store=SqliteStore(old))
    assert [type(each.event) for each in future.events][:2] == [type(each.event) for each in whole[1]][:2]
    assert len(future.graph.nodes) == N
    assert asyncio.run(run_async(build(layered(N)), store=SqliteStore(old), run_id="old")) == {}


@pytest.mark.parametrize("durability", ["process", "off"])
def test_a_large_graph_on_a_server_has_no_large_row(database, durability):
    import psycopg

    from graphrun_nb import PostgresStore

    store = PostgresStore(database)
    asyncio.run(run_async(build(layered(N)), store=store, run_id="r", durability=durability, max_concurrency=64))
    log = store.read("r")
    with psycopg.connect(database, options="-c search_path=graphrun") as other:
        sizes = [other.execute(sql.replace(" AS BLOB", " AS BYTEA")).fetchall() for sql in ROWS]
        assert max(size for found in sizes for (size,) in found) <= MAX_BYTES
        other.execute("UPDATE kept SET data = substr(data, 2)")
    assert len(log[1].event.nodes) == N
    with pytest.raises(StoreCorrupt):
        store.read("r")
    store.close()


def test_a_run_with_many_inputs_begins_with_no_large_row(path):
    names = [f"input {i}" for i in range(40)]
    with graph(name="wide") as g:
        g.declare_inputs(required=names)
        for name in names:
            g.expose(name, first(words=arg(name)).x)
    words = [{"word" * 10: ["word" * 20] * 20} for _ in range(20)]
    store = SqliteStore(path)
    outputs = asyncio.run(run_async(g.build(), dict.fromkeys(names, words), store=store, run_id="wide"))
    assert outputs == dict.fromkeys(names, "20")
    assert len(msgspec.json.encode(store.read("wide")[0])) > MAX_BYTES
    assert max(size for sql in ROWS for (size,) in ask(path, sql)) <= MAX_BYTES
