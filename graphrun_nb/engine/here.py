"""Which attempt of which run the current code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run  # noqa: TC004 (msgspec does not look it up)


class Here(Struct, eq=False):
    """An attempt, as the code inside it knows it."""

    run: Run
    node_id: str
    attempt: int


CURRENT: ContextVar[Here | None] = ContextVar("graphrun_here", default=None)

AWAY: ContextVar[str] = ContextVar("graphrun_away", default="")
"""The node whose call this is, in a process that knows nothing of the run; set by the worker."""
