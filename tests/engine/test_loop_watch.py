"""Who keeps the loop is found while it is kept, and told from beside it; nothing in here sleeps."""

from __future__ import annotations

import asyncio
import threading

import pytest

from graphrun_nb import graph, graph_fn, run, tool
from graphrun_nb.engine import loop_watch
from graphrun_nb.engine.loop_watch import LoopWatch, attempt_on, watch_of

PATIENCE_S = 30


class Ear:
    """A listener that knows when a loop is kept by `node_id`, and when it turns again."""

    def __init__(self, node_id="fit"):
        self.node_id = node_id
        self.heard = []
        self.kept = threading.Event()
        self.free = asyncio.Event()

    def __call__(self, pulse):
        self.heard.append(pulse)
        if not pulse.turns and pulse.node_id == self.node_id:
            self.kept.set()
        elif pulse.busy_s and self.kept.is_set():
            self.free.set()

    def waits(self):
        """Keep the thread until a watch has noticed; what a node does here blocks its loop."""
        assert self.kept.wait(PATIENCE_S)

    def named(self):
        """Return the nodes that kept the loop."""
        return {each.node_id for each in self.heard} - {""}


@pytest.fixture
async def ear(request):
    made = Ear(getattr(request, "param", "fit"))
    watch = watch_of(asyncio.get_running_loop())
    watch.attach(made)
    yield made
    watch.detach(made)


def of_one(function, **controls):
    with graph(name="one") as g:
        g.expose("x", tool(outputs=["x"])(function)(_id="fit", **controls).x)
    return g.build()


async def test_an_async_node_that_keeps_the_loop_is_named_while_it_does_and_afterwards(ear):
    async def blocks():
        ear.waits()
        return 1

    future = run(of_one(blocks))
    await future
    await ear.free.wait()
    during = next(each for each in ear.heard if not each.turns and each.node_id)
    after = next(each for each in ear.heard if each.turns and each.node_id)
    assert (during.run_id, during.node_id) == (after.run_id, after.node_id) == (future.run_id, "fit")
    assert after.busy_s >= during.busy_s >= loop_watch.LATE_S


async def test_a_sync_node_on_the_loop_is_named(ear):
    future = run(of_one(lambda: ear.waits() or 1, _executor="loop"))
    await future
    await ear.free.wait()
    assert ear.named() == {"fit"}


async def test_a_node_that_has_suspended_before_is_named_too(ear):
    async def blocks():
        await asyncio.sleep(0)
        ear.waits()
        return 1

    await run(of_one(blocks))
    await ear.free.wait()
    assert ear.named() == {"fit"}


async def test_a_tool_that_a_body_calls_right_there_is_named_and_not_the_body(ear):
    @tool(outputs=["x"])
    def fit():
        ear.waits()
        return 1

    @graph_fn(name="body", outputs=["x"])
    async def body():
        return fit()["x"]

    await run(body)
    await ear.free.wait()
    assert ear.named() == {"fit"}


async def test_a_node_in_a_thread_keeps_nothing(ear):
    def patient(context):
        turned.wait(PATIENCE_S)
        return attempt_on(loop_thread) is None

    turned = threading.Event()
    loop_thread = threading.get_ident()
    future = run(of_one(patient))
    await asyncio.sleep(0)
    turned.set()
    assert await future == {"x": True}


@pytest.mark.parametrize("ear", [""], indirect=True)
async def test_what_is_no_node_has_no_name(ear):
    ear.waits()
    await ear.free.wait()
    assert ear.named() == set()


async def test_a_loop_that_turns_has_a_pulse(monkeypatch):
    monkeypatch.setattr(loop_watch, "PULSE_S", 0)
    monkeypatch.setattr(loop_watch, "BEAT_S", 0)
    heard = asyncio.Queue()
    watch = LoopWatch(asyncio.get_running_loop())
    watch.attach(heard.put_nowait)
    for _ in range(3):
        await heard.get()
    watch.detach(heard.put_nowait)


async def test_after_the_last_listener_there_is_no_thread_and_no_timer_left():
    def threads():
        return [each for each in threading.enumerate() if each.name == "graphrun loop watch"]

    watch = LoopWatch(asyncio.get_running_loop())
    ears = [Ear(), Ear()]
    for each in ears:
        watch.attach(each)
        watch.attach(each)
    (thread,) = threads()
    watch.detach(ears[0])
    assert thread.is_alive()
    watch.detach(ears[1])
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert threads() == []


async def test_a_loop_has_one_watch():
    loop = asyncio.get_running_loop()
    assert watch_of(loop) is watch_of(loop)
