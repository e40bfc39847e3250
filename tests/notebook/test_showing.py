"""What a view is told of values: whole on request, rich ones apart, and never at the run's expense."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading

import pytest

from graphrun_nb import graphify, run, tool
from graphrun_nb.notebook import commands as commands_module
from graphrun_nb.notebook import detail as detail_module
from graphrun_nb.notebook.showing import PIECE
from graphrun_nb.view import aside as aside_module
from graphrun_nb.view import text as text_module
from graphrun_nb.view.preview import MAX_FULL

from .views import View


async def shown(value, **inputs):
    """Return a view of a run whose node `give` took `inputs` and gave `value`."""

    @tool(outputs=["value"])
    def give(given=None, api_key=None):
        return {"value": value}

    @graphify(name="values")
    def values():
        give(_id="give", **inputs)
        return {}

    future = run(values)
    await future
    return View(future)


async def ask(view, kind, **rest):
    """Give a command, and return the data of its reply, which may come later."""
    came = asyncio.Event()
    keep = view.inspector.send

    def send(content):
        keep(content)
        came.set()

    view.sent.clear()
    view.inspector.send = send
    view.inspector._obey({"kind": kind, "id": 7, "node_id": "give", **rest})
    await came.wait()
    view.inspector.send = keep
    (reply,) = view.sent
    assert reply["id"] == 7
    return reply


def output(kind):
    return {"kind": kind, "side": "outputs", "name": "value"}


async def output_of(view):
    return (await ask(view, "detail"))["data"]["outputs"][0]


@pytest.mark.parametrize(
    ("value", "kind", "size"),
    [
        ([{"a": 1}, {"a": 2}], "table", "2 rows, 1 column"),
        ({"a": [1]}, "tree", "1 item"),
        ("x" * 1000, None, "1,000 characters"),
        (3, None, None),
    ],
)
async def test_a_value_is_told_with_its_size_and_its_look(value, kind, size):
    told = await output_of(await shown(value))
    assert told["type"] == type(value).__name__
    assert told.get("size") == size
    assert (told.get("look") or {}).get("kind") == kind
    assert len(told["text"]) <= 4000


async def test_the_whole_of_a_value_comes_in_pieces_that_belong_together():
    text = "".join(map(str, range(60_000)))
    view = await shown(text)
    got, start = "", 0
    while True:
        piece = (await ask(view, **output("value"), start=start))["data"]
        assert len(piece["text"]) <= PIECE
        assert piece["start"] == start
        got += piece["text"]
        start += len(piece["text"])
        if start >= piece["total"]:
            break
    assert got == text
    assert "is_cut" not in piece


async def test_of_a_very_long_value_a_megabyte_can_be_had_and_that_is_said():
    view = await shown("x" * 3_000_000)
    piece = (await ask(view, **output("value"), start=0))["data"]
    assert (piece["total"], piece["is_cut"]) == (MAX_FULL, True)
    beyond = (await ask(view, **output("value"), start=10**9))["data"]
    assert beyond["text"] == ""


class Picture:
    def _repr_png_(self):
        return b"\x89PNG picture"

    def _repr_html_(self):
        return "<b>sk-123456</b>"


async def test_a_rich_value_makes_its_picture_when_it_is_asked_for():
    view = await shown(Picture())
    told = await output_of(view)
    assert told["is_rich"] is True
    look = (await ask(view, **output("look")))["data"]["look"]
    assert look == {"kind": "image", "mime": "image/png", "data": base64.b64encode(b"\x89PNG picture").decode()}


class Page:
    def _repr_html_(self):
        return "<b>sk-123456</b>"


async def test_secrets_are_masked_in_all_that_is_shown():
    view = await shown(Page(), api_key="sk-123456", given={"password": "hunter22", "rows": ["x hunter22"]})
    told = await ask(view, "detail")
    html = await ask(view, **output("look"))
    whole = await ask(view, "value", side="inputs", name="given", start=0)
    said = json.dumps([told, html, whole])
    assert "sk-123456" not in said
    assert "hunter22" not in said
    assert html["data"]["look"]["html"] == "<b>•••</b>"
    for kind in ("look", "value"):
        rest = {"start": 0} if kind == "value" else {}
        refused = await ask(view, kind, side="inputs", name="api_key", **rest)
        assert "must stay hidden" in refused["error"]


class Raising:
    def __init__(self, error):
        self.error = error

    def __repr__(self):
        raise self.error

    _repr_html_ = _repr_png_ = __repr__


@pytest.mark.parametrize("error", [ValueError("mine"), SystemExit(1), KeyboardInterrupt(), RecursionError()], ids=repr)
async def test_a_value_that_raises_when_it_is_shown_says_so(error):
    view = await shown(Raising(error))
    told = await output_of(view)
    assert told["text"].startswith("<Raising: ")
    recorded = detail_module.detail_of(view.future.run, "give")
    assert recorded.outputs[0].text == told["text"]
    look = (await ask(view, **output("look")))["data"]
    assert look == {"problem": f"showing it raised {type(error).__name__}"}
    whole = (await ask(view, **output("value"), start=0))["data"]
    assert f"raised {type(error).__name__}>" in whole["text"]


@pytest.mark.parametrize("junk", [3, b"", "\ud800", {"text/html": 3}, ("x", "y", "z"), float("nan")], ids=repr)
async def test_junk_in_place_of_a_picture_does_no_harm(junk):
    kind = type("Junk", (), {name: lambda self: junk for name in ("_repr_html_", "_repr_png_", "_repr_mimebundle_")})
    view = await shown(kind())
    data = (await ask(view, **output("look")))["data"]
    assert "problem" in data or data["look"]["kind"] in ("html", "image")


async def test_a_value_that_blocks_when_it_is_shown_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(detail_module, "DEADLINE_S", 0.05)
    monkeypatch.setattr(detail_module, "PATIENCE_S", 0.05)
    monkeypatch.setattr(text_module, "PATIENCE_S", 20)
    monkeypatch.setattr(commands_module, "LOOK_S", 0.05)
    monkeypatch.setattr(commands_module, "VALUE_S", 0.05)
    go = threading.Event()

    class Blocking:
        def __repr__(self):
            go.wait()
            return "in the end"

        def _repr_html_(self):
            go.wait()
            return "<b>"

    view = await shown(Blocking(), given=5)
    try:
        told = (await ask(view, "detail"))["data"]
        assert told["inputs"][0]["text"] == "5"
        assert told["outputs"][0]["text"] == "<Blocking: it did not show itself in time>"
        assert "in time" in (await ask(view, **output("look")))["data"]["problem"]
        assert "in time" in (await ask(view, **output("value"), start=0))["data"]["text"]
        recorded = detail_module.detail_of(view.future.run, "give")
        assert recorded.outputs[0].text == "<Blocking: it did not show itself in time>"
        for _ in range(aside_module.MAX_THREADS):
            await ask(view, **output("look"))
        assert sum(thread.name == "graphrun aside" for thread in threading.enumerate()) <= aside_module.MAX_THREADS
    finally:
        go.set()
    pool = aside_module._POOL
    for thread in [pool.free.get() for _ in pool.threads]:
        pool.free.put(thread)
    assert (await output_of(view))["text"] == "in the end"


async def test_values_of_users_own_are_shown_in_few_threads_again_and_again():
    threads = set()

    class Own:
        def __repr__(self):
            threads.add(threading.current_thread())
            return "own"

    view = await shown([Own() for _ in range(20)])
    for _ in range(3):
        assert "own, own" in (await output_of(view))["text"]
    assert len(threads) <= aside_module.MAX_THREADS


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        ({"side": "outputs", "name": "nothing"}, "no value 'nothing'"),
        ({"side": "inputs", "name": "value"}, "no value 'value'"),
        ({"side": "locals", "name": "value"}, "refused: "),
        ({"side": "outputs"}, "refused: "),
    ],
)
async def test_a_value_that_is_not_there_is_refused(rest, error):
    view = await shown(3)
    assert error in (await ask(view, "look", **rest))["error"]
    assert error in (await ask(view, "value", start=0, **rest))["error"]


async def test_showing_values_imports_nothing_that_was_not_imported():
    view = await shown({"a": [1, 2]})
    before = {name for name in sys.modules if "." not in name}
    await ask(view, "detail")
    await ask(view, **output("value"), start=0)
    assert {name for name in sys.modules if "." not in name} == before
