"""The view against axe-core's rules for everybody's access: nothing serious, in light and dark, whatever is open."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}

CELL = """
%load_ext graphrun_nb
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_approval, ask_form

@tool(outputs=["y"])
def step(x):
    print("step", x)
    if x == 3:
        raise ValueError("three")
    return x + 1

@graphify("inner", inputs=["x"], outputs=["y"])
def inner(x):
    return {"y": step(step(x, _id="once").y, _id="twice").y}

@graphify("all", outputs=["y"])
def everything():
    sub = inner(x=0, _id="sub")
    step.map(x=[1, 2, 3], _id="work")
    ask_approval(prompt="Go on?", _id="ask")
    ask_form(prompt="Details?", schema={"properties": {"age": {"type": "integer", "title": "Years"}}}, _id="form")
    return {"y": step(sub.y, _id="last", _group="end").y}

%graphrun everything
"""


def node(region, name):
    return region.get_by_role("treeitem", name=name, exact=True)


def findings(page, region):
    """Return the rules that are broken in a grave way, with the elements that do it."""
    told = page.page.evaluate("root => axe.run(root)", region.element_handle())
    return [
        (each["id"], [place["html"][:200] for place in each["nodes"]])
        for each in told["violations"]
        if each["impact"] in GRAVE
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_is_found_whatever_is_open(lab, theme):
    page = lab(CELL)
    page.set_theme(theme)
    page.run_cell(0)
    region = page.cell(0).get_by_role("region", name="Run all", exact=True)
    expect(node(region, "work: failed")).to_be_attached()
    page.page.evaluate(AXE.read_text())
    assert findings(page, region) == []

    tree = region.get_by_role("tree", name="Nodes")
    tree.press(".")
    expect(region.get_by_role("tabpanel")).to_be_visible()
    for tab in region.get_by_role("tab").all():
        tab.click()
        assert (tab.text_content(), findings(page, region)) == (tab.text_content(), [])
    tree.press("/")
    region.get_by_role("searchbox", name="Search nodes").fill("status:failed")
    assert findings(page, region) == []
    region.get_by_role("searchbox", name="Search nodes").press("Escape")
    tree.press("?")
    assert findings(page, region) == []


def test_in_high_contrast_and_without_motion_the_graph_is_there_and_can_be_used(lab):
    page = lab(CELL)
    page.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    page.run_cell(0)
    region = page.cell(0).get_by_role("region", name="Run all", exact=True)
    expect(node(region, "work: failed")).to_be_attached()
    node(region, "work: failed").dblclick()
    expect(node(region, "work[2]: failed")).to_have_attribute("data-drawn", "true")
    region.get_by_role("tree", name="Nodes").press("ArrowRight")
    expect(region.locator("[role=treeitem][aria-selected=true]")).to_be_in_viewport()
    assert page.errors == []
