# ruff: noqa: INP001 (a script: `make demo` runs it)
"""The quickstart without a browser: its own cells in a real kernel, the run as text and picture.

Its question is answered from code, before it is asked: the answer is kept until then.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat
from nbclient import NotebookClient

from graphrun_nb.core.codec import load_lines
from graphrun_nb.core.state import fold
from graphrun_nb.view.export import to_svg
from graphrun_nb.view.text import table

if TYPE_CHECKING:
    from graphrun_nb.core.events import Envelope
    from graphrun_nb.core.state import RunState

NOTEBOOK = Path(__file__).with_name("01_quickstart.ipynb")
PICTURE = NOTEBOOK.parents[1] / "build" / "quickstart.svg"
REPORT = NOTEBOOK.parent / "report" / "index.html"
CELL_TIMEOUT_S = 60

ANSWER = 'future.resume("approve", {"approved": True}, by="demo");'
HAND_OUT_LOG = """\
from graphrun_nb.core.codec import dump_lines

print(dump_lines(future.events).decode())
"""


class Played(NamedTuple):
    """The notebook with its outputs, the log of its run and the state that this log leads to."""

    notebook: Any
    log: list[Envelope]
    state: RunState


def play(folder: Path, *, answer: str | None = ANSWER) -> Played:
    """Run the quickstart's cells in a new kernel.

    Parameters
    ----------
    folder
        Where the kernel works, and so where the report goes.
    answer
        Source that stands in for the cells tagged ``answer``; None keeps them.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if answer is not None and "answer" in cell.metadata.get("tags", ()):
            cell.source = answer
    notebook.cells.append(nbformat.v4.new_code_cell(HAND_OUT_LOG))
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    ).execute()
    log = list(load_lines(notebook.cells.pop().outputs[0].text.encode()))
    return Played(notebook, log, fold(log[0].run_id, log))


def picture(state: RunState) -> str:
    """Return the run's drawing, an SVG document."""
    return to_svg(state)


def main() -> None:
    """Play the notebook where it is, print its run and draw it."""
    state = play(NOTEBOOK.parent).state
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(state), encoding="utf-8")
    sys.stdout.write(f"{table(state)}\n\npicture: {_near(PICTURE)}\nreport:  {_near(REPORT)}\n")


def _near(path: Path) -> Path:
    """Return `path` as seen from the working directory, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()
