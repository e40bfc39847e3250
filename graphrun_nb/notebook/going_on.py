"""``%graphrun show``, ``retry``, ``fork`` and ``attach``: existing runs, shown here and continued."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.api import run as start
from graphrun_nb.engine.binding import graph_of
from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.resuming import named
from graphrun_nb.notebook.line import UsageError, take_options
from graphrun_nb.notebook.scope import GRAPHS, Scope
from graphrun_nb.protocols import hooks
from graphrun_nb.view.text import table

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run


def show(words: list[str], scope: Scope) -> RunFuture:
    """Show ``[RUN]`` in the current cell."""
    return shown(RunFuture(one_run("show", words, scope)))


def retry(words: list[str], scope: Scope) -> RunFuture:
    """Go on with ``[RUN] [--from NODE] [--on-changed WORD]``, and show it; raises as `RunFuture.retry`."""
    rest, options = take_options(words, valued=("--from", "--on-changed"))
    on_changed: Any = options.get("--on-changed", "keep")
    future = RunFuture(one_run("retry", rest, scope)).retry(options.get("--from"), on_changed=on_changed)
    if future.run.outdated:
        sys.stdout.write(
            f"what {named(future.run.outdated)} did stays as it is, although defined differently now\n"
            f"hint: %graphrun retry {future.run_id} --from NODE runs a node again, and all below it\n"
        )
    return shown(future)


def fork(words: list[str], scope: Scope) -> RunFuture:
    """Begin a new run where ``[RUN] [--at SEQ] key=value …`` stood, and show it; raises as `graphrun_nb.fork`."""
    rest, options = take_options(words, valued=("--at", "--run-id"))
    at = options.get("--at", "")
    if at and not at.isdecimal():
        raise UsageError(f"--at takes the number of an event, not {at!r}", hints=("%graphrun fork RUN --at SEQ x=1",))
    named = [word for word in rest if "=" not in word]
    inputs = {}
    for word in rest:
        name, equals, source = word.partition("=")
        if equals:
            inputs[name] = scope.value(name, source)
    future = RunFuture(one_run("fork", named, scope))
    return shown(future.fork(at=int(at) if at else None, inputs=inputs, run_id=options.get("--run-id")))


def attach(words: list[str], scope: Scope) -> RunFuture:
    """Show ``[RUN] [--with NAME]``, and go on with it if nobody does and its graph is in the namespace.

    Raises
    ------
    UsageError
        NAME is nothing in the namespace.
    SpecChanged
        NAME is a graph, and not the one that the run began with.
    """
    rest, options = take_options(words, valued=("--with",))
    run = one_run("attach", rest, scope)
    name = options.get("--with")
    target = _definition(run, scope) if name is None else scope.target(name)
    if run.status is not RunStatus.INTERRUPTED:
        return shown(RunFuture(run))
    if target is None:
        graph = run.spec.name
        sys.stdout.write(
            f"run {run.run_id!r} is only shown: no graph {graph!r} as it began with is defined in this notebook\n"
            f"hint: run the cell that defines {graph!r}, or name the graph: %graphrun attach {run.run_id} --with NAME\n"
        )
        return shown(RunFuture(run))
    return shown(start(target, run_id=run.run_id, store=run.env.store))


def shown(future: RunFuture) -> RunFuture:
    """Show the run in the current cell, or as a table where there is no notebook, and return its future."""
    if hooks.presenter is not None:
        hooks.presenter.display(future)
    else:
        sys.stdout.write(f"run {future.run_id} of {table(future.run.state)}\n")
    return future


def one_run(verb: str, words: list[str], scope: Scope) -> Run:
    """Return the run that the only word after a verb names; raises UsageError if there are more of them."""
    if len(words) > 1:
        raise UsageError(f"{verb} takes one run, not {' '.join(words)!r}", hints=(f"%graphrun {verb} RUN",))
    return scope.run(words[0] if words else "")


def _definition(run: Run, scope: Scope) -> Any:
    """Return the graph in the namespace that has the run's name and fingerprint, or None."""
    for value in list(scope.namespace.values()):
        if issubclass(type(value), GRAPHS) and value.name == run.state.graph:
            try:
                graph = graph_of(value)
            except Exception:  # noqa: BLE001, S112 (a body may raise anything, and is then not the one that ran)
                continue
            if graph.fingerprint() == run.state.fingerprint:
                return value
    return None
