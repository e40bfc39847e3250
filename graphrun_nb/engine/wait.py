"""One wait of one attempt, from its opening to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphrun_nb.errors import WaitExpired

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from graphrun_nb.core.events import ValueRef, WaitInfo
    from graphrun_nb.engine.here import Here


Key = tuple[str, int, int]
"""Node, attempt and number: names a wait within its run."""


class Closed(NamedTuple):
    """How a wait ended: ``answered``, ``expired``, or ``dropped`` by its own node; `at` is Unix seconds (UTC)."""

    how: str
    by: str
    at: float


class Wait:
    """A question that was asked.

    Attributes
    ----------
    token
        The secret that answers it, or None if nobody can.
    check
        Gives the value of a payload, or raises PayloadRejected.
    is_recorded
        Its opening is in the log, so that it outlives the process; nobody is told of it before.
    over
        Is done once what ended the wait has been recorded.
    value
        What the node gets.
    answer
        Where its answer is kept.
    closed
        None as long as it can be answered.
    """

    __slots__ = ("answer", "at", "check", "closed", "default", "here", "info", "is_recorded", "over", "token", "value")

    def __init__(
        self,
        here: Here,
        info: WaitInfo,
        *,
        token: str | None,
        check: Callable[[Any], Any],
        default: Any,
        at: float,
        over: asyncio.Future[None],
    ) -> None:
        self.here = here
        self.info = info
        self.token = token
        self.check = check
        self.default = default
        self.at = at
        self.over = over
        self.value: Any = None
        self.answer: ValueRef | None = None
        self.closed: Closed | None = None
        self.is_recorded = False

    @property
    def key(self) -> Key:
        """What names the wait within its run."""
        return (self.here.node_id, self.here.attempt, self.info.no)

    def outcome(self) -> Any:
        """Return what the node gets, once; raises WaitExpired if the deadline passed and that fails it."""
        value, self.value = self.value, None
        if self.closed is not None and self.closed.how == "expired" and self.info.on_deadline == "fail":
            raise WaitExpired(
                f"nobody answered {self.here.node_id!r} before its deadline",
                hints=("give it more time with deadline=, or declare an answer with on_deadline='default'",),
            )
        return value
