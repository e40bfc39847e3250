"""Exported pages, opened as files: the run can be looked at, nothing is asked for, and nothing in it is markup."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from graphrun_nb import GraphRunFailed, MemoryStore, graphify, run, tool
from graphrun_nb.notebook.exporting import write
from graphrun_nb.tools import ask_approval

EVIL = "x</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
CANARY = "canary-5f2b8a"


@tool(outputs=["rows"])
def load(n, password):
    logging.getLogger("load").warning("loading %d rows with %s", n, password)
    return list(range(n))


@tool(outputs=["mean"])
def average(rows):
    raise ValueError(f"no mean of {len(rows)} rows: {EVIL}")


@graphify(f"means {EVIL}"[:200], inputs=["n", "password"], outputs=["mean"])
def means(n, password):
    loaded = load(n, password, _id=f"load {EVIL}")
    answer = ask_approval(prompt=f"Go on? {EVIL}", _id="approve", _after=[loaded])
    return {"mean": average(loaded.rows, _id="average", _after=[answer]).mean}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Give a page of a run that failed."""

    async def fail():
        future = run(means, {"n": 3, "password": CANARY}, run_id="exported", store=MemoryStore())
        future.resume("approve", True)
        with pytest.raises(GraphRunFailed):
            await future
        write(future.run, path, force=False)

    path = tmp_path_factory.mktemp("exported") / "run.html"
    with ThreadPoolExecutor() as elsewhere:  # Playwright has a loop running in this thread
        elsewhere.submit(lambda: asyncio.run(fail())).result()
    return path


@pytest.fixture
def opened(browser, exported):
    """Open it, and remember what it asks for and what it complains of."""
    page = browser.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(exported.as_uri())
    yield page
    page.close()


def test_the_run_can_be_looked_at_without_a_kernel(opened):
    region = opened.get_by_role("region", name="Run means")
    expect(region).to_contain_text("Saved run, no kernel")
    expect(region.get_by_role("treeitem", name="average: failed")).to_be_attached()
    region.get_by_role("treeitem", name="average: failed").click()
    expect(region.get_by_role("tabpanel")).to_contain_text("no mean of 3 rows")
    region.get_by_role("tab", name="Source").click()
    expect(region.get_by_role("tabpanel")).to_contain_text("def average(rows):")
    region.get_by_role("treeitem", name="load").click()
    region.get_by_role("tab", name="Logs").click()
    expect(region.get_by_role("tabpanel")).to_contain_text("loading 3 rows")
    for name in ("Cancel run", "Retry failed", "Tidy"):
        expect(region.get_by_role("button", name=name)).to_be_hidden()


def test_it_asks_for_nothing_but_itself_and_keeps_its_policy(opened, exported):
    expect(opened.get_by_role("region", name="Run means")).to_be_visible()
    opened.get_by_role("treeitem", name="average: failed").click()
    assert opened.asked == [exported.as_uri()]
    assert opened.said == []
    refused = opened.evaluate(
        """() => new Promise((told) => {
          document.addEventListener("securitypolicyviolation", (event) => told(event.violatedDirective));
          const script = document.createElement("script");
          script.textContent = "document.title = 'taken'";
          document.head.append(script);
        })"""
    )
    assert refused == "script-src-elem"
    assert opened.title().startswith("means x</script>")


def test_names_of_the_graph_stay_text_and_secrets_stay_out(opened, exported):
    expect(opened.get_by_role("region", name="Run means")).to_be_visible()
    assert opened.evaluate("document.querySelectorAll('img').length") == 0
    assert opened.evaluate("document.querySelectorAll('script').length") == 3
    assert "taken" not in opened.title()[:5]
    text = exported.read_text()
    assert CANARY not in text
    packed = opened.evaluate(
        """async () => {
          const packed = document.getElementById("graphrun-recording").textContent;
          const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
          return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
        }"""
    )
    assert "loading 3 rows" in packed
    assert CANARY not in packed


def test_without_scripts_the_drawing_and_the_tables_tell_the_run(browser, exported, tmp_path):
    bare = tmp_path / "bare.html"
    text = exported.read_text()
    bare.write_text(text[: text.rindex("<script>")] + "</body></html>")
    page = browser.new_page()
    page.goto(bare.as_uri())
    expect(page.get_by_role("img", name="means").first).to_be_visible()
    page.get_by_text("Nodes (3)").click()
    expect(page.get_by_role("row", name="average failed")).to_be_visible()
    expect(page.get_by_role("heading", name="Errors")).to_be_visible()
    page.close()
