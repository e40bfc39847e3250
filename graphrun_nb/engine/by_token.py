"""Answers by token to runs that are not here: how the question was asked is read, and nothing else of the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from graphrun_nb.authoring.secret_places import SecretPlaces
from graphrun_nb.core.spec import GraphSpec
from graphrun_nb.engine import tokens
from graphrun_nb.engine.clock import SystemClock
from graphrun_nb.engine.continuation import Receipt
from graphrun_nb.engine.live import RUNS
from graphrun_nb.engine.mail import claim, early_keys
from graphrun_nb.engine.question import Question
from graphrun_nb.engine.rejection import require_kept
from graphrun_nb.engine.run_secrets import RunSecrets
from graphrun_nb.errors import InvalidToken

if TYPE_CHECKING:
    from graphrun_nb.protocols import RunStore

_LOCK = threading.Lock()
_MAX_ATTEMPTS = 8
"""Of a node whose early answers are looked for one by one."""
_NOWHERE = SecretPlaces(GraphSpec(name="graph"))


class _Asker(NamedTuple):
    store: RunStore
    run_id: str


def answered(store: RunStore, digest: str, payload: Any, *, by: str) -> Receipt | None:
    """Answer the wait whose token has this digest, if the store has it as one that is plain; else return None. O(1).

    Raises
    ------
    InvalidToken
        It has expired.
    AlreadyResumed, PayloadRejected
        As `Waits.answer_token`.
    """
    found = store.plain_wait(digest)
    if found is None:
        return None
    run_id, event = found
    node_id, attempt, wait = event.node_id, event.attempt, event.wait
    if attempt > _MAX_ATTEMPTS or any(store.letter(run_id, key) for key in early_keys(node_id, attempt)):
        return None
    here = RUNS.get(run_id)
    now = (SystemClock() if here is None else here.clock).time()
    if wait.deadline is not None and wait.deadline <= now:
        raise InvalidToken
    secrets = RunSecrets(_NOWHERE, {})
    with _LOCK:
        keeper = store.keeper(run_id, lasting=True)
        value = Question.recalled(wait, keeper.get).check(payload)
        secrets.find(payload)
        answer = require_kept(keeper.put(payload, lambda: secrets.preview(value)), keeper)
        claim(_Asker(store, run_id), digest, node_id, answer, by=by, at=now)
    tokens.use_up(digest, tokens.Answered(run_id, node_id, by, now))
    return Receipt(run_id, node_id, now)
