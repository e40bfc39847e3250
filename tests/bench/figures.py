"""Figures of this engine alone, each beside what it should be."""

from __future__ import annotations

import asyncio
import gc
import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphrun_nb import run_async
from tests.bench.drawing import dot_s, ours_s
from tests.bench.engine import build, nothing_here
from tests.bench.lag import lag
from tests.bench.measure import cpu_s
from tests.bench.memory import memory
from tests.bench.shapes import layered, wide
from tests.bench.wire import PER_S, fast, steady

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.measure import Cost


@dataclass(frozen=True, slots=True)
class Figure:
    """A row: what, how much, and the target, where there is one."""

    what: str
    value: str
    target: str = ""


def exponent(costs: Sequence[Cost]) -> float:
    """Return k of cost of a run ~ n to the k, by least squares over the logarithms."""
    return statistics.linear_regression(
        [math.log(each.n) for each in costs], [math.log(each.n * each.node_us) for each in costs]
    ).slope


def figures(
    *,
    n: int = 10_000,
    n_calls: int = 1_000,
    lag_s: float = 4.0,
    steady_s: float = 10.0,
    drawn: Sequence[int] = (300, 3_000),
) -> Iterator[Figure]:
    """Measure one after the other; the smaller the arguments, the sooner it is done, and the less it says."""
    of_graph, of_run = asyncio.run(memory(n))
    yield Figure(
        f"memory a node of a run that has ended, {n:,} nodes: events, state, values; its future is held",
        f"{of_run:,.0f} B",
        "≤ 2 kB",
    )
    yield Figure("memory a node of the built graph, beside it", f"{of_graph:,.0f} B")
    shape = layered(n)
    built_us = statistics.median(cpu_s(lambda: build(shape), 1) for _ in range(5)) / n * 1e6
    yield Figure(f"building a layered graph of {n:,} nodes", f"{built_us:.1f} µs a node", "≤ 20 µs a node")
    for executor in ("thread", "process"):
        wall, cpu = asyncio.run(_calls(executor, n_calls))
        yield Figure(
            f"a sync tool, `executor={executor!r}`, in a run of {n_calls:,} ready nodes with 4 slots",
            f"{wall * 1e6:,.0f} µs a node ({cpu * 1e6:,.0f} µs CPU of this process)",
        )
    p99, worst = asyncio.run(lag(for_s=lag_s))
    yield Figure("lag of the loop, 1,000 ready nodes", f"p99 {p99 * 1e3:.1f} ms, max {worst * 1e3:.1f} ms", "≤ 20 ms")
    target = "≤ 20 frames/s, ≤ 200 kB/s"
    yield Figure(f"what a live view is sent of {n:,} nodes that do nothing", str(asyncio.run(fast(n))), target)
    sent = asyncio.run(steady(for_s=steady_s))
    yield Figure(f"what a live view is sent of {PER_S:,} nodes a second for {steady_s:g} s", str(sent), target)
    for each in drawn:
        dot = dot_s(each)
        told = "no `dot` here, or over 60 s" if dot is None else f"`dot` with straight edges {dot * 1e3:,.0f} ms"
        yield Figure(f"layout of {each:,} nodes, layered, CPU", f"{ours_s(each) * 1e3:,.0f} ms; {told}")


async def _calls(executor: str, n: int) -> tuple[float, float]:
    """Return wall and CPU seconds a node, the median of three runs after a first one."""
    built = build(wide(n), nothing_here)
    options: dict[str, Any] = {"executor": executor}
    taken = []
    for _ in range(4):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        await run_async(built, **options)
        taken.append(((time.perf_counter() - wall) / n, (time.process_time() - cpu) / n))
    return statistics.median(each[0] for each in taken[1:]), statistics.median(each[1] for each in taken[1:])
