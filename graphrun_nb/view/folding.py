"""Blocks: many chains that are alike, folded into several columns, their edges led between the rows.

Finds, widens and seats; the height at which a block lies comes with the order of the rest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING

from graphrun_nb.view.drawing import ASPECT, FOLD_ABOVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphrun_nb.view.drawing import Pair, Point


@dataclass(frozen=True, slots=True)
class Block:
    """Chains of one length with the same parents and children, wrapped; the first stands for all while ordering."""

    chains: list[list[int]]
    n_rows: int
    n_columns: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the nodes of blocks are, how edges get in and out, and those that never leave."""

    at: dict[int, Point]
    into: dict[int, list[Point]]
    out_of: dict[int, list[Point]]
    inside: set[Pair]


def blocks(rank: Sequence[int], edges: Sequence[Pair], stretch: float) -> list[Block]:
    """Find what to wrap; `stretch` is the room of a node, width to height."""
    up: list[list[int]] = [[] for _ in rank]
    down: list[list[int]] = [[] for _ in rank]
    for start, end in edges:
        down[start].append(end)
        up[end].append(start)

    def goes_on(start: int, end: int) -> bool:
        return len(down[start]) == len(up[end]) == 1 and rank[end] == rank[start] + 1

    alike: dict[tuple[int, int, tuple[int, ...], tuple[int, ...]], list[list[int]]] = defaultdict(list)
    for node, at in enumerate(rank):
        if not (len(up[node]) == 1 and goes_on(up[node][0], node)):
            chain = [node]
            while len(down[chain[-1]]) == 1 and goes_on(chain[-1], down[chain[-1]][0]):
                chain.append(down[chain[-1]][0])
            alike[at, len(chain), tuple(sorted(up[node])), tuple(sorted(down[chain[-1]]))].append(chain)
    found = []
    for chains in alike.values():
        n_rows = ceil(sqrt(len(chains) * len(chains[0]) * stretch / ASPECT))
        if len(chains) > FOLD_ABOVE and n_rows < len(chains):
            n_columns = ceil(len(chains) / n_rows)
            found.append(Block(chains, ceil(len(chains) / n_columns), n_columns))
    return found


def stand_ins(n_nodes: int, blocks: Iterable[Block]) -> list[int]:
    """Node -> the one that is laid out for it: itself, or its likeness in the first chain of its block."""
    stands_for = list(range(n_nodes))
    for block in blocks:
        for chain in block.chains:
            for node, first in zip(chain, block.chains[0], strict=True):
                stands_for[node] = first
    return stands_for


def sides(rank: Sequence[int], blocks: Iterable[Block], dx: float, widths: Mapping[int, float]) -> list[Point]:
    """Rank -> its left and right side; blocks widen theirs and keep half a column free around themselves.

    `widths` of nodes that are not one `dx` wide, in these.
    """
    width = [1.0] * (max(rank) + 1)
    for node, wide in widths.items():
        width[rank[node]] = max(width[rank[node]], wide)
    before, after = [0.0] * len(width), [0.0] * len(width)
    for block in blocks:
        first = rank[block.chains[0][0]]
        last = rank[block.chains[0][-1]]
        for at in range(first, last + 1):
            width[at] = max(width[at], block.n_columns)
        before[first] = after[last] = 0.5
    bounds, x = [], 0.0
    for lead, wide, trail in zip(before, width, after, strict=True):
        bounds.append(((x + lead) * dx, (x + lead + wide) * dx))
        x += lead + wide + trail
    return bounds


def seat(block: Block, span: Point, middle: float, spacing: Point, ways: Ways) -> None:
    """Seat a block's nodes column by column; edges run between the rows, those at the block's own side straight.

    `span` is the left and right side of the block's ranks, `middle` its own middle from top to bottom.
    """
    dx, dy = spacing
    left, right = span
    length = len(block.chains[0])
    for i, chain in enumerate(block.chains):
        column, row = divmod(i, block.n_rows)
        level = middle + (row - (block.n_rows - 1) / 2) * dy
        lane = level + (dy / 2 if level < middle else -dy / 2)
        x = left + column * length * dx
        for k, node in enumerate(chain):
            ways.at[node] = (x + (k + 0.5) * dx, level)
        ways.inside.update(pairwise(chain))
        ways.into[chain[0]] = [(left, lane), (x, lane)] if column else [(left, level)]
        last = column == block.n_columns - 1
        ways.out_of[chain[-1]] = [(right, level)] if last else [(x + length * dx, lane), (right, lane)]
