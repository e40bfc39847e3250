"""`Answering`: answers and events for the waits of a run, from anywhere, each counted exactly once.

Which wait an answer is for: a token, or (attempt, number), names one. A node id alone names the oldest open wait of the
node; before the first wait of an attempt, one answer is kept for it. Any further answer competes with that one, and is
told so: an answer to a later question of the same attempt has to come while that is open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.events import AnswerKept
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.spec import closest
from graphrun_nb.core.status import TERMINAL, UNDER_WAY
from graphrun_nb.engine import postbox
from graphrun_nb.engine.continuation import Receipt
from graphrun_nb.engine.here import Here
from graphrun_nb.engine.inbox import Kept
from graphrun_nb.engine.mail import claim, early_key, event_key, is_early
from graphrun_nb.errors import AlreadyResumed, GraphRunError, InvalidToken, UnknownNode

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run
    from graphrun_nb.engine.wait import Wait
    from graphrun_nb.protocols import Letter


class Answering:
    """Takes answers to one run, on the loop's thread alone; one that is not under way here gets them as letters."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waits = run.waits

    def answer(
        self, node_id: str, payload: Any, *, by: str, attempt: int | None = None, no: int | None = None
    ) -> Receipt:
        """Answer the oldest open wait of a node, or its wait `no`; see the module about answers that come early.

        Raises
        ------
        AlreadyResumed
            Somebody was faster.
        PayloadRejected
            The answer does not fit; the wait stays open.
        GraphRunError
            There is no such node, or it has no question that can be answered.
        """
        self.require_node(node_id)
        if self._run.is_away:
            return postbox.keep_answer(self._run, node_id, payload, by=by, no=no)
        if no is not None:
            attempt = self._run.state.nodes[node_id].attempt if attempt is None else attempt
            wait = self._waits.get(node_id, attempt, no)
            if wait is None:
                raise GraphRunError(
                    f"attempt {attempt} of node {node_id!r} has asked no question {no}",
                    hints=(self._waits.what_is_open(),),
                )
        else:
            wait = self._addressed(node_id)
        return self._keep(node_id, payload, by) if wait is None else self._answer(wait, payload, by)

    def answer_token(self, digest: str, payload: Any, *, by: str) -> Receipt:
        """Answer the wait whose token has this digest.

        Raises
        ------
        InvalidToken
            It leads to no open wait.
        AlreadyResumed, PayloadRejected
            As `answer`.
        """
        if self._run.is_away:
            return postbox.keep_answer_to_token(self._run, digest, payload, by=by)
        wait = self._waits.of_digest(digest)
        if wait is None:
            raise InvalidToken
        closed = self._waits.standing(wait)
        if closed is not None and closed.how != "answered":
            raise InvalidToken
        return self._answer(wait, payload, by)

    def send_event(self, name: str, payload: Any, key: str | None) -> Receipt:
        """Answer the oldest open wait for the event `name`, or keep it for the next one; a `key` counts once a name.

        Raises
        ------
        GraphRunError
            The run has ended, or `name` or `key` is no text of 1 to 200 characters.
        """
        self._require_event(name, key)
        if self._run.is_away:
            return postbox.keep_event(self._run, name, payload, key)
        earlier = self._waits.inbox.receipt(name, key)
        if earlier is not None:
            return earlier
        if self._run.ended or self._run.state.cancelled_by:
            raise GraphRunError(
                f"run {self._run.run_id!r} has ended, or is about to, and takes no event {name!r}",
                hints=("launch it again to go on, and send the event then",),
            )
        now = self._run.clock.time()
        came = AnswerKept("", self._run.persistence.keep(payload), name=name, key=key or "", by="event")
        if key is not None:
            there = self._run.store.post(self._run.run_id, event_key(name, key), came, now)
            if there is not None:
                return Receipt(self._run.run_id, "", there.at)
        return self._send(came, payload, now)

    def require_node(self, node_id: str) -> None:
        """Raise UnknownNode if there is no such node."""
        known = self._run.state.nodes
        if node_id not in known:
            hint = closest(node_id, list(known)) or f"it has: {', '.join(list(known)[:12]) or 'none'}"
            raise UnknownNode(f"run {self._run.run_id!r} has no node {node_id!r}", hints=(hint,))

    def take(self, letter: Letter, fact: AnswerKept, payload: Any) -> None:
        """Act upon an answer or event that came from elsewhere.

        Raises
        ------
        PayloadRejected
            It does not fit; the wait stays open.
        AlreadyResumed
            Another answer is kept already.
        """
        run = self._run
        if not fact.node_id:
            if self._waits.inbox.receipt(fact.name, fact.key or None) is None:
                self._send(structs.replace(fact, letter=letter.no), payload, letter.at)
            return
        kept = Kept(payload, fact.by, letter.at)
        wait = self._waits.of_digest(letter.key)
        if wait is None:
            if is_early(letter, fact.node_id):
                self._keep_early(structs.replace(fact, letter=letter.no), kept)
        elif self._waits.standing(wait) is None:
            run.scheduler.tell(self._waits.resolve(wait, wait.check(payload), kept, fact.answer))

    def note_refused(self, node_id: str, refused: Exception) -> None:
        """Let a node's story say that an answer was not taken."""
        node = self._run.state.nodes[node_id]
        here = Here(self._run, node_id, node.attempt)
        self._waits.note(here, f"an answer from elsewhere was refused: {refused}")

    def _require_event(self, name: str, key: str | None) -> None:
        """Raise GraphRunError if an event cannot be called so."""
        if not is_name(name) or not (key is None or is_name(key)):
            raise GraphRunError(
                f"an event has a name and maybe a key, and not {name!r}, {key!r}",
                hints=("both are texts of 1 to 200 characters, without control characters",),
            )

    def _send(self, came: AnswerKept, payload: Any, now: float) -> Receipt:
        name = came.name
        wait = next((each for each in self._waits.inbox.waiting(name) if self._waits.standing(each) is None), None)
        receipt = Receipt(self._run.run_id, "" if wait is None else wait.here.node_id, now)
        self._waits.inbox.note(name, came.key or None, receipt)
        kept = Kept(payload, "event", now)
        if wait is None:
            self._waits.inbox.keep(name, kept)
            self._run.scheduler.tell(came)
        else:
            value = wait.check(payload)
            self._run.scheduler.tell(
                came, self._waits.resolve(wait, value, kept, self._run.persistence.keep(payload, value))
            )
        return receipt

    def _addressed(self, node_id: str) -> Wait | None:
        """Return the wait that an answer for the node is meant for, or None if it is to be kept."""
        node = self._run.state.nodes[node_id]
        open_waits = self._waits.open_of(node_id)
        if open_waits:
            return next((each for each in open_waits if each.info.kind != "until"), open_waits[0])
        last = self._waits.last_closed_of(node_id)
        has_asked = last is not None and last.here.attempt == node.attempt
        if has_asked and (node.status in TERMINAL or node.status in UNDER_WAY):
            return last
        if node.status in TERMINAL or self._run.ended:
            raise GraphRunError(
                f"node {node_id!r} is {node.status.lower()}, and has no open question",
                hints=(self._waits.what_is_open(),),
            )
        return None

    def _keep(self, node_id: str, payload: Any, by: str) -> Receipt:
        kept = self._waits.early.get(node_id)
        if kept is not None:
            raise AlreadyResumed(
                f"an answer for node {node_id!r} is kept already, from {kept.by}",
                by=kept.by,
                at=kept.at,
                hints=("an answer to a later question of the node can be given when that is open",),
            )
        now = self._run.clock.time()
        answer = self._run.persistence.keep(payload)
        claim(self._run, early_key(node_id, self._run.state.nodes[node_id]), node_id, answer, by=by, at=now)
        self._keep_early(AnswerKept(node_id, answer, by=by), Kept(payload, by, now))
        return Receipt(self._run.run_id, node_id, now)

    def _keep_early(self, came: AnswerKept, kept: Kept) -> None:
        if came.node_id in self._waits.early:
            there = self._waits.early[came.node_id]
            raise AlreadyResumed(
                f"an answer for node {came.node_id!r} is kept already, from {there.by}", by=there.by, at=there.at
            )
        self._waits.early[came.node_id] = kept
        self._run.scheduler.tell(came)

    def _answer(self, wait: Wait, payload: Any, by: str) -> Receipt:
        self._require_open(wait)
        value = wait.check(payload)
        self._require_open(wait)  # the check may run users' code
        now = self._run.clock.time()
        answer = self._run.persistence.keep(payload, value)
        claim(self._run, wait.info.token_digest, wait.here.node_id, answer, by=by, at=now)
        self._run.scheduler.tell(self._waits.resolve(wait, value, Kept(payload, by, now), answer))
        return Receipt(self._run.run_id, wait.here.node_id, now)

    def _require_open(self, wait: Wait) -> None:
        node_id = wait.here.node_id
        if wait.info.kind == "until":
            raise GraphRunError(
                f"node {node_id!r} sleeps until {_date(wait.info.deadline)}, and nobody can answer that",
                hints=("it goes on by itself; cancel the run to end it earlier",),
            )
        closed = self._waits.standing(wait)
        if closed is None:
            return
        is_past = wait.here.attempt != self._run.state.nodes[node_id].attempt
        who = f"attempt {wait.here.attempt} of node {node_id!r}" if is_past else f"node {node_id!r}"
        match closed.how:
            case "answered":
                raise AlreadyResumed(
                    f"{who} has its answer, from {closed.by}",
                    by=closed.by,
                    at=closed.at,
                    hints=("a later question of the node has a token of its own, and is in future.waits once open",),
                )
            case "expired":
                raise GraphRunError(
                    f"the question of {who} expired at {_date(closed.at)}, its deadline",
                    hints=(f"on_deadline said what happened then: on_deadline={wait.info.on_deadline!r}",),
                )
            case _:
                raise GraphRunError(f"{who} has dropped its question, or ended", hints=(self._waits.what_is_open(),))


def _date(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
