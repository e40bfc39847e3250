"""Useless tokens are refused alike from Python, the view and the magic, and no byte of the store changes."""

from __future__ import annotations

import json

import pytest

from tests.notebook import kernels, matrix

SETUP = """
%load_ext graphrun_nb
import asyncio, hashlib, json
from pathlib import Path
from IPython.utils.capture import capture_output
from graphrun_nb import AlreadyResumed, Inspector, InvalidToken, MemoryStore, graph, resume, run
from graphrun_nb.tools import ask_approval, ask_text

def asking(**settings):
    with graph(name="asking") as g:
        g.expose("ok", ask_approval(prompt="Pay?", _id="approve", **settings).approved)
    return g.build()

async def begun(graph, **overrides):
    future = run(graph, **overrides)
    return future, (await future.opened("approve")).token

future, token = await begun(asking())
answered, used = await begun(asking())
answered.resume("approve", True)
late, expired = await begun(asking(deadline=0.3, on_deadline="default", default=True))
ended, ends = await begun(asking())
ended.cancel()
elsewhere, foreign = await begun(asking(), store=MemoryStore())
for each in (answered, late):
    await each
while not ended.done():
    await asyncio.sleep(0.001)
"""

CASES = """
USELESS = {
    "wrong": token[::-1],
    "one letter off": token[:-1] + ("A" if token[-1] != "A" else "B"),
    "truncated": token[:-1],
    "longer": token + "A",
    "other case": token.swapcase(),
    "with spaces": f" {token} ",
    "its digest": hashlib.sha256(token.encode()).hexdigest(),
    "huge": "A" * 1_000_000,
    "letters that look alike": "\\u0430" + token[1:],
    "expired": expired,
    "of a cancelled run": ends,
    "foreign": foreign,
    "empty": "",
    "half a character": "\\ud800",
    "SQL": "' OR 1=1; --",
    "a path": "../../runs.db",
    "a number": 7,
    "nothing": None,
}
folder = Path(".graphrun")
bytes_of = lambda: {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
sent = []
view = Inspector(future)
view.send = lambda content, buffers=None: sent.append(content)

def by_python(token):
    try:
        resume(token, True, store=future.run.store)
    except Exception as error:
        return [type(error).__name__, str(error), *error.hints]

def by_view(token):
    found = []
    for place in ({}, {"node_id": "approve", "attempt": 1, "no": 0}):
        sent.clear()
        view._on_message(view, {"kind": "resume", "id": 1, "token": token, "payload": True, **place}, [])
        found.append(sent)
    return json.loads(json.dumps(found))

def by_magic(token):
    said = []
    for line in (f"resume {token!r} approve approved=True", f"resume {future.run_id} {token!r} approved=True"):
        with capture_output() as output:
            get_ipython().run_line_magic("graphrun", line)
        said.append(output.stdout + output.stderr)
    return said

before = bytes_of(), len(future.events), future.run.state.digest()
told = {name: [by_python(text), by_view(text), by_magic(text)] for name, text in USELESS.items()}
told["answered"] = [by_python(used)]
after = bytes_of(), len(future.events), future.run.state.digest()
print(json.dumps({"told": told, "same": before == after, "files": list(before[0]), "token": token}))
"""


@pytest.fixture
def kernel(tmp_path):
    with kernels.started(matrix.python(matrix.INSTALLED), tmp_path) as kernel:
        assert kernel.run(SETUP).status == "ok"
        yield kernel


def test_useless_tokens_are_refused_alike_in_three_ways_and_no_byte_of_the_store_changes(kernel):
    outcome = kernel.run(CASES)
    assert outcome.status == "ok", kernel.published[-3:]
    said = json.loads(outcome.stdout)
    assert said["same"]
    assert any(name.endswith("runs.db") for name in said["files"])
    told = said["told"]
    assert told.pop("answered")[0][0] == "AlreadyResumed"
    assert len(told) >= 12
    assert {tuple(by_python) for by_python, _, _ in told.values()} == {tuple(told["wrong"][0])}
    assert told["wrong"][0][0] == "InvalidToken"
    assert {json.dumps(by_view) for _, by_view, _ in told.values()} == {json.dumps(told["wrong"][1])}
    for each in told["wrong"][1]:
        (reply,) = each
        assert reply["error"].startswith("refused")
    for name, (_, _, by_magic) in told.items():
        for text in by_magic:
            assert (name, text.startswith("graphrun: ")) == (name, True)
            assert len(text.splitlines()) <= 2
            assert "Traceback" not in text
            assert max(map(len, text.splitlines())) <= 1_000
