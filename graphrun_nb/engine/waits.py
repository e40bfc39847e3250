"""`Waits`: what the nodes of one run have asked, and what came before it was asked for.

Each wait ends once: answered, expired at its deadline, or dropped by its node. `asking.py` opens waits for nodes, and
`answering.py` finds the one that an answer is meant for.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import Event, WaitExpired, WaitOpened, WaitResolved
from graphrun_nb.core.status import UNDER_WAY
from graphrun_nb.engine import postbox, tokens
from graphrun_nb.engine.continuation import Continuation, Receipt
from graphrun_nb.engine.inbox import Inbox, Kept
from graphrun_nb.engine.wait import Closed, Wait
from graphrun_nb.errors import PayloadRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import ValueRef, WaitInfo
    from graphrun_nb.engine.here import Here
    from graphrun_nb.engine.recall import Recalled
    from graphrun_nb.engine.run import Run
    from graphrun_nb.engine.wait import Key


class Waits:
    """The waits of one run, on the loop's thread alone.

    Attributes
    ----------
    early : dict of str to Kept
        Answers that came before their node asked, one a node.
    inbox : Inbox
        Events that no wait has taken yet, and the waits that no event has reached.
    """

    def __init__(self, run: Run) -> None:
        self.early: dict[str, Kept] = {}
        self.inbox = Inbox()
        self._run = run
        self._by_key: dict[Key, Wait] = {}
        self._by_digest: dict[str, Wait] = {}
        self._open: dict[Key, Wait] = {}
        self._open_of: dict[str, list[Wait]] = {}
        self._last_closed: dict[str, Wait] = {}

    def recall(self, past: Recalled) -> None:
        """Go on from what the log says of answers and events that no wait has taken, as far as they were kept."""
        fetch = self._run.keeper.get
        for node_id, each in past.kept.items():
            with contextlib.suppress(LookupError):
                self.early[node_id] = Kept(fetch(each.answer), each.by, each.at)
        for name, arrived in past.events.items():
            for each in arrived:
                with contextlib.suppress(LookupError):
                    self.inbox.keep(name, Kept(fetch(each.answer), each.by, each.at))
        for (name, key), (node_id, at) in past.keys.items():
            self.inbox.note(name, key, Receipt(self._run.run_id, node_id, at))

    def add(self, wait: Wait) -> None:
        """Take a wait in, which is open, or ended before the process did that asked."""
        node_id, digest = wait.here.node_id, wait.info.token_digest
        self._by_key[wait.key] = wait
        if digest:
            self._by_digest[digest] = wait
        if wait.closed is None:
            self._open[wait.key] = wait
            self._open_of.setdefault(node_id, []).append(wait)
        else:
            self._last_closed[node_id] = wait

    def get(self, node_id: str, attempt: int, no: int) -> Wait | None:
        """Return wait `no` of an attempt, if it has asked so often."""
        return self._by_key.get((node_id, attempt, no))

    def of_digest(self, digest: str) -> Wait | None:
        """Return the wait whose token has this digest, if there is one."""
        wait = self._by_digest.get(digest)
        return wait if wait is not None and secrets.compare_digest(wait.info.token_digest, digest) else None

    def open_of(self, node_id: str) -> list[Wait]:
        """Return the open waits of the node's current attempt, oldest first."""
        return [each for each in self._open_of.get(node_id, ()) if self.is_current(each.here)]

    def last_closed_of(self, node_id: str) -> Wait | None:
        """Return the wait of the node that ended last; a dropped one counts if no other of its attempt has ended."""
        return self._last_closed.get(node_id)

    def has_open(self, node_id: str) -> bool:
        """Tell whether the node asks something, in whatever attempt."""
        return node_id in self._open_of

    def is_current(self, here: Here) -> bool:
        """Tell whether the attempt is the node's current one, and under way."""
        node = self._run.state.nodes[here.node_id]
        return node.attempt == here.attempt and node.status in UNDER_WAY

    def standing(self, wait: Wait) -> Closed | None:
        """Return how the wait ended, or None if it can be answered now."""
        if wait.closed is not None:
            return wait.closed
        now = self._run.clock.time()
        if self._run.ended or not self.is_current(wait.here):
            return Closed("dropped", "", now)
        deadline = wait.info.deadline
        return Closed("expired", "", deadline) if deadline is not None and deadline <= now else None

    def resolve(self, wait: Wait, value: Any, kept: Kept, answer: ValueRef) -> WaitResolved:
        """Close the wait with its one answer, and return the fact to be recorded.

        Parameters
        ----------
        value
            What the node gets.
        answer
            Where the payload is kept.
        """
        wait.value = value
        wait.answer = answer
        self._close(wait, Closed("answered", kept.by, kept.at))
        tokens.use_up(wait.info.token_digest, tokens.Answered(self._run.run_id, wait.here.node_id, kept.by, kept.at))
        return WaitResolved(*wait.key, wait.answer, kept.by)

    def resolve_early(self, wait: Wait) -> Sequence[Event]:
        """Close the wait with the answer or event that came before it, if one did and fits; return the facts."""
        if wait.info.kind == "until":
            return ()
        name, node_id = wait.info.name, wait.here.node_id
        kept = self.inbox.take(name) if name else self.early.pop(node_id, None)
        if kept is not None:
            try:
                value = wait.check(kept.payload)
            except PayloadRejected as refused:
                self.note(wait.here, f"the answer that was kept for it was refused: {refused}")
            else:
                return (self.resolve(wait, value, kept, self._run.persistence.keep(kept.payload, value)),)
        if name:
            self.inbox.join(wait)
        return ()

    def drop(self, wait: Wait) -> None:
        """Close a wait that its node has given up, if it is open, and record that."""
        if wait.closed is not None:
            return
        self._close(wait, Closed("dropped", "", self._run.clock.time()))
        if self.is_current(wait.here):
            self._run.scheduler.tell(WaitExpired(*wait.key, "dropped"))

    def on_events(self, events: Sequence[Event]) -> None:
        """Let nodes go on whose answers, or expiries, have just been recorded, and questions be seen that were."""
        for event in events:
            if isinstance(event, WaitOpened):
                opened = self._by_key.get((event.node_id, event.attempt, event.wait.no))
                if opened is not None:
                    opened.is_recorded = True
            elif isinstance(event, (WaitResolved, WaitExpired)):
                wait = self._by_key.get((event.node_id, event.attempt, event.no))
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
            if wait.is_recorded and self.standing(wait) is None
        )

    def tokens(self) -> dict[str, str]:
        """Return the tokens of what is open, by digest."""
        return {each.info.token_digest: each.token for each in self._open.values() if each.token is not None}

    def what_is_open(self) -> str:
        """Return a hint that names the nodes that ask something."""
        nodes = list(dict.fromkeys(repr(each.node_id) for each in self.open()))
        return f"open questions are those of {', '.join(nodes[:12])}" if nodes else "nothing waits for an answer now"

    def note(self, here: Here, text: str) -> None:
        """Let a node's story say something of its answers."""
        self._run.output.add_line(here, "note", text)

    def close(self) -> None:
        """End what still waits when the run has ended: coroutines that their nodes left behind."""
        for wait in list(self._open.values()):
            wait.over.cancel()

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
