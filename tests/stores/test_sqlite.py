"""A store in one file: what it keeps, whom it lets write, and what it refuses."""

import asyncio
import dataclasses
import sqlite3
import stat
import threading
import time

import numpy as np
import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunFailed,
    MemoryStore,
    NodeContext,
    RunOwnedElsewhere,
    SpecChanged,
    SqliteStore,
    StoreCorrupt,
    graph,
    graphify,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import AnswerKept, RunFinished, RunStarted, WaitOpened
from graphrun_nb.core.state import fold
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import StoreBusy, StoreFull, StoreUnusable
from graphrun_nb.stores import failpoint
from graphrun_nb.stores.sqlite import APPLICATION_ID
from graphrun_nb.stores.tables import VERSION
from graphrun_nb.tools import ask_approval, wait_event, wait_until
from tests.engine.conftest import ManualClock

CALLS: list[str] = []


@pytest.fixture
def path(tmp_path):
    CALLS.clear()
    return tmp_path / "runs.db"


@pytest.fixture
def store(path):
    return SqliteStore(path)


def forget():
    """Let this process know nothing of its runs, as a new one would."""
    RUNS.clear()


async def asking(future, n=1):
    """Return when `n` questions are open."""
    while len(future.waits) < n:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)


class Holder:
    is_alive = True

    def on_mail(self): ...


@tool(outputs=["x"])
def one(a: int) -> int:
    CALLS.append("one")
    return a + 1


@tool(outputs=["x"])
async def two(a: int, fails: bool = False) -> int:
    CALLS.append("two")
    if fails:
        raise ValueError("two fails")
    return a * 2


@graphify("sums", inputs={"a": 1, "fails": False}, outputs=["x"])
def sums(a, fails):
    return {"x": two(one(a, _id="one"), fails, _id="two").x}


@graphify("gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve", _after=one(amount, _id="one")).approved}


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


def test_a_row_that_was_changed_is_noticed(store, path):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    lease.append(Batch(2.0, [RunFinished("DONE")]))
    changes = [
        "UPDATE turns SET at = 3.0 WHERE seq = 1",
        "UPDATE turns SET body = replace(body, 'DONE', 'FAILED') WHERE seq = 2",
        "DELETE FROM turns WHERE seq = 2",
        "DELETE FROM turns WHERE seq = 1",
        "UPDATE runs SET n_events = 1",
    ]
    for change in changes:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN")
        connection.execute(change)
        connection.execute("COMMIT")
        with pytest.raises(StoreCorrupt, match="'r'"):
            store.read("r")
        connection.close()
        path.unlink()
        fresh = SqliteStore(path)
        lease = fresh.claim("r", Holder())
        lease.append(Batch(1.0, [RunStarted("g")]))
        lease.append(Batch(2.0, [RunFinished("DONE")]))
        store = fresh


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


async def test_a_deadline_that_passed_while_nobody_was_there_counts_once(store):
    @tool(outputs=["answer"])
    async def ask(context: NodeContext) -> dict:
        CALLS.append("ask")
        return {"answer": await context.wait("q", deadline=60, on_deadline="default", default="nobody")}

    with graph(name="late") as g:
        g.expose("answer", ask(_id="ask").answer)
        wait_until(30, _id="until")
    clock = ManualClock(1_000.0)
    future = run(g.build(), store=store, run_id="r", clock=clock)
    await asking(future, 2)
    future.run.scheduler._halt()  # as if the process had ended
    future.run._on_left()
    forget()
    await clock.advance(3_600)
    outputs = await asyncio.wait_for(run_async(g.build(), store=store, run_id="r", clock=clock), 5)
    assert outputs["answer"] == "nobody"
    expired = [each for each in store.read("r") if type(each.event).__name__ == "WaitExpired"]
    assert len(expired) == 2


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
        def on_events(self, first, batch, state):
            seen.append((first + len(batch) - 1, store.n_events("r")))

        def on_signal(self, signal): ...

    future = run(g.build(), store=store, run_id="r", durability="off", observers=[Watching()])
    await asking(future)
    assert any(kept < n for n, kept in seen)
    assert store.n_events("r") == len(future.events)
    future.resume("approve", True)
    assert await future == {"ok": True}


async def test_an_event_from_elsewhere_is_kept_for_a_run_that_nobody_drives(store):
    with graph(name="events") as g:
        g.expose("payload", wait_event("paid", _id="wait").payload)
    future = run(g.build(), store=store, run_id="r")
    await asking(future)
    future.run.scheduler._halt()
    future.run._on_left()
    forget()
    from graphrun_nb import send_event

    first = send_event("r", "paid", {"euros": 3}, key="k", store=store)
    assert first.node_id == "wait"
    assert send_event("r", "paid", {"euros": 4}, key="k", store=store).at == first.at
    assert await run_async(g.build(), store=store, run_id="r") == {"payload": {"euros": 3}}


def test_resuming_with_a_token_that_is_wrong_changes_no_byte(store, path):
    from graphrun_nb import InvalidToken

    asyncio.run(run_async(sums, {"a": 3}, store=store, run_id="r"))
    before = [path.read_bytes(), path.with_name("runs.db-wal").read_bytes()]
    for token in ("", "x", "a" * 32, "a" * 10_000, "\x00", "'; DROP TABLE runs; --", 3, None, b"x"):
        with pytest.raises(InvalidToken):
            resume(token, True, store=store)
    assert [path.read_bytes(), path.with_name("runs.db-wal").read_bytes()] == before


def test_ids_cannot_leave_the_folder_of_the_store(store, path):
    for run_id in ("../x", "/etc/passwd", "a/b", "..", "x" * 65, "a\x00"):
        assert store.fetch(run_id, "0" * 32) is None
        assert store.fetch("r", run_id) is None
        assert store.read(run_id) == ()
    assert not (path.parent.parent / "x").exists()


async def test_nothing_is_staged_while_a_turn_is_not_kept_and_what_came_meanwhile_is_not_lost(store, path):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    while not future.run.log.is_behind:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.005)
    n_staged = future.run.state.seq
    future.cancel()
    await asyncio.sleep(0.05)
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
    failpoint.arm("append.rows:4:sqlite")
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


async def test_a_letter_that_was_recorded_and_not_settled_counts_once(store, monkeypatch):
    with graph(name="events") as g:
        first = wait_event("paid", _id="first")
        g.expose("second", wait_event("paid", _id="second", _after=first).payload)
    built = g.build()
    monkeypatch.setattr("graphrun_nb.engine.mail.Mail.settle", lambda self: None)
    future = run(built, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put(1, str)
    assert store.post("r", "event 1", AnswerKept("", ref, name="paid", by="event"), time.time()) is None
    while future.node("first").status != "DONE":  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    assert len(store.letters("r")) == 1
    future.run.scheduler._halt()
    future.run._on_left()
    forget()
    again = run(built, store=store, run_id="r")
    await asyncio.sleep(0.3)
    assert again.node("second").status == "WAITING"
    again.send_event("paid", 2)
    assert await again == {"second": 2}


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


def digest_of_wait(store):
    return next(each.event.wait.token_digest for each in store.read("r") if type(each.event) is WaitOpened)


async def test_an_answer_from_elsewhere_that_could_not_be_recorded_is_not_lost(store, path):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put({"approved": True}, str)
    store.post("r", digest_of_wait(store), AnswerKept("approve", ref, by="afar"), time.time())
    holding = sqlite3.connect(path, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    failpoint.arm("append.rows:1:sqlite")
    try:
        future.run.waits.mail.read()
        assert future.run.log.is_behind
        holding.execute("ROLLBACK")
        with pytest.raises(StoreFull, match="full"):
            await future
    finally:
        failpoint.arm("")
        holding.close()
    assert [each.fact.by for each in store.letters("r")] == ["afar"]
    assert await future.retry() == {"ok": True}
    assert store.letters("r") == []


async def test_an_answer_from_elsewhere_that_does_not_fit_is_taken_back_although_that_failed_first(store):
    future = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(future)
    ref = store.keeper("r", lasting=True).put({"approved": "perhaps"}, str)
    store.post("r", digest_of_wait(store), AnswerKept("approve", ref, by="afar"), time.time())
    failpoint.arm("settle.rows:1:sqlite")
    try:
        future.run.waits.mail.read()
    finally:
        failpoint.arm("")
    assert len(store.letters("r")) == 1
    future.run.waits.mail.read()
    assert store.letters("r") == []
    future.resume("approve", True)
    assert await future == {"ok": True}
