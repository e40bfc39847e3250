"""How late the loop is for others while 1,000 ready nodes run."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time

from graphrun_nb import run_async
from tests.bench.engine import Watching, build
from tests.bench.shapes import wide

TICK_S = 0.001


async def lag(n: int = 1_000, *, for_s: float = 4.0) -> tuple[float, float]:
    """Return p99 and the greatest lateness, in s, of somebody who sleeps 1 ms again and again beside the runs."""
    built, late = build(wide(n)), []
    over = asyncio.Event()

    async def tick() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            late.append(max(0.0, time.perf_counter() - begun - TICK_S))

    gc.collect()
    ticking = asyncio.create_task(tick())
    until = time.perf_counter() + for_s
    while time.perf_counter() < until:
        await run_async(built, observers=(Watching(),))
    over.set()
    await ticking
    return statistics.quantiles(late, n=100)[-1], max(late)
