"""Shows runs in the output of cells."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from graphrun_nb.notebook.in_marimo import MarimoPresenter, is_marimo
from graphrun_nb.notebook.inspector import Inspector
from graphrun_nb.notebook.launches import earlier_runs, note
from graphrun_nb.notebook.loop import install
from graphrun_nb.notebook.picture import LivePicture
from graphrun_nb.notebook.tracebacks import shorten
from graphrun_nb.notebook.unseen import Unseen

if TYPE_CHECKING:
    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.engine.run import Run


def in_a_notebook() -> NotebookPresenter | MarimoPresenter | None:
    """Return a presenter if this process is a notebook's kernel."""
    if getattr(get_ipython(), "kernel", None) is not None:
        return NotebookPresenter()
    return MarimoPresenter() if is_marimo() else None


class NotebookPresenter:
    """One inspector a run, shown wherever it is asked for; the first time with its picture for the saved notebook."""

    def __init__(self) -> None:
        self._inspectors: weakref.WeakKeyDictionary[Any, Inspector] = weakref.WeakKeyDictionary()
        self._pictures: weakref.WeakKeyDictionary[Any, LivePicture] = weakref.WeakKeyDictionary()
        self._shown_in: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._awaited: weakref.WeakSet[Any] = weakref.WeakSet()
        shell = get_ipython()
        install(shell)
        if shell is not None:
            shell.events.register("post_run_cell", self._after_cell)

    def inspector(self, future: RunFuture) -> Inspector:
        """Return the run's inspector."""
        found = self._inspectors.get(future.run)
        if found is None:
            found = self._inspectors[future.run] = Inspector(future)
            found.on_turn = partial(self._turned, weakref.ref(found))
        return found

    def _turned(self, inspector: weakref.ref[Inspector], before: Run, future: RunFuture) -> None:
        """Let the picture below a view be of the run that it shows now."""
        shows = inspector()
        if shows is None:
            return
        self._inspectors.pop(before, None)
        self._inspectors[future.run] = shows
        picture = self._pictures.pop(before, None)
        if picture is not None:
            self._shown_in[future.run] = self._shown_in.pop(before)
            self._pictures[future.run] = picture.of(future.run)

    def display(self, future: RunFuture) -> None:
        """Show the run as output of the current cell, once a cell."""
        shell = get_ipython()
        cell = shell.execution_count if shell is not None else 0
        if self._shown_in.get(future.run) == cell:
            return
        inspector = self.inspector(future)
        if future.run not in self._shown_in:
            inspector.stands_beside(earlier_runs(future.run.spec.name, shell))
            note(future.run, shell)
        self._shown_in[future.run] = cell
        display(inspector)
        if future.run not in self._pictures:
            self._pictures[future.run] = LivePicture(future.run)
        self._pictures[future.run].show()

    def awaited(self, future: RunFuture) -> None:
        """Show the run in the current cell, which waits for it, once it asks something and no view has shown it."""
        if future.run not in self._shown_in and future.run not in self._awaited:
            self._awaited.add(future.run)
            Unseen(future, self._show_unseen)

    def _show_unseen(self, future: RunFuture) -> None:
        if future.run not in self._shown_in:
            self.display(future)

    @property
    def is_watched(self) -> bool:
        """Whether some front end has shown a live view."""
        return any(inspector.is_watched for inspector in self._inspectors.values())

    def after_failure(self, *, goes_on: bool = True) -> tuple[str, ...]:
        """Name the lines that lead on from a failure, where they are there to be used."""
        shell = get_ipython()
        if shell is None or shell.find_line_magic("graphrun") is None:
            return ()
        then = "%graphrun retry goes on" if goes_on else "begin a new run: a graph function cannot go on"
        return (f"%graphrun debug looks around where it failed; once it is mended, {then}",)

    def shorten(self, error: BaseException) -> None:
        """Let the cell show an error that comes out of this package up to the user's line."""
        shell = get_ipython()
        if shell is not None:
            shorten(error, shell)

    def file_label(self, filename: str) -> str:
        """Return ``In[3]`` for a cell's file name; any other as it is."""
        shell = get_ipython()
        label = shell.compile.format_code_name(filename) if shell is not None else None
        return label[1] if label else filename

    def _after_cell(self, _: object) -> None:
        for picture in list(self._pictures.values()):
            picture.keep(waits=not self.is_watched)
        for inspector in list(self._inspectors.values()):
            inspector.keep()
            inspector.renew_offers()
