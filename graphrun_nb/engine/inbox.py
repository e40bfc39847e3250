"""Events of one run that no wait has taken yet, and the waits that no event has reached yet."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.engine.continuation import Receipt
    from graphrun_nb.engine.wait import Wait


class Kept(NamedTuple):
    """An answer or event that came before its wait; `at` is Unix seconds (UTC)."""

    payload: Any
    by: str
    at: float


class Inbox:
    """Events by name, in order of arrival, each for one wait. On the loop's thread alone."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, deque[Kept]] = defaultdict(deque)
        self._waiting: defaultdict[str, deque[Wait]] = defaultdict(deque)
        self._receipts: dict[tuple[str, str], Receipt] = {}

    def receipt(self, name: str, key: str | None) -> Receipt | None:
        """Return the receipt of an event that came with this name and key already."""
        return None if key is None else self._receipts.get((name, key))

    def note(self, name: str, key: str | None, receipt: Receipt) -> None:
        """Remember that the event has come."""
        if key is not None:
            self._receipts[name, key] = receipt

    def keep(self, name: str, kept: Kept) -> None:
        """Keep an event for the next wait of its name."""
        self._kept[name].append(kept)

    def take(self, name: str) -> Kept | None:
        """Remove and return the oldest event of this name."""
        kept = self._kept.get(name)
        return kept.popleft() if kept else None

    def join(self, wait: Wait) -> None:
        """Let `wait` queue for events of its name."""
        self._waiting[wait.info.name].append(wait)

    def waiting(self, name: str) -> Iterator[Wait]:
        """Yield the waits that events of this name answer, oldest first; those that are over drop out."""
        queue = self._waiting.get(name, deque())
        while queue and queue[0].closed is not None:
            queue.popleft()
        return (each for each in queue if each.closed is None)
