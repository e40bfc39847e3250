"""Questions of a run's nodes: opened here, answered from anywhere, exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import AnswerKept, Event, ValueRef, WaitExpired, WaitInfo, WaitOpened, WaitResolved
from graphrun_nb.core.spec import closest
from graphrun_nb.core.status import TERMINAL
from graphrun_nb.engine.answers import checked, schema_of
from graphrun_nb.errors import AlreadyResumed, GraphRunError, InvalidToken, PayloadRejected
from graphrun_nb.errors import WaitExpired as WaitExpiredError
from graphrun_nb.protocols import Signal
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.engine.log import RunLog
    from graphrun_nb.engine.scheduler import ForwardScheduler
    from graphrun_nb.protocols import Clock

_Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Continuation:
    """An open wait, as the one who opened it sees it.

    Attributes
    ----------
    token
        The secret that answers it, or None where it was read back later. It never shows in a repr.
    created_at, deadline
        Unix seconds (UTC); no deadline is None.
    """

    run_id: str
    node_id: str
    attempt: int
    kind: str
    prompt: str
    schema: dict[str, Any] | None
    created_at: float
    deadline: float | None
    on_deadline: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted answer; `at` is Unix seconds (UTC)."""

    run_id: str
    node_id: str
    at: float


@dataclass(slots=True)
class _Open:
    info: WaitInfo
    token: str
    answered: asyncio.Future[Any]
    created_at: float
    value: Any = None
    by: str = ""

    @property
    def is_open(self) -> bool:
        return not self.by and not self.answered.done()


class Waits:
    """The waits of one run, on the loop's thread alone."""

    def __init__(self, log: RunLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._open: dict[_Key, _Open] = {}
        self._n_asked: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._kept: defaultdict[str, deque[tuple[Any, str]]] = defaultdict(deque)
        self._answered: dict[str, tuple[str, float]] = {}
        self._spent: dict[str, str] = {}
        self._scheduler: ForwardScheduler | None = None

    def attach(self, scheduler: ForwardScheduler) -> None:
        """Say who records what happens to the waits."""
        self._scheduler = scheduler

    async def ask(
        self,
        node_id: str,
        attempt: int,
        *,
        kind: str,
        prompt: str = "",
        options: Sequence[str] = (),
        deadline: float | None = None,
    ) -> Any:
        """Open a wait for a running node and return the checked answer; the node holds no slot meanwhile.

        Raises
        ------
        WaitExpired
            Nobody answered before the deadline.
        """
        scheduler = self._scheduler
        assert scheduler is not None  # noqa: S101 (attached before any node runs)
        no = self._n_asked[node_id, attempt]
        self._n_asked[node_id, attempt] += 1
        token = secrets.token_urlsafe(18)
        info = WaitInfo(
            no=no,
            kind=kind,
            prompt=prompt,
            schema=schema_of(kind, options),
            options=tuple(options),
            token_digest=digest_of(token),
            deadline=deadline,
        )
        key = (node_id, attempt, no)
        wait = self._open[key] = _Open(info, token, asyncio.get_running_loop().create_future(), self._clock.time())
        scheduler.release(node_id)
        scheduler.tell(WaitOpened(node_id, attempt, info))
        self._deliver_kept(node_id)
        try:
            value = await wait.answered
        finally:
            del self._open[key]
            self._spent[info.token_digest] = node_id
            self._drop_if_open(key)
        await scheduler.regain(node_id)
        return value

    def answer(self, node_id: str, payload: Any, *, by: str, no: int | None = None) -> Receipt:
        """Answer the first open wait of a node (or number `no`); before one opens, the answer is kept for it.

        Raises
        ------
        AlreadyResumed
            Somebody was faster.
        PayloadRejected
            The answer does not fit; the wait stays open.
        GraphRunError
            There is no such node, or it can ask nothing any more.
        """
        node = self._log.state.nodes.get(node_id)
        run_id = self._log.state.run_id
        if node is None:
            hint = closest(node_id, self._log.state.nodes) or f"it has: {', '.join(list(self._log.state.nodes)[:12])}"
            raise GraphRunError(f"run {run_id!r} has no node {node_id!r}", hints=(hint,))
        now = self._clock.time()
        key = self._first_open(node_id, no)
        if key is not None:
            wait = self._open[key]
            value = checked(wait.info.kind, wait.info.options, payload)
            self._accept(key, value, by, now)
        elif node_id in self._answered:
            who, at = self._answered[node_id]
            raise AlreadyResumed(f"node {node_id!r} has its answer, from {who}", by=who, at=at)
        elif node.status in TERMINAL or no is not None:
            raise GraphRunError(f"node {node_id!r} is {node.status.lower()} and asks nothing")
        else:
            self._kept[node_id].append((payload, by))
            self._tell(AnswerKept(node_id, ValueRef(preview=preview(payload)), by=by))
        return Receipt(run_id, node_id, now)

    def answer_token(self, token: str, payload: Any, *, by: str) -> Receipt:
        """Answer the wait that `token` opens.

        Raises
        ------
        InvalidToken
            It opens none here.
        AlreadyResumed, PayloadRejected
            As `answer`.
        """
        digest = digest_of(token)
        for (node_id, _, no), wait in self._open.items():
            if secrets.compare_digest(wait.info.token_digest, digest) and (wait.is_open or wait.by):
                return self.answer(node_id, payload, by=by, no=no)
        spent = self._spent.get(digest)
        if spent is not None and spent in self._answered:
            who, at = self._answered[spent]
            raise AlreadyResumed(f"node {spent!r} has its answer, from {who}", by=who, at=at)
        raise InvalidToken

    def on_events(self, events: Sequence[Event]) -> None:
        """Let nodes go on whose answers, or expiries, have just been recorded."""
        for event in events:
            if isinstance(event, WaitResolved):
                wait = self._unanswered(event)
                if wait is not None:
                    wait.answered.set_result(wait.value)
            elif isinstance(event, WaitExpired):
                wait = self._unanswered(event)
                if wait is not None:
                    expired = WaitExpiredError(
                        f"nobody answered {event.node_id!r} before its deadline",
                        hints=("give it more time with deadline=, or declare an answer with on_deadline='default'",),
                    )
                    wait.answered.set_exception(expired)

    def open(self) -> tuple[Continuation, ...]:
        """Return the open waits, oldest first, with their tokens."""
        return tuple(
            Continuation(
                run_id=self._log.state.run_id,
                node_id=node_id,
                attempt=attempt,
                kind=wait.info.kind,
                prompt=wait.info.prompt,
                schema=wait.info.schema,
                created_at=wait.created_at,
                deadline=wait.info.deadline,
                on_deadline=wait.info.on_deadline,
                token=wait.token,
            )
            for (node_id, attempt, _), wait in self._open.items()
            if wait.is_open
        )

    def _first_open(self, node_id: str, no: int | None) -> _Key | None:
        for key, wait in self._open.items():
            if key[0] == node_id and wait.is_open and no in (None, key[2]):
                return key
        return None

    def _accept(self, key: _Key, value: Any, by: str, now: float) -> None:
        wait = self._open[key]
        wait.value = value
        wait.by = by
        self._answered[key[0]] = (by, now)
        self._tell(WaitResolved(*key, ValueRef(preview=preview(value)), by))

    def _deliver_kept(self, node_id: str) -> None:
        kept = self._kept.get(node_id)
        while kept:
            payload, by = kept.popleft()
            try:
                self.answer(node_id, payload, by=by)
            except PayloadRejected as refused:
                text = f"an answer kept for it was refused: {refused}"
                attempt = self._log.state.nodes[node_id].attempt
                self._log.signal(Signal(node_id, attempt, "note", text, self._clock.time()))
            else:
                return

    def _drop_if_open(self, key: _Key) -> None:
        node = self._log.state.nodes[key[0]]
        if node.attempt == key[1] and any(each.wait.no == key[2] for each in node.waits):
            self._tell(WaitExpired(*key, "dropped"))

    def _unanswered(self, event: WaitResolved | WaitExpired) -> _Open | None:
        wait = self._open.get((event.node_id, event.attempt, event.no))
        return wait if wait is not None and not wait.answered.done() else None

    def _tell(self, *events: Event) -> None:
        assert self._scheduler is not None  # noqa: S101 (attached before any node runs)
        self._scheduler.tell(*events)


def digest_of(token: str) -> str:
    """Return what the log keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
