"""Memory of a node: what a graph keeps, and what a run that has ended keeps while its future is held."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from graphrun_nb import run
from tests.bench.engine import build
from tests.bench.shapes import layered


async def memory(n: int) -> tuple[float, float]:
    """Return bytes a node: the built graph, and on top of it the run (events, state, values, the future)."""
    await run(build(layered(200)))
    shape = layered(n)
    gc.collect()
    tracemalloc.start()
    try:
        empty = tracemalloc.get_traced_memory()[0]
        built = build(shape)
        gc.collect()
        with_graph = tracemalloc.get_traced_memory()[0]
        future = run(built)
        await future
        await asyncio.sleep(0)
        gc.collect()
        with_run = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert future.done()
    return (with_graph - empty) / n, (with_run - with_graph) / n
