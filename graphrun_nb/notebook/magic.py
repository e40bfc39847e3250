"""The ``%graphrun`` magic. Its docstring is its help."""

from __future__ import annotations

import sys
from symtable import symtable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from graphrun_nb.core.spec import closest
from graphrun_nb.engine.api import run
from graphrun_nb.engine.binding import graph_of
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.line import UsageError, read_line, split
from graphrun_nb.notebook.verbs import VERBS, carry_out, table
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.notebook.line import Line


@magics_class
class GraphrunMagics(Magics):
    """Holds the ``%graphrun`` magic."""

    @no_var_expand
    @line_cell_magic
    def graphrun(self, line: str, cell: str | None = None) -> RunFuture | dict[str, Any] | None:
        """Launch a graph and watch it in this cell's output.

        ``%graphrun NAME key=value … --option …``

        NAME is a graph in the namespace (a ``@graphify`` function or a TaskGraph); ``run NAME`` says the same.
        Values are Python expressions: ``%graphrun train rows=len(table) seed=7``. The value of the line is a
        RunFuture; the cell ends at once, and the run goes on.

        Options::

            --max-concurrency N   how many nodes run at the same time (4)
            --retry N             attempts of each node without a policy of its own (1)
            --timeout SECONDS     for the whole run
            --run-id ID           1 to 64 letters, digits, _ and -
            --session-id ID       groups runs
            --on-wait WORD        block, raise or return, when only waits are left
            --executor NAME       where sync tools run: thread, process or loop
            --fail-fast           the first failure cancels the rest
            --wait                keep the cell until the end; the value is the outputs

        Runs that are there already; RUN is an id, the beginning of one, or a variable that holds a RunFuture; left out
        it is the latest run::

            %graphrun                             all runs, newest first
            %graphrun show RUN                    watch it here
            %graphrun cancel RUN                  end it
            %graphrun resume RUN NODE key=value   answer what the node asks

        A graph that has the name of a verb is launched by ``%graphrun run NAME``.

        With ``%%graphrun NAME --option …`` the rest of the cell is Python: it is run first, and the names that it
        assigns and the graph takes are its inputs::

            %%graphrun report --max-concurrency 8
            rows = load("table.csv")
        Examples::

            %graphrun sums x=1
            f = %graphrun sums x=1 --max-concurrency 8
            %graphrun sums x=1 --wait
        """
        try:
            verb, *words = split(line) or [""]
            if cell is not None:
                verb, cell = "", self._checked(line, cell)
            elif not verb:
                sys.stdout.write(f"{table()}\n")
                return None
            elif verb in VERBS:
                return carry_out(verb, words, self._namespace, self._value_of)
        except (GraphRunError, TypeError, ValueError) as error:
            _complain(error)
            return None
        assigned = self._run_body(cell) if cell is not None else frozenset()
        try:
            parsed = read_line(line)
            future = self._launch(parsed, assigned)
        except (GraphRunError, TypeError, ValueError) as error:
            _complain(error)
            return None
        if hooks.presenter is not None:
            hooks.presenter.display(future)
        return future.result() if parsed.wait else future

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}

    def _value_of(self, name: str, source: str) -> Any:
        return _value(name, source, self._namespace)

    def _checked(self, line: str, cell: str) -> str:
        """Return the body as plain Python; raise what is wrong with the first line before anything is run."""
        graph_of(_look_up(read_line(line).target, self._namespace))
        return self.shell.transform_cell(cell) if self.shell is not None else cell

    def _run_body(self, body: str) -> frozenset[str]:
        """Run the body in the user's namespace and return the names that it assigns; its errors are the user's."""
        assert self.shell is not None  # noqa: S101 (a magic has a shell)
        code = self.shell.compile(body, self.shell.compile.cache(body), "exec")
        exec(code, self._namespace)  # noqa: S102 (the user's own cell, in the user's own namespace)
        table = symtable(body, "cell", "exec")
        return frozenset(each.get_name() for each in table.get_symbols() if each.is_assigned())

    def _launch(self, line: Line, assigned: frozenset[str]) -> RunFuture:
        namespace = self._namespace
        target = graph_of(_look_up(line.target, namespace))
        inputs = {each.name: namespace[each.name] for each in target.spec.inputs if each.name in assigned}
        inputs |= {name: _value(name, source, namespace) for name, source in line.inputs.items()}
        return run(target, inputs, **line.overrides)


def _look_up(name: str, namespace: Mapping[str, Any]) -> Any:
    if name in namespace:
        return namespace[name]
    known = [each for each in namespace if not each.startswith("_")]
    raise UsageError(
        f"there is no {name!r} in this notebook",
        hints=(closest(name, known) or "run the cell that defines it first",),
    )


def _value(name: str, source: str, namespace: Mapping[str, Any]) -> Any:
    try:
        return eval(source, dict(namespace))  # noqa: S307 (the user's own line, in the user's own namespace)
    except Exception as error:
        raise UsageError(
            f"{name}={source}: {type(error).__name__}: {error}",
            hints=("values are Python expressions; put text in quotes",),
        ) from error


def _complain(error: BaseException) -> None:
    """Print one line for the mistake and at most one for what to do about it."""
    notes = getattr(error, "__notes__", ())
    lines = [f"graphrun: {error}", *notes[:1]]
    sys.stderr.write("\n".join(" ".join(line.split()) for line in lines) + "\n")
