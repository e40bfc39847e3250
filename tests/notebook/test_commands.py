"""What a view may ask for, and that nothing else has any effect."""

from __future__ import annotations

import asyncio
import random

import pytest

import graphrun_nb.view.layout  # noqa: F401 (a view lays out at once only when it is imported)
from graphrun_nb import graph, graphify, run, tool
from graphrun_nb.core.status import RunStatus
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
from tests.engine.conftest import settle

from .views import View, add_up, trace

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


async def test_a_cancel_ends_the_run_once(view):
    assert view.ask("cancel")["data"] == {"cancelled": True}
    await settle()
    assert view.future.status is RunStatus.CANCELLED
    assert view.ask("cancel")["data"] == {"cancelled": False}


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
