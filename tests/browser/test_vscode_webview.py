"""A page as strict as VS Code's webview or stricter: its variables, no inline script or style, no eval, no network.

The widget is the ES module that VS Code's renderer would call; a stand-in in the page answers for the kernel.
"""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    ErrorInfo,
    NodeInfo,
    RunStarted,
    SpecAccepted,
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.view import frames
from graphrun_nb.view.layout import layout

from .axe import contrasts
from .test_accessibility import TEXT_ON_PAPER

STATIC = Path(__file__).parents[2] / "graphrun_nb" / "notebook" / "static"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'"
PAGE = """<!doctype html><meta charset="utf-8"><title>webview</title>
<link rel="stylesheet" href="/host.css"><link rel="stylesheet" href="/widget.css">
<body class="vscode-dark" data-vscode-theme-kind="vscode-dark"><div id="cell"></div>
<script type="module" src="/host.js"></script>"""
HOST_CSS = """:root { --vscode-editor-background: #1f1f1f; --vscode-font-family: Selawik, sans-serif;
--vscode-editor-font-family: "Cascadia Mono", monospace; --vscode-foreground: #cccccc; }
body { background: var(--vscode-editor-background); } #cell { width: 900px; }"""
HOST_JS = """import widget from "/widget.js";
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.broken.push(`${event.violatedDirective} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
});
window.sent = [];
const run = await (await fetch("/run.json")).json();
const listeners = [];
const tell = (content) => listeners.forEach((each) => each(structuredClone(content)));
const model = {
  get: (name) => ({ run_id: "r1", graph_name: "webview", others: [], runs: ["r1"], offers: [] })[name],
  on: (name, listener) => { if (name === "msg:custom") listeners.push(listener); },
  off: () => {},
  send: (command) => setTimeout(() => {
    window.sent.push(command);
    if (command.kind === "sync") { tell(run.events); tell(run.layout); }
    tell({ kind: "reply", id: command.id, data: { seq: run.events.events.length, at: Date.now() / 1000 } });
  }),
};
widget.render({ model, el: document.getElementById("cell") });
"""


def made():
    """Return the frames of a run with a node that failed and one that asks."""
    error = ErrorInfo(("builtins.ValueError",), "17 missing values")
    infos = (NodeInfo("load", "load"), NodeInfo("fit", "fit", group="models"), NodeInfo("ask", "ask", kind="wait"))
    asks = WaitInfo(no=0, kind="approval", prompt="Pay?", options=("Approve", "Reject"))
    told = (
        RunStarted("webview"),
        SpecAccepted("f", infos),
        AttemptStarted("load", 1),
        AttemptStarted("fit", 1),
        AttemptStarted("ask", 1),
        AttemptFailed("fit", 1, error),
        WaitOpened("ask", 1, asks),
    )
    names = [info.node_id for info in infos]
    events = frames.events_frame(1, [(1_700_000_000 + i, event) for i, event in enumerate(told)])
    placed = frames.layout_frame(layout(names, [("load", "fit")]), names)
    return json.dumps({"events": frames.to_builtins(events), "layout": frames.to_builtins(placed)})


@pytest.fixture(scope="module")
def address():
    """Serve the page, the built widget and the run."""
    files = {
        "/": ("text/html", PAGE),
        "/host.css": ("text/css", HOST_CSS),
        "/host.js": ("text/javascript", HOST_JS),
        "/run.json": ("application/json", made()),
    }

    class Files(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path not in files:
                super().do_GET()
                return
            mime, text = files[self.path]
            self.send_response(200)
            self.send_header("Content-Type", f"{mime}; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_the_view_works_under_a_policy_without_eval_and_inline_code(browser, address):
    page = browser.new_page()
    page.goto(address)
    view = page.get_by_role("region", name="Run webview")
    expect(view).to_have_attribute("data-theme", "dark")
    expect(view.get_by_role("treeitem", name="fit: failed")).to_be_attached()
    painted = view.evaluate("root => [getComputedStyle(root).backgroundColor, getComputedStyle(root).fontFamily]")
    assert painted == ["rgb(31, 31, 31)", "Selawik, sans-serif"]
    low = {pair: round(ratio, 2) for pair, ratio in contrasts(view, TEXT_ON_PAPER).items() if ratio < 4.5}
    assert low == {}
    view.get_by_role("treeitem", name="fit: failed").click()
    expect(view.get_by_role("tabpanel")).to_contain_text("17 missing values")
    view.get_by_role("button", name="Timeline").click()
    view.get_by_role("button", name="Approve").click()
    while not page.evaluate("window.sent.some(command => JSON.stringify(command).includes('ask'))"):
        page.wait_for_timeout(20)  # `wait_for_function` would have the page evaluate a text
    (answer,) = [each for each in page.evaluate("window.sent") if each.get("node_id") == "ask" and "payload" in each]
    assert answer["payload"] in (True, {"approved": True}, {"choice": "Approve"}, "Approve")
    assert page.evaluate("window.broken") == []
    page.close()
