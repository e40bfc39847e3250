"""The runs of a store, one line each."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrun_nb.core.outline import outline
from graphrun_nb.core.state import fold
from graphrun_nb.core.status import NODE_STATUS, RunStatus
from graphrun_nb.engine.env import default_store
from graphrun_nb.engine.live import RUNS
from graphrun_nb.stores import as_store
from graphrun_nb.view.text import aligned, duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graphrun_nb.core.outline import Outline
    from graphrun_nb.core.status import NodeStatus
    from graphrun_nb.protocols import RunStore

_COLUMNS = ("run", "graph", "status", "nodes", "started", "took")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a table of runs says of one.

    Attributes
    ----------
    counts
        Nodes by status.
    started_at, ended_at
        Unix seconds (UTC); 0 if it has not ended.
    parent
        Run and node that started it, or None.
    is_alive
        It is under way in this process.
    """

    run_id: str
    graph: str
    status: RunStatus
    counts: Counter[NodeStatus]
    started_at: float
    ended_at: float
    session_id: str
    parent: tuple[str, str] | None
    is_alive: bool

    def __repr__(self) -> str:
        told = told_counts(self.counts)
        return f"<run {self.run_id} of {self.graph}: {self.status.lower()}{f', {told}' if told else ''}>"


def list_runs(*, store: RunStore | str | Path | None = None) -> list[RunSummary]:
    """Return the runs of `store`, by default of the default store, newest first.

    O(runs + events of those that have not ended, or did so before their end was outlined).

    Examples
    --------
    >>> from graphrun_nb import MemoryStore, graph, run, tool
    >>> store = MemoryStore()
    >>> with graph(name="empty") as g:
    ...     pass
    >>> run(g, run_id="r1", store=store).result()
    {}
    >>> [(row.run_id, row.status.value) for row in list_runs(store=store)]
    [('r1', 'DONE')]
    """
    store = default_store() if store is None else as_store(store)
    return [_summary(run_id, kept, store) for run_id, kept in reversed([*store.outlines().items()])]


def _summary(run_id: str, kept: Outline | None, store: RunStore) -> RunSummary:
    known = RUNS.get(run_id)
    live = known if known is not None and known.is_alive and known.store == store else None
    told, is_interrupted = kept, False
    if live is not None:
        told = outline(live.state)
    elif told is None:
        state = fold(run_id, store.read(run_id))
        told = outline(state)
        is_interrupted = state.finished is None and store.owner(run_id) is None
    return RunSummary(
        run_id=run_id,
        graph=told.graph,
        status=RunStatus.INTERRUPTED if is_interrupted else told.status,
        counts=Counter(told.counts),
        started_at=told.started_at,
        ended_at=told.ended_at,
        session_id=told.session_id,
        parent=told.parent,
        is_alive=live is not None,
    )


def told_counts(counts: Counter[NodeStatus]) -> str:
    """Return ``2 done, 1 failed``."""
    return ", ".join(f"{counts[status]} {row.word}" for status, row in NODE_STATUS.items() if counts[status])


def runs_table(rows: Sequence[RunSummary]) -> str:
    """Return runs as text, one a line below a head line."""
    now = time.time()
    told = [_COLUMNS]
    for each in rows:
        counts = told_counts(each.counts)
        ago = f"{duration(now - each.started_at)} ago"
        took = "" if each.status is RunStatus.INTERRUPTED else duration((each.ended_at or now) - each.started_at)
        told.append((each.run_id, each.graph, each.status.lower(), counts, ago, took))
    return aligned(told)
