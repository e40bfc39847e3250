"""Which attempt of which run the current code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run


class Here:
    """An attempt, as the code inside it knows it."""

    __slots__ = ("attempt", "node_id", "run")

    def __init__(self, run: Run, node_id: str, attempt: int) -> None:
        self.run = run
        self.node_id = node_id
        self.attempt = attempt


CURRENT: ContextVar[Here | None] = ContextVar("graphrun_here", default=None)
