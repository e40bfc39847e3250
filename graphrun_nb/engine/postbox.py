"""Answers and events for runs that are not under way here: left in the store for the process that drives them next."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import AnswerKept, CancelRequested
from graphrun_nb.core.status import TERMINAL
from graphrun_nb.engine import tokens
from graphrun_nb.engine.continuation import Receipt
from graphrun_nb.engine.mail import claim, early_key, event_key, is_early
from graphrun_nb.engine.question import Question
from graphrun_nb.engine.recall import Recalled
from graphrun_nb.engine.rejection import require_kept
from graphrun_nb.errors import AlreadyResumed, GraphRunError, InvalidToken

if TYPE_CHECKING:
    from graphrun_nb.engine.recall import Asked
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Letter


def open_questions(run: Run) -> list[tuple[str, Asked]]:
    """Return the questions that nobody has answered, with the nodes that ask them, oldest first.

    Of a run that is followed these are the ones that have been seen here.
    """
    past = _past(run) if run.follower is None else Recalled(run.log.since(0))
    box = _box(run)
    left = []
    for node_id, each in past.open():
        early = next((key for key, letter in box.items() if is_early(letter, node_id)), None)
        if past.kept.pop(node_id, None) is not None or each.info.token_digest in box:
            continue
        if early is not None:
            del box[early]
            continue
        left.append((node_id, each))
    for letter in box.values():
        taker = next((i for i, (_, each) in enumerate(left) if _is_for(letter, each)), None)
        if taker is not None:
            del left[taker]
    return left


def keep_answer(run: Run, node_id: str, payload: Any, *, by: str, no: int | None = None) -> Receipt:
    """Leave an answer to a node's oldest open question, or to the one that it asks first; see `Answering.answer`.

    Raises
    ------
    AlreadyResumed
        It has its answer.
    PayloadRejected
        The answer does not fit; the question stays open.
    GraphRunError
        It has no question that can be answered.
    """
    past = _past(run)
    of_node = past.asked.get(node_id, {})
    if no is not None:
        of_node = {no: of_node[no]} if no in of_node else {}
    answerable = [each for each in of_node.values() if not each.how and each.info.kind != "until"]
    kept = past.kept.get(node_id)
    if kept is not None:
        raise _told_late(node_id, kept.by, kept.at)
    if answerable:
        return _answer(run, node_id, answerable[0], payload, by=by)
    answered = [each for each in of_node.values() if each.how == "answered"]
    if answered:
        raise _told_late(node_id, answered[-1].by, answered[-1].closed_at)
    node = run.state.nodes[node_id]
    if of_node or no is not None or node.status in TERMINAL:
        raise GraphRunError(
            f"node {node_id!r} has no question that can be answered now",
            hints=("call the run again to continue it",),
        )
    return _post(run, early_key(node_id, node), node_id, payload, payload, by=by)


def keep_answer_to_token(run: Run, digest: str, payload: Any, *, by: str) -> Receipt:
    """Leave an answer to the question whose token has this digest; raises as `Answering.answer_token`."""
    past = _past(run)
    found = [
        (node_id, each)
        for node_id, of_node in past.asked.items()
        for each in of_node.values()
        if each.info.token_digest == digest
    ]
    if not found:
        raise tokens.refusal(digest, run.store, run.store)
    ((node_id, asked),) = found
    if asked.how == "answered":
        raise _told_late(node_id, asked.by, asked.closed_at)
    if asked.how or _is_late(run, asked):
        raise InvalidToken
    kept = past.kept.get(node_id)
    if kept is not None:
        raise _told_late(node_id, kept.by, kept.at)
    return _answer(run, node_id, asked, payload, by=by)


def keep_event(run: Run, name: str, payload: Any, key: str | None) -> Receipt:
    """Leave an event for the oldest open wait for it, or for the next one; see `Answering.send_event`."""
    past = _past(run)
    takers = past.waiting_for(name)
    if key is not None and (name, key) in past.keys:
        return Receipt(run.run_id, *past.keys[name, key])
    now = run.clock.time()
    came = AnswerKept("", require_kept(run.persistence.keep(payload), run.keeper), name=name, key=key or "", by="event")
    mark = event_key(name, key) if key is not None else f"event {secrets.token_hex(8)}"
    n_before = sum(each.fact.name == name for each in _box(run).values() if isinstance(each.fact, AnswerKept))
    there = run.store.post(run.run_id, mark, came, now)
    if there is not None:
        return Receipt(run.run_id, takers[0] if takers else "", there.at)
    return Receipt(run.run_id, takers[n_before] if n_before < len(takers) else "", now)


def ask_to_cancel(run: Run, *, by: str) -> None:
    """Tell the process that drives the run to cancel it."""
    run.store.post(run.run_id, f"cancel {secrets.token_hex(8)}", CancelRequested(by), run.clock.time())


def _past(run: Run) -> Recalled:
    return Recalled((each.at, each.event) for each in run.store.read(run.run_id))


def _box(run: Run) -> dict[str, Letter]:
    return {each.key: each for each in run.store.letters(run.run_id)}


def _is_for(letter: Letter, asked: Asked) -> bool:
    return isinstance(letter.fact, AnswerKept) and bool(asked.info.name) and letter.fact.name == asked.info.name


def _answer(run: Run, node_id: str, asked: Asked, payload: Any, *, by: str) -> Receipt:
    if _is_late(run, asked):
        raise GraphRunError(
            f"the question of node {node_id!r} has expired",
            hints=(f"on_deadline says what happens then: on_deadline={asked.info.on_deadline!r}",),
        )
    early = next((each for each in _box(run).values() if is_early(each, node_id)), None)
    if early is not None:
        raise _told_late(node_id, early.fact.by, early.at)
    value = Question.recalled(asked.info, run.keeper.get).check(payload)
    receipt = _post(run, asked.info.token_digest, node_id, payload, value, by=by)
    tokens.use_up(asked.info.token_digest, tokens.Answered(run.run_id, node_id, by, receipt.at))
    return receipt


def _post(run: Run, key: str, node_id: str, payload: Any, shown: Any, *, by: str) -> Receipt:
    now = run.clock.time()
    answer = require_kept(run.persistence.keep(payload, shown), run.keeper)
    claim(run, key, node_id, answer, by=by, at=now)
    return Receipt(run.run_id, node_id, now)


def _is_late(run: Run, asked: Asked) -> bool:
    return asked.info.deadline is not None and asked.info.deadline <= run.clock.time()


def _told_late(node_id: str, by: str, at: float) -> AlreadyResumed:
    return AlreadyResumed(f"node {node_id!r} has its answer, from {by}", by=by, at=at)
