"""What is left after a kill, and who wins when two answer: ``python -m tests.bench.survival``, where peers are.

The table is printed, written to ``build/survival.md`` and put between its marks in DESIGN.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import table
from tests.bench.answers import contend
from tests.bench.kills import MAX_BETWEEN, MAX_KILLS, MIN_BETWEEN, kill_again_and_again
from tests.bench.survivors import installed, survivor, work
from tests.stores.zygote import zygote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.answers import Verdict
    from tests.bench.kills import Tally
    from tests.bench.survivors import Survivor

MARK = "survival"
N_RUNS, N_ROUNDS = 20, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=N_RUNS, help="runs of each graph that are killed, for each engine")
    parser.add_argument("--rounds", type=int, default=N_ROUNDS, help="questions answered twice, for each engine")
    given = parser.parse_args()
    places, missing = installed()
    measured = [(survivor(*place), *measure(place, given.runs, given.rounds)) for place in places]
    told = report(measured, missing, f"--runs {given.runs} --rounds {given.rounds}")
    Path("build").mkdir(exist_ok=True)
    Path("build/survival.md").write_text(told + "\n")
    table.put(Path("DESIGN.md"), told, MARK)
    sys.stdout.write(told + "\n")


def measure(place: tuple[str, int], n_runs: int, n_rounds: int) -> tuple[dict[str, list[Tally]], Verdict]:
    """Kill runs of each graph, and have questions answered twice."""
    tallies: dict[str, list[Tally]] = {shape: [] for shape in work.KINDS}
    with (
        tempfile.TemporaryDirectory(prefix="graphrun-survival-") as folder,
        zygote(Path(folder), f"tests.bench.survivors.{place[0]}") as children,
    ):
        for shape, of_shape in tallies.items():
            for seed in range(n_runs):
                made = Path(folder) / f"{shape}-{seed}"
                made.mkdir()
                of_shape.append(kill_again_and_again(children, place, made, shape, seed))
                sys.stderr.write(f"{survivor(*place).name}, {shape}, seed {seed}: {of_shape[-1]}\n")
        made = Path(folder) / "answers"
        made.mkdir()
        verdict = contend(children, place, made, n_rounds)
        sys.stderr.write(f"{survivor(*place).name}: {verdict}\n")
    return tallies, verdict


def report(
    measured: Sequence[tuple[Survivor, dict[str, list[Tally]], Verdict]], missing: Iterable[str], options: str
) -> str:
    """Return all of it as Markdown."""
    head = (
        f"Measured by `python -m tests.bench.survival {options}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, Python"
        f" {platform.python_version()}, {os.cpu_count()} CPUs. A run has {work.WIDTH * work.DEPTH} nodes in layers of"
        f" {work.WIDTH}: mixed (quick, slow, blocking, failing once) or all quick. It is killed with SIGKILL once"
        f" {MIN_BETWEEN} to {MAX_BETWEEN} more nodes have begun, at most {MAX_KILLS} times, and goes on in a new"
        " process until it ends. A node counts as finished if one that needs it had begun, otherwise it was in flight."
        " Seeds, processes and what nodes do are the same for all. Who answers is told yes if that call raises nothing."
    )
    parts = [
        [
            "| killed | runs ended right | kills | effects lost | finished nodes run again | in flight, run again |",
            "|---|---|---|---|---|---|",
            *(
                killed(f"{each.name}, {shape}", of_shape)
                for each, tallies, _ in measured
                for shape, of_shape in tallies.items()
            ),
        ],
        [
            "| answered twice at once | rounds | one told yes, the other no | both told yes | acted on both |",
            "|---|---|---|---|---|",
            *(answered(each.name, verdict) for each, _, verdict in measured),
        ],
        [
            "| | version | how it is run |",
            "|---|---|---|",
            *(f"| {each.name} | {versions(each)} | {each.how} |" for each, _, _ in measured),
            *(f"| {name} | not installed | |" for name in missing),
        ],
    ]
    return "\n\n".join([head, *("\n".join(lines) for lines in parts)])


def killed(name: str, tallies: Sequence[Tally]) -> str:
    """Return the row of an engine and graph that was killed."""
    finished = [n for each in tallies for n in each.finished_again]
    in_flight = [n for each in tallies for n in each.in_flight_again]
    cells = [
        name,
        f"{sum(each.is_right for each in tallies)} of {len(tallies)}",
        f"{len(finished)}",
        f"{sum(each.n_lost for each in tallies)}",
        f"{sum(finished)}, at most {max(finished)} a kill" if any(finished) else "0",
        f"{sum(in_flight) / max(len(in_flight), 1):.1f} a kill, at most {max(in_flight, default=0)}",
    ]
    return f"| {' | '.join(cells)} |"


def answered(name: str, verdict: Verdict) -> str:
    """Return the row of an engine that was answered twice."""
    refusals = ", ".join(f"`{refusal}`" for refusal in sorted(verdict.refusals))
    one = f"{verdict.one_told} ({refusals})" if refusals else f"{verdict.one_told}"
    return f"| {name} | {verdict.n} | {one} | {verdict.both_told} | {verdict.both_acted} |"


def versions(each: Survivor) -> str:
    """Return the packages of an engine with their versions."""
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in each.packages)


if __name__ == "__main__":
    main()
