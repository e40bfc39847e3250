"""Two processes answer one question with different answers, at once, again and again."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.survivors import survivor
from tests.stores.programs import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.stores.zygote import Zygote

WHO = ("left", "right")
PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rounds came out in which way.

    Attributes
    ----------
    n
        Rounds.
    one_told
        One process was told that its answer counts, the other that it does not.
    both_told
        Both were told that theirs counts.
    both_acted
        What follows the question was done with both answers.
    none_acted
        It was not done at all.
    refusals
        What those who were refused were told.
    """

    n: int
    one_told: int
    both_told: int
    both_acted: int
    none_acted: int
    refusals: dict[str, int]


def judge(n: int, told: Sequence[str], acted: Sequence[str]) -> Verdict:
    """Read what both were told, lines of ``round who yes``, and what was done, lines of ``round answer``."""
    yes: dict[int, int] = Counter(int(line.split()[0]) for line in told if line.split()[2] == "yes")
    done: dict[int, set[str]] = defaultdict(set)
    for line in acted:
        i, answer = line.split()
        done[int(i)].add(answer)
    return Verdict(
        n,
        sum(yes[i] == 1 for i in range(n)),
        sum(yes[i] > 1 for i in range(n)),
        sum(len(done[i]) > 1 for i in range(n)),
        sum(not done[i] for i in range(n)),
        dict(Counter(line.split()[2] for line in told if line.split()[2] != "yes")),
    )


def hold(module: str, no: int, folder: str, n: int) -> None:
    """Ask all questions, and stay while that is needed."""
    survivor(module, no).hold(Path(folder), n)


def answer(module: str, no: int, folder: str, n: int, who: str) -> None:
    """Answer each question at the same moment as the other one, and write down what was said to that."""
    other = next(each for each in WHO if each != who)
    with survivor(module, no).answering(Path(folder)) as give:
        for i in range(n):
            (Path(folder) / f"{i}-{who}").touch()
            while not (Path(folder) / f"{i}-{other}").exists():
                pass
            try:
                give(i, who)
            except Exception as error:  # noqa: BLE001 # each engine has its own way to refuse
                note(f"{folder}/told.txt", f"{i} {who} {type(error).__name__}")
            else:
                note(f"{folder}/told.txt", f"{i} {who} yes")


def contend(children: Zygote, place: tuple[str, int], folder: Path, n: int) -> Verdict:
    """Have `n` questions answered twice each.

    Raises
    ------
    RuntimeError
        A process did not end well.
    """
    owner = children.start("tests.bench.answers:hold", *place, str(folder), n)
    while not (folder / "asked").exists():
        if owner.has_ended:
            raise RuntimeError(owner.text()[-2000:])
        time.sleep(0.01)
    for each in [owner, *(children.start("tests.bench.answers:answer", *place, str(folder), n, who) for who in WHO)]:
        if each.wait(PATIENCE_S):
            raise RuntimeError(each.text()[-2000:])
    return judge(n, _lines(folder / "told.txt"), _lines(folder / "acted.txt"))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
