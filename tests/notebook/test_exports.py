"""Files for a view: whole, in pieces, and of the run as it stands."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from graphrun_nb import graphify, run, tool
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook import exports
from graphrun_nb.notebook.contents import KINDS, kind_of
from tests.engine.conftest import settle
from tests.notebook.views import View


@tool(outputs=["y"])
async def double(x, password):
    return x * 2


@graphify("doubles", inputs=["x", "password"], outputs=["y"])
def doubles(x, password):
    return {"y": double(x, password).y}


@pytest.fixture
async def ended():
    future = run(doubles, {"x": 3, "password": "canary-5f2b8a"}, run_id="exported")
    await future
    return future.run


def whole(files, run, kind):
    """Ask for a file as a view does; give its name and bytes."""
    first = files.part(run, kind, 0).result()
    texts = [first["text"], *(files.part(run, kind, part)["text"] for part in range(1, first["parts"]))]
    return first, gzip.decompress(base64.b64decode("".join(texts)))


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "png"])
async def test_each_kind_of_file_has_a_name_and_a_mime_type_and_no_secret(ended, kind):
    first, content = whole(exports.Exports(), ended, kind)
    assert first["name"] == f"exported.{kind}"
    assert first["mime"] == KINDS[kind]
    assert kind_of(first["name"]) == kind
    assert b"canary" not in content
    assert b"double" in content


async def test_a_large_file_comes_in_pieces_which_make_the_same_file(ended, monkeypatch):
    files = exports.Exports()
    _, at_once = whole(files, ended, "json")
    monkeypatch.setattr(exports, "PIECE", 100)
    first, content = whole(files, ended, "json")
    assert first["parts"] > 5
    assert content == at_once
    assert json.loads(content)["format"] == "graphrun-run"


async def test_a_piece_of_a_file_that_was_replaced_is_refused(ended, monkeypatch):
    monkeypatch.setattr(exports, "PIECE", 100)
    files = exports.Exports()
    files.part(ended, "json", 0).result()
    files.part(ended, "svg", 0).result()
    with pytest.raises(GraphRunError, match="replaced"):
        files.part(ended, "json", 1)


async def test_a_view_gets_its_file_as_the_reply(ended):
    view = View(run(doubles, {"x": 3, "password": "canary-5f2b8a"}))
    await view.future
    view.tell({"kind": "export", "id": 7, "format": "trace.json"})
    await settle()
    while not (replies := [each for each in view.sent if each["kind"] == "reply"]):
        await settle()
    assert replies[0]["id"] == 7
    trace = json.loads(gzip.decompress(base64.b64decode(replies[0]["data"]["text"])))
    assert trace["otherData"]["graph"] == "doubles"


async def test_a_format_that_there_is_not_is_refused(ended):
    view = View(run(doubles, {"x": 3, "password": "canary-5f2b8a"}))
    assert "refused" in view.ask("export", format="exe")["error"]
    assert "refused" in view.ask("export", format="svg", part=-1)["error"]
    await view.future
