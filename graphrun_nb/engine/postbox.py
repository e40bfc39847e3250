"""Answers and events for runs that nobody goes on with just now: kept in their logs, and used when they go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import AnswerKept
from graphrun_nb.core.status import TERMINAL
from graphrun_nb.engine import tokens
from graphrun_nb.engine.continuation import Receipt
from graphrun_nb.engine.question import Question
from graphrun_nb.engine.recall import Recalled
from graphrun_nb.errors import AlreadyResumed, GraphRunError, InvalidToken

if TYPE_CHECKING:
    from graphrun_nb.engine.recall import Asked
    from graphrun_nb.engine.run import Run

_LOCK = threading.Lock()
"""One at a time: no loop puts them in order."""


def keep_answer(run: Run, node_id: str, payload: Any, *, by: str, no: int | None = None) -> Receipt:
    """Keep an answer to a node's oldest open question, or to the one that it asks first; parameters as `Waits.answer`.

    Raises
    ------
    AlreadyResumed
        It has its answer.
    PayloadRejected
        The answer does not fit; the question stays open.
    GraphRunError
        It asks nothing that could be answered.
    """
    with _LOCK:
        past = Recalled(run.log.since(0))
        of_node = past.asked.get(node_id, {})
        if no is not None:
            of_node = {no: of_node[no]} if no in of_node else {}
        answerable = [each for each in of_node.values() if not each.how and each.info.kind != "until"]
        if answerable:
            return _keep(run, past, node_id, answerable[0], payload, by=by)
        answered = [each for each in of_node.values() if each.how == "answered"]
        if answered:
            raise _told_late(node_id, answered[-1].by, answered[-1].closed_at)
        if of_node or no is not None or run.state.nodes[node_id].status in TERMINAL:
            raise GraphRunError(
                f"node {node_id!r} asks nothing that could be answered now",
                hints=("call the run again to go on with it",),
            )
        return _keep(run, past, node_id, None, payload, by=by)


def keep_answer_to_token(run: Run, digest: str, payload: Any, *, by: str) -> Receipt:
    """Keep an answer to the question whose token has this digest; raises as `Waits.answer_token`."""
    with _LOCK:
        past = Recalled(run.log.since(0))
        found = [
            (node_id, each)
            for node_id, of_node in past.asked.items()
            for each in of_node.values()
            if each.info.token_digest == digest
        ]
        if not found:
            raise tokens.refusal(digest, run.env.store)
        ((node_id, asked),) = found
        if asked.how == "answered":
            raise _told_late(node_id, asked.by, asked.closed_at)
        if asked.how or _is_late(run, asked):
            raise InvalidToken
        return _keep(run, past, node_id, asked, payload, by=by)


def keep_event(run: Run, name: str, payload: Any, key: str | None) -> Receipt:
    """Keep an event for the oldest open wait for it, or the next one; parameters and errors as `Waits.send_event`."""
    with _LOCK:
        past = Recalled(run.log.since(0))
        earlier = past.keys.get((name, key or ""))
        if key is not None and earlier is not None:
            return Receipt(run.run_id, *earlier)
        taker = past.taker(name)
        return _record(run, AnswerKept("", run.keep(payload), name=name, key=key or "", by="event"), taker)


def _keep(run: Run, past: Recalled, node_id: str, asked: Asked | None, payload: Any, *, by: str) -> Receipt:
    kept = past.kept.get(node_id)
    if kept is not None:
        raise _told_late(node_id, kept.by, kept.at)
    value = payload
    if asked is not None:
        if _is_late(run, asked):
            raise GraphRunError(
                f"the question of node {node_id!r} has expired",
                hints=(f"what then happens was declared: on_deadline={asked.info.on_deadline!r}",),
            )
        value = Question.recalled(asked.info, run.keeper.get).check(payload)
    receipt = _record(run, AnswerKept(node_id, run.keep(payload, value), by=by), node_id)
    if asked is not None and asked.info.token_digest:
        tokens.use_up(asked.info.token_digest, tokens.Answered(run.run_id, node_id, by, receipt.at))
    return receipt


def _record(run: Run, came: AnswerKept, node_id: str) -> Receipt:
    now = run.clock.time()
    run.log.stage(came, now)
    run.log.commit()
    return Receipt(run.run_id, node_id, now)


def _is_late(run: Run, asked: Asked) -> bool:
    return asked.info.deadline is not None and asked.info.deadline <= run.clock.time()


def _told_late(node_id: str, by: str, at: float) -> AlreadyResumed:
    return AlreadyResumed(f"node {node_id!r} has its answer, from {by}", by=by, at=at)
