"""Secrets go through a run, and are in nothing that it leaves behind: notebook, widget state, exports, log, tokens."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3

import pytest
from playwright.sync_api import expect

NAMED = ("password", "api_key", "access_token", "client_secret", "privateKey", "passphrase", "db_passwd", "jwt")
"""Inputs of the graph; each value is a canary."""

PLACES = (
    *NAMED,
    *("nested", "listed", "header", "cookie", "url", "bytes", "pydantic", "default", "environment", "output"),
    *("answer", "lines", "early", "tuple"),
)

SETUP = """
%load_ext graphrun_nb
import json, os
from pydantic import SecretStr
from graphrun_nb import graph, run, tool
from graphrun_nb.tools import ask_form, ask_text

canary = json.load(open("canaries.json"))
NAMED = canary.pop("NAMED")
os.environ["SOME_API_KEY"] = canary["environment"]
given = {name: canary[name] for name in NAMED} | {
    "options": {"db": {"password": canary["nested"], "port": 1}, "tokens": [canary["listed"]]},
    "headers": {"Authorization": f"Bearer {canary['header']}", "Cookie": f"id={canary['cookie']}"},
    "url": f"postgresql://ada:{canary['url']}@db.example/runs",
    "token_bytes": canary["bytes"].encode(),
    "secret": SecretStr(canary["pydantic"]),
    "private_key": f"-----BEGIN KEY-----\\n{canary['lines']}\\n-----END KEY-----",
    "pair_of_keys": (canary["tuple"], 1),
}
SCHEMA = {"properties": {"password": {"type": "string", "title": "Password"}}, "required": ["password"]}

class Client:
    def __init__(self, known):
        self.known = known

    def __repr__(self):
        return f"<Client {self.known}>"

    def _repr_html_(self):
        return f"<b>{self.known}</b>"

@tool(inputs=[*given, "default_secret"], outputs=["client", "text", "session_token", "many"])
def connect(context, **known):
    spoken = [*known.values(), known["headers"]["Authorization"].split()[1], os.environ["SOME_API_KEY"]]
    spoken += [known["url"].split(":")[2].split("@")[0], known["secret"].get_secret_value()]
    spoken += known["private_key"].split()
    for each in spoken:
        print(each)
        context.logger.info("%s %r", each, each)
    context.progress(1, 2, str(spoken))
    text = " ".join(map(str, spoken))
    return {"client": Client(text), "text": text, "session_token": canary["output"], "many": {"rows": [spoken]}}

@tool(outputs=["x"])
def fails(client, session_token, answer):
    error = ConnectionError(f"{client!r} was refused with {session_token}, {answer}")
    error.add_note(f"{session_token} {client.known}")
    raise error from ValueError(client.known)

with graph(name="secretive") as g:
    g.declare_inputs(required=list(given))
    made = connect(**{name: g.arg(name) for name in given}, default_secret=canary["default"], _id="connect")
    asked = ask_form(prompt="Log in", schema=SCHEMA, _id="login", _after=made)
    early = ask_form(prompt="Again", schema=SCHEMA, _id="again", _after=asked)
    fails(made.client, made.session_token, asked.password, _id="fails", _after=early)
    g.expose("text", made.text)
future = None
"""

RUN = """
future = run(g, given, run_id="secretive")
future.resume("again", {"password": canary["early"]})
future
"""

WAITING = """
waiting = run(g, given)
while not waiting.waits:
    await __import__("asyncio").sleep(0.01)
print(waiting.waits[0].token)
"""

SAVE_STATE = """() => {
  const { commands } = window.jupyterapp;
  return commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
}"""

ENDINGS = ("html", "svg", "png", "json")


def leaks(canaries, text):
    packed = re.findall(r"[A-Za-z0-9+/]{100,}={0,2}", text)
    whole = "\n".join([text, *map(unpacked, packed)])
    return [name for name, canary in canaries.items() if canary in whole]


def unpacked(text):
    """Return what a recording holds, in an exported page or a widget's state; nothing for other long words."""
    try:
        return gzip.decompress(base64.b64decode(text)).decode()
    except (OSError, ValueError, EOFError):
        return ""


@pytest.fixture
def canaries():
    return {name: f"canary-{name}-{number:02}-5f2b8a" for number, name in enumerate(PLACES)}


def test_secrets_are_in_nothing_that_a_run_leaves_behind(lab, canaries):
    page = lab(SETUP, RUN)
    folder = page.path.parent
    (folder / "canaries.json").write_text(json.dumps(canaries | {"NAMED": NAMED}))
    received: list[str] = []
    page.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(_text(data))))
    page.reload()
    page.run_cell(0)
    page.run_cell(1)
    view = page.cell(1).get_by_role("region", name="Run secretive")
    form = view.get_by_role("form", name="Log in")
    form.get_by_label("Password").fill(canaries["answer"])
    form.get_by_role("button", name="Send answer").click()
    expect(view.get_by_role("treeitem", name="fails: failed")).to_be_attached()
    shown = []
    for name in ("connect: done", "login: done", "again: done", "fails: failed"):
        view.get_by_role("treeitem", name=name).click()
        if name.startswith(("connect", "fails")):
            expect(view.get_by_role("tab", name="Source")).to_have_attribute("data-empty", "false")
        for tab in view.get_by_role("tab").all_text_contents():
            view.get_by_role("tab", name=tab, exact=True).click()
            shown.append(view.evaluate("root => root.outerHTML"))
    assert any("•••" in text for text in shown)
    assert [leaks(canaries, text) for text in shown if leaks(canaries, text)] == []
    assert len(received) > 10
    assert sorted({name for text in received for name in leaks(canaries, text)}) == []

    page.page.evaluate(SAVE_STATE)
    page.save()
    saved = page.path.read_text()
    assert "application/vnd.jupyter.widget-state+json" in saved
    assert leaks(canaries, saved) == []

    lines = "\n".join(f"%graphrun export secretive run.{ending} --force" for ending in ENDINGS)
    assert page.add_cell_and_run(lines).count("wrote run") == len(ENDINGS)
    for ending in ENDINGS:
        content = (folder / f"run.{ending}").read_bytes().decode(errors="replace")
        assert (ending, leaks(canaries, content)) == (ending, [])

    token = page.execute(WAITING)
    check_store(folder / ".graphrun" / "runs.db", canaries, token.strip())


def check_store(path, canaries, token):
    """Values are kept as they are, to go on with: in their own table; nothing else of the store knows them."""
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"turns", "waits", "lines", "letters", "kept"} <= set(names)
        for name in set(names) - {"kept"}:
            for row in database.execute(f"SELECT * FROM {name}"):  # noqa: S608 (the store's own tables)
                text = " ".join(_text(each) if isinstance(each, bytes) else str(each) for each in row)
                assert (name, leaks(canaries, text)) == (name, [])
        assert database.execute("SELECT count(*) FROM kept").fetchone()[0] > 0
    database.close()
    assert len(token) >= 32
    for file in path.parent.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes()


def _text(data):
    return data if isinstance(data, str) else data.decode(errors="replace")
