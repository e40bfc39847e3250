"""From an event in the kernel to its pixels: a chain of nodes, each starting after a pause, in a real JupyterLab.

The browser and the kernel read the same computer's clock. The stages of an event's way, each from its recording on:

* sent: the kernel hands the frame to the comm;
* heard: the view has folded it;
* drawn: canvas and tree are up to date, in an animation frame;
* shown: that frame has been handed over, told by the first task after it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.lab import Frontend, new_notebook_page
from tests.browser.shots import open_studio

if TYPE_CHECKING:
    from tests.browser.lab import NotebookPage

STAGES = ("sent", "heard", "drawn", "shown")

CELL = """
%load_ext graphrun_nb
import asyncio, json, time
from random import Random
from graphrun_nb import Inspector, graphify, run, tool
from graphrun_nb.core.events import AttemptStarted

pauses = Random(60)
begin = asyncio.Event()
sent = {}

class Timed(Inspector):
    def _emit(self, frame):
        super()._emit(frame)
        if type(frame).__name__ == "EventsFrame":
            sent.setdefault(frame.first + len(frame.events) - 1, time.time())

@tool(outputs=["x"])
async def step(x):
    await begin.wait()
    await asyncio.sleep(pauses.uniform(0.12, 0.3))
    return x

@graphify("chain", outputs=["x"])
def chain():
    x = 0
    for i in range(n_steps):
        x = step(x, _id=f"{i}").x
    return {"x": x}

f = run(chain)
view = Timed(f)
view
"""

# The tree's items change in the animation frame that draws the canvas; messages come after a frame is handed over.
WATCH = """() => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = (window.seen = { heard: {}, drawn: {}, shown: {} });
  const region = document.querySelector("[data-run]");
  new MutationObserver(() => { seen.heard[region.dataset.seq] ??= now(); })
    .observe(region, { attributeFilter: ["data-seq"] });
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => { const at = now(); for (const label of data) seen.shown[label] = at; };
  new MutationObserver(changes => {
    const labels = changes.map(({ target }) => target.getAttribute("aria-label"))
      .filter(label => label?.endsWith(": running"));
    const at = now();
    for (const label of labels) seen.drawn[label] = at;
    if (labels.length > 0) port2.postMessage(labels);
  }).observe(region.querySelector("[role=tree]"), { attributeFilter: ["aria-label"], subtree: true });
}"""

RECORDED = """
print(json.dumps({
    "started": {
        each.event.node_id: [each.seq, each.at] for each in f.events if isinstance(each.event, AttemptStarted)
    },
    "sent": sent,
}))
"""


def first_from(times: dict[str, float], seq: int) -> float:
    """Return when `seq` or what came after it was there."""
    return min(at for at_seq, at in times.items() if int(at_seq) >= seq)


def clocks_differ_by_ms(page: NotebookPage) -> float:
    """Return by how much the page's clock is ahead of ours, at most; of a few tries the one with least in between."""
    tries = []
    for _ in range(20):
        before = time.time()
        there = page.page.evaluate("performance.timeOrigin + performance.now()")
        after = time.time()
        tries.append((after - before, there - (before + after) * 500))
    return min(tries)[1]


def measure(n_events: int) -> tuple[dict[str, list[float]], float]:
    """Return ms after the recording of each event, by stage, and the difference of the clocks."""
    with open_studio(scale=1) as (server, browser):
        page = new_notebook_page(server, browser, f"n_steps = {n_events + 1}", CELL)
        page.open(Frontend.JUPYTERLAB)
        page.run_all()
        region = page.page.locator("[data-run]")
        expect(region.get_by_role("treeitem", name="0: running")).to_be_attached()
        difference = clocks_differ_by_ms(page)
        page.page.evaluate(WATCH)
        page.execute("begin.set()")
        page.page.wait_for_selector("[data-digest]", timeout=1000 * (60 + n_events))
        seen: dict[str, dict[str, float]] = page.page.evaluate("window.seen")
        recorded: dict[str, Any] = json.loads(page.execute(RECORDED))
        page.close()
    taken: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for i in range(1, n_events + 1):
        seq, at = recorded["started"][str(i)]
        taken["sent"].append((first_from(recorded["sent"], seq) - at) * 1000)
        taken["heard"].append(first_from(seen["heard"], seq) - at * 1000)
        for stage in ("drawn", "shown"):
            taken[stage].append(seen[stage][f"{i}: running"] - at * 1000)
    return taken, difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60, help="how many nodes start one after the other (2 to 190)")
    given = parser.parse_args()
    taken, difference = measure(given.events)
    lines = [f"{given.events} events; clocks differ by {difference:+.1f} ms"]
    lines.append(f"{'ms after the event':<20}{'median':>8}{'p95':>8}{'max':>8}")
    for stage, values in taken.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        lines.append(f"{stage:<20}{statistics.median(values):8.1f}{p95:8.1f}{max(values):8.1f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
