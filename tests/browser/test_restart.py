"""The kernel dies under a run that waits, and the person goes on with it in the same notebook."""

from __future__ import annotations

import os

from playwright.sync_api import expect

from tests.browser.test_live_run import GATE, RECORDED, SETUP, node, region

COUNTED = GATE.replace("    return amount * 2", '    open("calls.txt", "a").write("prepare ")\n    return amount * 2')


def test_a_run_goes_on_in_the_view_after_its_kernel_was_killed(lab):
    page = lab(
        SETUP,
        COUNTED,
        "f = %graphrun gate amount=5 --run-id payday",
        "f = %graphrun attach payday",
        "%graphrun",
        "%graphrun show payday",
    )
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    pid = int(page.execute("import os; print(os.getpid())"))
    os.kill(pid, 9)
    expect(page.page.get_by_text("Kernel Restarting")).to_be_visible(timeout=30_000)
    page.page.get_by_role("button", name="Ok", exact=True).click()
    page.wait_idle()
    page.run_cell(0)
    page.run_cell(1)
    page.run_cell(4)
    assert "interrupted" in page.text(4)
    page.run_cell(5)
    badge = region(page, 5).locator(".gr-title .gr-badge")
    expect(badge).to_have_text("interrupted")
    page.run_cell(3)
    expect(badge).to_have_text("waiting")
    expect(node(page, 3, "prepare: done")).to_be_attached()
    expect(node(page, 3, "approve: waiting")).to_be_attached()
    page.cell(3).get_by_role("button", name="Approve").click()
    expect(node(page, 3, "pay: done")).to_be_attached()
    expect(badge).to_have_text("done")
    expect(region(page, 3).get_by_role("status").first).to_contain_text("3 done")
    assert page.execute(RECORDED).startswith("[('approve', 'view'")
    assert page.execute('print(open("calls.txt").read())') == "prepare \n"
