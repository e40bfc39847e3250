"""The shapes that are measured: for each node, the nodes it needs, by position and always earlier ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Shape:
    """A graph without functions: `needs[i]` are the nodes that node `i` comes after."""

    name: str
    needs: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        return len(self.needs)

    @property
    def ends(self) -> tuple[int, ...]:
        """The nodes that no other node needs."""
        needed = {each for needs in self.needs for each in needs}
        return tuple(i for i in range(self.n) if i not in needed)


def chain(n: int) -> Shape:
    """Each node needs the one before."""
    return Shape("chain", ((), *((i,) for i in range(n - 1))))


def wide(n: int) -> Shape:
    """No node needs another."""
    return Shape("wide", ((),) * n)


def width_of(n: int) -> int:
    """Return how many nodes a layer of `layered(n)` has: 100, or 10 where there would be no two layers of 100."""
    return WIDTH if n >= 2 * WIDTH else WIDTH // 10


def layered(n: int) -> Shape:
    """Each node needs two nodes of the layer before."""
    width = width_of(n)
    return Shape("layered", tuple(_above(i, width) for i in range(n)))


def _above(i: int, width: int) -> tuple[int, ...]:
    row, here = i - i % width - width, i % width
    return (row + here, row + (here * 7 + 1) % width) if row >= 0 else ()


SHAPES: dict[str, Callable[[int], Shape]] = {"chain": chain, "wide": wide, "layered": layered}
