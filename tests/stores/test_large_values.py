"""Large values are written beside the loop, before the event that refers to them, and once."""

import asyncio
import threading

import numpy as np
import pytest

from graphrun_nb import SqliteStore, graph, graphify, open_run, run, run_async, tool
from graphrun_nb.core.events import AttemptSucceeded
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import StoreFull
from graphrun_nb.stores import failpoint, typed_json
from graphrun_nb.stores.kept import StoredKeeper
from graphrun_nb.stores.weight import MAX_LIGHT, is_heavy
from graphrun_nb.tools import ask_approval

LARGE = "täxt " * 40_000


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "runs.db")


@pytest.fixture
def writers(monkeypatch):
    """Which threads wrote which number of characters."""
    seen = []
    write = StoredKeeper._write

    def noted(self, value):
        seen.append((threading.current_thread(), type(value)))
        return write(self, value)

    monkeypatch.setattr(StoredKeeper, "_write", noted)
    return seen


@tool(outputs=["text"])
async def large(n: int = 1) -> str:
    return LARGE * n


@tool(outputs=["n", "parts"])
async def parted(text: str) -> dict:
    return {"n": len(text), "parts": [text[i : i + 5] for i in range(0, len(text), 5)]}


@graphify("sizes", inputs={"n": 1}, outputs=["text", "n", "parts"])
def sizes(n):
    text = large(n, _id="large").text
    parts = parted(text, _id="parted")
    return {"text": text, "n": parts.n, "parts": parts.parts}


async def test_large_outputs_are_written_once_and_in_another_thread(store, writers):
    outputs = await run_async(sizes, store=store, run_id="r")
    here = threading.current_thread()
    assert [thread is here for thread, kind in writers if kind in (str, list)] == [False, False]
    RUNS.clear()
    assert await open_run("r", store=store) == outputs
    assert outputs["text"] == LARGE


async def test_a_value_is_on_disk_before_the_event_that_refers_to_it(store):
    found = []

    class Watching:
        def on_events(self, batch, state):
            for _, event in batch:
                if type(event) is AttemptSucceeded and event.node_id == "large":
                    folder = store.path.with_name("runs.db.values") / "r"
                    found.append((folder / event.values[0].digest).stat().st_size == event.values[0].size)

        def on_signal(self, signal): ...

    await run_async(sizes, store=store, run_id="r", observers=[Watching()])
    assert found == [True]


async def test_a_list_that_the_next_node_changes_is_kept_as_each_gave_it(store):
    @tool(outputs=["x"])
    async def first() -> list:
        return list(range(10_000))

    @tool(outputs=["x"])
    async def second(x: list) -> list:
        x.append("more")
        return x

    with graph(name="changing") as g:
        one = first(_id="first")
        g.expose("x", second(one.x, _id="second").x)
    await run_async(g.build(), store=store, run_id="r")
    RUNS.clear()
    future = open_run("r", store=SqliteStore(store.path))
    assert len(future.node("first").outputs["x"]) == 10_000
    assert len(future.node("second").outputs["x"]) == 10_001


async def test_a_large_value_that_cannot_be_written_stops_the_run_clearly(store):
    failpoint.arm("stow.written:1:oserror")
    try:
        with pytest.raises(StoreFull):
            await run_async(sizes, store=store, run_id="r")
    finally:
        failpoint.arm("")
    assert (await run_async(sizes, store=store, run_id="r"))["n"] == len(LARGE)


@pytest.fixture
def gate(monkeypatch):
    """Keep large values from being written until it is set."""
    opened, begun = threading.Event(), threading.Event()
    write = StoredKeeper.write

    def late(self, values):
        begun.set()
        opened.wait(30)
        write(self, values)

    monkeypatch.setattr(StoredKeeper, "write", late)
    opened.begun = begun
    yield opened
    opened.set()


async def begun(gate):
    while not gate.begun.is_set():  # noqa: ASYNC110 (a thread sets it)
        await asyncio.sleep(0.005)


async def test_a_run_does_not_only_wait_while_a_value_is_being_written(store, gate):
    with graph(name="both") as g:
        g.expose("text", large(_id="large").text)
        g.expose("ok", ask_approval(prompt="?", _id="ask").approved)
    future = run(g.build(), store=store, run_id="r", on_wait="return")
    await begun(gate)
    while not future.waits:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.005)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not future.done()
    gate.set()
    assert (await future)["waiting_nodes"] == ["ask"]
    assert future.node("large").status == "DONE"
    future.cancel()


async def test_it_holds_its_slot_until_it_is_written(store, gate):
    with graph(name="two") as g:
        first = large(_id="first")
        g.expose("a", first.text)
        g.expose("b", large(_id="second").text)
    future = run(g.build(), store=store, run_id="r", max_concurrency=1)
    await begun(gate)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (future.node("first").status, future.node("second").status) == ("RUNNING", "PENDING")
    gate.set()
    await future


async def test_a_run_that_is_cancelled_meanwhile_ends(store, gate):
    future = run(sizes, store=store, run_id="r")
    await begun(gate)
    future.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert future.node("large").status == "DONE"
    assert future.node("parted").status == "CANCELLED"


@pytest.mark.parametrize(
    ("value", "heavy"),
    [
        (None, False),
        ("x" * MAX_LIGHT, False),
        ("x" * (MAX_LIGHT + 1), True),
        (b"x" * 100_000, True),
        ([1] * 100, False),
        ([0.5] * 100_000, True),
        ([["x" * 1_000] * 10] * 10, True),
        ({i: i for i in range(10_000)}, True),
        ({"a": {"b": {"c": "x" * 100_000}}}, True),
        (np.zeros(100), False),
        (np.zeros(100_000), True),
        (object(), False),
    ],
)
def test_weight_is_told_at_a_glance(value, heavy):
    assert is_heavy(value) is heavy


def test_a_value_inside_itself_has_a_weight():
    value = []
    value.append(value)
    assert is_heavy(value) is True


class Nasty:
    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_weighing_runs_nothing_of_users():
    assert is_heavy(Nasty()) is False


@pytest.mark.parametrize(
    "value", ["", "x", "é" * 3 * 2**18, '\U0001f388"\\\n' * 3 * 2**18, b"ab" * 2**20, bytearray(b"c" * 2**20)]
)
def test_long_texts_and_bytes_come_back(value):
    data = typed_json.encode(value, {})
    assert typed_json.decode(data, {}) == value
    assert typed_json.decode(typed_json.encode({"a": [value]}, {}), {}) == {"a": [value]}


def test_a_long_text_that_is_no_unicode_is_not_kept():
    assert typed_json.encode("x" * 10**6 + "\ud800", {}) is None
