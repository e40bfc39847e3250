"""What reaches a run from other processes, and how an answer from anywhere becomes the one that counts.

An answer claims its wait in the store, in one conditional statement, before it is recorded. Whoever comes second finds
the first one's letter.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Protocol

from graphrun_nb.core.events import AnswerKept, CancelRequested
from graphrun_nb.core.status import UNDER_WAY
from graphrun_nb.errors import AlreadyResumed, GraphRunError, PayloadRejected, StoreCorrupt

if TYPE_CHECKING:
    from graphrun_nb.core.events import ValueRef
    from graphrun_nb.core.state import NodeState
    from graphrun_nb.engine.recall import Recalled
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Letter, RunStore

_LOG = logging.getLogger(__name__)


def early_key(node_id: str, node: NodeState) -> str:
    """Return what an answer claims that comes before its node asks."""
    return f"early {node.attempt + (node.status not in UNDER_WAY)} {node_id}"


def early_keys(node_id: str, n_attempts: int) -> list[str]:
    """Return the keys of all answers that may have come before one of the node's first attempts asked."""
    return [f"early {attempt} {node_id}" for attempt in range(1, n_attempts + 1)]


def is_early(letter: Letter, node_id: str) -> bool:
    """Tell whether the letter is an answer to the node that came before it asked."""
    return letter.key.startswith("early ") and letter.fact.node_id == node_id  # type: ignore[union-attr]


def event_key(name: str, key: str) -> str:
    """Return what an event claims that counts once."""
    return f"event {len(name)} {name} {key}"


class Addressee(Protocol):
    """A run that letters can be posted to, whether or not it is here."""

    @property
    def store(self) -> RunStore:
        """Where its letters are."""
        ...

    @property
    def run_id(self) -> str:
        """Its id there."""
        ...


def claim(run: Addressee, key: str, node_id: str, answer: ValueRef, *, by: str, at: float) -> None:
    """Make an answer the one that counts.

    Raises
    ------
    AlreadyResumed
        Another one is.
    StoreBusy
        It cannot be said now; nothing has changed.
    """
    earlier = run.store.post(run.run_id, key, AnswerKept(node_id, answer, by=by), at)
    if earlier is not None:
        raise AlreadyResumed(
            f"node {node_id!r} has its answer, from {earlier.fact.by}",
            by=earlier.fact.by,
            at=earlier.at,
            hints=("a later question of the node has a token of its own, and is in future.waits once open",),
        )


class Mail:
    """The letters to one run, on the loop's thread alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._read: set[int] = set()
        self._done: list[int] = []
        self._refused: list[int] = []
        self._is_open = False

    def open(self, past: Recalled) -> None:
        """Begin: letters that the log knows are done with, and wishes from before now are not granted."""
        self._is_open = True
        for letter in self._run.store.letters(self._run.run_id):
            if past.has(letter) or isinstance(letter.fact, CancelRequested):
                self._read.add(letter.no)
                self._done.append(letter.no)
        self.read()

    def read(self) -> None:
        """Act upon what has come, and settle what has been acted upon."""
        self.settle()
        run = self._run
        for letter in run.store.letters(run.run_id):
            if letter.no not in self._read and self._is_open:
                self._read.add(letter.no)
                (self._done if self._act(letter) else self._refused).append(letter.no)
        if self._refused:
            self.settle()

    def settle(self) -> None:
        """Say in the store which answers did not fit, and what has been recorded; if that cannot be, the next time."""
        store, run_id = self._run.store, self._run.run_id
        try:
            if self._refused:
                store.settle(run_id, self._refused, retract=True)
                self._refused = []
            if self._done and not self._run.scheduler.has_unrecorded:
                store.settle(run_id, self._done)
                self._done = []
        except GraphRunError:
            return
        except Exception:  # noqa: BLE001 (a run ends and goes on without it)
            _LOG.warning("letters to run %s cannot be settled; it is tried again", run_id, exc_info=True)

    def close(self) -> None:
        """Take no more letters: those to a run that has ended are settled, others wait until it is resumed."""
        self._is_open = False
        if self._run.state.finished is not None:
            with contextlib.suppress(GraphRunError):
                self._done = [each.no for each in self._run.store.letters(self._run.run_id)]
            self.settle()

    def _act(self, letter: Letter) -> bool:
        """Return False for an answer that does not fit: its question stays open."""
        run, fact = self._run, letter.fact
        if isinstance(fact, CancelRequested):
            run.cancel(by=fact.by)
            return True
        try:
            payload = run.keeper.get(fact.answer)
        except (LookupError, StoreCorrupt) as lost:
            run.answering.note_refused(fact.node_id, lost)
            return False
        try:
            run.answering.take(letter, fact, payload)
        except (PayloadRejected, AlreadyResumed) as refused:
            run.answering.note_refused(fact.node_id, refused)
            return isinstance(refused, AlreadyResumed)
        return True
