"""Scheduling cost a node, as process CPU: layered graphs of no-op async nodes, sizes measured in turn.

``python -m tests.bench.scaling`` prints µs a node for 1,000 and 10,000 nodes with an observer attached, against the
floor of the same round: one asyncio task a node with a count of what it still needs. Both set-ups are included.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from graphrun_nb import TaskGraph, graph, run_async, tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.protocols import Signal

WIDTH = 100
ROUNDS = 8
SIZES = (1_000, 10_000)
SLOTS = (4, 64)


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


class Watching:
    """An observer that looks at nothing."""

    def on_events(self, first: int, batch: Sequence[tuple[float, Event]], state: RunState) -> None: ...

    def on_signal(self, signal: Signal) -> None: ...


async def measure() -> None:
    """Measure all sizes and slots in turn, round by round, and print the medians."""
    graphs = {n: layered(n) for n in SIZES}
    watching = (Watching(),)
    ours: dict[tuple[int, int], list[float]] = {(n, slots): [] for n in SIZES for slots in SLOTS}
    floors: list[float] = []
    for n in SIZES:
        await run_async(graphs[n])
    for _ in range(ROUNDS):
        for (n, slots), taken in ours.items():
            times = SIZES[-1] // n
            gc.collect()
            start = time.process_time()
            for _ in range(times):
                await run_async(graphs[n], max_concurrency=slots, observers=watching)
            taken.append((time.process_time() - start) / times / n * 1e6)
        gc.collect()
        start = time.process_time()
        await floor(SIZES[-1])
        floors.append((time.process_time() - start) / SIZES[-1] * 1e6)
    sys.stdout.write(f"floor                         {statistics.median(floors):6.2f} µs a node\n")
    for (n, slots), taken in ours.items():
        ratio = statistics.median(a / b for a, b in zip(taken, floors, strict=True))
        sys.stdout.write(
            f"{n:>7,} nodes  {slots:>3} slots   {statistics.median(taken):6.2f} µs a node  {ratio:.2f} x floor\n"
        )
    for slots in SLOTS:
        pairs = zip(*(ours[n, slots] for n in SIZES), strict=True)
        sys.stdout.write(f"growth, {slots} slots: {statistics.median(b / a for a, b in pairs):.2f}\n")


if __name__ == "__main__":
    asyncio.run(measure())
