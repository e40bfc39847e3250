"""
Somebody who has never read a page about it, in front of 300 nodes with one failure and one open question.

Which node failed and why, on which line, what is asked, and how to answer: by mouse in Notebook 7, and by keyboard
alone in JupyterLab, within the cell.
"""

from __future__ import annotations

import re

from playwright.sync_api import expect

SETUP = """
%load_ext graphrun_nb
from random import Random
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_form

rng = Random(11)

@tool(outputs=["x"])
async def step(parts, layer, i):
    if (layer, i) == (7, 13):
        rates = {"EUR": 1.0, "CHF": 1.06}
        return rates["GBP"]
    return 1

@tool(outputs=["total"])
async def settle(last, rate):
    return rate

@graphify("settlement", outputs=["total"])
def settlement():
    above = []
    for layer in range(12):
        above = [
            step([each.x for each in rng.sample(above, min(2, len(above)))], layer, i, _id=f"step {layer}.{i}")
            for i in range(25)
        ][: 25 if layer < 11 else 23]
    schema = {"properties": {"rate": {"type": "number", "title": "Rate of the day"}}, "required": ["rate"]}
    asked = ask_form(prompt="Which rate holds today?", schema=schema, _id="rate")
    return {"total": settle(above[0].x, asked.rate).total}
"""
CELLS = (SETUP.strip(), "f = %graphrun settlement --max-concurrency 64")
FAILED = "step 7.13"
LINE = 12
"""Of the cell, counted from 1 as Jupyter does: the line that raises."""


def launched(page):
    page.run_cell(0)
    page.run_cell(1)
    view = page.cell(1).get_by_role("region", name="Run settlement")
    expect(view.get_by_role("status").first).to_contain_text("1 failed")
    expect(view.get_by_role("status").first).to_contain_text("1 waiting")
    view.scroll_into_view_if_needed()
    view.notebook = page
    return view


def inside(outer, inner):
    box, part = outer.bounding_box(), inner.bounding_box()
    assert box["x"] <= part["x"] + 1
    assert part["x"] + part["width"] <= box["x"] + box["width"] + 1
    assert box["y"] <= part["y"] + 1
    assert part["y"] + part["height"] <= box["y"] + box["height"] + 1


def has_found_out(view):
    """Check that one reads, without leaving the cell, which node failed, why, and on which line."""
    panel = view.get_by_role("tabpanel")
    expect(view.locator(".gr-detail-head")).to_contain_text(FAILED)
    expect(panel).to_contain_text("KeyError: 'GBP'")
    expect(panel).to_contain_text(re.compile(rf"In\[1\]:{LINE}(?!\d)"))
    expect(panel).to_contain_text('return rates["GBP"]')
    inside(view, panel)


def is_answered(view):
    expect(view.get_by_role("status").first).not_to_contain_text("waiting")
    assert view.notebook.execute("print(f.node('rate').outputs)") == "{'rate': 1.17}\n"
    expect(view).to_contain_text("1.17")


def test_at_first_sight(notebook7):
    view = launched(notebook7(*CELLS))
    first = view.get_by_role("region", name="First failure")
    expect(first).to_have_text(re.compile(rf"{re.escape(FAILED)} In\[1\]:{LINE} KeyError: 'GBP'"))
    inside(view, first)
    inside(view.locator(".gr-stage"), view.get_by_role("treeitem", name=f"{FAILED}: failed"))
    inside(view, view.get_by_role("form", name="Which rate holds today?").get_by_role("button", name="Send answer"))
    first.get_by_role("link", name=FAILED).click()
    has_found_out(view)
    expect(first).to_be_hidden()


def test_by_mouse(notebook7):
    view = launched(notebook7(*CELLS))
    form = view.get_by_role("form", name="Which rate holds today?")
    expect(form).to_be_visible()
    inside(view, form)
    view.get_by_role("status").first.get_by_text("1 failed").click()
    failed = view.get_by_role("treeitem", name=f"{FAILED}: failed")
    inside(view.locator(".gr-stage"), failed)
    box = failed.bounding_box()
    view.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    has_found_out(view)
    form.get_by_label("Rate of the day").fill("1.17")
    form.get_by_role("button", name="Send answer").click()
    is_answered(view)


def tab_to(view, target, *, key="Tab"):
    """Press Tab until `target` has the focus, which never leaves the view on the way."""
    for _ in range(40):
        if target.evaluate("each => each === document.activeElement"):
            return
        view.page.keyboard.press(key)
        assert view.evaluate("root => root.contains(document.activeElement)"), "the focus has left the view"
    raise AssertionError(f"40 times {key} did not lead to {target}")


def test_by_keyboard_alone(lab):
    view = launched(lab(*CELLS))
    press = view.page.keyboard.press
    view.evaluate("root => { root.tabIndex = -1; root.focus(); }")
    field = view.get_by_role("form", name="Which rate holds today?").get_by_label("Rate of the day")
    tree = view.get_by_role("tree", name="Nodes")
    tab_to(view, tree)
    press(".")
    expect(view.locator(".gr-detail-head")).to_contain_text(re.compile(f"{FAILED}|rate"))
    if "rate" in view.locator(".gr-detail-head").text_content():
        press(".")
    has_found_out(view)
    press("Enter")
    expect(view.get_by_role("tab", name="Overview")).to_be_focused()
    for _ in range(6):
        if view.get_by_role("tab", selected=True).text_content() == "Error":
            break
        press("ArrowRight")
    has_found_out(view)
    press("Escape")
    expect(tree).to_be_focused()
    expect(view.get_by_role("tabpanel")).to_be_hidden()

    press("/")
    view.page.keyboard.type("rate")
    press("Enter")
    expect(view.get_by_role("treeitem", name="rate: waiting")).to_have_attribute("aria-selected", "true")
    press("Escape")
    press("a")
    expect(field).to_be_focused()
    view.page.keyboard.type("1.17")
    press("Enter")
    is_answered(view)
    assert view.notebook.errors == []
