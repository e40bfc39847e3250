"""A run that another process drives is watched here as if it were driven here: real processes."""

import asyncio
import gc
import os
import signal
import socket
import threading
import time

import pytest

from graphrun_nb import GraphRunError, RunStatus, SqliteStore, list_runs, open_run, run_async
from graphrun_nb.core.events import AttemptSucceeded, WaitResolved
from graphrun_nb.core.state import fold
from graphrun_nb.engine.live import RUNS
from graphrun_nb.notebook.inspector import Inspector
from tests.stores.programs import gate, store_at
from tests.stores.zygote import zygote

STEPS = "tests.stores.programs:stepping"
GATE = "tests.stores.programs:hold_gate"


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """Give the place of a new store of each kind."""
    RUNS.clear()
    return request.getfixturevalue("database") if request.param == "postgres" else str(tmp_path / "runs.db")


async def until(holds):
    while not holds():  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)


async def asking(future):
    await until(lambda: future.waits)


async def begun(store, run_id):
    await until(lambda: store.n_events(run_id) > 0)
    return open_run(run_id, store=store)


class Watch:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def on_events(self, batch, state):
        self.told += [event for _, event in batch]
        assert state.seq == len(self.told)

    def on_signal(self, signal): ...


async def test_its_log_grows_here_as_it_grows_there_and_its_result_comes(children, place):
    store = store_at(place)
    child = children.start(STEPS, place, os.devnull, 60, 30.0)
    future = await begun(store, "steps")
    watch = Watch()
    watch.told += [each.event for each in future.events]
    future.run.log.attach(watch)
    seen = {len(future.events)}
    while not future.done():
        seen.add(len(future.events))
        await asyncio.sleep(0.01)
    assert await future == {"x": 60}
    assert child.wait() == 0, child.text()
    assert len(seen) > 3
    assert future.status is RunStatus.DONE
    assert future.node("s59").outputs == {"x": 60}
    assert [each.event for each in future.events] == watch.told == [each.event for each in store.read("steps")]
    assert future.run.state.digest() == fold("steps", store.read("steps")).digest()


def test_its_result_can_be_waited_for_without_a_loop(children, place):
    store = store_at(place)
    child = children.start(STEPS, place, os.devnull, 30, 30.0)
    while not store.n_events("steps"):
        time.sleep(0.01)
    assert open_run("steps", store=store).result(60) == {"x": 30}
    assert child.wait() == 0, child.text()


async def test_an_answer_from_here_reaches_it(children, place):
    store = store_at(place)
    child = children.start(GATE, place, os.devnull)
    future = await begun(store, "gate")
    await until(lambda: future.waits)
    assert future.status is RunStatus.WAITING
    assert future.run.follower.driver.pid == child.pid
    future.resume("approve", True)
    assert await future == {"ok": True}
    assert child.wait() == 0, child.text()
    assert [each.event.by for each in future.events if type(each.event) is WaitResolved] == ["cell"]
    assert future.node("approve").status == "DONE"


async def test_cancelling_from_here_reaches_it(children, place):
    store = store_at(place)
    child = children.start(GATE, place, os.devnull)
    future = await begun(store, "gate")
    await until(lambda: future.waits)
    assert future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert future.status is RunStatus.CANCELLED
    assert child.wait() == 1


async def test_a_view_of_it_says_who_drives_it_and_grows(children, place):
    store = store_at(place)
    child = children.start(GATE, place, os.devnull)
    future = await begun(store, "gate")
    inspector = Inspector(future)
    sent = []
    inspector.send = lambda content, buffers=None: sent.append(content)
    inspector._obey({"kind": "sync", "id": 1, "have": 0})
    await asking(future)
    await until(lambda: "WaitOpened" in str(sent))
    assert inspector.driver == f"process {child.pid} on {socket.gethostname()}"
    inspector._obey({"kind": "resume", "id": 2, "node_id": "approve", "attempt": 1, "no": 0, "payload": True})
    await future
    await until(lambda: "RunFinished" in str(sent))
    await until(lambda: inspector.driver is None)
    assert child.wait() == 0, child.text()
    inspector.close()


async def test_when_its_process_is_killed_that_is_seen_and_whoever_goes_on_is_followed(children, place):
    store = store_at(place)
    child = children.start(STEPS, place, os.devnull, 80, 30.0)
    future = await begun(store, "steps")
    await until(lambda: len(future.events) > 20)
    child.kill()
    child.wait()
    with pytest.raises(GraphRunError, match="interrupted"):
        await future
    assert future.status is RunStatus.INTERRUPTED
    n_then = len(store.read("steps"))
    await until(lambda: len(future.events) == n_then)
    second = children.start(STEPS, place, os.devnull, 80, 30.0)
    await until(lambda: future.status is RunStatus.DONE)
    assert second.wait() == 0, second.text()
    assert await open_run("steps", store=store) == {"x": 80}


async def test_it_can_be_gone_on_with_here_once_nobody_drives_it(children, place):
    store = store_at(place)
    child = children.start(GATE, place, os.devnull)
    future = await begun(store, "gate")
    await until(lambda: future.waits)
    with pytest.raises(GraphRunError, match=f"process {child.pid}"):
        await run_async(gate, {"amount": 5}, run_id="gate", store=store)
    assert future.run.follower is not None
    child.kill()
    child.wait()
    await until(lambda: future.status is RunStatus.INTERRUPTED)
    future.resume("approve", True)
    assert await run_async(gate, {"amount": 5}, run_id="gate", store=store) == {"ok": True}
    assert future.run.follower is None
    assert [row.status for row in list_runs(store=store)] == ["DONE"]
    ended = [each.event.node_id for each in store.read("gate") if type(each.event) is AttemptSucceeded]
    assert ended == ["quick", "approve"]


async def test_an_owner_that_is_stopped_for_longer_than_its_lease_is_seen_to_be_away(children, place):
    store = store_at(place, lease_s=0.2)
    child = children.start(STEPS, place, os.devnull, 60)
    future = await begun(store, "steps")
    await until(lambda: future.status is RunStatus.RUNNING)
    child.kill(signal.SIGSTOP)
    await until(lambda: future.status is RunStatus.INTERRUPTED)
    await until(lambda: future.run.follower.driver is None)
    child.kill(signal.SIGCONT)
    await until(lambda: future.status is RunStatus.DONE)
    assert child.wait() == 0, child.text()


async def test_nobody_follows_what_nobody_holds(children, tmp_path):
    before = set(threading.enumerate())
    store = SqliteStore(tmp_path / "runs.db")
    child = children.start(GATE, str(tmp_path / "runs.db"), os.devnull)
    future = await begun(store, "gate")
    await asking(future)
    (attendant,) = [each for each in set(threading.enumerate()) - before if each.name == "graphrun attendant"]
    del future
    RUNS.clear()

    def is_over():
        gc.collect()
        return not attendant.is_alive()

    await until(is_over)
    child.kill()
    child.wait()
