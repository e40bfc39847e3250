"""A run as a file: what it holds, what it does not, and that nothing in it is taken for markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from graphrun_nb import GraphRunFailed, graph, graphify, run, tool
from graphrun_nb.core.state import fold
from graphrun_nb.errors import GraphRunError
from graphrun_nb.tools import ask_approval
from graphrun_nb.view import export
from graphrun_nb.view.page import Player, page

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;"
CANARY = "canary-5f2b8a"
SHORT = "k9"


@tool(outputs=["y"])
async def explode(x):
    raise ValueError(f"no way: {x}")


@graphify("fails", inputs=["x"], outputs=["y"])
def fails(x):
    return {"y": explode(x, _id=f"bad {EVIL}"[:200]).y}


async def ended(target, inputs):
    future = run(target, inputs)
    with pytest.raises(GraphRunFailed):
        await future
    return future.run


def exported(run):
    """Give the run's data and its page."""
    events = tuple(run.log)
    state = fold(run.run_id, events)
    data = export.to_json(run.spec, state, events, run.secrets.preview)
    return data, page(state, export.to_svg(state), data)


class Elements(HTMLParser):
    """Which elements a page has, with what they hold of scripts and data."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        if self.tags[-1:] == ["script"] and data.strip():
            self.scripts.append(data)


async def test_the_data_of_a_run_has_its_definition_its_state_and_its_whole_log():
    begun = await ended(fails, {"x": 3})
    told = json.loads(exported(begun)[0])
    assert (told["format"], told["version"]) == ("graphrun-run", 1)
    assert told["spec"]["name"] == told["state"]["graph"] == "fails"
    assert [each["seq"] for each in told["events"]] == list(range(1, begun.state.seq + 1))
    (node,) = told["state"]["nodes"].values()
    assert node["error"]["message"] == "no way: 3"


async def test_a_page_holds_the_data_again_and_no_other_script():
    data, text = exported(await ended(fails, {"x": EVIL}))
    elements = Elements(text)
    (held,) = elements.scripts
    assert json.loads(held) == json.loads(data)
    assert not set("<>&") & set(held)
    assert ("script", "type", "application/json") in elements.attributes
    assert elements.tags.count("script") == 1
    assert "img" not in elements.tags
    assert not [name for _, name, _ in elements.attributes if name.startswith("on")]


def policy_of(text):
    """Give a page's Content-Security-Policy, by directive."""
    (policy,) = [value for _, name, value in Elements(text).attributes if name == "content" and "default-src" in value]
    return dict(each.strip().split(" ", 1) for each in policy.split(";"))


async def test_a_page_asks_for_nothing_and_forbids_scripts():
    text = exported(await ended(fails, {"x": 3}))[1]
    assert not [each for each in Elements(text).attributes if each[1] in ("src", "href")]
    policy = policy_of(text)
    assert policy["default-src"] == policy["script-src"] == policy["base-uri"] == policy["form-action"] == "'none'"


async def test_a_page_with_a_player_allows_that_script_alone():
    state = (await ended(fails, {"x": EVIL})).state
    player = Player("let a = '</script>'", ".gr { color: red }", "UEs=")
    text = page(state, "", b"{}", player=player)
    scripts = Elements(text).scripts
    assert scripts == ["{}", "UEs=", "let a = '<\\/script>'"]
    digest = base64.b64encode(hashlib.sha256(scripts[-1].encode()).digest()).decode()
    assert policy_of(text)["script-src"] == f"'sha256-{digest}'"
    assert "img" not in Elements(text).tags


async def test_a_page_tells_inputs_nodes_and_errors():
    text = exported(await ended(fails, {"x": 3}))[1]
    assert "<h1>fails: failed (1 failed)</h1>" in text
    assert '<th scope="row">x</th><td>3</td>' in text
    assert "ValueError: no way: 3" in text


async def test_a_page_tells_the_outputs_that_it_is_given():
    state = (await ended(fails, {"x": 3})).state
    assert "<h2>Outputs</h2>" not in page(state, "", b"{}")
    text = page(state, "", b"{}", [("y", "'<b>'")])
    assert "<h2>Outputs</h2>" in text
    assert '<th scope="row">y</th><td>&#x27;&lt;b&gt;&#x27;</td>' in text


async def test_a_drawing_is_well_formed_whatever_the_nodes_are_called():
    begun = await ended(fails, {"x": 3})
    root = ET.fromstring(export.to_svg(begun.state))  # noqa: S314 (our own)
    assert root.tag.endswith("svg")
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


@pytest.mark.parametrize("secret", [CANARY, SHORT])
async def test_what_has_a_secret_name_is_in_no_export(secret):
    @tool(outputs=["y"])
    async def connect(user, password, options=None):
        raise ValueError(f"{user} is refused")

    with graph(name="secretive") as g:
        g.declare_inputs(required=["user"], optional={"api_token": secret})
        options = [{"api_key": secret, "of": g.arg("user")}]
        g.expose("y", connect(g.arg("user"), password=secret, options=options).y)
    begun = await ended(g, {"user": "Ada"})
    for text in (exported(begun)[0].decode(), exported(begun)[1]):
        assert secret not in re.sub(r"[0-9a-f]{16,}", "", text)
        assert "Ada" in text


async def test_no_export_helps_to_answer_a_wait():
    @graphify("gate", outputs=["ok"])
    def gate():
        return {"ok": ask_approval(prompt="Pay?", _id="approve").approved}

    future = run(gate, on_wait="return")
    (wait,) = (await future)["continuations"]
    data, text = exported(future.run)
    kept = future.run.state.nodes["approve"].waits[0].wait.token_digest
    assert kept
    for each in (data.decode(), text):
        assert wait.token not in each
        assert kept not in each
    future.run.cancel(by="test")


async def test_a_png_has_twice_the_size_of_its_drawing():
    pytest.importorskip("resvg_py")
    drawing = export.to_svg((await ended(fails, {"x": 3})).state)
    width, height = map(int, re.match(r'<svg [^>]*width="(\d+)" height="(\d+)"', drawing).groups())
    png = export.to_png(drawing)
    assert png.startswith(b"\x89PNG\r\n")
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (2 * width, 2 * height)


def test_a_png_of_a_huge_drawing_stays_below_the_most_pixels(monkeypatch):
    pytest.importorskip("resvg_py")
    monkeypatch.setattr(export, "MAX_PIXELS", 5000)
    png = export.to_png('<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"></svg>')
    assert int.from_bytes(png[16:20]) * int.from_bytes(png[20:24]) <= 5000 * 1.05


def test_a_png_without_its_library_names_the_package_and_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(GraphRunError, match="resvg-py, which is not installed") as raised:
        export.to_png("<svg/>")
    assert raised.value.__notes__ == ["hint: %pip install 'graphrun-nb[png]', or write .svg instead"]
