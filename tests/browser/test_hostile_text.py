"""Text that comes from graphs is shown and never executed: about a hundred strings in each place that shows any."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from graphrun_nb import GraphBuildError, graph, tool

from .hostile import INTRUDERS, NAMES, REFUSED_AS_NAMES, STRINGS, Witness, prepare

SETUP = """
%load_ext graphrun_nb
import asyncio, json, linecache
from graphrun_nb import Inspector, graph, run, tool
from graphrun_nb.tools import ask_approval, ask_choices, ask_form, ask_text

given = json.load(open("strings.json"))
NAMES, STRINGS = given["names"], given["strings"]
FIELDS = [f"field {i}" if text.startswith("_") or "passwd" in text else text for i, text in enumerate(NAMES)]
FIELDS += [f"field {i}" for i in range(len(NAMES), len(STRINGS))]
SHORT = [text for text in STRINGS if len(text) < 1000]
ALL = "\\n".join(SHORT)
SCHEMA = {
    "title": ALL,
    "description": ALL,
    "type": "object",
    "required": [NAMES[1]],
    "properties": {
        name: {"type": "string", "title": name, "description": name, "default": name} for name in NAMES
    },
}
"""

GRAPH = """
held = asyncio.Event()

@tool(outputs=["x"])
async def hold(number, context):
    context.progress(1, 2, NAMES[number])
    await held.wait()

def failing(text):
    file = f"{text}.py" if "\\0" not in text else "null.py"
    remark = text if text.isprintable() else "?"
    source = f"def fail(text):\\n    raise KIND(text)  # {remark}\\n"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    made = {"KIND": type(text.replace("\\0", "") or "Empty", (Exception,), {"__module__": text})}
    exec(compile(source, file, "exec"), made)

    @tool(outputs=["x"])
    def fails():
        try:
            raise OSError(text)
        except OSError as cause:
            try:
                made["fail"](text)
            except Exception as error:
                error.add_note(text)
                raise error from cause
    return fails

class Rich:
    def __init__(self, **looks):
        self.looks = looks

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.looks

    def _repr_html_(self):
        return self.looks.get("text/html")

@tool(outputs=["html", "svg", "markdown", "script", "latex"])
def rich():
    page = "".join(NAMES)
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' onload='pwn()'><script>pwn()</script>{page}</svg>"
    return {
        "html": Rich(**{"text/html": page}),
        "svg": Rich(**{"image/svg+xml": svg}),
        "markdown": Rich(**{"text/markdown": page}),
        "script": Rich(**{"application/javascript": "pwn()", "text/html": "<script>top.pwn()</script>"}),
        "latex": Rich(**{"text/latex": page}),
    }

@tool(inputs=FIELDS, outputs=FIELDS)
def values(context, **texts):
    for text in sorted(STRINGS, key=len):  # the logs of an attempt are kept up to 64 kB
        print(text)
        context.logger.warning("%s", text)
    return texts
"""

BUILD = """
with graph(name=max(NAMES[:40], key=len)) as g:
    for number, text in enumerate(NAMES):
        hold(number=number, _id=text, _labels=[text])
    for number, text in enumerate(STRINGS):
        failing(text)(_id=f"b{number}", _name=NAMES[number % len(NAMES)])
    values(_id="values", **dict(zip(FIELDS, reversed(STRINGS))))
    rich(_id="rich")
    ask_choices(prompt=ALL, options=SHORT, _id="choice")
    ask_form(prompt=NAMES[1], schema=SCHEMA, _id="form")
    ask_approval(prompt=NAMES[2], options=NAMES[:12], _id="approval")
    ask_text(prompt=ALL, _id="who")
future = run(g.build(), max_concurrency=500, session_id=NAMES[0], agent_id=NAMES[2], app_id=NAMES[5])
future.resume("who", ALL)
Inspector(future)
"""


REPLAYED = ("head", "Inputs", "Outputs", "Logs", "Error")


def packed(texts):
    """Put texts into as few of 200 characters as come out of taking them in order."""
    lines = [""]
    for text in texts:
        if len(lines[-1]) + len(text) + 1 > 200:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text}".strip()
    return lines


PACKED = packed(NAMES)
NAMED = """
@tool(outputs=["x"])
def fine():
    return 1

for name in given["packed"]:
    with graph(name=name) as h:
        h.expose("x", fine(_id=name, _group=name).x)
    display(h.build())
    display(Inspector(run(h.build())))
"""
PLACES = {
    "head": NAMES,
    "Overview": STRINGS,
    "Inputs": STRINGS,
    "Outputs": STRINGS,
    "Logs": STRINGS,
    "Error": STRINGS,
    "asked": NAMES,
}


WALK = """async region => {
  const seen = {};
  const keep = (place, element) => (seen[place] ??= []).push(element.textContent);
  const rows = element => [...element.querySelectorAll("[role=tab]")];
  const drawn = () => new Promise(done => setTimeout(done, 5));
  const settled = () => new Promise(done => setTimeout(done, 600));
  const items = () => region.querySelectorAll("[role=treeitem]");
  for (let i = 0; i < items().length; i++) {
    const item = items()[i];
    (seen.items ??= []).push(item.getAttribute("aria-label"));
    const id = item.getAttribute("aria-label").replace(/: \\w+$/, "");
    // While the view moves, elements are not yet where their nodes are, and a click counts for what is drawn.
    for (let tries = 0; tries < 100 && region.querySelector(".gr-detail-name").title !== id; tries++) {
      items()[i].dispatchEvent(new MouseEvent("click", { bubbles: true }));
      await drawn();
    }
    if (["values", "form", "rich"].some(id => item.getAttribute("aria-label").startsWith(id))) await settled();
    keep("head", region.querySelector(".gr-detail-head"));
    for (const { textContent: name } of rows(region)) {
      rows(region).find(tab => tab.textContent === name)?.click();
      keep(name, region.querySelector("[role=tabpanel]"));
    }
  }
  for (const form of region.querySelectorAll("form, [role=group]")) keep("asked", form.parentElement.parentElement);
  return seen;
}"""


TERMINAL = r"\x1b\[[0-9;]*m|\x1b\].*?\x1b\\|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
"""What logs take as a terminal does, or leave out."""


def shown(text):
    """Return what stands for a text where people see it: itself, as Python writes it, as a terminal shows it, cut."""
    plain = "".join(char if char.isprintable() or char in "\t\n" else "\ufffd" for char in text)
    told = re.sub(TERMINAL, "", text.rpartition("\r")[2])
    for each in (text, text.strip(), told, plain, repr(text)[1:-1], repr(text)[1:-1].replace("'", "'"), text[:100]):
        yield each
        yield " ".join(each.split())


def missing(texts, told):
    """Return those of `texts` that are nowhere in what a place shows."""
    whole = "\n".join(told)
    flat = " ".join(whole.split())
    return [text[:80] for text in texts if text and not any(each in whole or each in flat for each in shown(text))]


@pytest.fixture
def hostile(lab, browser):
    prepare(browser)

    def open_notebook(*cells):
        page = lab(*cells)
        (page.path.parent / "strings.json").write_text(
            json.dumps({"names": NAMES, "strings": STRINGS, "packed": PACKED})
        )
        page.witness = Witness(page.page, page.server.url)
        return page

    return open_notebook


def test_the_witness_sees_markup_that_is_executed(hostile):
    page = hostile("1")
    page.page.evaluate(
        "html => document.body.append(document.createRange().createContextualFragment(html))", "".join(NAMES[:9])
    )
    page.page.wait_for_function("window.pwned > 1")
    assert page.witness.requests
    assert page.page.locator("body").evaluate(INTRUDERS)


def test_text_of_a_graph_is_shown_in_every_place_and_never_executed(hostile, browser):
    page = hostile(SETUP, GRAPH, BUILD, NAMED)
    page.run_all()
    region = page.cell(2).locator("[data-run]")
    expect(region.get_by_role("status").first).to_contain_text(f"{len(STRINGS)} failed")
    expect(region.get_by_role("treeitem", name="form: waiting")).to_be_attached()
    expect(region.get_by_role("treeitem", name="who: done")).to_be_attached()
    seen = region.evaluate(WALK)
    assert missing([f"{text}: running" for text in NAMES], seen["items"]) == []
    assert {place: missing(texts, seen[place]) for place, texts in PLACES.items()} == {place: [] for place in PLACES}

    named = page.cell(3).locator("[data-run]")
    expect(named).to_have_count(len(PACKED))
    for i, name in enumerate(PACKED):
        expect(named.nth(i)).to_have_attribute("aria-label", f"Run {name}")
        expect(named.nth(i).locator("header")).to_contain_text(name)
    for output in (2, 3):
        assert page.cell(output).evaluate(INTRUDERS) == []

    page.execute("held.set()\nfuture.cancel()")
    expect(region).to_have_attribute("data-digest", re.compile("."))
    page.witness.assert_nothing_happened()
    assert page.errors == []
    check_exports(page, browser)
    page.save()
    page.reload()
    expect(page.cell(3).locator("img")).to_have_count(len(PACKED))
    page.witness.assert_nothing_happened()


def check_exports(page, browser):
    told = page.add_cell_and_run(
        "%graphrun export future run.html\n%graphrun export future run.svg\n%graphrun export future run.json"
    )
    assert told.count("wrote run") == 3
    folder = page.path.parent
    for name, texts in {"run.html": [*NAMES, *STRINGS], "run.svg": NAMES}.items():
        other = browser.new_page()
        witness = Witness(other, (folder / name).as_uri())
        other.goto((folder / name).as_uri())
        whole = other.evaluate("document.documentElement.textContent")
        assert (name, missing(texts, [whole])) == (name, [])
        assert other.locator("body, svg").first.evaluate(INTRUDERS) == []
        if name == "run.html":
            view = other.locator("[data-run]")
            expect(view.get_by_role("treeitem", name=f"{NAMES[0]}: cancelled", exact=True)).to_be_attached()
            seen = view.evaluate(WALK)
            assert {place: missing(PLACES[place], seen[place]) for place in REPLAYED} == {
                place: [] for place in REPLAYED
            }
            assert view.evaluate(INTRUDERS) == []
        witness.assert_nothing_happened()
        other.close()
    events = json.loads((folder / "run.json").read_text())["events"]
    assert events[0]["event"]["session_id"] == NAMES[0]


@pytest.mark.parametrize("control", ["_id", "_name", "_group", "_labels", "graph"])
def test_what_may_not_be_a_name_is_refused_with_the_rule(control):
    @tool(outputs=["x"])
    def fine():
        return 1

    def build(text):
        with graph(name=text if control == "graph" else "g"):
            fine(**({} if control == "graph" else {control: [text] if control == "_labels" else text}))

    for text in REFUSED_AS_NAMES:
        with pytest.raises(GraphBuildError, match="graph_invalid_name") as refused:
            build(text)
        assert "1 to 200 characters without control characters" in refused.value.hints[0]
