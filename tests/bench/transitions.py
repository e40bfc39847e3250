"""``python -m tests.bench.transitions``: what 10,000 transitions cost, in memory and in a file."""

# ruff: noqa: T201 (it prints)

from __future__ import annotations

import asyncio
import contextlib
import gc
import sqlite3
import tempfile
import time
from pathlib import Path

from graphrun_nb import SqliteStore, run_async
from tests.bench.engine import Watching, build
from tests.bench.shapes import layered

N = 10_000
N_RUNS = 5


async def told(where: str, slots: int, store: SqliteStore | None = None) -> None:
    """Print the cheapest of some runs of N transitions: each node starts and is done."""
    shape = build(layered(N // 2))
    taken = []
    for _ in range(1 + N_RUNS):
        gc.collect()
        begun, spent = time.perf_counter(), time.process_time()
        await run_async(shape, max_concurrency=slots, observers=(Watching(),), **({"store": store} if store else {}))
        taken.append((time.process_time() - spent, time.perf_counter() - begun))
    cpu, wall = min(taken[1:])
    pace = f"{N / cpu:,.0f} a second of it"
    print(f"{N:,} transitions {where}, {slots} slots: {cpu:.3f} s CPU, {pace}; {wall:.2f} s by the clock")


def largest_row(path: Path) -> int:
    """Return how many bytes the largest row has, but for that of the accepted graph, which is one event."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT max(length(body)) FROM turns WHERE seq > 2").fetchone()[0]


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
        path = Path(folder) / "runs.db"
        for where, store in (("in memory", None), ("in SQLite", SqliteStore(path))):
            for slots in (4, 64):
                await told(where, slots, store)
        print(f"the largest row of these: {largest_row(path):,} B")


if __name__ == "__main__":
    asyncio.run(main())
