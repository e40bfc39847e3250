"""A run's history in the page: back and forth by keyboard and pointer, with the kernel idle, busy and dead."""

from __future__ import annotations

import os
import re

from playwright.sync_api import expect

from .test_live_run import GATE, SETUP, node, region

MANY = """
from graphrun_nb.notebook import inspector
inspector.MAX_EVENTS = 50

@tool(outputs=["x"])
async def step(i, after):
    return i

@graphify("many", outputs=["x"])
def many():
    last = None
    for i in range(200):
        last = step(i, after=last, _id=f"step_{i}").x
    return {"x": last}
"""


def slider(page, cell, name="gate"):
    return region(page, cell, name).get_by_role("slider", name="Run history", exact=True)


def gate(lab):
    page = lab(SETUP, GATE, "f = %graphrun gate amount=5", "import time; print('busy', flush=True); time.sleep(600)")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    return page


def test_arrow_keys_step_through_the_run_and_live_leads_back(anywhere):
    page = gate(anywhere)
    history = slider(page, 2)
    expect(history).to_have_attribute("aria-valuetext", re.compile(r"^live, event 6 of 6: "))
    history.focus()
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowLeft")
    expect(history).to_have_attribute("aria-valuetext", re.compile(r"^event 4 of 6: approve started, [\d:]{8}$"))
    expect(history).to_be_focused()
    expect(node(page, 2, "approve: running")).to_be_attached()
    expect(region(page, 2)).to_contain_text(re.compile(r"As it was at [\d:]{8}, event 4 of 6"))
    expect(page.cell(2).get_by_role("button", name="Cancel run")).to_be_disabled()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    expect(node(page, 2, "prepare: running")).to_be_attached()
    expect(node(page, 2, "approve: pending")).to_be_attached()
    page.cell(2).get_by_role("button", name="Live", exact=True).click()
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.cell(2).get_by_role("button", name="Approve", exact=True).click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    assert page.errors == []


def test_a_drag_goes_where_the_pointer_is_and_what_happens_meanwhile_does_not_move_it(lab):
    page = gate(lab)
    history = slider(page, 2)
    size = history.bounding_box()
    ends = {"x": size["width"] - 2, "y": size["height"] / 2}
    history.drag_to(history, source_position=ends, target_position={**ends, "x": size["width"] * 0.4})
    expect(history).to_have_attribute("aria-valuenow", "3")
    expect(node(page, 2, "prepare: running")).to_be_attached()
    page.execute("f.resume('approve', True)\nf.result()")
    expect(region(page, 2)).to_have_attribute("data-seq", "11")
    expect(node(page, 2, "prepare: running")).to_be_attached()
    history.focus()
    page.page.keyboard.press("End")
    expect(node(page, 2, "pay: done")).to_be_attached()


def test_history_is_there_while_the_kernel_is_busy_and_after_it_was_killed(lab):
    page = gate(lab)
    pid = int(page.execute("import os; print(os.getpid())"))
    page.run_cell(3, wait=False)
    expect(page.cell(3)).to_contain_text("busy")
    history = slider(page, 2)
    history.focus()
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowLeft")
    expect(node(page, 2, "approve: running")).to_be_attached()
    page.page.keyboard.press("End")
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    os.kill(pid, 9)
    expect(page.page.get_by_text("Kernel Restarting")).to_be_visible(timeout=30_000)
    page.page.get_by_role("button", name="Ok", exact=True).click()
    page.wait_idle()
    history.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.page.keyboard.press(key)
    expect(node(page, 2, "prepare: running")).to_be_attached()
    expect(history).to_have_attribute("aria-valuetext", re.compile(r"^event 3 of 6: prepare started, "))
    page.page.keyboard.press("End")
    expect(node(page, 2, "approve: waiting")).to_be_attached()


def test_the_history_of_a_burst_follows_and_is_whole(lab):
    page = lab(SETUP, MANY, "f = %graphrun many")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    widget = region(page, 2, "many")
    expect(widget.get_by_role("status").first).to_contain_text("200 done")
    n = int(page.execute("print(len(f.events))"))
    expect(widget).to_contain_text(f"Live, {n} events")
    history = slider(page, 2, "many")
    history.focus()
    page.page.keyboard.press("Home")
    for _ in range(2):
        page.page.keyboard.press("ArrowRight")
    expect(widget.get_by_role("status").first).to_have_text("1 running · 199 pending")
    page.page.keyboard.press("End")
    expect(widget).to_have_attribute("data-digest", page.execute("print(f.run.state.digest())").strip())
    assert page.errors == []


def test_play_goes_through_the_run_and_ends_live(lab):
    page = gate(lab)
    page.cell(2).get_by_role("button", name="Approve", exact=True).click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    page.cell(2).get_by_label("Speed").select_option("64")
    page.cell(2).get_by_role("button", name="Play history", exact=True).click()
    expect(slider(page, 2)).to_have_attribute("aria-valuetext", re.compile("^live, event 11 of 11: run done, "))
    expect(page.cell(2).get_by_role("button", name="Play history", exact=True)).to_be_visible()


def test_a_run_is_begun_where_this_one_stood_and_answered_otherwise(lab):
    page = gate(lab)
    view = page.cell(2)
    view.get_by_role("button", name="Approve", exact=True).click()
    expect(node(page, 2, "approve: done")).to_be_attached()
    history = slider(page, 2)
    history.focus()
    while not re.match(r"^event \d+ of \d+: approve waiting", history.get_attribute("aria-valuetext") or ""):
        page.page.keyboard.press("ArrowLeft")
    view.get_by_role("button", name="Fork here").click()
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    expect(node(page, 2, "prepare: done")).to_be_attached()
    view.get_by_role("button", name="Reject", exact=True).click()
    expect(node(page, 2, "approve: done")).to_be_attached()
    expect(region(page, 2)).to_contain_text("Reject")
