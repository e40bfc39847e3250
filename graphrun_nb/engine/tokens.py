"""Secrets that answer waits, and where in this process they lead. O(1), whatever the number of runs and waits.

A token is looked up by its sha256, which tells nobody anything about tokens that are nearly right.
"""

from __future__ import annotations

import hashlib
import secrets
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from graphrun_nb.core.events import WaitOpened, WaitResolved
from graphrun_nb.errors import AlreadyResumed, InvalidToken

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run
    from graphrun_nb.errors import GraphRunError
    from graphrun_nb.protocols import RunStore

N_BYTES = 24
MAX_LENGTH = 200
MAX_REMEMBERED = 100_000


class Answered(NamedTuple):
    """Which answer used a token up; `at` is Unix seconds (UTC)."""

    run_id: str
    node_id: str
    by: str
    at: float

    def error(self) -> AlreadyResumed:
        """Return what a second answer is told."""
        return AlreadyResumed(f"node {self.node_id!r} has its answer, from {self.by}", by=self.by, at=self.at)


_RUNS: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
_ANSWERED: dict[str, Answered] = {}


def new_token(run: Run) -> tuple[str, str]:
    """Return a new token that leads to `run` as long as that is held, and its digest. 192 bits."""
    token = secrets.token_urlsafe(N_BYTES)
    digest = digest_of(token)
    lead(digest, run)
    return token, digest


def lead(digest: str, run: Run) -> None:
    """Let the token with this digest lead to `run`, as long as that is held."""
    _RUNS[digest] = run


def digest_of(token: Any) -> str:
    """Return what the log keeps of a token; raises InvalidToken for what can be none."""
    if not isinstance(token, str) or len(token) > MAX_LENGTH:
        raise InvalidToken
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def run_of(digest: str, store: RunStore | None) -> Run | None:
    """Return the run that the token leads to, unless it is of another store than `store`."""
    run = _RUNS.get(digest)
    return run if run is not None and (store is None or run.store == store) else None


def use_up(digest: str, answered: Answered) -> None:
    """Remember who answered, also when the run is no longer held. The latest 100,000 answers are."""
    _ANSWERED[digest] = answered
    if len(_ANSWERED) > MAX_REMEMBERED:
        del _ANSWERED[next(iter(_ANSWERED))]


def refusal(digest: str, store: RunStore | None, default: RunStore) -> GraphRunError:
    """Return why a token that leads to no open wait is refused, as `store` knows, or this process and `default`."""
    answered = _ANSWERED.get(digest)
    if answered is None or not (store is None or store.run_of_wait(digest) == answered.run_id):
        answered = _answer_in(digest, default if store is None else store)
    return InvalidToken() if answered is None else answered.error()


def _answer_in(digest: str, store: RunStore) -> Answered | None:
    """Return what the log of the run that asked says of the answer. O(events)."""
    run_id = store.run_of_wait(digest)
    place: tuple[str, int, int] | None = None
    for each in () if run_id is None else store.read(run_id):
        event = each.event
        if isinstance(event, WaitOpened) and event.wait.token_digest == digest:
            place = (event.node_id, event.attempt, event.wait.no)
        elif isinstance(event, WaitResolved) and (event.node_id, event.attempt, event.no) == place:
            return Answered(each.run_id, event.node_id, event.by, each.at)
    return None
