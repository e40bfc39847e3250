"""A damaged file is read as it was written, or refused; it is never read wrongly, and never changed by reading."""

import asyncio
import random
import shutil

import pytest

from graphrun_nb import SqliteStore, StoreCorrupt, graph, run_async, tool
from graphrun_nb.core.state import fold
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import StoreUnusable

PAGE = 4096
N = 100


@tool(outputs=["x"])
async def text(i: int) -> str:
    return f"value {i} " * (i % 7 * 40)


def everything(store):
    """Return all logs and values of a store."""
    found = {}
    for run_id in store.run_ids():
        log = store.read(run_id)
        keeper = store.keeper(run_id, lasting=True)
        state = fold(run_id, log)
        found[run_id] = (log, [[keeper.get(ref) for ref in node.values] for node in state.nodes.values()])
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a store of three runs, and what it holds."""
    path = tmp_path_factory.mktemp("whole") / "runs.db"
    store = SqliteStore(path)
    for run_id in ("one", "two", "three"):
        with graph(name=run_id) as g:
            for i in range(24):
                g.expose(f"x{i}", text(i, _id=f"n{i}").x)
        asyncio.run(run_async(g.build(), store=store, run_id=run_id))
    RUNS.clear()
    held = everything(store)
    store.close()
    assert not path.with_name("runs.db-wal").exists(), "a store that is closed leaves one file"
    return path.read_bytes(), held


def truncated(data, rng):
    return data[: rng.randrange(len(data))]


def with_a_zeroed_page(data, rng):
    start = rng.randrange(len(data) // PAGE) * PAGE
    return data[:start] + bytes(PAGE) + data[start + PAGE :]


def with_a_flipped_bit(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [truncated, with_a_zeroed_page, with_a_flipped_bit])
def test_a_damaged_file_is_refused_or_read_as_it_was(whole, tmp_path, damage):
    data, held = whole
    n_refused = 0
    for seed in range(N):
        broken = damage(data, random.Random(seed))  # noqa: S311 (a seed)
        path = tmp_path / f"{seed}.db"
        path.write_bytes(broken)
        if not broken:
            continue
        store = None
        try:
            store = SqliteStore(path)
            found = everything(store)
        except (StoreCorrupt, StoreUnusable):
            n_refused += 1
        else:
            assert found == held, seed
        if store is not None:
            store.close()
        assert path.read_bytes() == broken, seed
    assert n_refused > 0


def test_reading_a_store_beside_its_wal_gives_everything(whole, tmp_path):
    data, held = whole
    path = tmp_path / "runs.db"
    path.write_bytes(data)
    store = SqliteStore(path)
    with graph(name="four") as g:
        g.expose("x", text(1, _id="n").x)
    asyncio.run(run_async(g.build(), store=store, run_id="four"))
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    shutil.copy(path.with_name("runs.db-wal"), copy.with_name("copy.db-wal"))
    assert set(everything(SqliteStore(copy))) == {*held, "four"}
