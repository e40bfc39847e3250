"""A notebook at rest: what a run leaves in the file, and what a view says when its kernel is busy or gone."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import expect

from tests.browser.test_live_run import GATE, SETUP, node, region

LAUNCH = "f = %graphrun gate amount=5 --run-id payday"
ANSWER = "f.resume('approve', True)\nf.result()"
ATTACH = "%graphrun attach payday"


def executed(path, *cells):
    """Run a notebook as ``jupyter execute`` does, and leave it at `path`."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright's loop counts as running in this thread
        elsewhere.submit(lambda: asyncio.run(client.async_execute())).result()
    nbformat.write(notebook, path)
    return notebook


def trust(page):
    """Sign the notebook as the server does for its user."""
    NotebookNotary(data_dir=str(page.server.root / "data")).sign(page.saved())


def without_state(page):
    """Take the widgets' state out of the file, as JupyterLab saves it unless it is told otherwise."""
    notebook = page.saved()
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, page.path)


@pytest.fixture
def at_rest(lab):
    """Open a notebook with a run that has ended, whose kernel is gone."""
    page = lab("")
    executed(page.path, SETUP, GATE, LAUNCH, ANSWER)
    return page


def picture(page, cell=2):
    return page.cell(cell).get_by_role("img", name="gate: done (3 done)")


def test_an_untrusted_notebook_shows_the_picture(at_rest):
    at_rest.reload()
    expect(picture(at_rest)).to_be_visible()
    assert "approve" in picture(at_rest).get_attribute("alt")
    expect(region(at_rest, 2)).to_have_count(0)


def test_a_trusted_notebook_without_widget_state_shows_the_picture(at_rest):
    without_state(at_rest)
    trust(at_rest)
    at_rest.reload()
    expect(picture(at_rest)).to_be_visible()
    above = at_rest.cell(2).locator(".jp-OutputArea-output.jupyter-widgets")
    expect(above).to_contain_text("model not found")
    expect(above).to_be_hidden()


def test_a_trusted_notebook_with_widget_state_plays_the_run(at_rest):
    trust(at_rest)
    at_rest.reload()
    expect(node(at_rest, 2, "pay: done")).to_be_attached()
    expect(picture(at_rest)).to_be_hidden()
    expect(region(at_rest, 2)).to_contain_text("Saved run")
    expect(at_rest.cell(2).get_by_role("button", name=f"Copy {ATTACH}")).to_be_visible()
    node(at_rest, 2, "pay: done").click()
    at_rest.cell(2).get_by_role("tab", name="Outputs").click()
    expect(at_rest.cell(2).get_by_role("tabpanel")).to_contain_text("paid 10")
    at_rest.cell(2).get_by_role("tab", name="Source").click()
    expect(at_rest.cell(2).get_by_role("tabpanel")).to_contain_text("async def pay")
    for name in ("Cancel run", "Retry failed", "Tidy", "Approve"):
        expect(at_rest.cell(2).get_by_role("button", name=name)).to_be_hidden()


def test_a_page_that_nbconvert_makes_has_the_picture_and_its_text(at_rest, browser, tmp_path):
    without_state(at_rest)
    text, _ = HTMLExporter().from_filename(str(at_rest.path))
    (tmp_path / "notebook.html").write_text(text)
    page = browser.new_page()
    page.route("http*://**", lambda route: route.abort())
    page.goto((tmp_path / "notebook.html").as_uri())
    expect(page.get_by_role("img", name="gate: done (3 done)")).to_be_visible()
    page.close()


def test_a_page_that_nbconvert_makes_with_widget_state_holds_the_run(at_rest):
    text, _ = HTMLExporter().from_filename(str(at_rest.path))
    state = at_rest.saved().metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    (replay,) = [each["state"]["replay"] for each in state.values() if "replay" in each["state"]]
    assert replay
    assert replay in text.replace("\\/", "/")


def test_a_run_that_ends_while_no_cell_runs_leaves_its_picture_in_the_saved_notebook(lab):
    page = lab(SETUP, GATE, LAUNCH)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.cell(2).get_by_role("button", name="Approve").click()
    expect(node(page, 2, "pay: done")).to_be_attached()
    expect(page.cell(2).locator("[data-graphrun-static] img[alt^='gate: done (3 done)']")).to_be_attached()
    page.save()
    assert "gate: done (3 done)" in str(page.saved().cells[2].outputs[1])


def test_a_run_that_waits_when_the_notebook_is_saved_leaves_a_picture_of_that(lab):
    page = lab(SETUP, GATE, LAUNCH)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(page.cell(2).locator("[data-graphrun-static] img[alt^='gate: waiting']")).to_be_attached()
    page.save()
    assert "gate: waiting (1 done, 1 pending, 1 waiting)" in str(page.saved().cells[2].outputs[1])


def test_jupyterlab_saves_the_widgets_state_with_the_run_in_it(lab):
    page = lab(SETUP, GATE, LAUNCH, ANSWER)
    page.page.evaluate(
        """() => window.jupyterapp.serviceManager.settings.save(
          "@jupyter-widgets/jupyterlab-manager:plugin", '{"saveState": true}')"""
    )
    page.reload()
    page.run_all()
    expect(node(page, 2, "pay: done")).to_be_attached()
    page.execute("assert f.inspect().replay")
    page.save()
    trust(page)
    page.execute("import IPython; IPython.get_ipython().kernel.do_shutdown(True)")
    expect(page.page.get_by_text("Kernel Restarting")).to_be_visible(timeout=30_000)
    page.reload()
    expect(node(page, 2, "pay: done")).to_be_attached()
    expect(region(page, 2)).to_contain_text("Saved run")


def test_a_killed_kernel_is_said_to_have_been_restarted_and_the_way_on_is_offered(lab):
    page = lab(SETUP, GATE, LAUNCH)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    os.kill(int(page.execute("import os; print(os.getpid())")), 9)
    expect(region(page, 2)).to_contain_text("The kernel was restarted. This is the run as it was last seen")
    expect(page.cell(2).get_by_role("button", name=f"Copy {ATTACH}")).to_be_visible()
    expect(page.cell(2).get_by_role("button", name="Cancel run")).to_be_hidden()


def test_a_kernel_that_was_shut_down_is_said_to_be(lab):
    page = lab(SETUP, GATE, LAUNCH)
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    expect(region(page, 2)).to_contain_text("The kernel was shut down.")
    expect(page.cell(2).get_by_role("button", name=f"Copy {ATTACH}")).to_be_visible()


def test_a_busy_kernel_is_said_to_be_and_acts_when_it_is_free(lab):
    page = lab(SETUP, GATE, LAUNCH, "import threading\nthreading.Event().wait()")
    for cell in (0, 1, 2):
        page.run_cell(cell)
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.run_cell(3, wait=False)
    page.page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")
    page.cell(2).get_by_role("button", name="Approve").click()
    expect(region(page, 2)).to_contain_text("Kernel busy: will act when it is free")
    expect(node(page, 2, "approve: waiting")).to_be_attached()
    page.interrupt()
    expect(node(page, 2, "pay: done")).to_be_attached()
    expect(region(page, 2)).not_to_contain_text("Kernel busy")
