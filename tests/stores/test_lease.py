"""Who drives a run, as its store sees it."""

import time

import pytest

from graphrun_nb import (
    RunOwnedElsewhere,
    SqliteStore,
    list_runs,
    run,
)
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import RunStarted
from graphrun_nb.stores import failpoint

from .here import Holder, asking, gate


def test_a_run_is_driven_by_one_holder(store, path):
    holder = Holder()
    lease = store.claim("r", holder)
    with pytest.raises(RunOwnedElsewhere, match="in this process"):
        SqliteStore(path).claim("r", Holder())
    lease.release()
    assert store.owner("r") is None
    store.claim("r", Holder())
    with pytest.raises(RunOwnedElsewhere, match="taken over"):
        lease.append(Batch(1.0, [RunStarted("g")]))
    assert store.n_events("r") == 0


def test_a_holder_that_does_not_go_on_any_more_is_replaced(store):
    holder = Holder()
    store.claim("r", holder)
    holder.is_alive = False
    store.claim("r", Holder()).append(Batch(1.0, [RunStarted("g")]))
    assert store.n_events("r") == 1


async def test_a_run_that_is_alive_here_is_not_interrupted_for_another_handle(store, path):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    assert [row.status for row in list_runs(store=SqliteStore(path))] == ["WAITING"]
    future.resume("approve", False)
    assert await future == {"ok": False}


@pytest.mark.parametrize("where", ["settle.before", "settle.committed"])
async def test_a_run_that_has_ended_says_so_whatever_its_store_says(store, where):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    failpoint.arm(f"{where}:1:sqlite")
    try:
        future.resume("approve", True)
        assert await future == {"ok": True}
    finally:
        failpoint.arm("")
    assert store.owner("r") is None


def test_leases_are_renewed_after_any_error_of_the_thread_that_does_it(path):
    store = SqliteStore(path, lease_s=0.15)

    def until():
        with store.database.reading() as cursor:
            return cursor.execute("SELECT expires_at FROM runs").fetchone()[0]

    failpoint.arm("renew.before:1:sqlite")
    try:
        lease = store.claim("r", Holder())
        first = until()
        while until() == first:
            time.sleep(0.01)
    finally:
        failpoint.arm("")
    lease.release()
