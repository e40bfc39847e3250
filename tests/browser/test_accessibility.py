"""Everybody can use the view: axe, contrast, high contrast, reduced motion, the live region and the mirror."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from graphrun_nb.core.status import NODE_STATUS

from .axe import contrasts, findings

SETUP = """
%load_ext graphrun_nb
import asyncio, sys
from graphrun_nb import RetryPolicy, graphify, tool
from graphrun_nb.tools import ask_approval, ask_choices, ask_form, ask_text, wait_until

go_on = asyncio.Event()
SCHEMA = {
    "title": "Order",
    "type": "object",
    "properties": {
        "n": {"type": "integer", "title": "How many", "minimum": 1, "description": "One at least"},
        "size": {"enum": ["S", "M", "L"], "title": "Size"},
        "gift": {"type": "boolean", "title": "As a gift"},
        "when": {"type": "string", "format": "date", "title": "When"},
        "tags": {"type": "array", "items": {"type": "string"}, "title": "Tags"},
        "to": {"type": "object", "title": "To", "properties": {"name": {"type": "string", "title": "Name"}}},
    },
    "required": ["n", "size"],
}

@tool(outputs=["rows", "frame"])
def load(context):
    print("reading")
    context.logger.warning("no header")
    print("b.csv is empty", file=sys.stderr)
    return {"rows": [{"name": "Ada", "age": 36}, {"name": "Grace", "age": None}], "frame": {"a": [1, 2.5, None]}}

@tool(outputs=["mean"])
def mean_age(rows):
    return sum(row["age"] for row in rows) / len(rows)

@tool(outputs=["x"])
async def hold(context):
    context.progress(1, 3, "of three")
    await go_on.wait()
    return 1

@tool(outputs=["x"])
def report(mean):
    return mean

@tool(outputs=["n"])
def length(row):
    return len(row)

@graphify("everything", outputs=["x"])
def everything():
    data = load(_labels=["input"])
    hold(_id="hold")
    length.map(row=data.rows, _id="lengths")
    ask_approval(prompt="Pay?", _id="approve", deadline=9_000, on_deadline="default", default=True)
    ask_form(prompt="What is ordered?", schema=SCHEMA, _id="order")
    ask_text(prompt="Your name?", _id="who")
    ask_choices(prompt="Which?", options=["left", "right"], _id="choice")
    return {"x": report(mean_age(data.rows, _retry=2).mean).x}
"""
RUN = "f = %graphrun everything"
NODES = ("load: done", "mean_age: failed", "hold: running", "lengths: done", "report: skipped", "order: waiting")

TEXT_ON_PAPER = [
    *((ink, paper) for ink in ("text", "soft") for paper in ("bg", "stage", "card", "raised")),
    *((row.colour, paper) for row in NODE_STATUS.values() for paper in ("bg", "stage", "card", f"{row.colour}-tint")),
    *(("text", f"{row.colour}-tint") for row in NODE_STATUS.values()),
    *(("mark", row.colour) for row in NODE_STATUS.values()),
    ("accent", "bg"),
]
"""Every pair in which the style sheet or the canvas writes."""

WITHOUT_BORDER = """root => [...root.querySelectorAll("button, input, select, textarea")]
  .filter(each => each.checkVisibility() && !["radio", "checkbox"].includes(each.type))
  .filter(each => { const { borderBottomStyle, textDecorationLine } = getComputedStyle(each);
    return borderBottomStyle === "none" && textDecorationLine === "none"; })
  .map(each => each.outerHTML.slice(0, 120))"""


def view_of(page, cell):
    return page.cell(cell).locator("[data-run]")


@pytest.fixture
def everything(lab):
    page = lab(SETUP, RUN)
    page.run_cell(0)
    page.run_cell(1)
    view = view_of(page, 1)
    for name in NODES:
        expect(view.get_by_role("treeitem", name=name)).to_be_attached()
    view.notebook = page
    return view


def states(view):
    """Bring the view into each of its states, and name it: every node in every tab, and all that can be opened."""
    yield "at first"
    for name in NODES:
        view.get_by_role("treeitem", name=name).click()
        expect(view.get_by_role("tabpanel")).to_be_visible()
        if name.endswith(("done", "failed")):
            expect(view.get_by_role("tab", name="Source")).to_have_attribute("data-empty", "false")
        for tab in view.get_by_role("tab").all_text_contents():
            view.get_by_role("tab", name=tab, exact=True).click()
            yield f"{name}, {tab}"
    tree = view.get_by_role("tree", name="Nodes")
    tree.press("Escape")
    tree.press("/")
    yield "search"
    view.page.keyboard.type("a")
    yield "search for a letter"
    view.page.keyboard.press("Escape")
    view.get_by_role("slider", name="Run history").press("Home")
    yield "history"
    view.get_by_role("button", name="Live", exact=True).click()
    openers = view.locator("[aria-haspopup], [aria-expanded=false]")
    for i in range(openers.count()):
        if not openers.nth(i).is_visible():
            continue
        openers.nth(i).click()
        yield f"opened {i}"
        view.page.keyboard.press("Escape")
    form = view.get_by_role("form", name="What is ordered?")
    if form.count():
        form.get_by_role("button", name="Send answer").click()
        yield "a form with mistakes"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(everything, theme):
    everything.notebook.set_theme(theme)
    expect(everything).to_have_attribute("data-theme", theme)
    found = {state: findings(everything) for state in states(everything)}
    everything.notebook.execute("f.cancel()")
    expect(everything.get_by_role("button", name="Retry failed")).to_be_visible()
    found["at the end"] = findings(everything)
    assert {state: each for state, each in found.items() if each} == {}
    assert len(found) > 20
    low = {pair: round(ratio, 2) for pair, ratio in contrasts(everything, TEXT_ON_PAPER).items() if ratio < 4.5}
    assert low == {}


def test_high_contrast_uses_the_systems_colours_and_keeps_every_edge(everything):
    page = everything.page
    page.emulate_media(forced_colors="active")
    read = "(root, name) => getComputedStyle(root).getPropertyValue(name).trim()"
    assert everything.evaluate(read, "--gr-text") == "CanvasText"
    everything.get_by_role("treeitem", name="mean_age: failed").click()
    assert everything.evaluate(WITHOUT_BORDER) == []
    assert findings(everything) == []
    page.emulate_media(forced_colors="none")


def test_nothing_moves_for_those_who_prefer_that(everything):
    sending = """root => {
      root.querySelector("button.gr-button").dataset.phase = "sending";
      return root.getAnimations({ subtree: true }).length;
    }"""
    everything.page.emulate_media(reduced_motion="no-preference")
    assert everything.evaluate(sending) == 1
    everything.page.emulate_media(reduced_motion="reduce")
    assert everything.evaluate(sending) == 0


def test_the_live_region_says_in_a_sentence_what_fails_and_what_is_asked(everything):
    region = everything.locator(".gr-unseen[aria-live=polite]")
    expect(region).to_contain_text("1 failed: mean_age.")
    expect(region).to_contain_text(re.compile(r"\d waiting: .*approve"))
    everything.notebook.execute("go_on.set(); f.cancel()")
    expect(region).to_contain_text("Run cancelled. 1 failed: mean_age.")


def test_the_mirror_says_all_that_the_canvas_shows(everything):
    tree = everything.get_by_role("tree", name="Nodes", exact=True)
    items = tree.get_by_role("treeitem")
    expect(everything.locator("canvas").first).to_have_attribute("aria-hidden", "true")
    names = [item.get_attribute("aria-label") for item in items.all()]
    assert set(NODES) <= set(names)
    tree.focus()
    tree.press("Home")
    active = tree.get_attribute("aria-activedescendant")
    assert everything.locator(f"[id='{active}']").get_attribute("aria-selected") == "true"
    told = [[item.get_attribute(f"aria-{name}") for name in ("level", "posinset", "setsize")] for item in items.all()]
    whole = [(int(place), int(size)) for level, place, size in told if level == "1"]
    assert whole == [(i + 1, len(whole)) for i in range(len(whole))]
    assert sum(level == "2" for level, _, _ in told) == 2
