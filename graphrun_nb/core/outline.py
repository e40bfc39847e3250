"""What a log comes to, in a few lines: kept beside a log that has ended, so that tables of runs need not fold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from graphrun_nb.core.status import NodeStatus, RunStatus

if TYPE_CHECKING:
    from graphrun_nb.core.state import RunState


class Outline(Struct, frozen=True):
    """A run in a table of runs.

    Attributes
    ----------
    counts
        Nodes by status; those that no node has are left out.
    started_at, ended_at
        Unix seconds (UTC); 0 if it has not ended.
    parent
        Run and node that started it, or None.
    """

    graph: str
    status: RunStatus
    counts: dict[NodeStatus, int]
    started_at: float
    ended_at: float
    session_id: str = ""
    parent: tuple[str, str] | None = None


def outline(state: RunState) -> Outline:
    """Return what `state` comes to. O(nodes)."""
    return Outline(
        graph=state.graph,
        status=state.status,
        counts=dict(state.counts()),
        started_at=state.started_at,
        ended_at=state.ended_at,
        session_id=state.session_id,
        parent=state.parent,
    )
