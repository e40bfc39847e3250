"""Time limits of attempts, and what becomes of an attempt that ignores its limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.run import Run

GRACE_S = 2.0
"""How long an attempt that was cancelled may take to end."""


async def limited(run: Run, attempt: Attempt, limit_s: float | None, rest: Coroutine[Any, Any, Any]) -> Any:
    """Await the rest of an attempt, for `limit_s` seconds at most if that is not None.

    It is cancelled then. If it has not ended `GRACE_S` later either, it fails all the same, and what it still gives is
    dropped.

    Raises
    ------
    TimeoutError
        It did not end in time.
    """
    if limit_s is None:
        return await rest
    late = f"node {attempt.node_id!r} did not end within {limit_s:g} s"
    ignored = TimeoutError(f"{late}, nor {GRACE_S:g} s after it was cancelled for that")
    grace = asyncio.get_running_loop().call_later(limit_s + GRACE_S, run.scheduler.fail_unended, attempt, ignored)
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            return await rest
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(late) from None
        raise
    finally:
        grace.cancel()
