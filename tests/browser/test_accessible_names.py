"""What people and programs find in the view by role and name: part 3 of the contract, and items 22 and 23 of part 4."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

SETUP = """
%load_ext graphrun_nb
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_approval, ask_form, ask_text

@tool(outputs=["x"])
def fine():
    return 1

@tool(outputs=["x"])
def bad(n):
    print("trying")
    raise ValueError("no")

@graphify("names", outputs=["x"])
def names():
    ask_approval(prompt="Pay?", options=("Pay", "Keep", "Later"), _id="approve")
    ask_text(prompt="Your name?", _id="who")
    ask_form(prompt="Details?", schema={"properties": {"age": {"type": "integer", "title": "Years"}}}, _id="details")
    bad(n=3, _id="bad")
    return {"x": fine(_id="first").x}
"""


@pytest.fixture
def view(lab):
    page = lab(SETUP, "f = %graphrun names")
    page.run_cell(0)
    page.run_cell(1)
    region = page.cell(1).get_by_role("region", name="Run names", exact=True)
    expect(region).to_be_visible()
    expect(region.get_by_role("treeitem", name="bad: failed", exact=True)).to_be_attached()
    region.page_of_notebook = page
    return region


def test_everything_is_found_by_role_and_name(view):
    tree = view.get_by_role("tree", name="Nodes", exact=True)
    for name in ("approve: waiting", "who: waiting", "bad: failed", "first: done"):
        expect(tree.get_by_role("treeitem", name=name, exact=True)).to_be_attached()
    expect(view.get_by_role("status").first).to_contain_text(re.compile(r"\b1 done\b"))
    for name in ("Cancel run", "Tidy", "Fit"):
        expect(view.get_by_role("button", name=name, exact=True)).to_be_visible()
    for option in ("Pay", "Keep", "Later"):
        expect(view.get_by_role("button", name=option, exact=True)).to_be_visible()
    form = view.get_by_role("form", name="Your name?", exact=True)
    expect(form.get_by_role("button", name="Send answer", exact=True)).to_be_visible()

    item = tree.get_by_role("treeitem", name="bad: failed", exact=True)
    item.click()
    expect(item).to_have_attribute("aria-selected", "true")
    panel = view.get_by_role("tabpanel")
    for tab in ("Overview", "Inputs", "Logs", "Error", "Source"):
        view.get_by_role("tab", name=tab, exact=True).click()
        expect(panel).to_be_visible()
    tree.get_by_role("treeitem", name="first: done", exact=True).click()
    view.get_by_role("tab", name="Outputs", exact=True).click()
    expect(item).not_to_have_attribute("aria-selected", "true")
    tree.press("ArrowUp")
    expect(tree.locator("[role=treeitem][aria-selected=true]")).not_to_have_attribute("aria-label", "first: done")
    expect(item).to_have_attribute("aria-setsize", re.compile("[1-9]"))
    expect(item).to_have_attribute("aria-posinset", re.compile("[1-9]"))

    view.get_by_role("button", name="Later", exact=True).click()
    form.get_by_role("textbox").fill("Ada")
    form.get_by_role("button", name="Send answer", exact=True).click()
    expect(tree.get_by_role("treeitem", name="approve: done", exact=True)).to_be_attached()
    expect(tree.get_by_role("treeitem", name="who: done", exact=True)).to_be_attached()
    view.page_of_notebook.execute("f.resume('details', {'age': 3})")
    expect(view.get_by_role("button", name="Retry failed", exact=True)).to_be_visible()
    said = view.page_of_notebook.execute("print(f.node('approve').outputs['choice'], f.node('who').outputs['text'])")
    assert said == "Later Ada\n"


def test_history_is_found_by_role_and_name(view):
    expect(view.get_by_role("slider", name="Run history", exact=True)).to_be_attached()
    expect(view.get_by_role("button", name="Live", exact=True)).to_be_attached()


def test_export_is_found_by_role_and_name(view):
    expect(view.get_by_role("button", name="Export", exact=True)).to_be_attached()


def test_a_forms_fields_are_labelled_and_a_wrong_one_says_so(view):
    form = view.get_by_role("form", name="Details?", exact=True)
    expect(form).to_be_visible()
    form.get_by_label("Years").fill("many")
    form.get_by_role("button", name="Send answer", exact=True).click()
    expect(form.get_by_label("Years")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert")).to_be_visible()
