"""Two browser tabs on one notebook answer one wait: exactly one answer counts, and both say which."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from .lab import Frontend, NotebookPage

SETUP = """
%load_ext graphrun_nb
import json
from graphrun_nb import graphify, run
from graphrun_nb.core.events import WaitResolved
from graphrun_nb.tools import ask_approval

@graphify("contest", outputs=["x"])
def contest():
    asked = [ask_approval(prompt=f"Round {i}?", options=["left", "right"], _id=f"round {i}") for i in range(12)]
    return {"x": [each.choice for each in asked]}
"""

OUTCOME = """
resolved = [each.event for each in f.events if isinstance(each.event, WaitResolved)]
print(json.dumps([{each.node_id: f.node(each.node_id).outputs["choice"] for each in resolved}, len(resolved)]))
"""


def view_of(page):
    return page.cell(1).get_by_role("region", name="Run contest")


def test_of_two_tabs_that_answer_at_once_one_wins_and_the_other_is_told(lab, browser):
    first = lab(SETUP, "f = %graphrun contest")
    first.run_cell(0)
    first.run_cell(1)
    expect(view_of(first).get_by_role("treeitem", name="round 0: waiting")).to_be_attached()
    first.save()

    second = NotebookPage(first.server, browser.new_page(), first.path)
    second.open(Frontend.JUPYTERLAB)
    expect(view_of(second).get_by_role("treeitem", name="round 0: waiting")).to_be_attached()
    said = []
    for i in range(12):
        clicks = [(first, "left"), (second, "right")]
        buttons = [
            view_of(page)
            .get_by_role("group", name=f"Round {i}?", exact=True)
            .get_by_role("button", name=choice)
            .element_handle()
            for page, choice in (clicks if i % 2 else reversed(clicks))
        ]
        # The one that is slower may find its question gone already; its click is sent all the same.
        for button in buttons:
            button.evaluate("button => { setTimeout(() => button.click(), 0); }")
        for page in (first, second):
            expect(view_of(page).get_by_role("treeitem", name=f"round {i}: done")).to_be_attached()
        said.append([view_of(page).locator(".gr-answered").text_content() for page in (first, second)])
    outcome, n_answers = json.loads(first.execute(OUTCOME))
    assert n_answers == len(outcome) == 12
    for i, (one, other) in enumerate(said):
        assert outcome[f"round {i}"] in one
        assert outcome[f"round {i}"] in other
    second.close()
    assert first.errors == []
