"""Which actions a view may offer for a run, so that none of them is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.preparing import defined_now

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run


def offers(run: Run) -> list[str]:
    """Return some of ``cancel``, ``retry``, ``from`` (again from a node), ``fork`` and ``again`` (a new run). O(1)."""
    ended = run.state.finished
    is_known = run.source.is_known or defined_now(run) is not None
    forks = ["fork"] if is_known and not run.spec.body else []
    if ended is None or run.is_alive:
        return forks if ended is not None or run.state.cancelled_by else ["cancel", *forks]
    if not is_known:
        return []
    goes_on = [] if run.spec.body else ["from"] if ended is RunStatus.DONE else ["retry", "from"]
    return [*goes_on, *forks, "again"]
