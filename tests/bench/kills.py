"""A run that is killed again and again, and what its nodes wrote down, read from outside: alike for every engine.

Nodes that ran again are of two kinds. One was *finished* if a node that needs it had begun: its engine knew. Otherwise
it was in flight, even if its function had returned, since nobody can tell what had been recorded of it.
"""

from __future__ import annotations

import json
import random
import signal
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.survivors import survivor, work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.stores.zygote import Child, Zygote

MAX_KILLS = 10
MIN_BETWEEN, MAX_BETWEEN = 12, 48
"""Nodes that begin between two kills, at least and at most: one that is in flight at each kill would be given up."""

LATER_S = 0.03
LIFE_S = 120.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of one run.

    Attributes
    ----------
    is_right
        It ended, and its outputs are those it should have.
    n_lost
        Nodes that never ended.
    finished_again, in_flight_again
        For each kill, how many nodes of that kind ran again after it.
    """

    is_right: bool
    n_lost: int
    finished_again: tuple[int, ...]
    in_flight_again: tuple[int, ...]

    @property
    def n_kills(self) -> int:
        return len(self.finished_again)


def tally(lives: Sequence[Sequence[str]], nodes: Sequence[work.Node], *, is_right: bool) -> Tally:
    """Read what nodes wrote in each life of a run, between which it was killed."""
    needed_by: dict[str, set[str]] = {each.name: set() for each in nodes}
    for each in nodes:
        for need in each.needs:
            needed_by[need].add(each.name)
    began: dict[str, int] = {}
    ended: set[str] = set()
    finished_again, in_flight_again = [], []
    for no, lines in enumerate(lives):
        finished, in_flight = set(), set()
        for line in lines:
            what, name = line.split()
            if what == "ended":
                ended.add(name)
            elif what == "began":
                if name in ended and needed_by[name] & began.keys():
                    finished.add(name)
                elif began.get(name, no) < no:
                    in_flight.add(name)
                began[name] = no
        finished_again.append(len(finished))
        in_flight_again.append(len(in_flight))
    if finished_again and finished_again[0]:
        raise ValueError("a node ran again though nothing was killed")
    return Tally(is_right, len(needed_by.keys() - ended), tuple(finished_again[1:]), tuple(in_flight_again[1:]))


def live(module: str, no: int, folder: str, shape: str) -> None:
    """Run, or go on, to the end; write down what came of it."""
    outputs = survivor(module, no).run(Path(folder), shape)
    (Path(folder) / "outputs.json").write_text(json.dumps(outputs))


def kill_again_and_again(children: Zygote, place: tuple[str, int], folder: Path, shape: str, seed: int) -> Tally:
    """Let a run live until it ends, killed at most `MAX_KILLS` times.

    Raises
    ------
    RuntimeError
        It ended in another way than being killed.
    """
    rng = random.Random(seed)  # noqa: S311 (a program, no secret)
    lives: list[list[str]] = []
    n_known = 0
    while True:
        child = children.start("tests.bench.kills:live", *place, str(folder), shape)
        if len(lives) < MAX_KILLS:
            _kill_later(child, folder, n_known, rng)
        status = child.wait(LIFE_S)
        known = _lines(folder)
        lives.append(known[n_known:])
        n_known = len(known)
        if status == 0:
            break
        if status != -signal.SIGKILL:
            raise RuntimeError(f"ended with {status}: {child.text()[-2000:]}")
    is_right = json.loads((folder / "outputs.json").read_text()) == work.expected()
    return tally(lives, [*chain.from_iterable(work.layers(shape))], is_right=is_right)


def _kill_later(child: Child, folder: Path, n_known: int, rng: random.Random) -> None:
    enough, later_s = rng.randint(MIN_BETWEEN, MAX_BETWEEN), rng.uniform(0, LATER_S)
    while sum(line.startswith("began") for line in _lines(folder)[n_known:]) < enough:
        if child.has_ended:
            return
        time.sleep(0.001)
    time.sleep(later_s)
    child.kill()


def _lines(folder: Path) -> list[str]:
    return work.journal(folder).read_text().splitlines() if work.journal(folder).exists() else []
