"""What the kernel's half of a view sends: all of a run's events, once each, at a bounded rate."""

from __future__ import annotations

import asyncio
import json
import threading

import msgspec

import graphrun_nb.view.layout  # noqa: F401 (a view lays out at once only when it is imported)
from graphrun_nb import graph, graph_fn, run, tool
from graphrun_nb.core.events import WaitOpened
from graphrun_nb.core.state import RunState, apply
from graphrun_nb.engine import loop_watch
from graphrun_nb.notebook import inspector as inspector_module
from graphrun_nb.view import frames
from tests.engine.conftest import settle

from .views import View, gate, trace


async def test_nothing_that_is_sent_bears_a_token_or_its_digest(view):
    (wait,) = view.future.waits
    (opened,) = [each.event for each in view.future.events if isinstance(each.event, WaitOpened)]
    assert wait.token
    assert opened.wait.token_digest
    told = []
    for content in (
        {"kind": "detail", "id": 1, "node_id": "approve"},
        {"kind": "sync", "id": 2, "have": 0},
        {"kind": "sync", "id": 3, "have": 99},
        {"kind": "digest", "id": 4},
        {"kind": "resume", "id": 5, "node_id": "approve", "attempt": 1, "no": 0, "payload": True},
        {"kind": "detail", "id": 6, "node_id": "approve"},
    ):
        told += view.tell(content)
    text = json.dumps(told)
    assert '"WaitOpened"' in text
    assert '"snapshot"' in text
    assert "Pay?" in text
    assert wait.token not in text
    assert opened.wait.token_digest not in text
    assert "token" not in text


def fed(state, told):
    """Fold the frames that a view was sent into its state, refusing a gap."""
    for frame in told:
        if frame["kind"] == "events":
            assert frame["first"] == state.seq + 1
            frame = msgspec.convert(frame, frames.Frame)  # noqa: PLW2901
            for at, event in zip(frame.at, frame.events, strict=True):
                apply(state, event, at)
    return state


async def test_a_sync_sends_exactly_the_events_that_are_missing(view):
    n = len(view.future.events)
    for have in range(n):
        told = view.tell({"kind": "sync", "id": 1, "have": have})
        (frame,) = [each for each in told if each["kind"] in ("events", "snapshot")]
        assert frame["kind"] == "events"
        assert (frame["first"], len(frame["events"])) == (have + 1, n - have)
        assert told[-1]["data"]["seq"] == n


async def test_a_view_that_misses_nothing_is_sent_no_events(view):
    told = view.tell({"kind": "sync", "id": 1, "have": len(view.future.events)})
    assert [each["kind"] for each in told] == ["layout", "reply"]


async def test_a_sync_from_nothing_leads_to_the_runs_state(view):
    state = fed(RunState(view.future.run_id), view.tell({"kind": "sync", "id": 1, "have": 0}))
    assert state.digest() == view.ask("digest")["data"]["digest"] == view.future.run.state.digest()


async def test_a_view_that_claims_more_than_there_is_gets_a_snapshot(view):
    n = len(view.future.events)
    told = view.tell({"kind": "sync", "id": 1, "have": n + 1})
    (frame,) = [each for each in told if each["kind"] in ("events", "snapshot")]
    assert (frame["kind"], frame["seq"], len(frame["nodes"])) == ("snapshot", n, 1)
    told = view.tell({"kind": "sync", "id": 1, "have": n + 1, "nodes": 1})
    (frame,) = [each for each in told if each["kind"] in ("events", "snapshot")]
    assert frame["nodes"] == []


async def test_a_view_that_misses_very_much_gets_a_snapshot(view, monkeypatch):
    monkeypatch.setattr(inspector_module, "MAX_EVENTS", 3)
    assert view.tell({"kind": "sync", "id": 1, "have": 1})[0]["kind"] == "events"
    assert view.tell({"kind": "sync", "id": 1, "have": 0})[0]["kind"] == "snapshot"


async def test_what_came_packed_follows_event_by_event_in_pieces(view, monkeypatch):
    monkeypatch.setattr(inspector_module, "MAX_EVENTS", 1)
    monkeypatch.setattr(inspector_module, "MAX_PIECE", 300)
    monkeypatch.setattr(inspector_module, "FRAME_S", 0)
    n = len(view.future.events)
    assert view.tell({"kind": "sync", "id": 1, "have": 0})[0]["kind"] == "snapshot"
    assert view.ask("history", first=1, until=n + 50) == {"kind": "reply", "id": 7, "data": {}}
    pieces = []
    while sum(len(each["events"]) for each in pieces) < n:
        await settle()
        pieces = [each for each in view.sent if each["kind"] == "events" and each["events"]]
    assert len(pieces) > 1
    assert fed(RunState(view.future.run_id), pieces).digest() == view.future.run.state.digest()


async def test_whatever_a_run_does_a_view_is_sent_no_more_than_its_rate_and_in_the_end_it_has_everything(monkeypatch):
    rate = 300_000
    monkeypatch.setattr(inspector_module, "BYTES_PER_S", rate)

    @tool(outputs=["x"])
    async def step(x):
        return 1

    with graph(name="many") as g:
        for i in range(3000):
            step(x=i, _id=f"step {i}")
    future = run(g.build(), max_concurrency=64)
    view = View(future)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    view.tell({"kind": "sync", "id": 1, "have": 0})
    sent = list(view.sent)
    view.sent = sent
    await future
    await settle()
    n = len(future.events)
    view.inspector.send_history(1, n)
    known = set()
    while len(known) < n:
        await settle()
        known = {each["first"] + i for each in sent if each["kind"] == "events" for i in range(len(each["events"]))}
    sizes = [len(json.dumps(each, ensure_ascii=False)) for each in sent if each["kind"] != "layout"]
    assert sum(sizes) > rate / 4
    assert sum(sizes) - max(sizes) <= rate * (loop.time() - begun + 1)


async def test_a_history_that_is_asked_for_backwards_or_beyond_the_end_is_empty(view):
    view.tell({"kind": "sync", "id": 1, "have": 0})
    for first, until in ((3, 2), (1000, 2000)):
        assert "error" not in view.ask("history", first=first, until=until)
        await settle()
        assert [each for each in view.sent if each.get("events")] == []


async def test_definitions_are_sent_once_and_again_when_there_are_more(monkeypatch):
    monkeypatch.setattr(inspector_module, "MAX_EVENTS", 0)
    monkeypatch.setattr(inspector_module, "FRAME_S", 0)
    steps = [asyncio.Event() for _ in range(3)]

    @tool(outputs=["x"])
    async def step(i):
        await steps[i].wait()
        return i

    @graph_fn(name="steps", outputs=["x"])
    async def body():
        one, two = asyncio.ensure_future(step(i=0)), asyncio.ensure_future(step(i=1))
        await asyncio.gather(one, two)
        return await step(i=2)

    future = run(body)
    await settle()
    view = View(future)
    view.tell({"kind": "sync", "id": 1, "have": 0})
    view.sent.clear()
    for each in steps:
        n_sent = len(view.sent)
        each.set()
        while len(view.sent) == n_sent:
            await settle()
    await future
    n_told = [len(frame["nodes"]) for frame in view.sent if frame["kind"] == "snapshot"]
    assert [n for n in n_told if n] == [4], "the first three came with the answer to sync"
    assert 0 in n_told


async def test_a_view_is_told_who_keeps_the_loop_while_it_is_kept_and_no_more_after_the_end():
    told = threading.Event()

    @tool(outputs=["x"])
    async def fit():
        assert told.wait(30)
        return 1

    with graph(name="g") as g:
        g.expose("x", fit(_id="fit").x)
    future = run(g.build())
    view = View(future)

    def keep(content, buffers=None):
        view._keep(content)
        if content["kind"] == "loop" and not content.get("turns", True):
            told.set()

    view.inspector.send = keep
    view.tell({"kind": "sync", "id": 1, "have": 0})
    assert await future == {"x": 1}
    frame = next(each for each in view.sent if each["kind"] == "loop" and each.get("node_id"))
    assert (frame["node_id"], frame["turns"], "run_id" in frame) == ("fit", False, False)
    assert frame["busy_s"] >= loop_watch.LATE_S
    assert not [each for each in threading.enumerate() if each.name == "graphrun loop watch" and not ended(each)]


def ended(thread):
    thread.join(30)
    return not thread.is_alive()


async def test_a_view_is_told_nothing_before_it_asks_and_everything_after():
    future = run(gate, {"amount": 5})
    view = View(future)
    await settle()
    assert view.sent == []
    state = fed(RunState(future.run_id), view.tell({"kind": "sync", "id": 1, "have": 0}))
    view.sent.clear()
    future.resume("approve", True)
    await future
    while state.finished is None:
        await settle()
        fed(state, view.sent)
        view.sent.clear()
    assert state.digest() == future.run.state.digest()
    while not view.sent:
        await settle()
    assert view.sent == [{"kind": "events", "first": state.seq + 1, "at": [], "events": []}]


async def test_two_views_of_a_run_agree_and_change_nothing(view):
    other = View(view.future)
    before = trace(view.future)
    states = [fed(RunState("r"), each.tell({"kind": "sync", "id": 1, "have": 0})) for each in (view, other)]
    assert states[0].digest() == states[1].digest() == before[1]
    assert trace(view.future) == before


async def test_a_closed_view_is_told_nothing_more(view):
    view.tell({"kind": "sync", "id": 1, "have": 0})
    view.inspector.close()
    view.sent.clear()
    view.future.resume("approve", True)
    await view.future
    await settle()
    assert view.sent == []


async def test_a_view_that_comes_late_is_told_how_far_nodes_are():
    go_on = asyncio.Event()

    @tool(outputs=["x"])
    async def counts(context):
        for i in range(1000):
            context.progress(i, 1000, "rows")
        await go_on.wait()
        return 1

    with graph(name="g") as g:
        g.expose("x", counts(_id="counts").x)
    future = run(g.build())
    await settle()
    view = View(future)
    sent = view.tell({"kind": "sync", "id": 1, "have": 0, "nodes": 0})
    told = [signal for frame in sent if frame["kind"] == "signals" for signal in frame["signals"]]
    assert [(each["node_id"], each["stream"], each["text"]) for each in told] == [
        ("counts", "progress", "999/1000 rows")
    ]
    go_on.set()
    await future
