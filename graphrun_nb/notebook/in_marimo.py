"""Shows runs in marimo: a RunFuture that a cell ends with is its live view."""

from __future__ import annotations

import importlib
import re
import sys
import weakref
from typing import TYPE_CHECKING, Any

from graphrun_nb.notebook.inspector import Inspector
from graphrun_nb.notebook.unseen import Unseen

if TYPE_CHECKING:
    from graphrun_nb.engine.future import RunFuture

_CELL = re.compile(r"__marimo__cell_(\w+?)_?\.py$")


def is_marimo() -> bool:
    """Tell whether a marimo notebook runs this code."""
    marimo: Any = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


class MarimoPresenter:
    """One inspector a run; marimo shows it as the output of its cell until that is run again."""

    def __init__(self) -> None:
        self._inspectors: weakref.WeakKeyDictionary[Any, Inspector] = weakref.WeakKeyDictionary()
        self._awaited: weakref.WeakSet[Any] = weakref.WeakSet()

    def inspector(self, future: RunFuture) -> Inspector:
        """Return the run's inspector."""
        found = self._inspectors.get(future.run)
        if found is None:
            found = self._inspectors[future.run] = Inspector(future)
        return found

    def display(self, future: RunFuture) -> None:
        """Add the live view to the output of the cell that runs."""
        importlib.import_module("marimo").output.append(self.inspector(future))

    def awaited(self, future: RunFuture) -> None:
        """Show the run in the current cell, which waits for it, once it asks something and has no view."""
        if future.run not in self._inspectors and future.run not in self._awaited:
            self._awaited.add(future.run)
            Unseen(future, self._show_unseen)

    def _show_unseen(self, future: RunFuture) -> None:
        if future.run not in self._inspectors:
            self.display(future)

    def after_failure(self, *, goes_on: bool = True) -> tuple[str, ...]:
        """Return nothing: marimo has no magics."""
        del goes_on
        return ()

    def shorten(self, error: BaseException) -> None:
        """Leave an error as it is."""

    def file_label(self, filename: str) -> str:
        """Return ``cell Hbol`` for the file name of the cell with this id; any other as it is."""
        found = _CELL.search(filename)
        return f"cell {found[1]}" if found else filename
