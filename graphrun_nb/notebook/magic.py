"""The ``%graphrun`` magic. Its docstring is its help."""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
from symtable import symtable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from graphrun_nb.authoring.frames import is_users
from graphrun_nb.engine.api import run
from graphrun_nb.engine.binding import bind_inputs, graph_of
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.going_on import shown
from graphrun_nb.notebook.launches import earlier_runs, note, replace_earlier
from graphrun_nb.notebook.line import read_line, split
from graphrun_nb.notebook.loop import wait_for
from graphrun_nb.notebook.scope import Scope
from graphrun_nb.notebook.verbs import VERBS, carry_out, table
from graphrun_nb.protocols import hooks
from graphrun_nb.view.text import clipped

if TYPE_CHECKING:
    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.notebook.line import Line

MAX_LINE = 1_000


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
            --run-id ID           1 to 64 letters, digits, _ and -; a run of this id that did not end well goes on
            --on-changed WORD     raise, rerun or keep, when the graph is not the one that the run began with
            --on-unsaved WORD     raise or rerun, when outputs are needed that could not be kept
            --resume-from RUN     take over what is done in another run (an id)
            --session-id ID       groups runs; --agent-id and --app-id say where they come from
            --on-wait WORD        block, raise or return, when only waits are left
            --executor NAME       where sync tools run: thread, process or loop
            --durability WORD     what a store on disk survives: process, power or off
            --fail-fast           the first failure cancels the rest
            --replace             cancel first what this cell has begun and is still alive
            --wait                keep the cell until the end; the value is the outputs

        Runs that are there already; RUN is an id, the beginning of one, or a variable that holds a RunFuture; left out
        it is the latest run::

            %graphrun                             all runs, newest first
            %graphrun show RUN                    watch it here
            %graphrun cancel RUN                  end it
            %graphrun resume RUN NODE key=value   answer what the node asks
            %graphrun retry RUN --from NODE       go on with what failed, or with NODE and all below it
            %graphrun fork RUN --at SEQ key=value a new run from where RUN stood after event SEQ, with other inputs
            %graphrun attach RUN --with NAME      watch it here; if it was interrupted, go on with it, as graph NAME
            %graphrun debug RUN NODE              the debugger, in the node that failed, where it failed
            %graphrun diff RUN RUN                what differs between two runs
            %graphrun export RUN FILE             as .svg, .png, .html, .json or .trace.json; --force overwrites
            %graphrun doctor                      is everything in order here; reads every run of the store
            %graphrun prune --older-than DAYS     delete runs that ended then (30); --keep N stay; --dry-run only says
            %graphrun help                        this text; so does %graphrun?

        A graph that has the name of a verb is launched by ``%graphrun run NAME``.

        With ``%%graphrun NAME --option …`` the rest of the cell is Python: it is run first, and the names that it
        assigns and the graph takes are its inputs::

            %%graphrun report --max-concurrency 8
            rows = load("table.csv")

        Examples::

            %graphrun sums x=1
            f = %graphrun sums x=1 --max-concurrency 8
            %graphrun sums x=1 --wait
            %graphrun retry f --from second
            %graphrun export f sums.html
        """
        __tracebackhide__ = True
        line = line.rstrip().rstrip(";")  # which keeps IPython from showing a value
        scope = Scope(self.shell)
        try:
            verb, *words = split(line) or [""]
            verb = "help" if verb in ("-h", "--help") else verb
            if cell is not None:
                cell = _checked(line, cell, scope)
            elif not verb:
                sys.stdout.write(f"{table()}\n")
                return None
            elif verb in VERBS:
                return carry_out(verb, words, scope)
            elif verb.isidentifier() and verb != "run":
                scope.target(verb, also=VERBS)
        except (GraphRunError, TypeError, ValueError) as error:
            if _is_of_a_body(error):
                raise
            _complain(error)
            return None
        assigned = _run_body(cell, scope) if cell is not None else frozenset()
        try:
            parsed = read_line(line)
            future = shown(_launch(parsed, assigned, scope))
        except (GraphRunError, TypeError, ValueError) as error:
            if _is_of_a_body(error):
                raise
            _complain(error)
            return None
        return future.result() if parsed.wait else future


def _is_of_a_body(error: BaseException) -> bool:
    """Tell whether the user's own code raised `error` while a graph was built: it is shown as any error of theirs."""
    files = {frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)}
    files.discard("<string>")  # what dataclasses generate
    return not isinstance(error, GraphRunError) and any(map(is_users, files))


def _checked(line: str, cell: str, scope: Scope) -> str:
    """Return the body as plain Python; raise what is wrong with the first line before anything is run."""
    __tracebackhide__ = True
    graph_of(scope.target(read_line(line).target))
    transformed: str = scope.shell.transform_cell(cell)
    return transformed


def _run_body(body: str, scope: Scope) -> frozenset[str]:
    """Run the body in the user's namespace and return the names that it assigns; its errors are the user's."""
    compiler = scope.shell.compile
    with compiler.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
        code = compiler(body, compiler.cache(body), "exec")
    given = eval(code, scope.namespace)  # noqa: S307 (the user's own cell)
    if inspect.iscoroutine(given):
        wait_for(given)
    symbols = symtable(body, "cell", "exec").get_symbols()
    return frozenset(each.get_name() for each in symbols if each.is_assigned() or each.is_imported())


def _launch(line: Line, assigned: frozenset[str], scope: Scope) -> RunFuture:
    __tracebackhide__ = True
    target = graph_of(scope.target(line.target))
    names = [each.name for each in target.spec.inputs if each.name in assigned and each.name in scope.namespace]
    inputs = {name: scope.namespace[name] for name in names}
    inputs |= {name: scope.value(name, source) for name, source in line.inputs.items()}
    if line.replace:
        bind_inputs(target.spec, inputs)  # a mistake cancels nothing
        RuntimeEnv.from_overrides(line.overrides)
        replace_earlier(target.name, scope.shell)
    others = earlier_runs(target.name, scope.shell)
    future = run(target, inputs, **line.overrides)
    note(future.run, scope.shell)
    if others and hooks.presenter is None:  # the live view tells of them
        ids = ", ".join(each.run_id for each in others)
        sys.stdout.write(f"another run of {target.name!r} is alive: {ids}; --replace cancels it first\n")
    return future


def _complain(error: BaseException) -> None:
    """Print one line for the mistake and at most one for what to do about it."""
    notes = getattr(error, "__notes__", ())
    lines = [f"graphrun: {error}", *notes[:1]]
    sys.stderr.write("\n".join(clipped(" ".join(line.split()), MAX_LINE) for line in lines) + "\n")
