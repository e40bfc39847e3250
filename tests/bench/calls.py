"""What a call costs where it runs: the first one, the next ones, and 50 MB there and back, in wall time.

``python -m tests.bench.calls`` prints one line for each executor; the median of rounds, of a sync function that does
nothing, submitted one after the other.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from graphrun_nb.executors import EXECUTORS, make_executor
from graphrun_nb.protocols import Call, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Executor

ROUNDS = 9
CALLS = 500
PAYLOAD = bytes(50_000_000)


def nothing() -> None:
    """Do nothing."""


def same(data: bytes) -> bytes:
    """Give back what came."""
    return data


async def timed(executor: Executor, n: int, function: Callable[..., Any], **arguments: Any) -> float:
    """Return seconds a call, over `n` calls."""
    call = Call("bench", "n", 1, function, arguments)
    begun = time.perf_counter()
    for _ in range(n):
        outcome = await executor.submit(call)
        assert isinstance(outcome, Value), outcome
    return (time.perf_counter() - begun) / n


async def measure(name: str) -> str:
    """Return the line of an executor."""
    executor = make_executor(name)
    try:
        first = await timed(executor, 1, nothing)
        warm = statistics.median([await timed(executor, CALLS, nothing) for _ in range(ROUNDS)])
        big = statistics.median([await timed(executor, 1, same, data=PAYLOAD) for _ in range(3)])
    finally:
        executor.close()
    return (
        f"{name:8} first {first * 1e3:6.1f} ms   warm {warm * 1e6:6.1f} µs   50 MB there and back {big * 1e3:5.0f} ms"
    )


async def main() -> None:
    """Measure all executors in turn."""
    for name in EXECUTORS:
        sys.stdout.write(await measure(name) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
