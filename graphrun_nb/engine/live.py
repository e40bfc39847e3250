"""The runs of this process."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphRunError

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run

RUNS: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
"""Those that somebody still holds, by id."""

UNFINISHED: set[Run] = set()
"""Those under way: asyncio holds tasks weakly, and nobody need hold a run's future."""


def find_run(start: str) -> Run:
    """Return the run of this process whose id begins with `start`; the latest one if `start` is empty.

    Raises
    ------
    GraphRunError
        There is none, or more than one.
    """
    if start in RUNS:
        return RUNS[start]
    found = sorted((run for run in RUNS.values() if run.run_id.startswith(start)), key=lambda run: run.state.started_at)
    if not found or (start and len(found) > 1):
        what = f"{len(found)} runs begin with {start!r}" if found else f"there is no run {start or 'yet'!r}"
        known = ", ".join(run.run_id for run in found or RUNS.values())
        raise GraphRunError(what, hints=(closest(start, list(RUNS)) or f"the runs here are: {known or 'none'}",))
    return found[-1]


def live_run(run_id: str) -> Run:
    """Return a run of this process by its id.

    Raises
    ------
    GraphRunError
        There is none.
    """
    run = RUNS.get(run_id)
    if run is None:
        hint = closest(run_id, list(RUNS)) or "a run is known to its process as long as somebody holds its future"
        raise GraphRunError(f"there is no run {run_id!r} in this process", hints=(hint,))
    return run
