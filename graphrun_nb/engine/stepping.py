"""Awaiting a coroutine that has already made its first step, with each further step in a Context of its own.

A task made for it would cost a turn of the loop, and a Context shared with its worker would mix up the context
variables of nodes. Stepped inside the worker's task, `asyncio.timeout` and cancellation work as anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context

    from graphrun_nb.protocols import Outcome


class DrivenOn:
    """Awaitable that drives `coroutine`, which has just yielded `pending`, to its end, inside `context`."""

    __slots__ = ("_context", "_coroutine", "_pending")

    def __init__(self, coroutine: Coroutine[Any, Any, Outcome], context: Context, pending: Any) -> None:
        self._coroutine = coroutine
        self._context = context
        self._pending = pending

    def __await__(self) -> Generator[Any, Any, Outcome]:
        """Yield to the task what the coroutine yields; return what it returns."""
        run = self._context.run
        send = self._coroutine.send
        throw = self._coroutine.throw
        pending = self._pending
        self._pending = None
        while True:
            try:
                sent = yield pending
            except BaseException as exception:  # noqa: BLE001 (a cancel belongs to the coroutine)
                try:
                    pending = run(throw, exception)
                except StopIteration as stop:
                    result: Outcome = stop.value
                    return result
            else:
                try:
                    pending = run(send, sent)
                except StopIteration as stop:
                    outcome: Outcome = stop.value
                    return outcome
