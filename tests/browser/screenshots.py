"""The pictures of README, and a gallery to look the widget over: real runs in a real JupyterLab, in light and dark."""

from __future__ import annotations

import sys
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import nbformat
from PIL import Image
from playwright.sync_api import expect

from .shots import WIDGET, open_studio, shoot

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from .lab import NotebookPage

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "notebooks" / "01_quickstart.ipynb"
IMAGES = ROOT / "notebooks" / "images"
GALLERY = ROOT / "build" / "screenshots"

THREE = """
%load_ext graphrun_nb
from graphrun_nb import graphify, tool

@tool(outputs=["rows"])
def load(day):
    return list(range(day))

@tool(outputs=["total"])
def add_up(rows):
    return sum(rows)

@tool(outputs=["text"])
def report(total):
    return f"{total} in all"

@graphify("daily", inputs=["day"], outputs=["text"])
def daily(day):
    return {"text": report(add_up(load(day).rows).total).text}

%graphrun daily day=30
"""

FAILURE = """
%load_ext graphrun_nb
from graphrun_nb import graphify, tool

@tool(outputs=["rows"])
def load():
    return [{"name": "Ada", "age": 36}, {"name": "Grace", "age": None}]

@tool(outputs=["n"])
def count(rows):
    return len(rows)

@tool(outputs=["mean"])
def mean_age(rows):
    return sum(row["age"] for row in rows) / len(rows)

@tool(outputs=["text"])
def report(n, mean):
    return f"{n} people, {mean:.1f} years old"

@graphify("people", outputs=["text"])
def people():
    rows = load().rows
    return {"text": report(count(rows).n, mean_age(rows).mean).text}

%graphrun people
"""

HALF_DONE = """
%load_ext graphrun_nb
import asyncio
from random import Random
from graphrun_nb import graphify, tool

rng = Random(7)
second_half = asyncio.Event()

@tool(outputs=["x"])
async def step(parts, held):
    if held:
        await second_half.wait()
    return 1

@graphify("layers", outputs=["last"])
def layers():
    above = []
    for layer in range(12):
        above = [
            step([each.x for each in rng.sample(above, min(2, len(above)))], layer >= 6, _id=f"step {layer}.{i}")
            for i in range(25)
        ]
    return {"last": above[0].x}

%graphrun layers --max-concurrency 16
"""


AGENT = """
%load_ext graphrun_nb
import asyncio
from graphrun_nb import graph_fn, graphify, tool
from graphrun_nb.tools import ask_approval

@tool(outputs=["pages"])
def search(topic):
    return [f"{topic} {i}" for i in range(40)]

@tool(outputs=["words"])
async def read(page):
    if page.endswith("17"):
        raise ConnectionError("page 17 does not answer")
    return len(page)

@tool(outputs=["text"])
def summarise(words):
    return f"{sum(words)} words"

@graphify("survey", inputs=["topic"], outputs=["text"])
def survey(topic):
    return {"text": summarise(read.map(page=search(topic).pages).words).text}

@graph_fn(name="agent", inputs=["topic"])
async def agent(topic):
    pages = search(topic)["pages"]
    await asyncio.gather(*(read(page) for page in pages[:3]))
    try:
        await read(pages[17])
    except ConnectionError:
        await read.aio(pages[18])
    await ask_approval(prompt="Go on?")

%graphrun survey topic='rivers'
"""


PRINTS = """
%load_ext graphrun_nb
import sys
from graphrun_nb import graphify, tool

@tool(outputs=["n"])
def count(context):
    print("reading 3 files")
    for name in ("a.csv", "b.csv", "c.csv"):
        context.logger.info("opened %s", name)
    print("b.csv has no header", file=sys.stderr)
    return 3

@graphify("reading", outputs=["n"])
def reading():
    return {"n": count().n}

%graphrun reading
"""


THIRTY = """
%load_ext graphrun_nb
import asyncio
from random import Random
from graphrun_nb import RetryPolicy, graphify, tool

rng = Random(3)
tried = []

@tool(outputs=["x"])
async def stage(parts, name):
    await asyncio.sleep(rng.uniform(0.02, 0.4))
    if name == "train 2" and not tried:
        tried.append(name)
        raise ConnectionError("the peer went away")
    return 1

@graphify("nightly", outputs=["x"])
def nightly():
    names = ["fetch", "clean", "join", "train", "test", "publish"]
    above = []
    for name in names:
        above = [
            stage(
                [each.x for each in above[i : i + 2]],
                f"{name} {i}",
                _id=f"{name} {i}",
                _group=name,
                _retry=RetryPolicy(max_attempts=3, backoff_first_s=0.2),
            )
            for i in range(5)
        ]
    return {"x": above[0].x}

%graphrun nightly
"""

LARGE = """
%load_ext graphrun_nb
from random import Random
from graphrun_nb import graphify, tool

rng = Random(5)

@tool(outputs=["x"])
async def step(parts, fails):
    if fails:
        raise ValueError("one of many")
    return 1

@graphify("large", outputs=["x"])
def large():
    above = []
    for layer in range(N // 100):
        above = [
            step(
                [each.x for each in rng.sample(above, min(2, len(above)))],
                (layer, i) == (N // 150, 42),
                _id=f"step {layer}.{i}",
            )
            for i in range(100)
        ]
    return {"x": above[0].x}

%graphrun large --max-concurrency 64
"""

FORM = """
%load_ext graphrun_nb
from datetime import date
from enum import Enum
from pydantic import BaseModel, Field
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_approval, ask_form

class Size(Enum):
    SMALL = "small"
    LARGE = "large"

class Address(BaseModel):
    street: str
    city: str = "Basel"

class Order(BaseModel):
    n: int = Field(title="How many", ge=1, le=20, description="One to twenty")
    size: Size = Size.SMALL
    gift: bool = Field(False, title="As a gift")
    when: date
    tags: list[str] = []
    to: Address

@tool(outputs=["text"])
def ship(n):
    return f"{n} on their way"

@graphify("orders", outputs=["text"])
def orders():
    asked = ask_form(prompt="What is ordered?", schema=Order, _id="order", deadline=9000)
    ask_approval(prompt="Ship on credit?", options=("Ship", "Wait for the money"), _id="credit")
    return {"text": ship(asked.n).text}

%graphrun orders
"""


class Shot(NamedTuple):
    """One picture, made twice: what is run, when it is taken, and how large the widget may be, in CSS px."""

    name: str
    cells: list[str]
    until: Callable[[NotebookPage], None]
    width: int = 1000
    height: int = 900
    folder: Path = GALLERY


def quickstart() -> list[str]:
    """Return the quickstart's code up to the cell that runs its graph, without the run of the first one."""
    code = [cell.source for cell in nbformat.read(QUICKSTART, as_version=4).cells if cell.cell_type == "code"]
    code.remove("%graphrun breakfast")
    last = next(i for i, source in enumerate(code) if source.startswith("future = %graphrun"))
    return code[: last + 1]


def widget(page: NotebookPage) -> Locator:
    return page.page.locator(WIDGET).first


def node(page: NotebookPage, text: str) -> Locator:
    return widget(page).get_by_role("tree", name="Nodes").get_by_role("treeitem", name=text)


def counts(page: NotebookPage, text: str) -> None:
    expect(widget(page).get_by_role("status").first).to_contain_text(text)


def until_asked(page: NotebookPage) -> None:
    """Wait for the question, and for all that does not depend on its answer."""
    expect(node(page, "approve: waiting")).to_be_attached()
    expect(node(page, "draw: done")).to_be_attached()


def until_published(page: NotebookPage) -> None:
    until_asked(page)
    widget(page).get_by_role("button", name="Approve").click()
    expect(node(page, "write_report: done")).to_be_attached()
    page.page.mouse.move(0, 0)


def until_error_is_shown(page: NotebookPage) -> None:
    counts(page, "1 failed")
    node(page, "mean_age: failed").click()
    widget(page).get_by_role("tab", name="Error").click()
    expect(widget(page).get_by_role("tabpanel")).to_contain_text("TypeError")
    page.page.mouse.move(0, 0)


def until_logs_are_shown(page: NotebookPage) -> None:
    node(page, "count: done").click()
    widget(page).get_by_role("tab", name="Logs").click()
    expect(widget(page).get_by_role("tabpanel")).to_contain_text("b.csv has no header")
    page.page.mouse.move(0, 0)


def until_half_done(page: NotebookPage) -> None:
    """Wait for the kernel's layout too, which is made on a thread."""
    counts(page, "150 done · 16 running")
    expect(widget(page).locator("[data-placed]")).to_be_attached()
    page.page.mouse.move(0, 0)


def until_elements_are_shown(page: NotebookPage) -> None:
    counts(page, "1 skipped")
    node(page, "read: failed").dblclick()
    expect(node(page, "read[39]: done")).to_have_attribute("data-drawn", "true")
    page.page.mouse.move(0, 0)


def until_found(page: NotebookPage) -> None:
    until_half_done(page)
    widget(page).get_by_role("button", name="16 running").click()
    widget(page).get_by_role("button", name="Next match").click()
    expect(widget(page).locator("[role=treeitem][aria-selected=true]")).to_have_attribute("data-status", "running")
    page.page.mouse.move(0, 0)


def until_timeline_is_shown(page: NotebookPage) -> None:
    counts(page, "30 done")
    widget(page).get_by_role("button", name="Timeline").click()
    page.page.mouse.move(0, 0)


def until_in_the_past(page: NotebookPage) -> None:
    counts(page, "30 done")
    slider = widget(page).get_by_role("slider", name="Run history")
    slider.press("Home")
    for _ in range(5):
        slider.press("PageUp")
    page.page.mouse.move(0, 0)


def until_laid_out(page: NotebookPage, text: str) -> None:
    counts(page, text)
    expect(widget(page).locator("[data-placed]")).to_be_attached()
    widget(page).get_by_role("button", name="Fit").click()
    page.page.mouse.move(0, 0)


def until_a_mistake_is_shown(page: NotebookPage) -> None:
    form = widget(page).get_by_role("form", name="What is ordered?")
    form.get_by_label("How many").fill("99")
    form.get_by_role("button", name="Send answer").click()
    expect(form.get_by_role("alert").first).to_be_visible()
    page.page.mouse.move(0, 0)


def shots() -> list[Shot]:
    return [
        Shot("quickstart", quickstart(), until_asked, folder=IMAGES),
        Shot("three", [THREE], partial(counts, text="3 done")),
        Shot("done", quickstart(), until_published),
        Shot("failure", [FAILURE], until_error_is_shown),
        Shot("thirty", [THIRTY], partial(counts, text="30 done")),
        Shot("timeline", [THIRTY], until_timeline_is_shown),
        Shot("past", [THIRTY], until_in_the_past),
        Shot("form", [FORM], until_a_mistake_is_shown),
        Shot("form-narrow", [FORM], until_a_mistake_is_shown, width=420, height=1200),
        Shot("layers", [HALF_DONE], until_half_done),
        Shot("3000", [f"N = 3_000{LARGE}"], partial(until_laid_out, text="1 failed")),
        Shot("10000", [f"N = 10_000{LARGE}"], partial(until_laid_out, text="1 failed")),
        Shot("mapped", [AGENT], partial(counts, text="1 skipped")),
        Shot("elements", [AGENT], until_elements_are_shown),
        Shot("search", [HALF_DONE], until_found),
        Shot("agent", [AGENT.replace("%graphrun survey", "%graphrun agent")], partial(counts, text="1 waiting")),
        Shot("logs", [PRINTS], until_logs_are_shown),
        Shot("narrow", quickstart(), until_asked, width=420, height=1200),
    ]


def shrink(path: Path) -> int:
    """Give a picture a palette of 256 colours, and return its size in bytes."""
    with Image.open(path) as image:
        flat = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    flat.save(path, optimize=True)
    return path.stat().st_size


def main() -> None:
    wanted = set(sys.argv[1:])
    with open_studio() as studio:
        for shot, theme in product(shots(), ("light", "dark")):
            if wanted and shot.name not in wanted:
                continue
            out = shot.folder / f"{shot.name}-{theme}.png"
            shoot(shot.cells, out, theme=theme, width=shot.width, height=shot.height, until=shot.until, studio=studio)
            size = shrink(out) if shot.folder == IMAGES else out.stat().st_size
            sys.stdout.write(f"{size / 1000:6.1f} kB  {out.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
