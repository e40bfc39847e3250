"""What a view may ask for, and that nothing else has any effect."""

from __future__ import annotations

import asyncio
import json
import linecache
import random
import threading
from pathlib import Path

import msgspec
import pytest

import graphrun_nb.view.layout  # noqa: F401 (a view lays out at once only when it is imported)
from graphrun_nb import NodeStatus, RetryPolicy, graph, graph_fn, graphify, run, tool
from graphrun_nb.core.events import WaitOpened, WaitResolved
from graphrun_nb.core.state import RunState, apply
from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine import loop_watch
from graphrun_nb.notebook import inspector as inspector_module
from graphrun_nb.notebook.commands import (
    Cancel,
    Command,
    Detail,
    Digest,
    History,
    Place,
    Resume,
    Sync,
    Tidy,
    read_command,
)
from graphrun_nb.notebook.detail import MAX_SOURCE
from graphrun_nb.notebook.inspector import Inspector
from graphrun_nb.tools import ask_approval, ask_form, ask_text
from graphrun_nb.view import frames
from tests.engine.conftest import ManualClock, settle

LINES = Path(__file__).read_text(encoding="utf-8").splitlines()
VALID = [
    ({"kind": "sync", "id": 1, "have": 0}, Sync(kind="sync", id=1, have=0)),
    ({"kind": "sync", "id": 1, "have": 3, "nodes": 2}, Sync(kind="sync", id=1, have=3, nodes=2)),
    ({"kind": "history", "id": 1, "first": 2, "until": 9}, History(kind="history", id=1, first=2, until=9)),
    ({"kind": "cancel", "id": 0}, Cancel(kind="cancel", id=0)),
    (
        {"kind": "resume", "id": 2, "node_id": "a", "attempt": 1, "no": 0, "payload": {"x": [None]}},
        Resume(kind="resume", id=2, node_id="a", attempt=1, no=0, payload={"x": [None]}),
    ),
    ({"kind": "detail", "id": 3, "node_id": "a"}, Detail(kind="detail", id=3, node_id="a")),
    ({"kind": "tidy", "id": 4}, Tidy(kind="tidy", id=4)),
    ({"kind": "place", "id": 4, "inside": "a"}, Place(kind="place", id=4, inside="a")),
    ({"kind": "digest", "id": 5}, Digest(kind="digest", id=5)),
]


class View:
    """An inspector without a kernel: what it sends is kept, as the front end would get it."""

    def __init__(self, future):
        self.future = future
        self.inspector = Inspector(future)
        self.sent = []
        self.inspector.send = self._keep

    def _keep(self, content, buffers=None):
        self.sent.append(json.loads(json.dumps(content, ensure_ascii=False).encode()))

    def tell(self, content):
        """Give the widget a custom message, and return what it sends for it."""
        self.sent.clear()
        self.inspector._obey(content)
        return list(self.sent)

    def ask(self, kind, **rest):
        """Give a command, and return the reply to it."""
        (reply,) = [each for each in self.tell({"kind": kind, "id": 7, **rest}) if each["kind"] == "reply"]
        assert reply["id"] == 7
        return reply


@graphify(name="gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve").approved}


@pytest.fixture
async def view():
    future = run(gate, {"amount": 5})
    await settle()
    assert future.node("approve").status is NodeStatus.WAITING
    yield View(future)
    future.cancel()
    await settle()


def trace(future):
    """Everything that a command could have changed."""
    return len(future.events), future.run.state.digest(), future.status, future.waits


@pytest.mark.parametrize(("content", "command"), VALID, ids=[content["kind"] for content, _ in VALID])
def test_every_command_is_read(content, command):
    assert read_command(content) == command


def test_a_message_can_change_a_command_no_more():
    command = read_command(VALID[2][0])
    with pytest.raises(ValueError, match="frozen"):
        command.id = 9


def junk(rng, depth=0):
    """Make a random value as JSON can bring it."""
    leaves = [None, True, 0, -1, 2**70, 1.5, "", "sync", "kind", "x" * 300, "🎈", "\0", "__class__"]
    match rng.randrange(4 if depth < 3 else 2):
        case 2:
            return [junk(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 3:
            keys = ["kind", "id", "node_id", "payload", "have", "x", ""]
            return {key: junk(rng, depth + 1) for key in rng.sample(keys, rng.randrange(5))}
        case _:
            return rng.choice(leaves)


def spoilt(rng):
    """Make a command, and spoil it in one place."""
    content = dict(rng.choice(VALID)[0])
    field = rng.choice([key for key in content if key not in ("payload", "nodes")])
    match rng.randrange(5):
        case 0:
            del content[field]
        case 1:
            content[field] = rng.choice([None, [content[field]], {"x": 1}, 1.0, True])
        case 2:
            content["more"] = junk(rng)
        case 3:
            content["kind"] = rng.choice(["Sync", "sync ", "eval", "", None, 3, ["sync"]])
        case 4:
            content[field] = str(content[field]) if field in ("id", "have", "attempt", "no", "first", "until") else 3
    return content


@pytest.mark.parametrize("make", [junk, spoilt])
async def test_what_is_no_command_is_refused_and_changes_nothing(view, make):
    rng = random.Random(7)  # noqa: S311 (messages, not secrets)
    before = trace(view.future)
    for _ in range(300):
        content = make(rng)
        assert not isinstance(read_command(content), Command), content
        (reply,) = view.tell(content)
        assert reply["kind"] == "reply"
        assert reply["error"].startswith("refused: ")
        assert "\n" not in reply["error"]
    await settle()
    assert trace(view.future) == before


@pytest.mark.parametrize("content", [None, [], 3, "sync", {}, {"kind": "sync"}, {"id": "1", "kind": "sync"}])
def test_a_refusal_of_a_message_without_an_id_bears_zero(content):
    assert read_command(content).id == 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"id": 3, "kind": "eval"}, "refused: : Input tag 'eval'"),
        ({"id": 3, "kind": "sync"}, "refused: sync.have: Field required"),
        ({"id": 3, "kind": "sync", "have": -1}, "refused: sync.have: Input should be greater than or equal to 0"),
        ({"id": 3, "kind": "sync", "have": "1"}, "refused: sync.have: Input should be a valid integer"),
        ({"id": 3, "kind": "cancel", "run": "x"}, "refused: cancel.run: Extra inputs are not permitted"),
    ],
)
def test_a_refusal_bears_the_id_and_names_the_place(content, error):
    reply = read_command(content)
    assert reply.id == 3
    assert reply.error.startswith(error)


async def test_commands_come_in_as_the_widgets_custom_messages(view):
    content = {"method": "custom", "content": {"kind": "digest", "id": 11}}
    view.inspector._handle_msg({"content": {"data": content}, "buffers": []})
    state = view.future.run.state
    assert view.sent == [{"kind": "reply", "id": 11, "data": {"seq": state.seq, "digest": state.digest()}}]


async def test_a_message_from_another_thread_is_obeyed_on_the_loop(view):
    message = {"content": {"data": {"method": "custom", "content": {"kind": "cancel", "id": 11}}}, "buffers": []}
    await asyncio.to_thread(view.inspector._handle_msg, message)
    await settle()
    assert view.sent[0] == {"kind": "reply", "id": 11, "data": {"cancelled": True}}
    assert view.future.status is RunStatus.CANCELLED


async def test_an_answer_is_recorded_once_and_told_when(view):
    asked = {"node_id": "approve", "attempt": 1, "no": 0}
    reply = view.ask("resume", **asked, payload={"choice": "Reject"})
    (resolved,) = [each for each in view.future.events if isinstance(each.event, WaitResolved)]
    assert reply["data"] == {"at": pytest.approx(resolved.at, abs=1)}
    assert resolved.event.by == "view"
    again = view.ask("resume", **asked, payload={"approved": True})
    assert "has its answer, from view" in again["error"]
    assert again["hint"]
    assert await view.future == {"ok": False}
    assert len([each for each in view.future.events if isinstance(each.event, WaitResolved)]) == 1
    late = view.ask("resume", **asked, payload={"approved": True})
    assert late["error"]


@pytest.mark.parametrize(
    "payload", [None, 3, {}, [], "Maybe", {"approved": "yes"}, {"choice": []}, {"choice": {"x": 1}}]
)
async def test_an_answer_that_does_not_fit_is_refused_and_records_nothing(view, payload):
    before = trace(view.future)
    reply = view.ask("resume", node_id="approve", attempt=1, no=0, payload=payload)
    assert reply["error"]
    await settle()
    assert trace(view.future) == before
    assert "error" not in view.ask("resume", node_id="approve", attempt=1, no=0, payload=True)


async def test_a_refused_answer_tells_the_path_of_each_thing_that_is_wrong():
    item = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}

    @graphify(name="order")
    def order():
        ask_form(prompt="What?", schema=schema, _id="ask")

    future = run(order)
    await settle()
    view = View(future)
    place = {"node_id": "ask", "attempt": 1, "no": 0}
    reply = view.ask("resume", **place, payload={"items": [{"n": 1}, {"n": "x"}, {}]})
    assert reply["errors"] == [["items.1.n", "'x' is not of type 'integer'"], ["items.2.n", "is required"]]
    assert "errors" not in view.ask("resume", **place, payload={"items": []})
    await settle()
    assert future.node("ask").outputs == {"items": []}


@pytest.mark.parametrize("payload", ["Aprove", {"choice": "Maybe"}, 3])
async def test_a_refused_answer_says_what_would_do(view, payload):
    reply = view.ask("resume", node_id="approve", attempt=1, no=0, payload=payload)
    assert "Approve" in reply["hint"]


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ({"node_id": "aprove", "attempt": 1, "no": 0}, "has no node 'aprove'"),
        ({"node_id": "approve", "attempt": 2, "no": 0}, "attempt 2"),
        ({"node_id": "approve", "attempt": 0, "no": 0}, "attempt 0"),
        ({"node_id": "approve", "attempt": 1, "no": 1}, "asks nothing"),
        ({"node_id": "approve", "attempt": 1, "no": -1}, "asks nothing"),
    ],
)
async def test_an_answer_to_what_was_not_asked_is_refused_and_records_nothing(view, place, error):
    before = trace(view.future)
    assert error in view.ask("resume", **place, payload=True)["error"]
    await settle()
    assert trace(view.future) == before


async def test_an_unknown_node_is_told_which_is_close(view):
    reply = view.ask("resume", node_id="aprove", attempt=1, no=0, payload=True)
    assert reply["hint"] == "did you mean 'approve'?"


async def test_an_answer_meant_for_an_earlier_attempt_does_not_reach_the_next_one():
    clock, asked = ManualClock(), []

    @tool(outputs=["x"])
    async def ask_twice(context):
        asked.append(context.attempt)
        answer = await context.wait("text", prompt=f"Attempt {context.attempt}?")
        if context.attempt == 1:
            raise ValueError("once more")
        return answer["text"]

    with graph(name="g") as g:
        g.expose("x", ask_twice(_id="ask").x)
    future = run(g.build(), retry=RetryPolicy(max_attempts=2, backoff_first_s=1), clock=clock)
    await settle()
    view = View(future)
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=0, payload="first")
    await clock.advance(1)
    assert asked == [1, 2]
    before = trace(future)
    assert "attempt 1" in view.ask("resume", node_id="ask", attempt=1, no=0, payload="late")["error"]
    assert trace(future) == before
    assert "error" not in view.ask("resume", node_id="ask", attempt=2, no=0, payload="second")
    assert await future == {"x": "second"}


async def test_an_answer_goes_to_the_question_of_its_number():
    @tool(outputs=["both"])
    async def ask_two(context):
        first = await context.wait("text", prompt="First?")
        second = await context.wait("text", prompt="Second?")
        return first["text"] + second["text"]

    with graph(name="g") as g:
        g.expose("both", ask_two(_id="ask").both)
    future = run(g.build())
    await settle()
    view = View(future)
    assert view.ask("resume", node_id="ask", attempt=1, no=1, payload="b")["error"]
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=0, payload="a")
    await settle()
    assert "has its answer" in view.ask("resume", node_id="ask", attempt=1, no=0, payload="x")["error"]
    assert "error" not in view.ask("resume", node_id="ask", attempt=1, no=1, payload="b")
    assert await future == {"both": "ab"}


async def test_a_cancel_ends_the_run_once(view):
    assert view.ask("cancel")["data"] == {"cancelled": True}
    await settle()
    assert view.future.status is RunStatus.CANCELLED
    assert view.ask("cancel")["data"] == {"cancelled": False}


@tool(outputs=["total", "rows"])
def add_up(a, b=2):
    # A comment that shows in the source.
    return {"total": a + b, "rows": ["word"] * 10_000}


@graphify(name="sums", inputs=["x"], outputs=["y"])
def sums(x):
    first = add_up(a=x, _id="first")
    asked = ask_text(prompt="Name?", _id="ask", _after=first)
    return {"y": add_up(a=first.total, _id="second", _after=asked).total}


async def test_a_detail_has_inputs_outputs_source_and_story():
    future = run(sums, {"x": 1})
    while not future.waits:
        await settle()
    view = View(future)
    detail = view.ask("detail", node_id="first")["data"]
    assert detail["node_id"] == "first"
    assert detail["inputs"][0] == {"name": "a", "type": "int", "text": "1"}
    total, rows = detail["outputs"]
    assert total == {"name": "total", "type": "int", "text": "3"}
    assert (rows["name"], rows["type"]) == ("rows", "list")
    assert rows["text"].startswith("['word', 'word'")
    assert detail["source"].startswith('@tool(outputs=["total", "rows"])\ndef add_up(a, b=2):\n    # A comment')
    assert detail["source_file"] == __file__
    assert LINES[detail["source_line"] - 1] == '@tool(outputs=["total", "rows"])'
    told = [(seq, event["kind"]) for seq, _, event in detail["story"]]
    assert told == [
        (envelope.seq, type(envelope.event).__name__)
        for envelope in future.events
        if getattr(envelope.event, "node_id", None) == "first"
    ]
    assert [kind for _, kind in told] == ["AttemptStarted", "AttemptSucceeded"]
    future.cancel()
    await settle()


async def test_a_detail_of_a_node_that_has_not_run_knows_what_is_known():
    future = run(sums, {"x": 1})
    view = View(future)
    detail = view.ask("detail", node_id="second")["data"]
    assert "outputs" not in detail
    assert "story" not in detail
    assert "a" not in [each["name"] for each in detail.get("inputs", ())]
    future.cancel()
    await settle()


async def test_a_detail_is_bounded():
    namespace = {}
    body = "\n".join(f"    x{i} = '{i:080}'" for i in range(1000))
    source = f"def long(x):\n{body}\n    return x"
    linecache.cache["<long>"] = (len(source), None, source.splitlines(keepends=True), "<long>")
    exec(compile(source, "<long>", "exec"), namespace)  # noqa: S102
    with graph(name="g") as g:
        g.expose("x", tool(outputs=["x"])(namespace["long"])(x="y" * 1_000_000, _id="long").x)
    future = run(g.build())
    await future
    detail = View(future).ask("detail", node_id="long")["data"]
    assert len(detail["source"]) == MAX_SOURCE
    assert len(json.dumps(detail)) < 2 * MAX_SOURCE


async def test_a_detail_of_an_unknown_node_is_an_error(view):
    assert view.ask("detail", node_id="zzz")["error"] == "there is no node 'zzz'"


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


async def test_tidy_places_the_nodes_afresh_and_changes_nothing(view):
    before = trace(view.future)
    told = view.tell({"kind": "tidy", "id": 1})
    assert [each["kind"] for each in told] == ["layout", "reply"]
    assert ("inside" in told[0], len(told[0]["x"])) == (False, 1)
    assert trace(view.future) == before


@graphify(name="inner", inputs=["x"], outputs=["x"])
def inner(x):
    once = add_up(a=x, _id="once")
    return {"x": add_up(a=once.total, _id="twice").total}


@graphify(name="outer", outputs=["x"])
def outer():
    first = add_up(a=1, _id="first")
    nested = inner(x=first.total, _id="nested")
    return {"x": add_up(a=nested.x, _id="last").total}


async def test_a_container_is_placed_when_a_view_looks_inside_and_the_run_itself_without_its_parts():
    future = run(outer)
    await future
    view = View(future)
    (run_itself,) = [each for each in view.tell({"kind": "sync", "id": 1, "have": 0}) if each["kind"] == "layout"]
    assert run_itself["x"] == [110, 330, 550]
    inside, reply = view.tell({"kind": "place", "id": 2, "inside": "nested"})
    assert (inside["inside"], inside["x"]) == ("nested", [110, 330])
    assert reply == {"kind": "reply", "id": 2, "data": {}}
    assert view.ask("place", inside="no such node")["error"] == "there is no node 'no such node'"


async def test_a_view_that_looks_inside_of_a_mapped_node_sees_its_elements_come():
    go_on = asyncio.Event()

    @tool(outputs=["rows"])
    async def load():
        await go_on.wait()
        return [1, 2, 3]

    @graphify(name="mapped", outputs=["x"])
    def mapped():
        return {"x": add_up.map(a=load(_id="load").rows, _id="work").total}

    future = run(mapped)
    await settle()
    view = View(future)
    view.tell({"kind": "sync", "id": 1, "have": 0})
    assert view.tell({"kind": "place", "id": 2, "inside": "work"}) == [{"kind": "reply", "id": 2, "data": {}}]
    go_on.set()
    await future
    while not any(each["kind"] == "layout" and each.get("inside") == "work" for each in view.sent):
        await settle()
    assert all(each.get("inside") == "work" for each in view.sent if each["kind"] == "layout")


async def test_a_closed_view_is_told_nothing_more(view):
    view.tell({"kind": "sync", "id": 1, "have": 0})
    view.inspector.close()
    view.sent.clear()
    view.future.resume("approve", True)
    await view.future
    await settle()
    assert view.sent == []


async def test_retry_goes_on_with_what_failed_in_the_same_view():
    bad = [True]

    @tool(outputs=["x"])
    async def flaky():
        if bad:
            raise ValueError("bad")
        return 1

    with graph(name="g") as g:
        g.expose("x", flaky(_id="flaky").x)
    view = View(run(g.build()))
    await settle()
    bad.clear()
    assert "error" not in view.ask("retry")
    assert await view.inspector.future == {"x": 1}
    assert "RunResumed" in [type(each.event).__name__ for each in view.inspector.future.events]
    assert "all nodes of run" in view.ask("retry")["error"]


async def test_what_a_body_raises_when_it_is_built_anew_is_the_reply_to_retry():
    bad = []

    @tool(outputs=["x"])
    async def flaky():
        raise ValueError("bad")

    @graphify(name="rebuilt", inputs=[], outputs=["x"])
    def rebuilt():
        if bad:
            raise OSError("no such table")
        return {"x": flaky().x}

    view = View(run(rebuilt))
    await settle()
    bad.append(True)
    assert "no such table" in view.ask("retry")["error"]


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
