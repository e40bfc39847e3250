"""The layout of a layered graph, and Graphviz's of the same one, where it is installed."""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import time

from graphrun_nb.view.layout import layout
from tests.bench.shapes import layered


def ours_s(n: int) -> float:
    """Return seconds of process CPU, the median of three."""
    nodes, edges = _graph(n)
    taken = []
    for _ in range(3):
        start = time.process_time()
        layout(nodes, edges)
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def dot_s(n: int, *, limit_s: float = 60.0) -> float | None:
    """Return seconds of CPU of a `dot` process, with straight edges; None where there is none or it takes too long."""
    if not shutil.which("dot"):
        return None
    _, edges = _graph(n)
    text = "digraph { rankdir=LR splines=line\n" + "\n".join(f"{a} -> {b}" for a, b in edges) + "\n}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, timeout=limit_s, check=True)
    except subprocess.TimeoutExpired:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _graph(n: int) -> tuple[list[str], list[tuple[str, str]]]:
    needs = layered(n).needs
    return [f"n{i}" for i in range(n)], [(f"n{a}", f"n{i}") for i, each in enumerate(needs) for a in each]
