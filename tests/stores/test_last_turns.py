"""The latest turns of a run lie in its own row, and are read, damaged and gone on from as any other."""

import contextlib
import sqlite3

import pytest

from graphrun_nb import SqliteStore, StoreCorrupt
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import NodeInfo, NodeSkipped, RunFinished, RunStarted, SpecAccepted
from graphrun_nb.stores.sqlite import SqliteDatabase
from tests.stores.earlier import TO_5

MAX_TAIL = SqliteDatabase.max_tail


class Holder:
    is_alive = True

    def on_mail(self): ...


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


@pytest.fixture
def store(path):
    return SqliteStore(path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE turns SET at = 3.0 WHERE seq = 1",
        "UPDATE turns SET at = 3.0 WHERE seq = 2",
        "UPDATE turns SET body = CAST(replace(body, 'DONE', 'FAILED') AS BLOB) WHERE seq = 3",
        "DELETE FROM turns WHERE seq = 1",
        "DELETE FROM turns WHERE seq = 2",
        "DELETE FROM turns WHERE seq = 3",
        "UPDATE runs SET n_events = 1",
    ],
)
def test_a_row_that_was_changed_is_noticed(store, path, change):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    lease.append(Batch(1.5, [SpecAccepted("f", (NodeInfo("a", "a" * MAX_TAIL),))]))
    lease.append(Batch(2.0, [RunFinished("DONE")]))
    assert len(store.read("r")) == 3
    changed(path, change)
    with pytest.raises(StoreCorrupt, match="'r'"):
        store.read("r")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET tail = CAST(replace(tail, 'a', 'b') AS BLOB)",
        "UPDATE runs SET tail = CAST(replace(tail, 'a', 'bb') AS BLOB)",
        "UPDATE runs SET tail = substr(tail, 1, length(tail) - 1)",
        "UPDATE runs SET tail = substr(tail, 2)",
        "UPDATE runs SET tail = x'01'",
        "UPDATE runs SET tail = x''",
        "UPDATE runs SET tail = 'text'",
        "UPDATE runs SET tail = 7",
        "UPDATE runs SET tail = NULL",
        "UPDATE runs SET n_events = 2",
    ],
)
def test_last_turns_that_were_changed_are_noticed(store, path, change):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    lease.append(Batch(2.0, [NodeSkipped("a")]))
    lease.append(Batch(3.0, [NodeSkipped("b")]))
    assert [each.at for each in store.read("r")] == [1.0, 2.0, 3.0]
    changed(path, change)
    with pytest.raises(StoreCorrupt, match="'r'"):
        store.read("r")


def changed(path, *statements):
    """Change a file behind its store's back."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_log_is_read_from_any_turn_on_whatever_row_that_is_in(store):
    lease = store.claim("r", Holder())
    for i in range(1, 81):
        lease.append(Batch(float(i), [NodeSkipped(f"{i}" * (MAX_TAIL if i % 17 == 0 else 30))]))
        if i % 10 == 0:
            log = store.read("r")
            assert [each.at for each in log] == [float(at) for at in range(1, i + 1)]
            for after in range(i + 1):
                assert store.read("r", after) == log[after:]
    lease.append(Batch(90.0, [RunFinished("DONE")]))
    assert [each.seq for each in store.read("r", 79)] == [80, 81]


def test_a_run_whose_last_turns_were_in_its_own_row_goes_on_after_them(store, path):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    lease.append(Batch(2.0, [NodeSkipped("a")]))
    lease.release()
    again = SqliteStore(path).claim("r", Holder())
    again.append(Batch(3.0, [NodeSkipped("b")]))
    again.append(Batch(4.0, [RunFinished("DONE")]))
    assert [each.at for each in store.read("r")] == [1.0, 2.0, 3.0, 4.0]


def test_a_file_of_the_version_before_is_migrated_and_gone_on_with(store, path, monkeypatch):
    monkeypatch.setattr(SqliteDatabase, "max_tail", 0)
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    lease.append(Batch(2.0, [NodeSkipped("a")]))
    lease.release()
    store.close()
    monkeypatch.undo()
    changed(path, *TO_5, "PRAGMA user_version = 5")
    again = SqliteStore(path)
    assert [each.at for each in again.read("r")] == [1.0, 2.0]
    lease = again.claim("r", Holder())
    lease.append(Batch(3.0, [NodeSkipped("b")]))
    lease.append(Batch(4.0, [RunFinished("DONE")]))
    assert [each.at for each in again.read("r")] == [1.0, 2.0, 3.0, 4.0]
