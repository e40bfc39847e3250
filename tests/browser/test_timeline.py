"""Attempts over time in the page: rows, keyboard, brush, critical path, and the selection shared with the graph."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .test_live_run import SETUP, node, region

STEPS = """
import asyncio

tries = []

@tool(outputs=["x"])
async def load():
    await asyncio.sleep(0.2)
    return 1

@tool(outputs=["x"])
async def flaky(x):
    tries.append(1)
    if len(tries) == 1:
        raise ConnectionError("peer went away")
    await asyncio.sleep(0.2)
    return x

@tool(outputs=["x"])
async def quick(x):
    return x

@tool(outputs=["x"])
async def join(a, b):
    return a + b

@graphify("steps", outputs=["x"])
def steps():
    x = load().x
    ask_approval(prompt="Go on?", _id="ask")
    tried = flaky(x, _retry=RetryPolicy(max_attempts=3, backoff_first_s=0.2)).x
    return {"x": join(tried, quick(x).x).x}
"""


@pytest.fixture
def steps(lab):
    page = lab(SETUP, STEPS, "f = %graphrun steps")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    page.cell(2).get_by_role("button", name="Approve", exact=True).click()
    expect(node(page, 2, "join: done")).to_be_attached()
    page.cell(2).get_by_role("button", name="Timeline", exact=True).click()
    expect(rows(page).get_by_role("option")).to_have_count(5)
    return page


def rows(page):
    return region(page, 2, "steps").get_by_role("listbox", name="Timeline", exact=True)


def test_rows_tell_of_attempts_and_a_click_selects_the_node(steps):
    row = rows(steps).get_by_role("option", name=re.compile(r"^flaky: done, 2 attempts, .*ran \d"))
    row.click(position={"x": 20, "y": 8})
    expect(node(steps, 2, "flaky: done")).to_have_attribute("aria-selected", "true")
    expect(steps.cell(2).get_by_role("tabpanel")).to_contain_text("ConnectionError: peer went away")
    node(steps, 2, "load: done").click()
    expect(rows(steps).get_by_role("option", selected=True)).to_have_attribute("aria-label", re.compile("^load: done"))
    assert steps.errors == []


def test_the_keyboard_alone_walks_the_rows_zooms_and_finds_the_critical_path(steps):
    rows(steps).focus()
    steps.page.keyboard.press("Home")
    steps.page.keyboard.press("ArrowDown")
    expect(rows(steps)).to_be_focused()
    expect(rows(steps).get_by_role("option", selected=True)).to_have_count(1)
    steps.page.keyboard.press("+")
    expect(steps.cell(2).get_by_role("button", name="Reset zoom", exact=True)).to_be_visible()
    steps.page.keyboard.press("0")
    expect(steps.cell(2).get_by_role("button", name="Reset zoom", exact=True)).to_be_hidden()
    steps.page.keyboard.press("c")
    expect(steps.cell(2).get_by_role("button", name="Critical path", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(region(steps, 2, "steps")).to_contain_text(re.compile(r"\d nodes?, [\d.]+ m?s of "))


def test_a_drag_over_the_bars_zooms_and_a_double_click_shows_all_again(steps):
    size = rows(steps).bounding_box()
    rows(steps).drag_to(
        rows(steps),
        source_position={"x": size["width"] * 0.5, "y": 30},
        target_position={"x": size["width"] * 0.7, "y": 40},
    )
    reset = steps.cell(2).get_by_role("button", name="Reset zoom", exact=True)
    expect(reset).to_be_visible()
    rows(steps).dblclick(position={"x": size["width"] * 0.5, "y": 30})
    expect(reset).to_be_hidden()


def test_the_scrubber_takes_the_timeline_along(steps):
    history = region(steps, 2, "steps").get_by_role("slider", name="Run history", exact=True)
    history.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        steps.page.keyboard.press(key)
    expect(rows(steps).get_by_role("option")).to_have_count(1)
    expect(rows(steps).get_by_role("option", name=re.compile("^load: running"))).to_be_attached()
    steps.page.keyboard.press("End")
    expect(rows(steps).get_by_role("option")).to_have_count(5)
