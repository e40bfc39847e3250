"""What a person does with a run from its view: by accessible names, in JupyterLab."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.browser.test_live_run import FLAKY, MENDED, SETUP, node, region

LAUNCH = "f = %graphrun means n=3 --run-id first"


def failed(lab, *more):
    """Open a notebook with a run of which a node failed."""
    page = lab(SETUP, FLAKY, LAUNCH, *more)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "average: failed")).to_be_attached()
    return page


def test_a_run_is_begun_again_with_other_inputs_in_the_same_view_which_leads_back(lab):
    page = failed(lab, MENDED)
    page.run_cell(3)
    view = page.cell(2)
    view.get_by_role("button", name="Run again…").click()
    form = view.get_by_role("form", name="Inputs")
    form.get_by_role("textbox", name="n").or_(form.get_by_role("spinbutton", name="n")).fill("5")
    form.get_by_role("button", name="Run").click()
    expect(node(page, 2, "report: done")).to_be_attached()
    expect(region(page, 2, "means").get_by_role("status").first).to_contain_text("3 done")
    expect(form).to_have_count(0)
    second = region(page, 2, "means").get_attribute("data-run")
    assert second != "first"
    code = f"from graphrun_nb import open_run\nprint(open_run({second!r}).result())"
    assert page.execute(code) == "{'text': 'mean 2.0'}\n"
    expect(view.locator(f"[data-graphrun-static='{second}']")).to_be_attached()
    view.get_by_role("combobox", name="Run in this view").select_option("first")
    expect(node(page, 2, "average: failed")).to_be_attached()
    assert region(page, 2, "means").get_attribute("data-run") == "first"
    assert page.errors == []


def test_a_node_that_is_done_runs_again_with_all_below_from_its_menu(lab):
    page = failed(lab, MENDED)
    page.run_cell(3)
    node(page, 2, "load: done").click()
    page.cell(2).get_by_role("button", name="Node actions").click()
    page.cell(2).get_by_role("menuitem", name="Retry from here").click()
    expect(node(page, 2, "report: done")).to_be_attached()
    assert page.execute("print(f.node('load').attempts)") == "2\n"


def test_the_keyboard_alone_exports_all_data(lab):
    page = failed(lab)
    button = page.cell(2).get_by_role("button", name="Export")
    button.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("a")
    expect(page.cell(2).get_by_role("menuitem", name="All data (JSON)")).to_be_focused()
    with page.page.expect_download() as downloading:
        page.page.keyboard.press("Enter")
    assert downloading.value.suggested_filename == "first.json"
    told = json.loads(downloading.value.path().read_text())
    assert (told["format"], told["state"]["run_id"]) == ("graphrun-run", "first")
    expect(button).to_be_focused()


def test_the_exported_page_shows_the_run_without_a_kernel(lab, browser):
    page = failed(lab)
    page.cell(2).get_by_role("button", name="Export").click()
    with page.page.expect_download() as downloading:
        page.cell(2).get_by_role("menuitem", name="Interactive page (HTML)").click()
    path = page.path.parent / downloading.value.suggested_filename
    downloading.value.save_as(path)
    exported = browser.new_page()
    exported.goto(path.as_uri())
    expect(exported.get_by_role("treeitem", name="average: failed")).to_be_attached()
    expect(exported.get_by_role("region", name="Run means")).to_contain_text("Saved run, no kernel")
    exported.close()


def test_on_a_narrow_page_what_does_not_fit_is_in_one_menu(lab):
    page = failed(lab)
    page.page.set_viewport_size({"width": 700, "height": 800})
    view = page.cell(2)
    view.evaluate("each => { each.style.width = '360px'; }")
    expect(view.get_by_role("button", name="Export")).to_be_hidden()
    view.get_by_role("button", name="More actions").click()
    names = ["Run again…", "Tidy", "Fit", "Export: Interactive page (HTML)"]
    for name in names:
        expect(view.get_by_role("menuitem", name=name)).to_be_visible()
    page.page.keyboard.press("Escape")
    expect(view.get_by_role("button", name="More actions")).to_be_focused()


def test_what_would_be_refused_is_not_offered(lab):
    page = failed(lab, "", "%load_ext graphrun_nb\ng = %graphrun show first")
    expect(page.cell(2).get_by_role("button", name="Retry failed")).to_be_visible()
    page.execute("import IPython; IPython.get_ipython().kernel.do_shutdown(True)")
    expect(page.page.get_by_text("Kernel Restarting")).to_be_visible(timeout=30_000)
    page.page.get_by_role("button", name="Ok", exact=True).click()
    page.wait_idle()
    page.run_cell(4)
    expect(node(page, 4, "average: failed")).to_be_attached()
    for name in ("Retry failed", "Run again…", "Cancel run"):
        expect(page.cell(4).get_by_role("button", name=name)).to_be_hidden()
    page.run_cell(0)
    page.run_cell(1)
    expect(page.cell(4).get_by_role("button", name="Retry failed")).to_be_visible()
