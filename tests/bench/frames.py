"""What a frame costs: pan and zoom over 1,000 and 10,000 nodes in a real Chromium without a GPU, and the first paint.

The widget is driven by a stand-in for the kernel in the page. CPU is that of the page's main thread, by its own clock
(`threadTicks`), so that a loaded computer changes it little; frames a second are those of this computer now.
"""

from __future__ import annotations

import argparse
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import sync_playwright

from graphrun_nb.core.events import AttemptFailed, AttemptStarted, AttemptSucceeded, NodeInfo, RunStarted, SpecAccepted
from graphrun_nb.view import frames
from graphrun_nb.view.layout import layout
from tests.bench.shapes import layered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import CDPSession, Page

    from graphrun_nb.core.events import Event

STATIC = Path(__file__).parents[2] / "graphrun_nb" / "notebook" / "static"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
TARGETS_MS = {1_000: 4.0, 10_000: 12.0}
FIRST_PAINT_MS = {1_000: 300.0, 10_000: 1500.0}
N_FRAMES = 120

PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/widget.css">
<body data-jp-theme-light="true"><div id="cell" style="width: 1000px"></div>
<script type="module">
import widget from "/widget.js";
const frame = () => new Promise((done) => requestAnimationFrame(done));
const painted = async () => { await frame(); await frame(); return performance.now(); };
window.mount = async (events, layout) => {
  const listeners = [];
  const tell = (content) => listeners.forEach((each) => each(content));
  const last = events.events.length;
  const model = {
    get: (name) => ({ run_id: "bench", graph_name: "bench", others: [] })[name],
    on: (name, listener) => { if (name === "msg:custom") listeners.push(listener); },
    off: () => {},
    send: (command) => setTimeout(() => {
      if (command.kind === "sync") { window.heard = performance.now(); tell(events); }
      tell({ kind: "reply", id: command.id, data: { seq: last, at: Date.now() / 1000 } });
    }),
  };
  widget.render({ model, el: document.getElementById("cell") });
  const region = document.querySelector("[role=region]");
  while (region.dataset.seq !== String(last)) await new Promise((done) => setTimeout(done));
  const first = (await painted()) - window.heard;
  tell(layout);
  await new Promise((done) => setTimeout(done, 1500));
  await painted();
  return first;
};
window.pan = async (n) => {
  const stage = document.querySelector(".gr-stage");
  const { left, top, width, height } = stage.getBoundingClientRect();
  const common = { bubbles: true, cancelable: true, pointerId: 1, button: 0 };
  const at = (x, y, more) => ({ ...common, clientX: left + x, clientY: top + y, ...more });
  stage.setPointerCapture = () => {};
  let [x, y] = [width / 2, height / 2];
  stage.dispatchEvent(new PointerEvent("pointerdown", at(x, y)));
  const begin = performance.now();
  for (let i = 0; i < n; i++) {
    await frame();
    const turn = (i / n) * Math.PI * 4;
    [x, y] = [x + Math.cos(turn) * 9, y + Math.sin(turn) * 5];
    stage.dispatchEvent(new PointerEvent("pointermove", at(x, y)));
    const deltaY = i % 20 < 10 ? -2 : 2;
    stage.dispatchEvent(new WheelEvent("wheel", at(width / 2, height / 2, { ctrlKey: true, deltaY })));
  }
  stage.dispatchEvent(new PointerEvent("pointerup", at(x, y)));
  return (performance.now() - begin) / n;
};
window.near = async () => {
  const tree = document.querySelector("[role=tree]");
  tree.dispatchEvent(new KeyboardEvent("keydown", { key: "0", bubbles: true }));
  for (let i = 0; i < 30; i++) tree.dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true }));
  for (let i = 0; i < 4; i++) tree.dispatchEvent(new KeyboardEvent("keydown", { key: "-", bubbles: true }));
  await new Promise((done) => setTimeout(done, 700));
};
window.far = async () => {
  document.querySelector("[role=tree]").dispatchEvent(new KeyboardEvent("keydown", { key: "0", bubbles: true }));
  await new Promise((done) => setTimeout(done, 700));
};
window.ready = true;
</script>"""


class Cost(NamedTuple):
    """A frame: main-thread CPU in ms, of which in our script; frames a second."""

    cpu_ms: float
    script_ms: float
    fps: float


class _Files(SimpleHTTPRequestHandler):
    """Serves the page and the built widget, and says nothing of it."""

    def do_GET(self) -> None:
        if self.path == "/":
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE.encode())
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Drop it."""


def recorded(n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the log of a layered run that is half done, with some failures, and its layout."""
    names = [f"step_{i:05}" for i in range(n)]
    needs = layered(n).needs
    nodes = tuple(NodeInfo(name, name, needs=tuple(names[each] for each in needs[i])) for i, name in enumerate(names))
    events: list[Event] = [RunStarted("bench", ()), SpecAccepted("f", nodes)]
    for i, name in enumerate(names[: n // 2]):
        events.append(AttemptStarted(name, 1))
        if i < n // 2 - 16:
            ended = AttemptSucceeded(name, 1) if i % 97 else AttemptFailed(name, 1, frames.ErrorInfo(("E",), "no"))
            events.append(ended)
    edges = [(names[each], name) for i, name in enumerate(names) for each in needs[i]]
    batch = [(1_700_000_000 + i / 1000, event) for i, event in enumerate(events)]
    told = frames.to_builtins(frames.events_frame(1, batch))
    return told, frames.to_builtins(frames.layout_frame(layout(names, edges), names))


def measured(page: Page, session: CDPSession, n_frames: int) -> Cost:
    """Pan and zoom for some frames."""
    page.evaluate("window.pan(20)")
    before = metrics(session)
    frame_ms: float = page.evaluate(f"window.pan({n_frames})")
    after = metrics(session)
    cpu, script = (1000 * (after[name] - before[name]) / n_frames for name in ("TaskDuration", "ScriptDuration"))
    return Cost(cpu, script, 1000 / frame_ms)


def metrics(session: CDPSession) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def costs(n: int, n_frames: int = N_FRAMES) -> tuple[dict[str, Cost], float, float]:
    """Return what a frame costs, far and near, and the first paint: ms until it is there, ms of CPU."""
    events, places = recorded(n)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            page = browser.new_page(viewport={"width": 1040, "height": 700})
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
            page.wait_for_function("window.ready === true")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = metrics(session)["TaskDuration"]
            first: float = page.evaluate("([events, layout]) => window.mount(events, layout)", [events, places])
            cpu = 1000 * (metrics(session)["TaskDuration"] - before)
            found = {}
            for where in ("far", "near"):
                page.evaluate(f"window.{where}()")
                found[where] = measured(page, session, n_frames)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()
    return found, first, cpu


def lines() -> Iterator[str]:
    for n, target in TARGETS_MS.items():
        found, first, cpu = costs(n)
        for where, cost in found.items():
            yield (
                f"{n:>6,} nodes, {where:<4}  {cost.cpu_ms:5.2f} ms of main-thread CPU a frame (≤ {target:g}),"
                f" {cost.script_ms:5.2f} in script, {cost.fps:4.0f} frames/s"
            )
        until = f"first paint {first:.0f} ms (≤ {FIRST_PAINT_MS[n]:g})"
        yield f"{n:>6,} nodes, {until}; with layout and glide {cpu:.0f} ms of CPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    for line in lines():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
