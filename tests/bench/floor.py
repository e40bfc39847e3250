"""The floor: one asyncio task a node, with a count of what it still needs, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bench.nodes import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.shapes import Shape


def order(needs: Sequence[tuple[int, ...]]) -> tuple[list[int], list[list[int]]]:
    """Return, for each node, how many come before it and which come after it."""
    below: list[list[int]] = [[] for _ in needs]
    for i, each in enumerate(needs):
        for above in each:
            below[above].append(i)
    return [len(each) for each in needs], below


async def run_tasks(n_before: list[int], below: list[list[int]]) -> None:
    """Start a node's task when those of the nodes it needs have ended."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    left, open_ = n_before.copy(), len(n_before)
    tasks: set[asyncio.Task[None]] = set()

    async def node(i: int) -> None:
        nonlocal open_
        await nothing()
        for each in below[i]:
            left[each] -= 1
            if not left[each]:
                tasks.add(loop.create_task(node(each)))
        open_ -= 1
        if not open_:
            ended.set_result(None)

    tasks.update(loop.create_task(node(i)) for i, n in enumerate(n_before) if not n)
    await ended


class Floor:
    """The bare scheduler that everything is compared with."""

    name = "floor"
    package = ""
    how = "one asyncio task a node; who comes after whom is found out in each run"
    lacks = "values, events, contexts, observers, errors, a bound on what runs at once"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        async def begin() -> None:
            await run_tasks(*order(shape.needs))

        return lambda: runner.run(begin())


class OrderedFloor(Floor):
    """The same, spared what this engine does once a graph."""

    name = "floor, order known"
    how = "the same; who comes after whom is found out once a graph, as this engine does"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        n_before, below = order(shape.needs)
        return lambda: runner.run(run_tasks(n_before, below))
