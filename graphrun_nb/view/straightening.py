"""The coordinate of every point across the ranks: lines straight, forks and joins centred.

The order within ranks is given and kept. Knows neither pixels along the ranks nor what a point stands for, but for
whether it is virtual.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graphrun_nb.view.points import Points


def straighten(points: Points, layers: Sequence[Sequence[int]], half: Sequence[float]) -> list[float]:
    """Give every point its coordinate across the ranks.

    Each sweep takes the ranks in turn and puts every point as near as the order and the distances allow (least
    squares, exactly) to the mean of its main neighbours in the rank before: those on a longest path, or all of a
    fan's. So chains and long edges come out straight, and forks and joins lie centred. The best sweep is kept.

    Parameters
    ----------
    points, layers
        The graph and the order of each rank.
    half
        Point -> half the room it takes; neighbours in a rank are at least the sum of theirs apart.

    Returns
    -------
    list of float
        Point -> coordinate, downwards, in the unit of `half`; not shifted to any origin.

    Notes
    -----
    O(P + E) per sweep.

    Source: pool adjacent violators (Ayer et al., 1955) for the exact step.
    """
    main_up, main_down = _mains(points, points.up, points.down)
    bending = _Bending(points, main_up, main_down)
    y = [0.0] * len(points.rank)
    for layer in layers:
        _settle(layer, [0.0] * len(layer), [1.0] * len(layer), half, y)
    best, lowest = list(y), float("inf")
    for turn in range(max(4, min(12, 240_000 // len(points.rank)))):
        mains, back = (main_up, main_down) if turn % 2 == 0 else (main_down, main_up)
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wish, weight = [], []
            for point in layer:
                near = mains[point]
                wish.append(sum(y[other] for other in near) / len(near) if near else y[point])
                straight = len(near) == 1 and back[near[0]] == [point]
                virtual = point >= points.n_nodes
                weight.append((1e6 if virtual else 1e4) if straight else 1.0 if near else 0.01)
            _settle(layer, wish, weight, half, y)
        cost = bending(y)
        if cost < lowest - 1e-9:
            best, lowest = list(y), cost
    _slide(layers, half, best, main_up, main_down)
    return best


def _slide(
    layers: Sequence[Sequence[int]],
    half: Sequence[float],
    y: list[float],
    main_up: list[list[int]],
    main_down: list[list[int]],
) -> None:
    """Move straight lines as wholes, where there is room, until their ends are centred on what they fork or join."""
    over, under = [-1] * len(y), [-1] * len(y)
    for layer in layers:
        for one, other in pairwise(layer):
            over[other], under[one] = one, other
    lines = [
        (line, ends)
        for line in _lines(layers, main_up, main_down)
        if (
            ends := [(at, far) for at, far in ((line[0], main_up[line[0]]), (line[-1], main_down[line[-1]])) if far[1:]]
        )
    ]
    for turn in range(6):
        for line, ends in lines if turn % 2 else reversed(lines):
            by = sum(sum(y[other] for other in far) / len(far) - y[at] for at, far in ends) / len(ends)
            beside = over if by < 0 else under
            for point in line:
                if beside[point] >= 0:
                    room = abs(y[point] - y[beside[point]]) - half[beside[point]] - half[point]
                    by = max(-max(room, 0.0), min(by, max(room, 0.0)))
            if abs(by) > 0.01:
                for point in line:
                    y[point] += by


def _lines(
    layers: Sequence[Sequence[int]], main_up: list[list[int]], main_down: list[list[int]]
) -> Iterator[list[int]]:
    """Follow each straight line from its first point: two neighbours are on one if each is the other's only main."""
    for layer in layers:
        for point in layer:
            if not (len(main_up[point]) == 1 and main_down[main_up[point][0]] == [point]):
                line = [point]
                while len(main_down[line[-1]]) == 1 and main_up[main_down[line[-1]][0]] == [line[-1]]:
                    line.append(main_down[line[-1]][0])
                yield line


class _Bending:
    """How bent a drawing is: how far edges lead up or down, breaks of lines and of symmetry three times more."""

    __slots__ = ("_ends", "_groups", "_members", "_owners", "_sizes", "_starts", "_steep")

    def __init__(self, points: Points, main_up: list[list[int]], main_down: list[list[int]]) -> None:
        pairs = np.array([(one, point) for point, up in enumerate(points.up) for one in up], dtype=np.intp).reshape(
            -1, 2
        )
        self._starts, self._ends = pairs[:, 0], pairs[:, 1]
        self._steep = 1 + 3 * (pairs >= points.n_nodes).sum(axis=1)
        bound = [
            (point, near)
            for mains, back in ((main_up, main_down), (main_down, main_up))
            for point, near in enumerate(mains)
            if len(near) > 1 or (near and back[near[0]] == [point])
        ]
        self._owners = np.array([point for point, _ in bound], dtype=np.intp)
        self._sizes = np.array([len(near) for _, near in bound], dtype=np.intp)
        self._members = np.array([other for _, near in bound for other in near], dtype=np.intp)
        self._groups = np.repeat(np.arange(len(bound)), self._sizes)

    def __call__(self, y: Sequence[float]) -> float:
        at = np.array(y)
        means = np.bincount(self._groups, weights=at[self._members], minlength=len(self._sizes)) / self._sizes
        lengths = self._steep * np.abs(at[self._starts] - at[self._ends])
        return float(lengths.sum() + 3 * np.abs(at[self._owners] - means).sum())


def _settle(
    layer: Sequence[int], wish: Iterable[float], weight: Iterable[float], half: Sequence[float], y: list[float]
) -> None:
    """Move a rank's points as near to their wishes as their order and distances allow (weighted least squares)."""
    offsets: list[float] = []
    pools: list[tuple[float, float, int]] = []
    offset = 0.0
    last = -1
    for point, target, heavy in zip(layer, wish, weight, strict=True):
        if last >= 0:
            offset += half[last] + half[point]
        last = point
        offsets.append(offset)
        mean, mass, count = target - offset, heavy, 1
        while pools and pools[-1][0] > mean:
            other, more, n_more = pools.pop()
            mean = (mean * mass + other * more) / (mass + more)
            mass += more
            count += n_more
        pools.append((mean, mass, count))
    at = 0
    for mean, _, count in pools:
        for i in range(at, at + count):
            y[layer[i]] = mean + offsets[i]
        at += count


def _mains(points: Points, up: list[list[int]], down: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Each point's main neighbours before and after it: where its straight line should go on."""
    by_rank = sorted(range(len(points.rank)), key=points.rank.__getitem__)

    def one_way(order_: Sequence[int], behind: list[list[int]], ahead: list[list[int]]) -> list[list[int]]:
        length = [0] * len(points.rank)
        tree = bytearray(len(points.rank))
        mains: list[list[int]] = [[] for _ in points.rank]
        for point in order_:
            near = behind[point]
            tree[point] = all(tree[other] and len(ahead[other]) == 1 for other in near)
            longest = max((length[other] for other in near), default=0)
            length[point] = longest + (point < points.n_nodes)
            bar = longest / 2 if tree[point] else longest - 0.5
            chosen = [other for other in near if length[other] > bar]
            if point >= points.n_nodes:
                mains[point] = [other for other in near if other >= points.n_nodes] or near
            else:
                mains[point] = chosen if len(near) - len(chosen) <= 2 else near
        return mains

    return one_way(by_rank, up, down), one_way(by_rank[::-1], down, up)
