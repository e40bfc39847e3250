"""`Asking`: how the nodes of a run ask, and wait for their answers without holding a slot."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.events import WaitOpened
from graphrun_nb.engine import tokens
from graphrun_nb.engine.here import Here
from graphrun_nb.engine.question import Question
from graphrun_nb.engine.wait import Closed, Wait
from graphrun_nb.errors import GraphRunError, PayloadRejected

if TYPE_CHECKING:
    from graphrun_nb.engine.recall import Asked, Recalled
    from graphrun_nb.engine.run import Run


class Asking:
    """Opens the waits of one run, on the loop's thread alone.

    The questions of an attempt are numbered. One that was carried on after its process ended is asked its questions
    again, and gets the answers that it had: nobody is asked twice.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waits = run.waits
        self._n_asked: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._recalled: dict[str, dict[int, Wait]] = {}

    def recall(self, past: Recalled) -> None:
        """Go on from what the log says, on the loop: what is open can be answered, what is answered is not asked."""
        for node_id, of_node in past.asked.items():
            for no, asked in sorted(of_node.items()):
                try:
                    wait = self._recalled_wait(node_id, asked)
                except LookupError:
                    break  # what was not kept has to be asked once more, and with it all that came after
                self._recalled.setdefault(node_id, {})[no] = wait

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
            if self._run.asking is not self:  # the run was set down, and goes on without this coroutine
                raise
            self._run.scheduler.leave_if_loop_ends()
            if not self._run.is_alive:
                raise
            self._waits.drop(wait)
            # A node whose own time is up fails now, not when a slot is free.
            if not self._run.state.cancelled_by and self._run.graph.spec_of(here.node_id).timeout_s is None:
                await self._go_on(here)
            raise
        await self._go_on(here)
        return wait.outcome()

    def _recalled_wait(self, node_id: str, asked: Asked) -> Wait:
        """Take in a wait as the log tells it; raises LookupError if its answer, or its default, was not kept."""
        run, info = self._run, asked.info
        question = Question.recalled(info, run.keeper.get)
        if asked.answer is not None:
            run.keeper.get(asked.answer)
        wait = Wait(
            Here(run, node_id, asked.attempt),
            info,
            token=run.new_tokens.get(info.token_digest),
            check=question.check,
            default=question.default,
            at=asked.at,
            over=asyncio.get_running_loop().create_future(),
        )
        wait.is_recorded = True
        if asked.how:
            wait.answer = asked.answer
            wait.closed = Closed(asked.how, asked.by, asked.closed_at)
            wait.over.set_result(None)
        elif info.name:
            self._waits.inbox.join(wait)
        self._waits.add(wait)
        if info.token_digest:
            tokens.lead(info.token_digest, run)
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
                self._waits.drop(each)
            return None
        self._n_asked[key] += 1
        if wait.closed is None:
            wait.check, wait.default = question.check, question.default
            self._run.scheduler.release(here.node_id)
            self._run.scheduler.tell(*self._waits.resolve_early(wait))
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
        node_id, attempt = here.node_id, here.attempt
        scheduler = self._run.scheduler
        if not self._waits.is_current(here) or not scheduler.is_under_way(node_id, attempt):
            raise GraphRunError(
                f"attempt {attempt} of node {node_id!r} has ended, and can no longer ask",
                hints=("await every question before the node returns",),
            )
        token, digest = tokens.new_token(self._run) if question.kind != "until" else (None, "")
        has_default = question.kind != "until" and question.on_deadline == "default"
        default = self._run.persistence.keep(question.default_payload, question.default) if has_default else None
        info = question.info(self._n_asked[node_id, attempt], digest, default)
        info = structs.replace(info, prompt=self._run.secrets.scrub(info.prompt))
        self._n_asked[node_id, attempt] += 1
        wait = Wait(
            here,
            info,
            token=token,
            check=question.check,
            default=question.default,
            at=self._run.clock.time(),
            over=asyncio.get_running_loop().create_future(),
        )
        self._waits.add(wait)
        facts = [WaitOpened(node_id, attempt, info), *self._waits.resolve_early(wait)]
        scheduler.release(node_id)
        scheduler.tell(*facts)
        return wait

    async def _go_on(self, here: Here) -> None:
        """Give the node its slot back, unless it still asks something: then it holds none."""
        scheduler, waits = self._run.scheduler, self._waits
        if waits.has_open(here.node_id) or not waits.is_current(here) or self._run.ended:
            return
        await scheduler.regain(here.node_id)
        if waits.has_open(here.node_id) and waits.is_current(here):
            scheduler.release(here.node_id)
            scheduler.tell()
