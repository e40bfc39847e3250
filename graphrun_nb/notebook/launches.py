"""Which cell began which run, so that a cell that is run again can tell of, or replace, the run it began before."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.live import UNFINISHED

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run

END_S = 5.0
"""How long a replaced run may take to end before the new one begins all the same: twice what it has to clean up."""


class Execution(NamedTuple):
    """One execution of a cell: the front end's id of the cell, or empty, and what tells executions apart."""

    cell: str
    turn: str


_BEGUN: WeakKeyDictionary[Run, Execution] = WeakKeyDictionary()


def note(run: Run, shell: Any) -> None:
    """Remember that the current cell began `run`, unless another one did."""
    _BEGUN.setdefault(run, _now(shell))


def earlier_runs(graph: str, shell: Any) -> list[Run]:
    """Return the runs of a graph that earlier executions of the current cell began and that are alive, oldest first.

    Where the front end does not tell which cell it is, those of any cell.
    """
    now = _now(shell)
    found = []
    for run in tuple(UNFINISHED):
        begun = _BEGUN.get(run)
        alive = not run.ended and not run.state.cancelled_by
        if alive and run.spec.name == graph and begun is not None and begun.cell == now.cell and begun.turn != now.turn:
            found.append(run)
    return sorted(found, key=lambda run: run.state.started_at)


def replace_earlier(graph: str, shell: Any) -> None:
    """Cancel what `earlier_runs` gives and wait, for at most 5 s each, until it has ended."""
    for run in earlier_runs(graph, shell):
        future = RunFuture(run)
        run.post(partial(run.cancel, by="replace"))
        with contextlib.suppress(CancelledError, TimeoutError):
            future.exception(END_S)


def _now(shell: Any) -> Execution:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return Execution("", str(getattr(shell, "execution_count", "")))
    request = kernel.get_parent("shell")
    return Execution(
        str(request.get("metadata", {}).get("cellId", "")), str(request.get("header", {}).get("msg_id", ""))
    )
