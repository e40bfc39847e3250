"""``python -m tests.bench [--quick]``: the engine against the floor and its peers; ``make bench`` sets everything up.

Prints the table, writes it to build/bench.md and, when all of it was measured, into DESIGN.md.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path

from graphrun_nb.executors import EXECUTORS
from tests.bench import calls, measure, table
from tests.bench.shapes import SHAPES

ROOT = Path(__file__).parents[2]
PEERS = ("dask", "hamilton", "langgraph", "pydantic_graph")


def peers():
    """Return the peers that are installed."""
    found = []
    for name in PEERS:
        try:
            found += importlib.import_module(f"tests.bench.peers.{name}").CONTENDERS
        except ImportError as error:
            say(f"without {name}: {error}")
    return found


def main(*, quick: bool) -> None:
    """Measure everything; `quick` takes the smallest size once, to see that it works."""
    contenders = [*measure.FLOORS, *measure.ENGINES, *peers()]
    sizes = (100,) if quick else (100, 1_000, 10_000)
    results = {}
    for name, make in SHAPES.items():
        known: dict[str, float] = {}
        for n in sizes:
            rounds = 1 if quick else 9 if n < 10_000 else 5
            found = measure.compare(make(n), contenders, rounds, known)
            known |= {contender: us for contender, (us, _) in found.items()}
            results[name, n] = found
            say(f"{name} {n:,}: " + ", ".join(f"{each} {ratio:.2f}" for each, (_, ratio) in found.items()))
    grown = (100, 200) if quick else (1_000, 10_000, 100_000)
    by_size, exponent = measure.growth(grown, 64, 1 if quick else 3)
    n_ready = 100 if quick else 1_000
    p99, most = measure.lag_ms(n_ready, 1 if quick else 10)
    n = 100 if quick else 10_000
    by_growth = ", ".join(f"{size:,}: {us:.2f} µs = {ratio:.2f} x floor" for size, (us, ratio) in by_size.items())
    facts = [
        f"layered, 64 slots, floor with the order known: {by_growth}; exponent {exponent:.3f} (target 1.05)",
        f"kept of a run that has ended: {measure.memory_b(n):,.0f} B a node (target 2,000)",
        f"building a graph of {n:,} nodes: {measure.build_us(n, 1 if quick else 5):.1f} µs a node (target 20)",
        f"the loop's lateness with {n_ready:,} ready nodes: p99 {p99:.1f} ms (target 20), at most {most:.1f} ms",
    ]
    if not quick:
        facts += [f"calls, wall time: {asyncio.run(calls.measure(name))}" for name in EXECUTORS]
    text = "\n\n".join(
        [
            f"`make bench`; {table.machine()}; {table.versions(contenders)}. Process CPU in turn, medians of ratios.",
            table.ratios(results, contenders),
            "\n".join(f"* {each}" for each in facts),
            table.differences(contenders),
        ]
    )
    say(text)
    if not quick:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "bench.md").write_text(text + "\n", "utf-8")
        table.put_into(ROOT / "DESIGN.md", text)


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
