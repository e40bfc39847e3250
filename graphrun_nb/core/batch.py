"""`Batch`: what was recorded at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.events import Event

    Recorded = tuple[float, Event]


class Batch(Sequence["Recorded"]):
    """Consecutive events of a log as pairs of instant and event, which are made only when they are looked at.

    Parameters
    ----------
    at
        Unix seconds (UTC), the same for all.
    events
        In order; not to be changed any more.
    """

    __slots__ = ("at", "events")

    def __init__(self, at: float, events: Sequence[Event]) -> None:
        self.at = at
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Recorded]:
        return zip(repeat(self.at), self.events, strict=False)

    @overload
    def __getitem__(self, i: int) -> Recorded: ...

    @overload
    def __getitem__(self, i: slice) -> Batch: ...

    def __getitem__(self, i: int | slice) -> Recorded | Batch:
        if isinstance(i, slice):
            return Batch(self.at, self.events[i])
        return self.at, self.events[i]
