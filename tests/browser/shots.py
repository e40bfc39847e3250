"""Pictures of a notebook's widgets, taken in a real JupyterLab: for the documentation, and to look at."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, NamedTuple

from .lab import Frontend, Server, browse, new_notebook_page, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, ViewportSize

    from .lab import NotebookPage

# Among the renderers of outputs only that of widgets is a panel.
WIDGET = ".jp-OutputArea-output.lm-Panel"
SCROLLER = ".jp-WindowedPanel-outer"


class Studio(NamedTuple):
    """A server and a browser to take any number of pictures with."""

    server: Server
    browser: BrowserContext


@contextmanager
def open_studio(*, scale: float = 2) -> Iterator[Studio]:
    """Start a server and a browser; a picture has `scale` pixels per CSS pixel in either direction."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        with serve(root / "jupyter") as server, browse(root / "chromium", scale=scale) as browser:
            yield Studio(server, browser)


def _fit(page: NotebookPage, width: float, height: float) -> None:
    """Size the window so that the widget is `width` CSS px wide and the notebook shows `height` of them."""
    widget = page.page.locator(WIDGET).first.bounding_box()
    notebook = page.page.locator(SCROLLER).bounding_box()
    window: ViewportSize | None = page.page.viewport_size
    if widget is None or notebook is None or window is None:
        raise LookupError("the notebook shows no widget to fit the window to")
    size: ViewportSize = {
        "width": round(window["width"] + width - widget["width"]),
        "height": round(window["height"] + height - notebook["height"]),
    }
    page.page.set_viewport_size(size)


def shoot(
    cells: list[str],
    out: Path,
    *,
    theme: Literal["light", "dark"],
    width: int,
    height: int,
    until: Callable[[NotebookPage], None],
    studio: Studio | None = None,
) -> None:
    """
    Run a notebook and write a picture of its first widget, cut to the widget, to `out` (PNG).

    Parameters
    ----------
    cells
        The notebook's code, all of it run.
    theme
        JupyterLab's theme.
    width, height
        The widget's width, and the height that it must fit into; CSS px.
    until
        Called while the cells run, once the widget is there: returns, with a wait on what the page shows, when the
        picture is to be taken, and may click before.
    studio
        Where to take it; by default in a studio of its own, which costs some 5 s.

    Raises
    ------
    ValueError
        The widget is higher than `height`.
    """
    with nullcontext(studio) if studio else open_studio() as (server, browser):
        page = new_notebook_page(server, browser, *cells)
        try:
            page.open(Frontend.DOCUMENT)
            page.set_theme(theme)
            page.run_all(wait=False)
            widget = page.page.locator(WIDGET).first
            widget.wait_for()
            _fit(page, width, height)
            until(page)
            box = widget.bounding_box()
            if box is None or box["height"] > height:
                raise ValueError(
                    f"{out.name}: the widget's box is {box}, which does not fit into a height of {height} px"
                )
            page.screenshot(out, widget)
        finally:
            page.close()
            server.forget()
