"""
One server and one browser for all tests in here; a page and a kernel of its own for each test.

Playwright's synchronous interface leaves an event loop running in its thread, in which pytest-asyncio cannot run
another: these tests are collected only by a run that asks for them by path, `pytest tests/browser`.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import BrowserContext

    from .lab import Frontend, NotebookPage, Server

    Open = Callable[..., NotebookPage]

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    asked = (config.invocation_params.dir / argument.partition("::")[0] for argument in config.args)
    return None if any(path.resolve().is_relative_to(HERE) for path in asked) else True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from .lab import serve

    with serve(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    from .lab import browse

    with browse(tmp_path_factory.mktemp("chromium")) as context:
        yield context


def _keep(page: NotebookPage, directory: Path, name: str) -> None:
    """Leave behind what a failure can be understood from."""
    from playwright.sync_api import Error

    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.log").write_text("\n".join(page.console))
    (directory / "server.log").write_text(page.server.log())
    with suppress(Error):
        page.page.screenshot(path=directory / f"{name}.png", timeout=5000)


@contextmanager
def _opener(request: pytest.FixtureRequest, frontend: str) -> Iterator[Open]:
    from .lab import Frontend, new_notebook_page

    running: Server = request.getfixturevalue("server")
    context: BrowserContext = request.getfixturevalue("browser")
    pages: list[NotebookPage] = []

    def open_notebook(*cells: str, frontend: Frontend = Frontend[frontend]) -> NotebookPage:
        page = new_notebook_page(running, context, *cells)
        pages.append(page)
        page.open(frontend)
        return page

    yield open_notebook
    for number, page in enumerate(pages, start=1):
        if request.node.stash.get(FAILED, False):
            directory = request.config.rootpath / "build" / "browser" / re.sub(r"[^\w.-]+", "-", request.node.name)
            _keep(page, directory, f"page-{number}")
        page.close()
    running.forget()


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Return a function that opens a notebook of the given cells in JupyterLab."""
    with _opener(request, "JUPYTERLAB") as open_notebook:
        yield open_notebook


@pytest.fixture
def notebook7(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Return a function that opens a notebook of the given cells in Notebook 7."""
    with _opener(request, "NOTEBOOK7") as open_notebook:
        yield open_notebook


@pytest.fixture(params=["lab", "notebook7"])
def anywhere(request: pytest.FixtureRequest) -> Open:
    """Return `lab` and `notebook7` in turn."""
    opener: Open = request.getfixturevalue(request.param)
    return opener
