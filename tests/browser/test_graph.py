"""The graph, as people use it: searching, looking into containers, moving about, changing its size."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .axe import findings

SETUP = """
%load_ext graphrun_nb
import asyncio
from graphrun_nb import graph_fn, graphify, tool

@tool(outputs=["rows"])
def load(n):
    return list(range(n))

@tool(outputs=["y"])
def step(x=0):
    if x == 13:
        raise ValueError("thirteen")
    return x + 1
"""

NESTED = """
@graphify("inner", inputs=["x"], outputs=["y"])
def inner(x):
    once = step(x, _id="once", _labels=["slow"])
    return {"y": step(once.y, _id="twice").y}

@graphify("nested", outputs=["y"])
def nested():
    first = step(1, _id="first")
    sub = inner(x=first.y, _id="sub")
    rows = load(20, _id="load").rows
    step.map(x=rows, _id="work")
    return {"y": step(sub.y, _id="last", _labels=["slow"]).y}

%graphrun nested
"""

MANY = """
@graphify("many", outputs=["y"])
def many():
    above = []
    for layer in range(10):
        above = [step(13 if (layer, i) == (7, 20) else above[i].y if above else i + 100, _id=f"{layer}.{i}")
                 for i in range(30)]
    return {"y": above[0].y}

%graphrun many
"""

GROWING = """
go_on = asyncio.Event()

@graph_fn(name="growing")
async def growing():
    x = step(100)["y"]
    for _ in range(3):
        x = step(x)["y"]
    await go_on.wait()
    return {"y": step(x)["y"] + step(200)["y"]}

f = %graphrun growing
"""


def view(page, name):
    region = page.cell(1).get_by_role("region", name=f"Run {name}", exact=True)
    expect(region).to_be_visible()
    return region


def item(region, name):
    return region.get_by_role("tree", name="Nodes").get_by_role("treeitem", name=name, exact=True)


def middle(locator):
    box = locator.bounding_box()
    return round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2)


def places(region, *names):
    """Where nodes are, from the corner of the graph: a page may scroll."""
    corner = region.locator(".gr-stage").bounding_box()
    found = (middle(item(region, name)) for name in names)
    return [(round(x - corner["x"]), round(y - corner["y"])) for x, y in found]


@pytest.fixture
def nested(lab):
    page = lab(SETUP, NESTED)
    page.run_cell(0)
    page.run_cell(1)
    region = view(page, "nested")
    expect(item(region, "work: failed")).to_be_attached()
    region.notebook = page
    return region


def test_a_search_finds_by_name_label_and_status_and_selects_what_it_finds(nested):
    tree = nested.get_by_role("tree", name="Nodes")
    tree.focus()
    tree.press("/")
    field = nested.get_by_role("searchbox", name="Search nodes")
    expect(field).to_be_focused()
    field.fill("#slow")
    expect(nested.get_by_text("2 matches", exact=True)).to_be_visible()
    field.press("Enter")
    expect(item(nested, "sub/once: done")).to_have_attribute("aria-selected", "true")
    expect(nested.get_by_role("navigation", name="Inside")).to_contain_text("sub")
    expect(nested.get_by_text("1 of 2", exact=True)).to_be_visible()
    field.press("Enter")
    expect(item(nested, "last: done")).to_have_attribute("aria-selected", "true")
    expect(nested.get_by_role("navigation", name="Inside")).to_be_hidden()
    field.press("Escape")
    expect(field).to_be_hidden()
    expect(tree).to_be_focused()
    nested.get_by_role("button", name=re.compile(r"^\d+ failed$")).click()
    expect(field).to_have_value("status:failed")
    nested.get_by_role("button", name="Next match").click()
    expect(nested.locator("[role=treeitem][aria-selected=true]")).to_have_attribute("data-status", "failed")
    assert nested.notebook.errors == []


def test_containers_are_looked_into_and_left_by_mouse_and_by_keyboard(nested):
    crumbs = nested.get_by_role("navigation", name="Inside")
    expect(crumbs).to_be_hidden()
    item(nested, "sub: done").dblclick()
    expect(crumbs).to_be_visible()
    expect(item(nested, "sub/once: done")).to_have_attribute("data-drawn", "true")
    assert findings(nested) == []
    item(nested, "sub/twice: done").click()
    expect(nested.get_by_role("tabpanel")).to_be_visible()
    crumbs.get_by_role("button", name="nested", exact=True).click()
    expect(crumbs).to_be_hidden()

    tree = nested.get_by_role("tree", name="Nodes")
    tree.focus()
    item(nested, "work: failed").click()
    tree.press("Enter")
    expect(crumbs).to_contain_text("work")
    expect(item(nested, "work[19]: done")).to_have_attribute("data-drawn", "true")
    tree.press(".")
    expect(item(nested, "work[13]: failed")).to_have_attribute("aria-selected", "true")
    expect(item(nested, "work[13]: failed")).to_have_attribute("aria-level", "2")
    expect(item(nested, "work[13]: failed")).to_have_attribute("aria-posinset", "14")
    expect(item(nested, "work[13]: failed")).to_have_attribute("aria-setsize", "20")
    tree.press("Escape")
    tree.press("Backspace")
    expect(item(nested, "work: failed")).to_have_attribute("aria-selected", "true")
    expect(crumbs).to_be_hidden()
    tree.press("?")
    expect(nested.get_by_role("note", name="Keys of the graph")).to_contain_text("next failed or waiting node")
    assert findings(nested) == []
    nested.get_by_role("note", name="Keys of the graph").press("Escape")
    expect(tree).to_be_focused()
    assert nested.notebook.errors == []


def test_the_lower_edge_and_the_width_change_the_view(nested):
    edge = nested.get_by_role("separator", name="Height of the view")
    before = nested.bounding_box()["height"]
    edge.focus()
    edge.press("ArrowDown")
    edge.press("Shift+ArrowDown")
    assert nested.bounding_box()["height"] == before + 120
    expect(edge).to_have_attribute("aria-valuenow", str(round(before + 120)))
    x, y = middle(edge)
    nested.page.mouse.move(x, y)
    nested.page.mouse.down()
    nested.page.mouse.move(x, y - 60)
    nested.page.mouse.up()
    assert nested.bounding_box()["height"] == before + 60

    first, last = item(nested, "first: done"), item(nested, "last: done")
    assert middle(first)[0] < middle(last)[0]
    nested.evaluate("root => { root.style.width = '400px'; }")
    expect(last).to_have_attribute("data-drawn", "true")
    nested.page.wait_for_function(
        "([a, b]) => a.getBoundingClientRect().bottom < b.getBoundingClientRect().top",
        arg=[first.element_handle(), last.element_handle()],
    )
    assert nested.notebook.errors == []


def test_the_first_problem_of_many_is_in_view_and_the_small_map_leads_elsewhere(lab):
    page = lab(SETUP, MANY)
    page.run_cell(0)
    page.run_cell(1)
    region = view(page, "many")
    failed = item(region, "7.20: failed")
    expect(failed).to_be_in_viewport()
    minimap = region.locator(".gr-minimap")
    expect(minimap).to_be_visible()
    minimap.click(position={"x": 8, "y": 8})
    expect(failed).not_to_be_attached()
    expect(item(region, "0.0: done")).to_be_in_viewport()
    region.get_by_role("button", name="Fit", exact=True).click()
    expect(minimap).to_be_hidden()
    tree = region.get_by_role("tree", name="Nodes")
    tree.press(".")
    expect(failed).to_have_attribute("aria-selected", "true")
    expect(tree).to_have_attribute("aria-activedescendant", re.compile("."))
    assert page.errors == []


def test_what_is_placed_stays_while_a_run_grows_until_it_is_tidied(lab):
    page = lab(SETUP, GROWING)
    page.page.emulate_media(reduced_motion="reduce")
    page.run_cell(0)
    page.run_cell(1)
    region = view(page, "growing")
    expect(item(region, "step_4: done")).to_be_attached()
    crumbs = region.get_by_role("navigation", name="Inside")
    expect(crumbs).to_contain_text("growing")
    expect(region.locator(".gr-stage")).to_have_attribute("data-placed", "")
    tree = region.get_by_role("tree", name="Nodes")
    placed = middle(item(region, "step: done"))
    tree.press("+")
    page.page.wait_for_function(
        "([node, x]) => Math.abs(node.getBoundingClientRect().left + node.offsetWidth / 2 - x) > 20",
        arg=[item(region, "step: done").element_handle(), placed[0]],
    )
    before = places(region, "step: done", "step_4: done")
    page.execute("go_on.set()")
    expect(item(region, "step_6: done")).to_be_attached()
    assert places(region, "step: done", "step_4: done") == before
    tidy = region.get_by_role("button", name="Tidy", exact=True)
    tidy.click()
    expect(tidy).to_have_attribute("data-phase", "answered")
    assert middle(item(region, "step: done"))[0] < middle(item(region, "step_6: done"))[0]
    assert page.errors == []
