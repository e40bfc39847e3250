"""The lamp in the header says whether the kernel's loop turns, and names the node that keeps it, while it does."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .test_live_run import SETUP, node, region

BLOCKING = """
from pathlib import Path

@tool(outputs=["x"])
async def fit():
    while not Path("go").exists():
        pass
    return 1

@graphify("blocked", outputs=["x"])
def blocked():
    ask_approval(prompt="Fit?", _id="ask")
    return {"x": fit(_after="ask").x}
"""


def test_the_node_that_keeps_the_loop_is_named_while_it_does(lab):
    page = lab(
        SETUP, BLOCKING, "f = %graphrun blocked", "from pathlib import Path\nwhile not Path('on').exists(): pass"
    )
    for cell in (0, 1, 2):
        page.run_cell(cell)
    widget = region(page, 2, "blocked")
    expect(widget).to_contain_text("loop: free")

    page.run_cell(3, wait=False)
    expect(widget).to_contain_text(re.compile(r"loop: busy [\d.]+ s(?! in)"))
    page.path.with_name("on").touch()
    expect(widget).to_contain_text(re.compile(r"loop: was busy [\d.]+ s"))

    page.wait_idle()
    page.cell(2).get_by_role("button", name="Approve", exact=True).click()
    expect(widget).to_contain_text(re.compile(r"loop: busy [\d.]+ s in fit"))
    page.path.with_name("go").touch()
    expect(node(page, 2, "fit: done")).to_be_attached()
    expect(widget.get_by_text("loop:")).to_be_hidden()
    assert page.errors == []
