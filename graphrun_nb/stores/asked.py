"""`Asked`: which questions of a run can be answered by whoever reads how they were asked, and nothing else. Pure.

These are open, have a token, are for no event, and nothing came for their node since. Of all others the log tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.core.events import (
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    NodeCancelled,
    NodeReset,
    WaitExpired,
    WaitOpened,
    WaitResolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphrun_nb.core.events import Event

_OF_A_WAIT = (WaitResolved, WaitExpired)
_OF_A_NODE = (AnswerKept, AttemptFailed, AttemptLost, AttemptSucceeded, NodeCancelled, NodeReset)
_CLOSING = frozenset({*_OF_A_WAIT, *_OF_A_NODE})


class Question(NamedTuple):
    """A question with a token: the token's digest, and what asks."""

    digest: str
    node_id: str
    no: int


class Opened(NamedTuple):
    """A new question, the number of the event that opened it, and whether it can be answered so."""

    question: Question
    seq: int
    is_plain: bool


class Changes(NamedTuple):
    """What a turn makes of questions: new ones, and those that cannot be answered so any more."""

    opened: list[Opened]
    closed: list[Question]


class Asked:
    """The questions that can be answered so; made of those that the store names as such."""

    def __init__(self, questions: Iterable[Question] = ()) -> None:
        self._of_node: dict[str, dict[int, str]] = {}
        for each in questions:
            self._of_node.setdefault(each.node_id, {})[each.no] = each.digest

    def __len__(self) -> int:
        return len(self._of_node)

    def changes(self, events: Sequence[Event], n_before: int) -> Changes:
        """Return what `events`, the first of which has the number ``n_before + 1``, make of them."""
        opened: list[Opened] = []
        closed: list[Question] = []
        for seq, event in enumerate(events, n_before + 1):
            if isinstance(event, WaitOpened):
                wait = event.wait
                if wait.token_digest:
                    question = Question(wait.token_digest, event.node_id, wait.no)
                    opened.append(Opened(question, seq, is_plain=not wait.name))
            elif type(event) in _CLOSING:
                node_id: str = event.node_id  # type: ignore[union-attr]  # all of these have one
                no = event.no if isinstance(event, _OF_A_WAIT) else None
                known = self._of_node.get(node_id, {})
                closed += [Question(digest, node_id, at) for at, digest in known.items() if no in (None, at)]
                opened = [
                    each._replace(is_plain=False)
                    if each.question.node_id == node_id and no in (None, each.question.no)
                    else each
                    for each in opened
                ]
        return Changes(opened, closed)

    def change(self, changes: Changes) -> None:
        """Take over what has been written."""
        for each in changes.closed:
            of_node = self._of_node.get(each.node_id, {})
            of_node.pop(each.no, None)
            if not of_node:
                self._of_node.pop(each.node_id, None)
        for question, _, is_plain in changes.opened:
            if is_plain:
                self._of_node.setdefault(question.node_id, {})[question.no] = question.digest
