"""`Attempt`: one attempt under way, as the scheduler knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.engine.here import Here

if TYPE_CHECKING:
    import asyncio

    from graphrun_nb.authoring.plan import Plan
    from graphrun_nb.core.state import NodeState


class Attempt(Here, eq=False):
    """One attempt under way.

    Attributes
    ----------
    holds_slot
        Whether it counts among those that run.
    cancelled
        Whether it was asked to end.
    abandoned
        Whether nobody waits for it any more; what it still gives is dropped.
    task
        The worker that is with it since it has suspended.
    is_written
        Whether a large value of it was written already.
    """

    holds_slot: bool
    node: NodeState
    cancelled: bool = False
    abandoned: bool = False
    task: asyncio.Task[None] | None = None
    plan: Plan | None = None
    is_written: bool = False

    def cancel(self) -> None:
        """Ask it to end: where it has suspended, or else where it next does."""
        self.cancelled = True
        if self.task is not None:
            self.task.cancel()
