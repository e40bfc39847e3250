"""What a view is told of a node beside the log."""

from __future__ import annotations

import json
import linecache
from pathlib import Path

from graphrun_nb import graph, graphify, run, tool
from graphrun_nb.notebook.detail import MAX_SOURCE
from graphrun_nb.tools import ask_text
from tests.engine.conftest import settle

from . import views
from .views import View, add_up

LINES = Path(views.__file__).read_text(encoding="utf-8").splitlines()


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
    assert detail["source_file"] == views.__file__
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
