"""A process for each contender and shape, so that none is slowed down by another's heap, and a limit ends it.

``python -m tests.bench.cell NAME SHAPE N …`` prints a line of JSON for each size, as soon as it is measured.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import msgspec

from tests.bench.measure import Cost, measure
from tests.bench.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.contender import Contender

MARK = "cost "


def costs(contender: Contender, shape: str, sizes: Sequence[int], *, limit_s: float) -> tuple[list[Cost], str]:
    """Return the costs that were measured within `limit_s`, and in a word why there are no more; "" if there are."""
    module = type(contender).__module__
    command = [sys.executable, "-m", "tests.bench.cell", module, contender.name, shape, *map(str, sizes)]
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as wrong:
        try:
            code = subprocess.run(command, stdout=told, stderr=wrong, timeout=limit_s, check=False).returncode
        except subprocess.TimeoutExpired:
            code = None
        told.seek(0)
        wrong.seek(0)
        found = [msgspec.json.decode(line[len(MARK) :], type=Cost) for line in told if line.startswith(MARK)]
        if code:
            sys.stderr.write(f"{contender.name}, {shape}: {wrong.read()[-400:]}\n")
    return found, "" if code == 0 else f"> {limit_s:.0f} s" if code is None else "fails"


def main(module: str, name: str, shape: str, *sizes: str) -> None:
    contenders = importlib.import_module("tests.bench.contenders").OWN if ".peers." not in module else None
    contenders = contenders or importlib.import_module(module).CONTENDERS
    contender = next(each for each in contenders if each.name == name)
    for n in sizes:
        cost = measure(contender, SHAPES[shape](int(n)))
        sys.stdout.write(f"{MARK}{msgspec.json.encode(cost).decode()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
