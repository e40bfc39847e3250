"""Layouts beside Graphviz's of the same graphs, where it is installed: CPU, and edges that cross, summed over seeds.

``python -m tests.bench.drawing`` prints a row for each family and size. Of `dot`, edges are taken as it draws them,
with splines, and crossings are counted from rank to rank as in our own drawings.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from graphrun_nb.view.layout import Layout, crossings, layout
from tests.bench.families import FAMILIES, made
from tests.bench.shapes import layered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.families import Graph

BOX = 'rankdir=LR nodesep=0.3 ranksep=0.6 node [shape=box width=1 height=0.4 fixedsize=true label=""]'


class Drawn(NamedTuple):
    """CPU seconds, and how many pairs of edges cross."""

    cpu_s: float
    crossings: int


def ours_s(n: int) -> float:
    """Return seconds of process CPU, the median of three."""
    return statistics.median(ours(_graph(n)).cpu_s for _ in range(3))


def dot_s(n: int, *, limit_s: float = 60.0) -> float | None:
    """Return seconds of CPU of a `dot` process, with straight edges; None where there is none or it takes too long."""
    taken = _dot(_graph(n)[1], "splines=line", limit_s)
    return None if taken is None else taken[0]


def ours(graph: Graph) -> Drawn:
    start = time.process_time()
    drawn = layout(*graph)
    taken = time.process_time() - start
    return Drawn(taken, crossings(drawn, graph[1]))


def dots(graph: Graph, *, limit_s: float = 60.0) -> Drawn | None:
    """Return what `dot` takes and how often its edges cross; None where there is none or it takes too long."""
    taken = _dot(graph[1], "splines=true", limit_s)
    if taken is None:
        return None
    position, lines = _read(taken[1])
    ranks = np.unique([x for x, _ in position.values()])
    bends = {}
    for (start, end), line in lines.items():
        inner = ranks[(ranks > position[start][0]) & (ranks < position[end][0])]
        along = np.maximum.accumulate(line[:, 0])
        heights = np.interp(inner, along, line[:, 1])
        bends[start, end] = tuple(zip(inner.tolist(), heights.tolist(), strict=True))
    return Drawn(taken[0], crossings(Layout(position, bends, (0.0, 0.0)), list(lines)))


def _dot(edges: Sequence[tuple[str, str]], splines: str, limit_s: float) -> tuple[float, str] | None:
    if not shutil.which("dot"):
        return None
    text = f"digraph {{ {BOX} {splines}\n" + "\n".join(f"{a} -> {b} [dir=none]" for a, b in edges) + "\n}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        told = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, timeout=limit_s, check=True)
    except subprocess.TimeoutExpired:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, told.stdout.decode()


def _read(plain: str) -> tuple[dict[str, tuple[float, float]], dict[tuple[str, str], np.ndarray]]:
    """Return the nodes' places, and points along each edge's curves."""
    position = {}
    lines = {}
    t = np.linspace(0, 1, 24)[:, None]
    for line in plain.splitlines():
        words = line.split()
        if words[0] == "node":
            position[words[1]] = (float(words[2]), float(words[3]))
        elif words[0] == "edge":
            n = int(words[3])
            points = np.array(words[4 : 4 + 2 * n], dtype=float).reshape(n, 2)
            curves = [
                (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
                for a, b, c, d in (points[i : i + 4] for i in range(0, n - 1, 3))
            ]
            lines[words[1], words[2]] = np.concatenate(curves)
    return position, lines


def _graph(n: int) -> Graph:
    needs = layered(n).needs
    return [f"n{i}" for i in range(n)], [(f"n{a}", f"n{i}") for i, each in enumerate(needs) for a in each]


def row(family: str, n: int, n_seeds: int, limit_s: float) -> str:
    """Say how both draw `n_seeds` graphs of a family."""
    graphs = [made(family, n, seed) for seed in range(n_seeds)]
    here = [ours(graph) for graph in graphs]
    cpu, n_ours = sum(each.cpu_s for each in here) / n_seeds, sum(each.crossings for each in here)
    told = f"{family:<10}{n:>7,}{cpu * 1e3:>9,.0f} ms{n_ours:>12,}"
    there: list[Drawn] = []
    for graph in graphs:
        drawn = dots(graph, limit_s=limit_s)
        if drawn is None:
            return f"{told}   dot: none, or over {limit_s:g} s"
        there.append(drawn)
    cpu, n_dot = sum(each.cpu_s for each in there) / n_seeds, sum(each.crossings for each in there)
    ratio = f"{n_ours / n_dot:.2f} x" if n_dot else "equal" if n_ours == n_dot else "more"
    return f"{told}{cpu * 1e3:>9,.0f} ms{n_dot:>12,}   {ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1_000])
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for one graph")
    given = parser.parse_args()
    sys.stdout.write(f"{'family':<10}{'nodes':>7}{'ours':>12}{'crossings':>12}{'dot':>12}{'crossings':>12}\n")
    for family in given.families:
        for n in given.sizes:
            sys.stdout.write(row(family, n, given.seeds, given.limit) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
