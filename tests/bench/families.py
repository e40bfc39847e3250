"""Random graphs of the kinds that are drawn, seeded: names and edges, each node after those it needs."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Graph = tuple[list[str], list[tuple[str, str]]]


def layered(n: int, chance: Random) -> Graph:
    """Layers of about the square root of `n`; each node needs one to three of the layer before."""
    width = max(3, round(n**0.5 * 0.9))
    rows = [list(range(i, min(i + width, n))) for i in range(0, n, width)]
    return _named(n, ((up, node) for above, row in pairwise(rows) for node in row for up in _some(above, 3, chance)))


def long_edge(n: int, chance: Random) -> Graph:
    """As `layered`, but a third of the needs are of any layer before."""
    width = max(3, round(n**0.5 * 0.9))
    pairs = []
    for node in range(width, n):
        row = node - node % width
        for _ in range(chance.randint(1, 2)):
            far = chance.random() < 1 / 3
            up = chance.randrange(row) if far else row - 1 - chance.randrange(width)
            pairs.append((up, node))
    return _named(n, pairs)


def tree(n: int, chance: Random) -> Graph:
    """Each node hangs on one of the 20 before it."""
    return _named(n, ((chance.randrange(max(0, node - 20), node), node) for node in range(1, n)))


def fork_join(n: int, chance: Random) -> Graph:
    """Forks into two to six branches of one to three nodes, which join, one after the other."""
    pairs: list[tuple[int, int]] = []
    at, used = 0, 1
    while used < n - 1:
        ends = []
        for _ in range(chance.randint(2, 6)):
            last = at
            for _ in range(chance.randint(1, 3)):
                if used < n - 1:
                    pairs.append((last, used))
                    last = used
                    used += 1
            ends.append(last)
        pairs += [(end, used) for end in dict.fromkeys(ends)]
        at = used
        used += 1
    return _named(used, pairs)


def ml(n: int, chance: Random) -> Graph:
    """Loading, features, models and their scores, with settings that most of them need and a report on all."""
    n_models = n // 4
    features = range(4, n - 2 * n_models - 1)
    models = range(features.stop, features.stop + n_models)
    pairs = [(chance.randrange(4), each) for each in features]
    pairs += [(feature, model) for model in models for feature in _some(list(features), 3, chance)]
    pairs += [(0, model) for model in models]
    pairs += [(model, model + n_models) for model in models]
    pairs += [(model + n_models, n - 1) for model in models]
    return _named(n, pairs)


def _some(of: list[int], most: int, chance: Random) -> list[int]:
    return chance.sample(of, min(chance.randint(1, most), len(of)))


def _named(n: int, pairs: Iterable[tuple[int, int]]) -> Graph:
    return [f"n{i}" for i in range(n)], list(dict.fromkeys((f"n{a}", f"n{b}") for a, b in pairs))


FAMILIES: dict[str, Callable[[int, Random], Graph]] = {
    "layered": layered,
    "tree": tree,
    "fork-join": fork_join,
    "long-edge": long_edge,
    "ml": ml,
}


def made(family: str, n: int, seed: int) -> Graph:
    """Return a graph of about `n` nodes; the same for a seed."""
    return FAMILIES[family](n, Random(f"{family} {n} {seed}"))  # noqa: S311 (graphs, not secrets)
