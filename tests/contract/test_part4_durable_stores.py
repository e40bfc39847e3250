"""Part 4, 13, 14, 32 and 33, and "Run identity" of part 2: what holds once a store outlives its process."""

import asyncio
import signal
import time

import pytest

from graphrun_nb import (
    AlreadyResumed,
    InvalidToken,
    MemoryStore,
    RunOwnedElsewhere,
    SqliteStore,
    graphify,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.engine.env import default_store
from graphrun_nb.errors import StoreUnusable
from graphrun_nb.stores.attendant import LOOK_S
from graphrun_nb.stores.durable import LEASE_S
from tests.stores.programs import gate
from tests.stores.zygote import zygote


@tool(outputs=["x"])
async def one(a: int = 1) -> int:
    return a + 1


@graphify("small", inputs={"a": 1}, outputs=["x"])
def small(a):
    return {"x": one(a, _id="one").x}


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


def holding(children, folder):
    """Let another process drive the run `gate` up to its question, and return it with the question's token."""
    told = folder / "told"
    owner = children.start("tests.stores.programs:hold_gate", str(folder / "runs.db"), str(told))
    while not told.exists() or not told.read_text():
        time.sleep(0.005)
    return owner, told.read_text().strip()


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_13_a_sqlite_store_takes_a_str_or_a_path(tmp_path, kind):
    path = tmp_path / "runs.db"
    assert run(small, store=SqliteStore(kind(path)), run_id="r").result() == {"x": 2}
    assert path.exists()


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_13_graphrun_store_is_a_path_or_a_sqlite_url(tmp_path, monkeypatch, form):
    monkeypatch.setenv("GRAPHRUN_STORE", form.format(tmp_path / "runs.db"))
    assert default_store() == SqliteStore(tmp_path / "runs.db")
    run(small, run_id="named").result()
    assert [row.run_id for row in list_runs()] == ["named"]


def test_13_graphrun_store_may_be_memory(monkeypatch):
    monkeypatch.setenv("GRAPHRUN_STORE", "memory")
    assert isinstance(default_store(), MemoryStore)


def test_13_a_store_that_cannot_be_had_is_refused_and_no_run_begins(monkeypatch, tmp_path):
    (tmp_path / "notes").write_text("not a store" * 20)
    monkeypatch.setenv("GRAPHRUN_STORE", str(tmp_path / "notes"))
    with pytest.raises(StoreUnusable):
        run(small)


def test_identity_a_run_that_is_live_elsewhere_is_refused_with_the_owner_named(children, tmp_path):
    owner, token = holding(children, tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    with pytest.raises(RunOwnedElsewhere, match=f"process {owner.pid}"):
        run(gate, {"amount": 5}, run_id="gate", store=store)
    assert open_run("gate", store=store).status == "WAITING"
    resume(token, True, store=store)
    assert owner.wait() == 0


def test_14_the_run_of_a_dead_owner_on_this_host_is_taken_over_within_2_s(children, tmp_path):
    owner, token = holding(children, tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    owner.kill(signal.SIGKILL)
    died = time.monotonic()
    assert LEASE_S == 30
    while store.owner("gate") is not None:
        time.sleep(0.005)
    future = run(gate, {"amount": 5}, run_id="gate", store=store)
    assert time.monotonic() - died < 2
    resume(token, True, store=store)
    assert future.result() == {"ok": True}


def test_33_a_run_whose_owner_died_is_listed_as_interrupted(children, tmp_path):
    owner, _ = holding(children, tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    assert [row.status for row in list_runs(store=store)] == ["WAITING"]
    owner.kill(signal.SIGKILL)
    owner.wait()
    assert [row.status for row in list_runs(store=store)] == ["INTERRUPTED"]
    assert open_run("gate", store=store).status == "INTERRUPTED"


def test_3_without_a_live_owner_the_answer_is_kept_and_used_when_the_run_is_continued(children, tmp_path):
    owner, token = holding(children, tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    owner.kill(signal.SIGKILL)
    owner.wait()
    receipt = resume(token, False, store=store)
    assert (receipt.run_id, receipt.node_id) == ("gate", "approve")
    assert open_run("gate", store=store).waits == ()
    assert asyncio.run(run_async(gate, {"amount": 5}, run_id="gate", store=store)) == {"ok": False}


def test_3_it_looks_in_the_default_store_if_none_is_given(children, tmp_path, monkeypatch):
    owner, token = holding(children, tmp_path)
    owner.kill(signal.SIGKILL)
    owner.wait()
    with pytest.raises(InvalidToken):
        resume(token, True)
    monkeypatch.setenv("GRAPHRUN_STORE", str(tmp_path / "runs.db"))
    assert resume(token, True).node_id == "approve"
    with pytest.raises(AlreadyResumed):
        resume(token, False)


def test_3_a_live_owner_in_another_process_looks_for_answers_within_250_ms_and_uses_them(children, tmp_path):
    assert LOOK_S < 0.25
    owner, token = holding(children, tmp_path)
    store = SqliteStore(tmp_path / "runs.db")
    resume(token, True, store=store)
    assert owner.wait() == 0
    assert open_run("gate", store=store).result(0) == {"ok": True}


def test_tokens_are_in_a_store_on_disk_only_as_digests(children, tmp_path):
    owner, token = holding(children, tmp_path)
    owner.kill(signal.SIGKILL)
    owner.wait()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("runs.db*"))
    assert b"Pay?" in kept
    assert token.encode() not in kept


@pytest.mark.parametrize("durability", ["process", "power"])
def test_32_what_is_recorded_survives_a_killed_kernel(tmp_path, durability):
    store = SqliteStore(tmp_path / "runs.db")
    future = run(small, store=store, run_id="r", durability=durability)
    future.result()
    assert store.n_events("r") == len(future.events)
