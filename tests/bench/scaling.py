"""Scheduling cost a node, as process CPU: layered graphs of no-op async nodes, sizes measured in turn.

``python -m tests.bench.scaling`` prints µs a node for 1,000 and 10,000 nodes, their ratio, and the floor: one asyncio
task a node with a count of what it still needs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections import defaultdict

from graphrun_nb import TaskGraph, graph, run_async, tool

WIDTH = 100
ROUNDS = 6
SIZES = (1_000, 10_000)


@tool(outputs=["x"])
async def nothing(a: object = None, b: object = None) -> int:
    return 1


def layered(n: int) -> TaskGraph:
    """Give a graph of `n` nodes in layers of 100, each with two nodes of the layer before."""
    with graph(name="layered") as g:
        before, layer = [], []
        for i in range(n):
            if i % WIDTH == 0:
                before, layer = layer, []
            here = i % WIDTH
            layer.append(nothing(before[here], before[(here * 7 + 1) % WIDTH]) if before else nothing())
    return g.build()


async def floor(n: int) -> None:
    """Run the same shape with one asyncio task a node and nothing else."""
    below, left = defaultdict(list), [0] * n
    for i in range(WIDTH, n):
        row, here = i - i % WIDTH - WIDTH, i % WIDTH
        for above in {row + here, row + (here * 7 + 1) % WIDTH}:
            below[above].append(i)
            left[i] += 1
    loop, tasks, open_ = asyncio.get_running_loop(), set(), n
    ended = loop.create_future()

    async def node(i: int) -> None:
        nonlocal open_
        await nothing.function()
        for each in below[i]:
            left[each] -= 1
            if not left[each]:
                tasks.add(loop.create_task(node(each)))
        open_ -= 1
        if not open_:
            ended.set_result(None)

    tasks.update(loop.create_task(node(i)) for i in range(WIDTH))
    await ended


async def measure() -> None:
    """Measure all sizes in turn, round by round, and print the medians."""
    graphs = {n: layered(n) for n in SIZES}
    ours: dict[int, list[float]] = {n: [] for n in SIZES}
    floors: list[float] = []
    for n in SIZES:
        await run_async(graphs[n], max_concurrency=64)
    for _ in range(ROUNDS):
        for n in SIZES:
            times = SIZES[-1] // n
            start = time.process_time()
            for _ in range(times):
                await run_async(graphs[n], max_concurrency=64)
            ours[n].append((time.process_time() - start) / times / n * 1e6)
        start = time.process_time()
        await floor(SIZES[-1])
        floors.append((time.process_time() - start) / SIZES[-1] * 1e6)
    for n in SIZES:
        sys.stdout.write(f"{n:>7,} nodes   {statistics.median(ours[n]):6.2f} µs a node\n")
    growth = statistics.median(b / a for a, b in zip(*ours.values(), strict=True))
    ratio = statistics.median(a / b for a, b in zip(ours[SIZES[-1]], floors, strict=True))
    sys.stdout.write(f"growth {growth:.2f}   floor {statistics.median(floors):.2f} µs a node   {ratio:.2f} x floor\n")


if __name__ == "__main__":
    asyncio.run(measure())
