"""A store that cannot be written just now, or has no room: the run waits or stops, the loop does not."""

import asyncio
import sqlite3
import time

import pytest

from graphrun_nb import (
    SqliteStore,
    graph,
    run,
    run_async,
)
from graphrun_nb.core.state import fold
from graphrun_nb.errors import StoreBusy, StoreFull
from graphrun_nb.stores import failpoint
from graphrun_nb.tools import ask_approval

from .here import CALLS, asking, forget, gate, sums, two


async def test_a_loop_does_not_stand_still_while_another_process_holds_the_store(store, path):
    with graph(name="steps") as g:
        last = 1
        for i in range(30):
            last = two(last, _id=f"n{i}").x
        g.expose("x", last)
    holding = sqlite3.connect(path, isolation_level=None)
    future = run(g.build(), store=store, run_id="r")
    holding.execute("BEGIN IMMEDIATE")
    n_before = len(future.events)
    lags, ended = [], time.monotonic() + 0.7
    while time.monotonic() < ended:
        begun = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - begun)
    assert len(future.events) <= n_before + 2
    assert CALLS == []
    holding.execute("ROLLBACK")
    holding.close()
    assert await future == {"x": 2**30}
    assert sorted(lags)[int(len(lags) * 0.9)] < 0.2


async def test_an_answer_while_another_process_holds_the_store_is_refused_clearly_and_can_be_given_again(
    store, path, monkeypatch
):
    monkeypatch.setattr("graphrun_nb.stores.durable.CLAIM_WAIT_S", 0.05)
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        future.resume("approve", True)
    holding.execute("ROLLBACK")
    holding.close()
    future.resume("approve", True)
    assert await future == {"ok": True}


@pytest.mark.parametrize("durability", ["process", "power", "off"])
async def test_runs_are_kept_with_every_durability(path, durability):
    store = SqliteStore(path)
    assert await run_async(sums, {"a": 3}, store=store, run_id="r", durability=durability) == {"x": 8}
    forget()
    assert await run_async(sums, {"a": 3}, store=SqliteStore(path), run_id="r") == {"x": 8}
    assert CALLS == ["one", "two"]


async def test_with_durability_off_turns_are_gathered_until_somebody_outside_acts_upon_them(store):
    with graph(name="steps") as g:
        last = 1
        for i in range(20):
            last = two(last, _id=f"n{i}").x
        g.expose("ok", ask_approval(prompt="?", _id="approve", _after=f"n{19}").approved)
    seen = []

    class Watching:
        def on_events(self, batch, state):
            seen.append((state.seq, store.n_events("r")))

        def on_signal(self, signal): ...

    future = run(g.build(), store=store, run_id="r", durability="off", observers=[Watching()])
    await asking(future)
    assert any(kept < n for n, kept in seen)
    assert store.n_events("r") == len(future.events)
    future.resume("approve", True)
    assert await future == {"ok": True}


async def test_nothing_is_staged_while_a_turn_is_not_kept_and_what_came_meanwhile_is_not_lost(store, path):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    while not future.run.log.is_behind:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.005)
    n_staged = future.run.state.seq
    future.cancel()
    for _ in range(100):
        await asyncio.sleep(0)
    assert future.run.state.seq == n_staged
    assert not future.run.state.cancelled_by
    holding.execute("ROLLBACK")
    holding.close()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert store.read("r")[-1].event.status == "CANCELLED"


async def test_a_full_disk_stops_the_run_and_it_goes_on_in_the_same_process(store):
    with graph(name="steps") as g:
        last = 1
        for i in range(6):
            last = two(last, _id=f"n{i}").x
        g.expose("x", last)
    failpoint.arm("append.fenced:4:sqlite")
    try:
        future = run(g.build(), store=store, run_id="r")
        with pytest.raises(StoreFull, match="full"):
            await future
    finally:
        failpoint.arm("")
    assert future.status == "INTERRUPTED"
    assert future.run.state.seq == len(future.events) == store.n_events("r")
    assert await future.retry() == {"x": 64}
    assert len(CALLS) == 7
    assert fold("r", store.read("r")).nodes["n5"].status == "DONE"
