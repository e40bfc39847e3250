"""What a view shows at the end is exact, also when frames were lost on their way from the kernel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .lab import KERNEL

SETUP = """
%load_ext graphrun_nb
import asyncio
from random import Random
from graphrun_nb import Inspector, graphify, run, tool
from graphrun_nb.core.events import RunFinished
from graphrun_nb.notebook import inspector
from graphrun_nb.view.frames import EventsFrame

# A frame for every turn of the loop: the run is over before the usual pump has sent many.
inspector.FRAME_S = 0
"""

LAYERED = """
rng = Random(1000)
begin = asyncio.Event()

@tool(outputs=["x"])
async def step(parts):
    if not parts:
        await begin.wait()
    for _ in range(rng.randrange(5)):
        await asyncio.sleep(0)
    return 1

@graphify("layers", outputs=["last"])
def layers():
    above = []
    for layer in range(20):
        parts = [[each.x for each in rng.sample(above, min(2, len(above)))] for _ in range(50)]
        above = [step(part, _id=f"{layer}.{i}") for i, part in enumerate(parts)]
    return {"last": above[0].x}

f = run(layers, max_concurrency=8)
"""

LOSSY = """
class Lossy(Inspector):
    n_sent = n_lost = 0

    def _emit(self, frame):
        if isinstance(frame, EventsFrame):
            self.n_sent += 1
            if self.is_lost(frame):
                self.n_lost += 1
                return
        super()._emit(frame)

    def is_lost(self, frame):
        return {rule}

view = Lossy(f)
view
"""

A_FIFTH = "rng.random() < 0.2"
THE_LAST = "self.n_lost == 0 and isinstance(frame.events[-1], RunFinished)"

LOSSY_PAGE = f"""() => {{
  window.lost = 0;
  let seed = 1000;
  const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  for (const comm of {KERNEL}._comms.values()) {{
    const inner = comm.onMsg;
    comm.onMsg = message => {{
      if (message.content.data.content?.kind !== "events" || random() >= 0.2) return inner(message);
      window.lost += 1;
    }};
  }}
}}"""


def region(page, cell):
    return page.cell(cell).get_by_role("region", name="Run layers")


def has_begun(page, cell):
    expect(region(page, cell).get_by_role("status").first).to_contain_text("8 running")


def final_digest(page, cell):
    """Return the checksum that a view gives of its state once it knows that the run is over."""
    expect(region(page, cell)).to_have_attribute("data-digest", re.compile("^[0-9a-f]{8}$"))
    return region(page, cell).get_attribute("data-digest")


def kernels_digest(page):
    return page.execute("assert f.done()\nprint(f.run.state.digest())").strip()


@pytest.mark.parametrize("rule", [A_FIFTH, THE_LAST], ids=["a fifth", "the last"])
def test_view_is_exact_though_frames_were_lost_in_the_kernel(lab, rule):
    page = lab(SETUP, LAYERED, LOSSY.replace("{rule}", rule))
    page.run_all()
    has_begun(page, 2)
    page.execute("begin.set()")
    assert final_digest(page, 2) == kernels_digest(page)
    n_sent, n_lost = map(int, page.execute("print(view.n_sent, view.n_lost)").split())
    assert n_sent > n_lost > 0
    assert page.errors == []


def test_view_is_exact_though_frames_were_lost_in_the_page(lab):
    page = lab(SETUP, LAYERED, "f")
    page.run_all()
    has_begun(page, 2)
    page.page.evaluate(LOSSY_PAGE)
    page.execute("begin.set()")
    assert final_digest(page, 2) == kernels_digest(page)
    assert page.page.evaluate("window.lost") > 0
    assert page.errors == []


def test_views_of_one_run_agree_with_each_other_and_with_one_opened_after_its_end(lab):
    page = lab(SETUP, LAYERED, "f", "f", "f")
    for cell in range(4):
        page.run_cell(cell)
    has_begun(page, 2)
    has_begun(page, 3)
    page.execute("begin.set()")
    digest = final_digest(page, 2)
    page.run_cell(4)
    assert [final_digest(page, 3), final_digest(page, 4), kernels_digest(page)] == [digest] * 3
    assert page.errors == []
