"""Dask's local schedulers over a raw graph: a dict of keys and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.local
import dask.threaded

from tests.bench.nodes import nothing_here

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape

LACKS = "events, contexts, observers without a callback a task, async nodes, waits, partial results after a failure"


def raw(shape: Shape) -> dict:
    """Give the graph as Dask takes it."""
    return {i: (nothing_here, *needs) for i, needs in enumerate(shape.needs)}


class Threaded:
    """The scheduler that delayed objects use."""

    name = "Dask, threads"
    package = "dask"
    how = "`dask.threaded.get` over a raw graph; sync nodes"
    lacks = LACKS
    get = staticmethod(dask.threaded.get)

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        built, ends = raw(shape), list(shape.ends)
        return lambda: self.get(built, ends)


class Synchronous(Threaded):
    """The scheduler for debugging, without threads."""

    name = "Dask, one thread"
    how = "`dask.local.get_sync` over a raw graph; sync nodes"
    get = staticmethod(dask.local.get_sync)


CONTENDERS = (Threaded(), Synchronous())
