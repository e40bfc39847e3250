"""What is measured, and how: process CPU, contenders in turn, round by round, so that a slow minute hits all alike."""

from __future__ import annotations

import asyncio
import gc
import math
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING

from graphrun_nb import run
from tests.bench import nodes
from tests.bench.contender import CannotExpress
from tests.bench.engine import Engine, Watching, build, nothing_here
from tests.bench.floor import Floor, OrderedFloor
from tests.bench.shapes import layered, wide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.contender import Contender
    from tests.bench.shapes import Shape

US = 1e6
MAX_S = 20.0
"""Of one run: a contender that would take longer is left out of that size."""


def cpu_s(call: Callable[[], object], n_nodes: int) -> float:
    """Return the process CPU of one call, in seconds; each of the nodes has to have run, once."""
    gc.collect()
    before = nodes.n_calls()
    start = time.process_time()
    call()
    taken = time.process_time() - start
    n_ran = nodes.n_calls() - before - 1
    if n_ran != n_nodes:
        raise AssertionError(f"{n_ran} of {n_nodes} nodes ran")
    return taken


def compare(
    shape: Shape, contenders: Sequence[Contender], rounds: int, known_us: dict[str, float]
) -> dict[str, tuple[float, float]]:
    """Return, for each contender that can, µs a node and the ratio to the first one: medians of the rounds.

    Parameters
    ----------
    known_us
        What a node cost at a smaller size, by contender: who would take more than 20 s a run is left out.
    """
    with asyncio.Runner() as runner:
        prepared: dict[str, Callable[[], object]] = {}
        for each in contenders:
            if known_us.get(each.name, 0.0) * shape.n / US > MAX_S:
                continue
            try:
                prepared[each.name] = each.prepare(shape, runner)
                cpu_s(prepared[each.name], shape.n)
            except (CannotExpress, RecursionError):
                prepared.pop(each.name, None)
        taken: dict[str, list[float]] = {name: [] for name in prepared}
        for _ in range(rounds):
            for name, call in prepared.items():
                taken[name].append(cpu_s(call, shape.n))
    first = taken[contenders[0].name]
    return {
        name: (
            statistics.median(each) / shape.n * US,
            statistics.median(a / b for a, b in zip(each, first, strict=True)),
        )
        for name, each in taken.items()
    }


def growth(sizes: Sequence[int], slots: int, rounds: int) -> tuple[dict[int, tuple[float, float]], float]:
    """Return µs a node and the ratio to the floor by size, of layered graphs, and the exponent by least squares."""
    found: dict[int, tuple[float, float]] = {}
    for n in sizes:
        found[n] = compare(layered(n), [OrderedFloor(), Engine(slots)], rounds, {})[Engine(slots).name]
    xs = [math.log(n) for n in sizes]
    ys = [math.log(us * n) for n, (us, _) in found.items()]
    return found, statistics.linear_regression(xs, ys).slope


def build_us(n: int, rounds: int) -> float:
    """Return µs a node for building a layered graph."""
    shape = layered(n)
    taken = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        build(shape)
        taken.append(time.process_time() - start)
    return statistics.median(taken) / n * US


def memory_b(n: int) -> float:
    """Return bytes a node that a run that has ended keeps while its future is held: log, state and values."""

    async def held() -> float:
        built = build(layered(n))
        await run(built)
        gc.collect()
        tracemalloc.start()
        future = run(built, observers=[Watching()])
        await future
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return kept / n

    return asyncio.run(held())


def lag_ms(n: int, rounds: int) -> tuple[float, float]:
    """Return p99 and the most of the loop's lateness while `n` ready nodes run, sync in threads and async in turn."""

    async def watched() -> list[float]:
        late: list[float] = []

        async def tick() -> None:
            while True:
                due = time.perf_counter() + 0.001
                await asyncio.sleep(0.001)
                late.append(time.perf_counter() - due)

        for each in (build(wide(n)), build(wide(n), nothing_here)):
            for _ in range(rounds):
                ticking = asyncio.create_task(tick())
                await run(each, max_concurrency=64)
                ticking.cancel()
        return late

    late = sorted(asyncio.run(watched()))
    return late[int(len(late) * 0.99)] * 1e3, late[-1] * 1e3


FLOORS: tuple[Contender, ...] = (Floor(), OrderedFloor())
ENGINES: tuple[Contender, ...] = (Engine(64), Engine(4))
