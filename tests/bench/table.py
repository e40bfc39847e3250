"""The table: what was measured, as Markdown, and its place in DESIGN.md."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.contender import Contender

    Results = Mapping[tuple[str, int], Mapping[str, tuple[float, float]]]

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def machine() -> str:
    """Return on what it was measured, in words."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def versions(contenders: Sequence[Contender]) -> str:
    """Return the contenders' packages with their versions."""
    names = dict.fromkeys(each.package for each in contenders if each.package)
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def ratios(results: Results, contenders: Sequence[Contender]) -> str:
    """Return the ratios to the floor, a contender a line; an empty cell was not measured."""
    cells = list(results)
    head = ["x floor", *(f"{shape} {n:,}" for shape, n in cells)]
    lines = [head, ["---"] * len(head)]
    for each in contenders:
        row = [each.name]
        for cell in cells:
            known = results[cell].get(each.name)
            row.append("" if known is None else f"{known[1]:.2f}" if known[1] < 10 else f"{known[1]:,.0f}")
        lines.append(row)
    floor = contenders[0].name
    lines.append(["floor, µs a node", *(f"{results[cell][floor][0]:.2f}" for cell in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differences(contenders: Sequence[Contender]) -> str:
    """Return what was run of each, and what it does not do."""
    return "\n".join(
        f"* {each.name}: {each.how}." + (f" Does without: {each.lacks}." if each.lacks else "") for each in contenders
    )


def put_into(design: Path, text: str) -> None:
    """Replace what stands between the markers."""
    before, _, rest = design.read_text("utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{design.name} has no {BEGIN} … {END}")
    design.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
