"""Process CPU of a contender against the floor, measured in turn in one process."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from typing import TYPE_CHECKING

import msgspec

from tests.bench.floor import Floor
from tests.bench.nodes import n_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.contender import Contender
    from tests.bench.shapes import Shape

ROUNDS = 7
SAMPLE_S = 0.05
SPENT_S = 6.0


class Cost(msgspec.Struct, frozen=True):
    """What a contender costs at a size: µs of process CPU a node, and the median of its ratios to the floor."""

    n: int
    node_us: float
    ratio: float
    n_rounds: int


def cpu_s(go: Callable[[], object], times: int) -> float:
    """Return seconds of process CPU of one of `times` calls."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        go()
    return (time.process_time() - start) / times


def checked(go: Callable[[], object], n: int) -> float:
    """Call once, and return the seconds of process CPU.

    Raises
    ------
    RuntimeError
        Not every node was called exactly once.
    """
    before = n_calls()
    taken = cpu_s(go, 1)
    called = n_calls() - before - 1
    if called != n:
        raise RuntimeError(f"{called} calls for {n} nodes")
    return taken


def measure(contender: Contender, shape: Shape, *, n_rounds: int = ROUNDS, spent_s: float = SPENT_S) -> Cost:
    """Measure floor and contender in turn, `n_rounds` times or until `spent_s` are spent, at least once."""
    n = shape.n
    with asyncio.Runner() as runner:
        both = [each.prepare(shape, runner) for each in (Floor(), contender)]
        times = [max(1, int(SAMPLE_S / max(checked(go, n), 1e-6))) for go in both]
        begun = time.perf_counter()
        taken: list[list[float]] = []
        while not taken or (len(taken) < n_rounds and time.perf_counter() - begun < spent_s):
            taken.append([cpu_s(go, each) for go, each in zip(both, times, strict=True)])
    return Cost(
        n,
        statistics.median(ours for _, ours in taken) / n * 1e6,
        statistics.median(ours / floor for floor, ours in taken),
        len(taken),
    )
