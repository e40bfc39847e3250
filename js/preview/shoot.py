"""Takes pictures of the inspector with made-up runs: ``python js/preview/shoot.py OUT [NAME ...]``."""

# ruff: noqa: ANN201 (a script run by hand, for the eyes of whoever runs it)

import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from runs import ROOT, RUNS

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def select(name: str, tab: str = "Overview"):
    def act(page: Page) -> None:
        page.get_by_role("treeitem", name=name).click()
        page.wait_for_timeout(500)
        page.get_by_role("tab", name=tab).click()

    return act


def approve(page: Page) -> None:
    page.get_by_role("button", name="Approve").click()
    page.wait_for_timeout(400)


def keys(*names: str):
    def act(page: Page) -> None:
        page.get_by_role("tree", name="Nodes").focus()
        for name in names:
            page.keyboard.press(name)

    return act


def scrub(*names: str):
    def act(page: Page) -> None:
        page.get_by_role("slider", name="Run history").focus()
        for name in names:
            page.keyboard.press(name)

    return act


def timeline(*names: str, critical: bool = False):
    def act(page: Page) -> None:
        page.get_by_role("button", name="Timeline").click()
        if critical:
            page.get_by_role("button", name="Critical path").click()
        page.get_by_role("listbox", name="Timeline").focus()
        for name in names:
            page.keyboard.press(name)

    return act


def both(first: Callable[[Page], None], second: Callable[[Page], None]):
    def act(page: Page) -> None:
        first(page)
        second(page)

    return act


def hover(name: str):
    return lambda page: page.get_by_role("treeitem", name=name).hover()


def lose(page: Page) -> None:
    page.evaluate("window.model.lose()")


def enter(*node_ids: str):
    def act(page: Page) -> None:
        for node_id in node_ids:
            page.locator(f'[role=treeitem][aria-label^="{node_id}: "]').dblclick()
            page.wait_for_timeout(500)

    return act


def find(query: str):
    def act(page: Page) -> None:
        page.get_by_role("button", name="Search nodes").click()
        page.get_by_role("searchbox", name="Search nodes").fill(query)
        page.keyboard.press("Enter")

    return act


def send(page: Page) -> None:
    page.get_by_role("button", name="Send answer").first.click()


def later(page: Page) -> None:
    page.get_by_role("button", name="Later questions").click()


def press(*names: str):
    def act(page: Page) -> None:
        for name in names:
            page.get_by_role("button", name=name, exact=True).click()
            page.wait_for_timeout(300)

    return act


def more(name: str):
    def act(page: Page) -> None:
        press("More actions")(page)
        page.get_by_role("menuitem", name=name).click()

    return act


def node_menu(name: str):
    def act(page: Page) -> None:
        select(name)(page)
        press("Node actions")(page)

    return act


SHOTS = {
    "form": ("form", {"height": 1000}, None),
    "form-dark-errors": ("form", {"theme": "dark"}, send),
    "form-narrow": ("form", {"width": 400, "height": 1000}, send),
    "form-wide": ("form", {"width": 1500, "height": 900}, None),
    "questions": ("questions", {}, None),
    "questions-dark-later": ("questions", {"theme": "dark"}, later),
    "questions-narrow": ("questions", {"width": 400}, send),
    "small": ("small", {}, None),
    "training-half": ("training", {"width": 700}, None),
    "waiting-half": ("waiting", {"width": 600}, more("Fit")),
    "training": ("training", {}, None),
    "training-dark": ("training", {"theme": "dark"}, None),
    "waiting": ("waiting", {}, None),
    "waiting-dark": ("waiting", {"theme": "dark"}, select("approve")),
    "answered": ("waiting", {}, approve),
    "failed": ("failed", {}, select("train_gradient")),
    "failed-dark-error": ("failed", {"theme": "dark"}, select("train_gradient", "Error")),
    "failed-source": ("failed", {}, select("train_gradient", "Source")),
    "inputs": ("failed", {}, select("features", "Inputs")),
    "logs": ("failed", {"theme": "dark"}, select("features", "Logs")),
    "hover": ("training", {}, hover("features")),
    "keyboard": ("training", {}, keys("ArrowRight", "ArrowRight", "ArrowRight")),
    "narrow": ("waiting", {"width": 460}, None),
    "narrow-detail": ("failed", {"width": 460, "theme": "dark"}, select("train_gradient")),
    "export": ("failed", {}, press("Export")),
    "export-dark": ("failed", {"theme": "dark"}, press("Export")),
    "again": ("failed", {"runs": ["k3v9-11aa", "k3v9-20c1"]}, press("Run again…")),
    "again-dark-narrow": ("failed", {"width": 360, "theme": "dark"}, more("Run again…")),
    "node-menu": ("failed", {}, node_menu("features")),
    "more": ("failed", {"width": 360}, press("More actions")),
    "wide": ("training", {"width": 1360}, None),
    "grid": ("training", {"layout": False}, None),
    "lost": ("training", {}, lose),
    "driven": ("waiting", {"driver": "process 4711 on lab-2"}, None),
    "left-dark": ("waiting", {"theme": "dark", "width": 420, "driver": ""}, None),
    "loop-free": ("training", {"width": 420, "pulse": {"turns": True}}, None),
    "loop-busy": ("training", {"pulse": {"turns": False, "busy_s": 1.2, "node_id": "train_forest"}}, None),
    "loop-was-busy": (
        "training",
        {"theme": "dark", "width": 420, "pulse": {"busy_s": 1.2, "node_id": "train_forest"}},
        None,
    ),
    "silent": ("training", {"silent": True}, lambda page: page.wait_for_timeout(1200)),
    "past": ("failed", {}, scrub("Shift+ArrowLeft", "Shift+ArrowLeft", "ArrowLeft")),
    "past-dark": ("waiting", {"theme": "dark"}, scrub("PageDown", "PageDown")),
    "past-narrow": ("failed", {"width": 400}, scrub("PageDown", "PageDown", "PageDown")),
    "timeline": ("failed", {"height": 620}, timeline()),
    "timeline-dark": ("waiting", {"theme": "dark", "height": 620}, timeline("Home", "ArrowDown", "ArrowDown")),
    "timeline-critical": ("waiting", {"height": 620}, timeline(critical=True)),
    "timeline-past": ("failed", {"height": 620}, both(timeline(), scrub(*["ArrowLeft"] * 12))),
    "timeline-zoomed": ("failed", {"theme": "dark", "height": 620}, timeline("Home", "End", "+", "+", "+")),
    "timeline-narrow": ("failed", {"width": 420, "height": 620}, timeline(critical=True)),
    "timeline-small": ("small", {"height": 620}, timeline()),
    "timeline-pauses": ("pauses", {"height": 620}, timeline()),
    "timeline-pauses-dark": ("pauses", {"theme": "dark", "height": 620}, timeline("Home", "ArrowDown", "ArrowDown")),
    "timeline-many": ("many", {"height": 620}, timeline(critical=True)),
    "timeline-huge": ("huge", {"theme": "dark", "height": 620}, timeline("End")),
    "many": ("many", {}, None),
    "many-fit": ("many", {}, lambda page: page.get_by_role("button", name="Fit").click()),
    "huge": ("huge", {"theme": "dark"}, lambda page: page.get_by_role("button", name="Fit").click()),
    "huge-near": ("huge", {}, None),
    "vast": ("vast", {}, lambda page: page.get_by_role("button", name="Fit").click()),
    "containers": ("containers", {}, None),
    "keys": ("training", {"theme": "dark"}, keys("?")),
    "inside": ("containers", {}, enter("train", "train/search")),
    "inside-dark": ("containers", {"theme": "dark"}, enter("read")),
    "visits": ("visits", {}, select("visit: failed")),
    "visits-dark-error": ("visits", {"theme": "dark"}, select("visit: failed", "Error")),
    "figure": ("visits", {}, select("customers", "Outputs")),
    "figure-dark-large": (
        "visits",
        {"theme": "dark"},
        both(select("customers", "Outputs"), press("Show figure at full size")),
    ),
    "elements": ("elements", {}, enter("work")),
    "search": ("training", {}, find("train")),
    "search-dark": ("huge", {"theme": "dark"}, find("status:failed")),
    "search-narrow": ("training", {"width": 420}, find("status:running")),
}


class Quiet(SimpleHTTPRequestHandler):
    """Serves the checkout and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Drop it."""


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or list(SHOTS)
    made: dict[str, object] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names:
            run, options, act = SHOTS[name]
            made.setdefault(run, RUNS[run]())
            page = browser.new_page(
                viewport={"width": options.get("width", 960) + 32, "height": 900}, device_scale_factor=1.5
            )
            page.on("console", lambda message, name=name: print(name, message.text))
            page.on("pageerror", lambda error, name=name: print(name, error))
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/js/preview/page.html")
            page.wait_for_function("window.ready === true")
            page.evaluate("([run, options]) => window.mount(run, options)", [made[run], options])
            page.wait_for_timeout(900)
            if act is not None:
                act(page)
                page.wait_for_timeout(700)
            page.locator("#cell").screenshot(path=out / f"{name}.png")
            page.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
