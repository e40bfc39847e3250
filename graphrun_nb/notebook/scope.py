"""What a line of the magic can name: graphs, runs and values of the user's namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.builder import GraphBuilder
from graphrun_nb.authoring.graph_fn import GraphFunction
from graphrun_nb.authoring.graphify import Graphified
from graphrun_nb.authoring.task_graph import TaskGraph
from graphrun_nb.core.spec import closest
from graphrun_nb.engine.env import default_store
from graphrun_nb.engine.following import followed
from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.live import RUNS, find_run
from graphrun_nb.engine.preparing import opened
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.line import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.engine.run import Run

GRAPHS = (Graphified, GraphFunction, GraphBuilder, TaskGraph)
"""What a line can launch, besides functions that give one."""

MAX_NAMED = 8


class Scope:
    """The names that a cell sees.

    Parameters
    ----------
    shell
        The InteractiveShell of the magic.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's names."""
        found: dict[str, Any] = self.shell.user_ns
        return found

    def target(self, name: str, also: Iterable[str] = ()) -> Any:
        """Return what the notebook calls `name`.

        Parameters
        ----------
        also
            Words that may have been meant instead.

        Raises
        ------
        UsageError
            It has no such name; a hint says the closest.
        """
        if name in self.namespace:
            return self.namespace[name]
        graphs = [each for each, value in list(self.namespace.items()) if issubclass(type(value), GRAPHS)]
        graphs = [each for each in graphs if not each.startswith("_")]
        those = f"; the graphs here are: {', '.join(graphs[-MAX_NAMED:])}" if graphs else ""
        raise UsageError(
            f"there is no {name!r} in this notebook",
            hints=(closest(name, [*graphs, *also]) or f"run the cell that defines it first{those}",),
        )

    def value(self, name: str, source: str) -> Any:
        """Return the value of an expression.

        Raises
        ------
        UsageError
            It raised, or is none; the message has `name`.
        """
        try:
            return eval(source, dict(self.namespace))  # noqa: S307 (the user's own line, in the user's own namespace)
        except Exception as error:
            raise UsageError(
                f"{name}={source}: {type(error).__name__}: {error}",
                hints=("values are Python expressions; put text in quotes",),
            ) from error

    def run(self, word: str) -> Run:
        """Return the run that a word names: by a variable, its id, or the beginning of that; empty: the latest run.

        Raises
        ------
        GraphRunError
            There is none, or more than one.
        """
        held = self.namespace.get(word)
        if isinstance(held, RunFuture):
            return followed(held.run)
        ids = list(dict.fromkeys([*RUNS, *default_store().run_ids()]))
        found = [word] if word in ids else [run_id for run_id in ids if run_id.startswith(word)]
        if not word and (RUNS or not ids):
            return followed(find_run(""))
        if not found or (word and len(found) > 1):
            what = f"{len(found)} runs begin with {word!r}" if found else f"there is no run {word!r}"
            hint = closest(word, ids) or f"the runs here are: {', '.join((found or ids)[-MAX_NAMED:]) or 'none'}"
            raise GraphRunError(what, hints=(hint,))
        return followed(RUNS[found[-1]] if found[-1] in RUNS else opened(found[-1]))
