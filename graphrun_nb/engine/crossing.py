"""Calls that cross over to a loop from other threads."""

from __future__ import annotations

import concurrent.futures
import contextlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")


def call_soon(loop: asyncio.AbstractEventLoop, act: Callable[[], object]) -> None:
    """Call `act` on `loop`, from any thread, in a copy of the calling context; do nothing if the loop has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(act)


def call_and_wait(loop: asyncio.AbstractEventLoop, act: Callable[[], T], timeout_s: float | None = None) -> T:
    """Call `act` on `loop`, from any other thread, in a copy of the calling context; return or raise what it does.

    Raises
    ------
    TimeoutError
        It did not return within `timeout_s`.
    RuntimeError
        The loop has ended.
    """
    done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def fulfil() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 (it is raised where the call came from)
            done.set_exception(error)

    loop.call_soon_threadsafe(fulfil)
    return done.result(timeout_s)
