"""`Batch`: what was recorded at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, overload

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.core.events import Event  # noqa: TC004 (msgspec does not look it up)

    Recorded = tuple[float, Event]


class Batch(Struct, frozen=True, gc=False):
    """Consecutive events of a log as pairs of instant and event, which are made only when they are looked at.

    Logs stay for as long as their store does, so nothing in one is anything that Python's collector has to look at: in
    a kernel with hundreds of runs it would stop the loop for 0.2 s at a time. Hence `gc=False`, and a tuple.

    Parameters
    ----------
    at
        Unix seconds (UTC), the same for all.
    events
        In order; not to be changed any more.
    """

    at: float
    events: Sequence[Event]

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


Sequence.register(Batch)
