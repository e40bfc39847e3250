"""The measured costs as Markdown, and where it stands in a document."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.contender import Contender
    from tests.bench.figures import Figure
    from tests.bench.measure import Cost

Row = tuple["list[Cost]", str]


def head(loads: tuple[float, float]) -> str:
    """Say how, where and under what load this was measured."""
    return (
        f"Measured by `make bench`: Python {platform.python_version()}, {os.cpu_count()} CPUs, load average"
        f" {loads[0]:.1f} at the beginning and {loads[1]:.1f} at the end (each measurement is one process).\n\n"
        "A cell is µs of process CPU a no-op node, and the median of its ratios to the floor of the same round; the"
        " rounds alternate in one process, garbage is collected before each. Building is not in it."
    )


def costs(rows: Mapping[tuple[str, str], Row], contenders: Sequence[Contender], shapes: Sequence[str]) -> str:
    """Return a table for each shape, a row for each contender."""
    sizes = sorted({cost.n for found, _ in rows.values() for cost in found})
    told = []
    for shape in shapes:
        lines = [f"| {shape} | " + " | ".join(f"{n:,} nodes" for n in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
        for each in contenders:
            found, why = rows[each.name, shape]
            by_n = {cost.n: f"{cost.node_us:.1f} µs, {cost.ratio:.2f} x" for cost in found}
            cells, left = [], why
            for n in sizes:
                cells.append(by_n.get(n) or left)
                left = left if n in by_n else ""
            lines.append(f"| {each.name} | " + " | ".join(cells) + " |")
        told.append("\n".join(lines))
    return "\n\n".join(told)


def lacks(contenders: Sequence[Contender], missing: Sequence[str]) -> str:
    """Say how each was run, and what it does not do for a node that this engine does."""
    lines = ["| | how it is run | what it does not do |", "|---|---|---|"]
    for each in contenders:
        version = importlib.metadata.version(each.package) if each.package else ""
        lines.append(f"| {each.name} {version} | {each.how} | {each.lacks} |".replace(" |  |", " | |"))
    lines += [f"| {name} | not installed | |" for name in missing]
    return "\n".join(lines)


def figures(rows: Sequence[Figure]) -> str:
    """Return what was measured of this engine alone."""
    lines = ["| this engine | figure | target |", "|---|---|---|"]
    lines += [f"| {each.what} | {each.value} | {each.target} |" for each in rows]
    return "\n".join(lines)


def put(document: Path, table: str, mark: str = "bench") -> bool:
    """Put `table` between the marks of that name in `document`; False if it has none."""
    text = document.read_text()
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if begin not in text or end not in text:
        return False
    within = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    document.write_text(within.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text, count=1))
    return True
