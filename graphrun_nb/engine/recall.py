"""What a run's log says of its questions and answers: what a resumed run starts from."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from msgspec import Struct

from graphrun_nb.core.events import (
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    CancelRequested,
    NodeCancelled,
    NodeReset,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.events import Event, ValueRef, WaitInfo  # noqa: TC004 (msgspec does not look them up)
    from graphrun_nb.protocols import Letter

_FORGOTTEN_AFTER = frozenset({AttemptFailed, AttemptSucceeded, NodeCancelled, NodeReset})


class Asked(Struct):
    """A question, and how it ended: ``answered``, ``expired``, or not yet; instants are Unix seconds (UTC)."""

    info: WaitInfo
    attempt: int
    at: float
    how: str = ""
    answer: ValueRef | None = None
    by: str = ""
    closed_at: float = 0.0


class Arrived(Struct):
    """An answer or event that no question has taken yet."""

    answer: ValueRef
    by: str
    at: float


class Recalled:
    """The questions of nodes that have not ended, and what came for questions that were not asked yet. O(events).

    An attempt that ended took its questions with it; one that was lost left its answers to the next.

    Attributes
    ----------
    asked
        By node id and number.
    kept
        One answer at most for the next question of a node.
    events
        Those that no question has taken, by name, oldest first.
    keys
        Where events with a key went, and when, by name and key.
    letters
        Numbers of the letters that the log has.
    early
        When answers of this process were kept last, by node, by whom, and digest: their letters have no number here.
    """

    def __init__(self, log: Iterable[tuple[float, Event]]) -> None:
        self.asked: dict[str, dict[int, Asked]] = {}
        self.kept: dict[str, Arrived] = {}
        self.events: defaultdict[str, deque[Arrived]] = defaultdict(deque)
        self.keys: dict[tuple[str, str], tuple[str, float]] = {}
        self.letters: set[int] = set()
        self.early: dict[tuple[str, str, str], float] = {}
        for at, event in log:
            if type(event) in _FORGOTTEN_AFTER:
                if self.asked:
                    self.asked.pop(event.node_id, None)  # type: ignore[union-attr]
            elif isinstance(event, WaitOpened):
                self._open(event, at)
            elif isinstance(event, AnswerKept):
                self._arrive(event, at)
            elif isinstance(event, WaitResolved | WaitExpired):
                self._close(event, at)
            elif isinstance(event, AttemptLost):
                of_node = self.asked.get(event.node_id, {})
                self.asked[event.node_id] = {no: each for no, each in of_node.items() if each.how}

    def has(self, letter: Letter) -> bool:
        """Tell whether the log has what the letter says."""
        fact = letter.fact
        if letter.no in self.letters or isinstance(fact, CancelRequested):
            return letter.no in self.letters
        at = self.early.get((fact.node_id, fact.by, fact.answer.digest), 0.0)
        return letter.key.startswith("early ") and letter.at <= at

    def open(self) -> list[tuple[str, Asked]]:
        """Return the questions without an answer, with the nodes that ask them, oldest first."""
        left = [(node_id, each) for node_id, of_node in self.asked.items() for each in of_node.values() if not each.how]
        return sorted(left, key=lambda pair: pair[1].at)

    def waiting_for(self, name: str) -> list[str]:
        """Return the nodes that wait for the event `name`, oldest first."""
        return [node_id for node_id, each in self.open() if each.info.name == name]

    def _open(self, event: WaitOpened, at: float) -> None:
        wait = event.wait
        self.asked.setdefault(event.node_id, {})[wait.no] = Asked(wait, event.attempt, at)
        if wait.name:
            if self.events[wait.name]:
                self.events[wait.name].popleft()
        elif wait.kind != "until":
            self.kept.pop(event.node_id, None)

    def _arrive(self, event: AnswerKept, at: float) -> None:
        arrived = Arrived(event.answer, event.by, at)
        if event.letter:
            self.letters.add(event.letter)
        if event.node_id:
            self.kept[event.node_id] = arrived
            self.early[event.node_id, event.by, event.answer.digest] = at
            return
        takers = self.waiting_for(event.name)
        if not takers:
            self.events[event.name].append(arrived)
        if event.key:
            self.keys[event.name, event.key] = (takers[0] if takers else "", at)

    def _close(self, event: WaitResolved | WaitExpired, at: float) -> None:
        self.kept.pop(event.node_id, None)
        of_node = self.asked.get(event.node_id, {})
        asked = of_node.get(event.no)
        if asked is None:
            return
        asked.closed_at = at
        if isinstance(event, WaitResolved):
            asked.how, asked.answer, asked.by = "answered", event.answer, event.by
        elif event.outcome == "dropped":
            del of_node[event.no]
        else:
            asked.how = "expired"
