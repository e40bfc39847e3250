"""All measurements, one after the other: ``make bench``, or ``python -m tests.bench`` where peers are installed.

The table is printed, written to ``build/bench.md`` and put between the marks of DESIGN.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.bench import table
from tests.bench.cell import costs
from tests.bench.contenders import OWN, OWN_SIZES, SIZES, installed_peers
from tests.bench.figures import Figure, exponent, figures
from tests.bench.shapes import SHAPES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for all sizes of a contender and shape")
    limit_s = parser.parse_args().limit
    before = os.getloadavg()[0]
    peers, missing = installed_peers()
    rows = {}
    for each in (*OWN, *peers):
        for shape in SHAPES:
            found = costs(each, shape, OWN_SIZES if each in OWN else SIZES, limit_s=limit_s)
            rows[each.name, shape] = found
            told = " ".join(f"{cost.n}: {cost.node_us:.1f} µs {cost.ratio:.2f} x" for cost in found[0])
            sys.stderr.write(f"{each.name}, {shape}  {told}  {found[1]}\n")
    own = []
    for shape in SHAPES:
        found = [cost for cost in rows[OWN[-1].name, shape][0] if cost.n >= SIZES[1]]
        if len(found) > 1:
            what = f"growth of a run, {shape}, 64 slots, {found[0].n:,} to {found[-1].n:,} nodes"
            own.append(Figure(what, f"n to the {exponent(found):.3f}", "≤ 1.05"))
    own += figures()
    told = "\n\n".join(
        (
            table.head((before, os.getloadavg()[0])),
            table.costs(rows, (*OWN, *peers), tuple(SHAPES)),
            table.lacks((*OWN, *peers), missing),
            table.figures(own),
        )
    )
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.md").write_text(told + "\n")
    table.put(Path("DESIGN.md"), told)
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()
