"""What the detail of a node shows: values as what they are, its output, its attempts, its error and where that is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

SETUP = """
%load_ext graphrun_nb
import sys
import numpy as np
from graphrun_nb import RetryPolicy, graphify, tool

class Card:
    def _repr_html_(self):
        return (
            "<h3>Model card</h3><a href='https://example.org/'>more</a>"
            "<img src='/leak.png' onerror='parent.hacked = 1'><script>parent.hacked = 1</script>"
            "<meta http-equiv='refresh' content='0; url=/leak.html'>"
        )

class Png:
    def _repr_png_(self):
        import base64
        return base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        )

class Slow:
    def __repr__(self):
        import time
        while True:
            time.sleep(0.1)

@tool(outputs=["rows", "matrix", "config", "text"])
def values():
    return {
        "rows": [{"name": "Ada", "api_token": "sk-123456"}, {"name": "Grace", "api_token": "sk-654321"}],
        "matrix": np.arange(10_000.0).reshape(100, 100),
        "config": {"model": {"kind": "forest", "folds": [1, 2, {"deep": "leaf"}]}},
        "text": "".join(f"line {i}\\n" for i in range(30_000)),
    }

@tool(outputs=["card", "png", "slow"])
def rich():
    return {"card": Card(), "png": Png(), "slow": Slow()}

def fit(rows):
    first = rows[0]
    try:
        return first["age"]
    except KeyError as error:
        raise ValueError("no ages") from error

@tool(outputs=["n"])
def noisy(rows, context):
    print(f"\\x1b[31mtry {context.attempt}\\x1b[0m")
    print("careful", file=sys.stderr)
    if context.attempt == 2:
        return fit(rows)
    raise OSError("not yet")

@graphify("detail")
def detail():
    v = values()
    rich()
    noisy(v.rows, _retry=RetryPolicy(max_attempts=2, backoff_first_s=0.01))
"""


@pytest.fixture
def view(lab):
    page = lab(SETUP, "f = %graphrun detail")
    page.run_cell(0)
    page.run_cell(1)
    region = page.cell(1).get_by_role("region", name="Run detail", exact=True)
    expect(region.get_by_role("treeitem", name="noisy: failed", exact=True)).to_be_attached()
    expect(region.get_by_role("treeitem", name="rich: done", exact=True)).to_be_attached()
    region.notebook = page
    return region


def opened(view, node, tab):
    """Select a node and one of its tabs, and return the panel."""
    view.get_by_role("treeitem", name=node, exact=True).click()
    view.get_by_role("tab", name=tab, exact=True).click()
    return view.get_by_role("tabpanel")


def test_values_are_shown_as_what_they_are_and_whole_on_request(view):
    panel = opened(view, "values: done", "Outputs")
    rows = panel.get_by_role("group", name="rows", exact=True)
    expect(rows.get_by_role("columnheader", name="name", exact=True)).to_be_visible()
    expect(rows.get_by_role("cell", name="Grace", exact=True)).to_be_visible()
    expect(rows).to_contain_text("2 rows, 2 columns")
    expect(panel).not_to_contain_text("sk-")

    matrix = panel.get_by_role("group", name="matrix", exact=True)
    expect(matrix.get_by_role("img", name="matrix, drawn: 0 to 9898")).to_be_visible()
    expect(matrix).to_contain_text("float64, shape (100, 100)")

    config = panel.get_by_role("group", name="config", exact=True)
    folds = config.locator("summary", has_text="folds")
    expect(config.get_by_text("'leaf'")).to_be_hidden()
    folds.focus()
    view.page.keyboard.press("Enter")
    deep = config.locator("summary", has_text="dict").last
    deep.focus()
    view.page.keyboard.press("Enter")
    expect(config.get_by_text("'leaf'")).to_be_visible()

    text = panel.get_by_role("group", name="text", exact=True)
    expect(text).to_contain_text("characters")
    expect(text).not_to_contain_text("line 15000")
    text.get_by_role("button", name="Show all of text", exact=True).click()
    expect(text.locator("pre")).to_contain_text("line 15000")
    text.get_by_role("button", name="Show less of text", exact=True).click()
    expect(text.locator("pre")).not_to_contain_text("line 15000")
    rows.get_by_role("button", name="Show all of rows", exact=True).click()
    expect(rows.locator("pre")).to_contain_text('"name": "Ada"')
    expect(panel).not_to_contain_text("sk-")
    assert view.notebook.errors == []


def test_html_is_shown_without_scripts_and_network_and_what_blocks_is_left_behind(view):
    asked = []
    view.page.on("request", lambda request: asked.append(request.url))
    panel = opened(view, "rich: done", "Outputs")
    frame = panel.get_by_role("group", name="card", exact=True).locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    card = frame.content_frame
    expect(card.get_by_role("heading", name="Model card")).to_be_visible()
    expect(card.locator("script, [href], [onerror], meta[http-equiv=refresh]")).to_have_count(0)
    card.get_by_text("more").click()
    expect(card.get_by_role("heading", name="Model card")).to_be_visible()
    expect(panel.get_by_role("img", name="png, as it shows itself")).to_be_visible()
    expect(panel.get_by_role("group", name="slow", exact=True)).to_contain_text("its repr does not return")
    assert view.page.evaluate("window.hacked") is None
    assert [url for url in asked if "leak" in url or "example.org" in url] == []
    assert view.notebook.execute("print('free')") == "free\n"


def test_output_is_told_by_attempt_and_stream(view):
    panel = opened(view, "noisy: failed", "Logs")
    expect(panel).to_contain_text("try 1")
    expect(panel).to_contain_text("try 2")
    expect(panel).not_to_contain_text("[31m")
    panel.get_by_role("combobox", name="Attempt", exact=True).select_option("2")
    expect(panel).not_to_contain_text("try 1")
    panel.get_by_role("combobox", name="Stream", exact=True).select_option("stderr")
    expect(panel).to_contain_text("careful")
    expect(panel).not_to_contain_text("try 2")


def test_a_failure_is_told_by_attempt_with_its_causes_and_its_line(view):
    panel = opened(view, "noisy: failed", "Overview")
    attempts = panel.get_by_role("list", name="Attempts", exact=True).get_by_role("listitem")
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("OSError: not yet")
    expect(attempts.first).to_contain_text("queued")
    expect(attempts.last).to_contain_text("ran")
    view.get_by_role("tab", name="Error", exact=True).click()
    expect(panel).to_contain_text("ValueError: no ages")
    expect(panel.get_by_role("listitem")).to_have_text("KeyError: 'age'")
    expect(panel.get_by_role("button", name="Copy traceback", exact=True)).to_be_visible()
    view.get_by_role("tab", name="Source", exact=True).click()
    line = panel.locator(".gr-bad")
    expect(line).to_have_text("        return fit(rows)\n")
    expect(line).to_be_in_viewport()
