"""Questions of a run's nodes: opened here, answered from anywhere, exactly once.

Which wait an answer is for: a token, or (attempt, number), names one. A node id alone names the oldest open wait of the
node; before the first wait of an attempt, one answer is kept for it. Any further answer competes with that one, and is
told so: an answer to a later question of the same attempt has to come while that is open.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.events import AnswerKept, Event, WaitExpired, WaitOpened, WaitResolved
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.spec import closest
from graphrun_nb.core.status import TERMINAL, NodeStatus
from graphrun_nb.engine import postbox, tokens
from graphrun_nb.engine.continuation import Continuation, Receipt
from graphrun_nb.engine.here import Here
from graphrun_nb.engine.inbox import Inbox, Kept
from graphrun_nb.engine.mail import Mail, claim, early_key, event_key, is_early
from graphrun_nb.engine.question import Question
from graphrun_nb.engine.recall import Recalled
from graphrun_nb.engine.wait import Closed, Wait
from graphrun_nb.errors import AlreadyResumed, GraphRunError, InvalidToken, PayloadRejected, UnknownNode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import ValueRef, WaitInfo
    from graphrun_nb.engine.recall import Asked
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Letter

_ASKING = (NodeStatus.RUNNING, NodeStatus.WAITING)


class Waits:
    """The waits of one run, on the loop's thread alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waits: dict[tuple[str, int, int], Wait] = {}
        self._by_digest: dict[str, Wait] = {}
        self._open: dict[tuple[str, int, int], Wait] = {}
        self._open_of: dict[str, list[Wait]] = {}
        self._n_asked: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._last_closed: dict[str, Wait] = {}
        self._kept: dict[str, Kept] = {}
        self._inbox = Inbox()
        self._recalled: dict[str, dict[int, Wait]] = {}
        self.mail = Mail(run)

    def recall(self) -> None:
        """Go on from what the log says, on the loop: what is open can be answered, what is answered is not asked."""
        run = self._run
        past = Recalled(run.log.since(0))
        fetch = run.keeper.get
        for node_id, of_node in past.asked.items():
            for no, asked in sorted(of_node.items()):
                try:
                    wait = self._recalled_wait(node_id, asked)
                except LookupError:
                    break  # what was not kept has to be asked once more, and with it all that came after
                self._recalled.setdefault(node_id, {})[no] = wait
        for node_id, each in past.kept.items():
            with contextlib.suppress(LookupError):
                self._kept[node_id] = Kept(fetch(each.answer), each.by, each.at)
        for name, arrived in past.events.items():
            for each in arrived:
                with contextlib.suppress(LookupError):
                    self._inbox.keep(name, Kept(fetch(each.answer), each.by, each.at))
        for (name, key), (node_id, at) in past.keys.items():
            self._inbox.note(name, key, Receipt(run.run_id, node_id, at))
        self.mail.open(past)

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
            if self._inbox.receipt(fact.name, fact.key or None) is None:
                self._send(structs.replace(fact, letter=letter.no), payload, letter.at)
            return
        kept = Kept(payload, fact.by, letter.at)
        wait = self._by_digest.get(letter.key)
        if wait is None:
            if is_early(letter, fact.node_id):
                self._keep_early(structs.replace(fact, letter=letter.no), kept)
        elif self._standing(wait) is None:
            run.scheduler.tell(self._resolved(wait, wait.check(payload), kept, fact.answer))

    def note_refused(self, node_id: str, refused: Exception) -> None:
        """Let a node's story say that an answer was not taken."""
        node = self._run.state.nodes[node_id]
        here = Here(self._run, node_id, node.attempt)
        self._run.output.add_line(here, "note", f"an answer from elsewhere was refused: {refused}")

    def asked_before(self, here: Here) -> Question | None:
        """Return the node's next question as it was asked before the process ended, if it was."""
        wait = self._recalled.get(here.node_id, {}).get(self._n_asked[here.node_id, here.attempt])
        return None if wait is None else Question.recalled(wait.info, self._run.keeper.get)

    async def ask(self, here: Here, question: Question) -> Any:
        """Open a wait for a running node and return the answer's value; the node holds no slot meanwhile.

        Raises
        ------
        BadWait
            The question is too large.
        WaitExpired
            Nobody answered before the deadline, and that fails it.
        GraphRunError
            The node has ended.
        """
        wait = self._carried_on(here, question) or self._opened(here, question)
        if wait.over.done():
            await self._go_on(here)
            return wait.outcome()
        try:
            await wait.over
        except asyncio.CancelledError:
            if self._run.waits is not self:  # the run was set down, and goes on without this coroutine
                raise
            self._run.scheduler.leave_if_loop_ends()
            if not self._run.is_alive:
                raise
            self._drop(wait)
            # A node whose own time is up fails now, not when a slot is free.
            if not self._run.state.cancelled_by and self._run.graph.spec_of(here.node_id).timeout_s is None:
                await self._go_on(here)
            raise
        await self._go_on(here)
        return wait.outcome()

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
            There is no such node, or it asks nothing that could be answered.
        """
        self.require_node(node_id)
        if self._run.is_away:
            return postbox.keep_answer(self._run, node_id, payload, by=by, no=no)
        if no is not None:
            attempt = self._run.state.nodes[node_id].attempt if attempt is None else attempt
            wait = self._waits.get((node_id, attempt, no))
            if wait is None:
                raise GraphRunError(
                    f"attempt {attempt} of node {node_id!r} asks nothing with the number {no}",
                    hints=(self._what_is_open(),),
                )
        else:
            wait = self._addressed(node_id)
        return self._keep(node_id, payload, by) if wait is None else self._answer(wait, payload, by)

    def require_node(self, node_id: str) -> None:
        """Raise UnknownNode if there is no such node."""
        known = self._run.state.nodes
        if node_id not in known:
            hint = closest(node_id, list(known)) or f"it has: {', '.join(list(known)[:12]) or 'none'}"
            raise UnknownNode(f"run {self._run.run_id!r} has no node {node_id!r}", hints=(hint,))

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
        wait = self._by_digest.get(digest)
        if wait is None or not secrets.compare_digest(wait.info.token_digest, digest):
            raise InvalidToken
        closed = self._standing(wait)
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
        self.require_event(name, key)
        if self._run.is_away:
            return postbox.keep_event(self._run, name, payload, key)
        earlier = self._inbox.receipt(name, key)
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

    def _send(self, came: AnswerKept, payload: Any, now: float) -> Receipt:
        name = came.name
        wait = next((each for each in self._inbox.waiting(name) if self._standing(each) is None), None)
        receipt = Receipt(self._run.run_id, "" if wait is None else wait.here.node_id, now)
        self._inbox.note(name, came.key or None, receipt)
        kept = Kept(payload, "event", now)
        if wait is None:
            self._inbox.keep(name, kept)
            self._run.scheduler.tell(came)
        else:
            value = wait.check(payload)
            self._run.scheduler.tell(
                came, self._resolved(wait, value, kept, self._run.persistence.keep(payload, value))
            )
        return receipt

    def require_event(self, name: str, key: str | None) -> None:
        """Raise GraphRunError if an event cannot be called so."""
        if not is_name(name) or not (key is None or is_name(key)):
            raise GraphRunError(
                f"an event has a name and maybe a key, and not {name!r}, {key!r}",
                hints=("both are texts of 1 to 200 characters, without control characters",),
            )

    def on_events(self, events: Sequence[Event]) -> None:
        """Let nodes go on whose answers, or expiries, have just been recorded, and questions be seen that were."""
        for event in events:
            if isinstance(event, WaitOpened):
                opened = self._waits.get((event.node_id, event.attempt, event.wait.no))
                if opened is not None:
                    opened.is_recorded = True
            elif isinstance(event, (WaitResolved, WaitExpired)):
                wait = self._waits.get((event.node_id, event.attempt, event.no))
                if wait is None or wait.over.done():
                    continue
                if wait.closed is None:
                    wait.value = wait.default
                    self._close(wait, Closed("expired", "", wait.info.deadline or 0.0))
                wait.over.set_result(None)

    def open(self) -> tuple[Continuation, ...]:
        """Return the open waits, oldest first, with their tokens; without, if the run was interrupted."""
        run_id = self._run.run_id
        if self._run.is_away:
            past = postbox.open_questions(self._run)
            return tuple(_continuation(run_id, node_id, each.attempt, each.info, each.at) for node_id, each in past)
        return tuple(
            _continuation(run_id, wait.here.node_id, wait.here.attempt, wait.info, wait.at, token=wait.token)
            for wait in list(self._open.values())
            if wait.is_recorded and self._standing(wait) is None
        )

    def tokens(self) -> dict[str, str]:
        """Return the tokens of what is open, by digest."""
        return {each.info.token_digest: each.token for each in self._open.values() if each.token is not None}

    def close(self) -> None:
        """End what still waits when the run has ended: coroutines that their nodes left behind."""
        for wait in list(self._open.values()):
            wait.over.cancel()
        self.mail.close()

    def _recalled_wait(self, node_id: str, asked: Asked) -> Wait:
        run = self._run
        question = Question.recalled(asked.info, run.keeper.get)
        if asked.answer is not None:
            run.keeper.get(asked.answer)
        wait = Wait(
            Here(run, node_id, asked.attempt),
            asked.info,
            token=run.new_tokens.get(asked.info.token_digest),
            check=question.check,
            default=question.default,
            at=asked.at,
            over=asyncio.get_running_loop().create_future(),
        )
        wait.is_recorded = True
        self._waits[wait.key] = wait
        if asked.info.token_digest:
            self._by_digest[asked.info.token_digest] = wait
            tokens.lead(asked.info.token_digest, run)
        if asked.how:
            wait.answer = asked.answer
            wait.closed = Closed(asked.how, asked.by, asked.closed_at)
            wait.over.set_result(None)
            self._last_closed[node_id] = wait
        else:
            self._open[wait.key] = wait
            self._open_of.setdefault(node_id, []).append(wait)
            if asked.info.name:
                self._inbox.join(wait)
        return wait

    def _carried_on(self, here: Here, question: Question) -> Wait | None:
        """Return the same question as it was asked before the process ended, answered or still open."""
        of_node = self._recalled.get(here.node_id)
        key = (here.node_id, here.attempt)
        wait = of_node.get(self._n_asked[key]) if of_node else None
        if wait is None or of_node is None:
            return None
        if not self._fits(wait, question):
            # The node takes another way now: what it asked then is not what it asks now.
            self._n_asked[key] = max(of_node) + 1
            for each in self._recalled.pop(here.node_id).values():
                self._drop(each)
            return None
        self._n_asked[key] += 1
        if wait.closed is None:
            wait.check, wait.default = question.check, question.default
            self._run.scheduler.release(here.node_id)
            name = wait.info.name
            kept = self._inbox.take(name) if name else self._kept.pop(here.node_id, None)
            self._run.scheduler.tell(*self._given(wait, kept))
            self._run.listeners.look_soon()
        return wait

    def _fits(self, wait: Wait, question: Question) -> bool:
        if (wait.info.kind, wait.info.name) != (question.kind, question.name):
            return False
        if wait.answer is not None:
            try:
                wait.value = question.check(self._run.keeper.get(wait.answer))
            except PayloadRejected:
                return False
        elif wait.closed is not None:
            wait.value = question.default
        return True

    def _opened(self, here: Here, question: Question) -> Wait:
        node_id = here.node_id
        scheduler = self._run.scheduler
        if not self._is_current(here) or not scheduler.is_under_way(node_id, here.attempt):
            raise GraphRunError(
                f"attempt {here.attempt} of node {node_id!r} has ended, and asks nothing any more",
                hints=("await every question before the node returns",),
            )
        token, digest = tokens.new_token(self._run) if question.kind != "until" else (None, "")
        has_default = question.kind != "until" and question.on_deadline == "default"
        default = self._run.persistence.keep(question.default_payload, question.default) if has_default else None
        info = question.info(self._n_asked[node_id, here.attempt], digest, default)
        info = structs.replace(info, prompt=self._run.secrets.scrub(info.prompt))
        self._n_asked[node_id, here.attempt] += 1
        now = self._run.clock.time()
        wait = Wait(
            here,
            info,
            token=token,
            check=question.check,
            default=question.default,
            at=now,
            over=asyncio.get_running_loop().create_future(),
        )
        self._waits[wait.key] = self._open[wait.key] = wait
        self._open_of.setdefault(node_id, []).append(wait)
        if digest:
            self._by_digest[digest] = wait
        facts = [WaitOpened(node_id, here.attempt, info), *self._answered_early(wait)]
        scheduler.release(node_id)
        scheduler.tell(*facts)
        return wait

    def _answered_early(self, wait: Wait) -> Sequence[Event]:
        """Give the wait the answer that was kept for it, if that fits."""
        if wait.info.kind == "until":
            return ()
        name = wait.info.name
        if name:
            kept = self._inbox.take(name)
            if kept is None:
                self._inbox.join(wait)
                return ()
        else:
            kept = self._kept.pop(wait.here.node_id, None)
        return self._given(wait, kept)

    def _given(self, wait: Wait, kept: Kept | None) -> Sequence[Event]:
        """Answer `wait` with what was kept for it, if anything was and it fits."""
        if kept is None:
            return ()
        try:
            value = wait.check(kept.payload)
        except PayloadRejected as refused:
            self._run.output.add_line(wait.here, "note", f"the answer that was kept for it was refused: {refused}")
            return ()
        return (self._resolved(wait, value, kept, self._run.persistence.keep(kept.payload, value)),)

    def _addressed(self, node_id: str) -> Wait | None:
        """Return the wait that an answer for the node is meant for, or None if it is to be kept."""
        node = self._run.state.nodes[node_id]
        open_waits = [each for each in self._open_of.get(node_id, ()) if self._is_current(each.here)]
        if open_waits:
            return next((each for each in open_waits if each.info.kind != "until"), open_waits[0])
        last = self._last_closed.get(node_id)
        has_asked = last is not None and last.here.attempt == node.attempt
        if has_asked and (node.status in TERMINAL or node.status in _ASKING):
            return last
        if node.status in TERMINAL or self._run.ended:
            raise GraphRunError(
                f"node {node_id!r} is {node.status.lower()}, and asks nothing any more",
                hints=(self._what_is_open(),),
            )
        return None

    def _keep(self, node_id: str, payload: Any, by: str) -> Receipt:
        kept = self._kept.get(node_id)
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
        if came.node_id in self._kept:
            there = self._kept[came.node_id]
            raise AlreadyResumed(
                f"an answer for node {came.node_id!r} is kept already, from {there.by}", by=there.by, at=there.at
            )
        self._kept[came.node_id] = kept
        self._run.scheduler.tell(came)

    def _answer(self, wait: Wait, payload: Any, by: str) -> Receipt:
        self._require_open(wait)
        value = wait.check(payload)
        self._require_open(wait)  # the check may run users' code
        now = self._run.clock.time()
        answer = self._run.persistence.keep(payload, value)
        claim(self._run, wait.info.token_digest, wait.here.node_id, answer, by=by, at=now)
        self._run.scheduler.tell(self._resolved(wait, value, Kept(payload, by, now), answer))
        return Receipt(self._run.run_id, wait.here.node_id, now)

    def _require_open(self, wait: Wait) -> None:
        node_id = wait.here.node_id
        if wait.info.kind == "until":
            raise GraphRunError(
                f"node {node_id!r} sleeps until {_date(wait.info.deadline)}, and nobody can answer that",
                hints=("it goes on by itself; cancel the run to end it earlier",),
            )
        closed = self._standing(wait)
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
                    hints=(f"what then happened was declared: on_deadline={wait.info.on_deadline!r}",),
                )
            case _:
                raise GraphRunError(f"{who} has given its question up, or ended", hints=(self._what_is_open(),))

    def _standing(self, wait: Wait) -> Closed | None:
        """Return how the wait ended, or None if it can be answered now."""
        if wait.closed is not None:
            return wait.closed
        now = self._run.clock.time()
        if self._run.ended or not self._is_current(wait.here):
            return Closed("dropped", "", now)
        deadline = wait.info.deadline
        return Closed("expired", "", deadline) if deadline is not None and deadline <= now else None

    def _resolved(self, wait: Wait, value: Any, kept: Kept, answer: ValueRef) -> WaitResolved:
        """Close the wait with its one answer, and return the fact to be recorded."""
        wait.value = value
        wait.answer = answer
        self._close(wait, Closed("answered", kept.by, kept.at))
        tokens.use_up(wait.info.token_digest, tokens.Answered(self._run.run_id, wait.here.node_id, kept.by, kept.at))
        return WaitResolved(*wait.key, wait.answer, kept.by)

    def _drop(self, wait: Wait) -> None:
        if wait.closed is not None:
            return
        self._close(wait, Closed("dropped", "", self._run.clock.time()))
        if self._is_current(wait.here):
            self._run.scheduler.tell(WaitExpired(*wait.key, "dropped"))

    def _close(self, wait: Wait, closed: Closed) -> None:
        wait.closed = closed
        del self._open[wait.key]
        node_id = wait.here.node_id
        of_node = self._open_of[node_id]
        of_node.remove(wait)
        if not of_node:
            del self._open_of[node_id]
        last = self._last_closed.get(node_id)
        if closed.how != "dropped" or last is None or last.here.attempt != wait.here.attempt:
            self._last_closed[node_id] = wait

    async def _go_on(self, here: Here) -> None:
        """Give the node its slot back, unless it still asks something: then it holds none."""
        scheduler = self._run.scheduler
        if here.node_id in self._open_of or not self._is_current(here) or self._run.ended:
            return
        await scheduler.regain(here.node_id)
        if here.node_id in self._open_of and self._is_current(here):
            scheduler.release(here.node_id)
            scheduler.tell()

    def _is_current(self, here: Here) -> bool:
        node = self._run.state.nodes[here.node_id]
        return node.attempt == here.attempt and node.status in _ASKING

    def _what_is_open(self) -> str:
        nodes = list(dict.fromkeys(repr(each.node_id) for each in self.open()))
        return f"open questions are those of {', '.join(nodes[:12])}" if nodes else "nothing waits for an answer now"


def _continuation(
    run_id: str, node_id: str, attempt: int, info: WaitInfo, at: float, *, token: str | None = None
) -> Continuation:
    return Continuation(
        token=token,
        run_id=run_id,
        node_id=node_id,
        attempt=attempt,
        kind=info.kind,
        prompt=info.prompt,
        schema=info.schema,
        created_at=at,
        deadline=info.deadline,
        on_deadline=info.on_deadline,
        options=info.options,
    )


def _date(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
