"""marimo: the loop, the live view, commands from it, and its theme; a real server, the app opened as readers see it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from .axe import findings
from .lab import PATIENCE_S

APP = """
import marimo

app = marimo.App()

@app.cell
def _():
    from graphrun_nb import graphify, run, tool
    from graphrun_nb.tools import ask_approval

    @tool(outputs=["amount"])
    def prepare(amount):
        return amount * 2

    @tool(outputs=["receipt"])
    async def pay(amount, approved):
        if not approved:
            raise ValueError("not approved")
        return f"paid {amount}"

    @graphify("gate", inputs=["amount"], outputs=["receipt"])
    def gate(amount):
        doubled = prepare(amount)
        answer = ask_approval(prompt="Pay?", _id="approve")
        return {"receipt": pay(doubled.amount, answer.approved).receipt}

    @graphify("doubles", inputs=["amount"], outputs=["amount"])
    def doubles(amount):
        return {"amount": prepare(amount).amount}
    return doubles, gate, run

@app.cell
def _(gate, run):
    future = run(gate, {"amount": 5})
    future
    return (future,)

@app.cell
def _(doubles, run):
    f"blocked for {run(doubles, {'amount': 21}).result()['amount']}"
    return

@app.cell
async def _(doubles, run):
    f"awaited {(await run(doubles, {'amount': 4}))['amount']}"
    return

if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(params=["run"])
def app(tmp_path, browser, request):
    """Serve the app on a free port, as readers see it or as its author does, and open it."""
    (tmp_path / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["app.py", "--headless", "--no-token", "--host", "127.0.0.1"]
    command = [sys.executable, "-m", "marimo", "-q", request.param, *options]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if not name.startswith("GRAPHRUN_")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    page = browser.new_page()
    try:
        _wait(server, f"http://127.0.0.1:{port}/")
        page.goto(f"http://127.0.0.1:{port}/")
        yield page
    finally:
        page.close()
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(server, url):
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up and server.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url).close()  # noqa: S310 (our own server)
            return
        time.sleep(0.05)
    raise TimeoutError("marimo did not start")


def test_a_run_is_shown_live_in_marimo_and_answered_from_the_view(app):
    view = app.get_by_role("region", name="Run gate")
    node = view.get_by_role("tree", name="Nodes").get_by_role("treeitem", name=re.compile("^pay"))
    expect(view.get_by_role("treeitem", name="prepare: done")).to_be_attached()
    expect(node).to_have_attribute("aria-label", "pay: pending")
    expect(app.get_by_text("blocked for 42")).to_be_visible()
    expect(app.get_by_text("awaited 8")).to_be_visible()

    view.get_by_role("treeitem", name="prepare: done").click()
    view.get_by_role("tab", name="Outputs").click()
    expect(view.get_by_role("tabpanel")).to_contain_text("10")
    slider = view.get_by_role("slider", name="Run history")
    assert slider.bounding_box()["width"] > 200

    assert view.get_attribute("data-theme") == "light"
    app.evaluate("document.body.dataset.theme = 'dark'")
    expect(view).to_have_attribute("data-theme", "dark")
    app.evaluate("document.body.dataset.theme = 'light'")
    assert findings(view) == []

    view.get_by_role("button", name="Reject").click()
    expect(node).to_have_attribute("aria-label", "pay: failed")
    node.click()
    view.get_by_role("tab", name="Error").click()
    expect(view.get_by_role("tabpanel")).to_contain_text("not approved")
    expect(view.get_by_role("button", name="Retry failed")).to_be_visible()


@pytest.mark.parametrize("app", ["edit"], indirect=True)
def test_in_marimos_editor_a_run_is_shown_and_its_question_answered(app):
    expect(app.locator(".marimo-cell, [data-cell-id]").first).to_be_visible()
    app.keyboard.press("Control+Shift+r")
    view = app.get_by_role("region", name="Run gate")
    expect(view.get_by_role("treeitem", name="prepare: done")).to_be_attached()
    expect(app.get_by_text("'blocked for 42'")).to_be_visible()
    view.get_by_role("button", name="Approve").click()
    expect(view.get_by_role("treeitem", name=re.compile("^pay"))).to_have_attribute("aria-label", "pay: done")
