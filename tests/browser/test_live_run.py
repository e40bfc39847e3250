"""The whole path, as a person walks it: a cell, a live graph, a click, an end."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

SETUP = """
%load_ext graphrun_nb
from graphrun_nb import RetryPolicy, graphify, run, tool
from graphrun_nb.tools import ask_approval
"""

GATE = """
@tool(outputs=["amount"])
def prepare(amount):
    return amount * 2

@tool(outputs=["receipt"])
async def pay(amount, approved):
    return f"paid {amount}" if approved else "kept"

@graphify("gate", inputs=["amount"], outputs=["receipt"])
def gate(amount):
    doubled = prepare(amount)
    answer = ask_approval(prompt="Pay?", _id="approve")
    return {"receipt": pay(doubled.amount, answer.approved).receipt}
"""

RECORDED = """
from graphrun_nb.core.events import WaitResolved
answers = [each.event for each in f.events if isinstance(each.event, WaitResolved)]
print([(each.node_id, each.by, each.answer.preview) for each in answers])
"""


def region(page, cell, name="gate"):
    return page.cell(cell).get_by_role("region", name=f"Run {name}")


def node(page, cell, text):
    return page.cell(cell).get_by_role("tree", name="Nodes").get_by_role("treeitem", name=text)


def test_approve_with_the_kernel_idle_lets_the_run_finish(anywhere):
    page = anywhere(SETUP, GATE, "f = %graphrun gate amount=5", "print(f.result())")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    assert not page.is_running()
    expect(region(page, 2)).to_be_visible()
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    expect(node(page, 2, "prepare: done")).to_be_attached()
    expect(node(page, 2, "pay: pending")).to_be_attached()
    page.cell(2).get_by_role("button", name="Approve").click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    expect(region(page, 2).get_by_role("status").first).to_contain_text("3 done")
    assert page.execute(RECORDED) == "[('approve', 'view', \"{'approved': True, 'choice': 'Approve'}\")]\n"
    page.run_cell(3)
    assert page.text(3) == "{'receipt': 'paid 10'}\n"
    assert page.errors == []


def test_a_cell_that_is_run_again_says_that_its_earlier_run_is_alive_and_offers_it(lab):
    page = lab(SETUP, GATE, "f = %graphrun gate amount=5", "%graphrun cancel earlier")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    expect(region(page, 2)).not_to_contain_text("is alive")
    earlier = page.execute("earlier = f; print(f.run_id)").strip()
    page.run_cell(2)
    expect(region(page, 2)).to_contain_text("Another run of this graph is alive")
    expect(page.cell(2).get_by_role("button", name=f"Copy %graphrun show {earlier}", exact=True)).to_be_visible()
    page.run_cell(3)
    expect(region(page, 2)).not_to_contain_text("is alive")
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    assert page.errors == []


@pytest.mark.parametrize("waiting", ["await f", "f.result()"])
def test_approve_while_a_cell_waits_for_the_future(lab, waiting):
    page = lab(SETUP, GATE, "f = %graphrun gate amount=5", waiting)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.run_cell(3, wait=False)
    page.cell(2).get_by_role("button", name="Reject").click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    page.wait_idle()
    assert page.text(3) == "{'receipt': 'kept'}"
    assert page.execute(RECORDED).startswith("[('approve', 'view'")


def test_statuses_go_live_with_no_further_cell_run_and_a_retry_is_seen(lab):
    flaky = """
import threading
open_up, tries = threading.Event(), []

@tool(outputs=["x"])
def flaky():
    tries.append(1)
    if len(tries) == 1:
        raise ConnectionError("peer went away")
    open_up.wait()
    return 1

@graphify("flaky graph", outputs=["x"])
def retried():
    return {"x": flaky(_retry=RetryPolicy(max_attempts=3, backoff_first_s=0.2)).x}
"""
    page = lab(SETUP, flaky, "run(retried)")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "flaky: running")).to_be_attached()
    page.execute("open_up.set()")
    expect(node(page, 2, "flaky: done")).to_be_attached()
    node(page, 2, "flaky: done").click()
    panel = page.cell(2).get_by_role("tabpanel")
    expect(panel).to_contain_text("ConnectionError: peer went away")


def test_a_failure_shows_the_users_own_line(lab):
    broken = """
@tool(outputs=["x"])
def halve(n):
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n / 2

@tool(outputs=["y"])
def use(x):
    return x

@graphify("halves", inputs=["n"], outputs=["y"])
def halves(n):
    return {"y": use(halve(n).x).y}
"""
    page = lab(SETUP, broken, "f = %graphrun halves n=3", "f.result()")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "halve: failed")).to_be_attached()
    expect(node(page, 2, "use: skipped")).to_be_attached()
    node(page, 2, "halve: failed").click()
    page.cell(2).get_by_role("tab", name="Error").click()
    panel = page.cell(2).get_by_role("tabpanel")
    expect(panel).to_contain_text("ValueError: 3 is odd")
    expect(panel).to_contain_text('raise ValueError(f"{n} is odd")')
    expect(panel).to_contain_text("In[2]:4")
    page.run_cell(3)
    text = page.text(3)
    assert 'raise ValueError(f"{n} is odd")' in text
    assert "GraphRunFailed: node 'halve' of run" in text
    assert "scheduler.py" not in text


def test_interrupting_a_blocked_result_leaves_the_run_alive(lab):
    page = lab(
        SETUP, GATE, "f = %graphrun gate amount=5", "print('waiting')\nf.result()", "print('next cell')", "f.result()"
    )
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.run_cell(3, wait=False)
    expect(page.cell(3)).to_contain_text("waiting")
    page.interrupt()
    page.wait_idle()
    assert "KeyboardInterrupt" in page.text(3)
    page.run_cell(4)
    assert page.text(4) == "next cell\n"
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.cell(2).get_by_role("button", name="Approve").click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    page.run_cell(5)
    assert page.text(5) == "{'receipt': 'paid 10'}"


def test_cancel_in_the_header_ends_the_run(lab):
    page = lab(SETUP, GATE, "f = %graphrun gate amount=5")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.cell(2).get_by_role("button", name="Cancel run").click()
    expect(node(page, 2, "approve: cancelled")).to_be_attached()
    expect(node(page, 2, "pay: cancelled")).to_be_attached()
    assert page.execute("print(f.status)") == "CANCELLED\n"


FLAKY = """
@tool(outputs=["rows"])
def load(n):
    return list(range(n))

@tool(outputs=["mean"])
def average(rows):
    return sum(rows) / 0

@tool(outputs=["text"])
async def report(mean):
    return f"mean {mean}"

@graphify("means", inputs=["n"], outputs=["text"])
def means(n):
    return {"text": report(average(load(n).rows).mean).text}
"""

MENDED = """
@tool(outputs=["mean"])
def average(rows):
    return sum(rows) / len(rows)
"""


def test_a_tool_is_mended_in_a_cell_and_retry_failed_goes_on_in_the_same_view(lab):
    page = lab(SETUP, FLAKY, "f = %graphrun means n=3", MENDED)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "average: failed")).to_be_attached()
    expect(node(page, 2, "report: skipped")).to_be_attached()
    page.run_cell(3)
    page.cell(2).get_by_role("button", name="Retry failed").click()
    expect(node(page, 2, "report: done")).to_be_attached()
    expect(region(page, 2, "means").get_by_role("status").first).to_contain_text("3 done")
    expect(page.cell(2).get_by_role("button", name="Retry failed")).to_be_hidden()
    assert page.execute("print(f.status, f.node('load').attempts, f.node('average').attempts)") == "DONE 1 2\n"
    assert (
        page.execute("from graphrun_nb import open_run\nprint(open_run(f.run_id).result())") == "{'text': 'mean 1.0'}\n"
    )
    assert page.errors == []


def test_a_mistake_in_the_magic_prints_one_line_and_a_hint(lab):
    page = lab(SETUP, GATE, "%graphrun gat amount=5", "%graphrun gate amont=5", "%graphrun gate amount=5 --retri 3")
    for cell in range(5):
        page.run_cell(cell)
    assert page.text(2) == "graphrun: there is no 'gat' in this notebook\nhint: did you mean 'gate'?\n"
    assert page.text(3).splitlines()[-1] == "hint: did you mean 'amount'?"
    assert page.text(4) == "graphrun: there is no option '--retri'\nhint: did you mean '--retry'?\n"
