"""Carrying attempts through their coroutines one after the other, each inside a Context of its own.

A task made for each would cost a turn of the loop, and a Context shared with its worker would mix up the context
variables of nodes. Stepped inside the worker's task, `asyncio.timeout` and cancellation work as anywhere. A generator
that awaits one coroutine after the other hears of an end without an exception being made for it.
"""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.here import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context

    from graphrun_nb.engine.attempt import Attempt

    Launch = Callable[[Attempt], Coroutine[Any, Any, Any]]
    Outcome = tuple[Attempt, Any, BaseException | None]

ENDED = object()
"""What a stepper gives when its attempt has come to its end."""


@types.coroutine
def stepper(launch: Launch, outcomes: list[Outcome]) -> Generator[Any, Any, None]:
    """Take one attempt after the other by `send`, inside its Context; give what it suspends on, and `ENDED`.

    What came of each attempt, its value or its exception, is added to `outcomes`. The first `send` is of None.
    """
    set_current = CURRENT.set
    while True:
        attempt: Attempt = yield ENDED
        try:
            set_current(attempt)
            if attempt.cancelled:
                raise asyncio.CancelledError  # noqa: TRY301 (the outcome of an attempt that never began)
            value = yield from launch(attempt)
        except BaseException as exception:  # noqa: BLE001 (user code: whatever it raises is an outcome)
            outcomes.append((attempt, None, exception))
        else:
            outcomes.append((attempt, value, None))


@types.coroutine
def drive_on(
    stepper: Generator[Any, Any, None], context: Context, pending: Any, on_cancel: Callable[[], None]
) -> Generator[Any, Any, None]:
    """Await the end of a stepper's attempt, which has suspended on `pending`, from within a task.

    `on_cancel` is called when the task is cancelled, before the attempt hears of it.
    """
    run, send, throw = context.run, stepper.send, stepper.throw
    while pending is not ENDED:
        try:
            sent = yield pending
        except BaseException as exception:  # noqa: BLE001 (a cancel belongs to the coroutine)
            if isinstance(exception, asyncio.CancelledError):
                on_cancel()
            pending = run(throw, exception)
        else:
            pending = run(send, sent)
