"""Who keeps the loop is found while it is kept, and told from beside it; nothing in here sleeps."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from graphrun_nb import graph, graph_fn, run, tool
from graphrun_nb.engine import loop_watch
from graphrun_nb.engine.loop_watch import LoopWatch, attempt_on, watch_of

PATIENCE_S = 60


class Ear:
    """A listener that knows when a loop is kept by the node `fit`, and when it turns again."""

    def __init__(self):
        self.during = self.after = None
        self.kept = threading.Event()
        self.free = asyncio.Event()

    def __call__(self, pulse):
        if not pulse.turns and pulse.node_id == "fit":
            self.during = pulse
            self.kept.set()
        elif pulse.turns and self.kept.is_set():
            self.after = self.after or pulse
            self.free.set()


def of_one(function, **controls):
    with graph(name="one") as g:
        g.expose("x", tool(outputs=["x"])(function)(_id="fit", **controls).x)
    return g.build()


def seen_from_beside():
    """Return the node whose code is on this thread, as another thread sees it; "" if there is none."""
    thread_id = threading.get_ident()
    with ThreadPoolExecutor(1) as beside:
        attempt = beside.submit(attempt_on, thread_id).result(PATIENCE_S)
    return "" if attempt is None else attempt.node_id


async def test_a_node_that_keeps_the_loop_is_named_while_it_does_and_afterwards():
    async def blocks():
        assert ear.kept.wait(PATIENCE_S)
        return 1

    ear, watch = Ear(), watch_of(asyncio.get_running_loop())
    watch.attach(ear)
    future = run(of_one(blocks))
    await future
    await ear.free.wait()
    watch.detach(ear)
    assert (ear.during.run_id, ear.during.node_id) == (future.run_id, "fit")
    assert (ear.after.run_id, ear.after.node_id) == (future.run_id, "fit")
    assert ear.after.busy_s >= ear.during.busy_s >= loop_watch.LATE_S


async def test_an_async_node_is_found():
    async def asks():
        return seen_from_beside()

    assert await run(of_one(asks)) == {"x": "fit"}


async def test_a_sync_node_on_the_loop_is_found():
    assert await run(of_one(lambda: seen_from_beside(), _executor="loop")) == {"x": "fit"}  # noqa: PLW0108 (a node)


async def test_a_node_that_has_suspended_before_is_found_too():
    async def asks():
        await asyncio.sleep(0)
        return seen_from_beside()

    assert await run(of_one(asks)) == {"x": "fit"}


async def test_a_tool_that_a_body_calls_right_there_is_found_and_not_the_body():
    @tool(outputs=["x"])
    def fit():
        return seen_from_beside()

    @graph_fn(name="body", outputs=["x"])
    async def body():
        return fit()["x"]

    assert await run(body) == {"x": "fit"}


async def test_a_node_in_a_thread_keeps_nothing():
    def patient():
        loop.call_soon_threadsafe(began.set)
        assert turned.wait(PATIENCE_S)
        return attempt_on(loop_thread) is None

    loop, began, turned = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    loop_thread = threading.get_ident()
    future = run(of_one(patient))
    await began.wait()
    turned.set()
    assert await future == {"x": True}


async def test_what_is_no_node_has_no_name():
    assert seen_from_beside() == ""


async def test_a_loop_that_turns_has_a_pulse(monkeypatch):
    monkeypatch.setattr(loop_watch, "PULSE_S", 0)
    monkeypatch.setattr(loop_watch, "BEAT_S", 0)
    heard = asyncio.Queue()
    watch = LoopWatch(asyncio.get_running_loop())
    loop = asyncio.get_running_loop()

    def hear(pulse):
        loop.call_soon_threadsafe(heard.put_nowait, pulse)

    watch.attach(hear)
    for _ in range(3):
        await heard.get()
    watch.detach(hear)


async def test_after_the_last_listener_there_is_no_thread_and_no_timer_left():
    def watching():
        return {each for each in threading.enumerate() if each.name == "graphrun loop watch"}

    of_others = watching()
    watch = LoopWatch(asyncio.get_running_loop())
    ears = [Ear(), Ear()]
    for each in ears:
        watch.attach(each)
        watch.attach(each)
    (thread,) = watching() - of_others
    watch.detach(ears[0])
    assert thread.is_alive()
    watch.detach(ears[1])
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert watching() <= of_others


async def test_a_loop_has_one_watch():
    loop = asyncio.get_running_loop()
    assert watch_of(loop) is watch_of(loop)
