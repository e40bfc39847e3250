"""The coordinate of every point across the ranks: lines straight, forks and joins centred.

The order within ranks is given and kept. Knows neither pixels along the ranks nor what a point stands for, but for
whether it is virtual.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from graphrun_nb.view.points import Points

    Floats = NDArray[np.float64]


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
    downwards = [_step(points, layer, main_up, main_down, half) for layer in layers]
    upwards = [_step(points, layer, main_down, main_up, half) for layer in reversed(layers)]
    y = np.zeros(len(points.rank))
    for step in downwards:
        if isinstance(step, _Step):
            y[step.layer] = step.offsets
    best, lowest = y, float("inf")
    for turn in range(max(4, min(12, 240_000 // len(points.rank)))):
        for step in downwards if turn % 2 == 0 else upwards:
            step.settle(y)
        cost = bending(y)
        if cost < lowest - 1e-9:
            best, lowest = y.copy(), cost
    straight: list[float] = best.tolist()
    _slide(layers, half, straight, main_up, main_down)
    return straight


def _step(
    points: Points,
    layer: Sequence[int],
    mains: Sequence[list[int]],
    back: Sequence[list[int]],
    half: Sequence[float],
) -> _Step | _Alone:
    return _Step(points, layer, mains, back, half) if len(layer) > 1 else _Alone(layer[0], mains[layer[0]])


class _Alone:
    """A rank of one point, which stands where it wishes; arrays would cost more than they do."""

    __slots__ = ("_near", "_point")

    def __init__(self, point: int, near: Sequence[int]) -> None:
        self._point, self._near = point, near

    def settle(self, y: Floats) -> None:
        if self._near:
            y[self._point] = sum(y[other] for other in self._near) / len(self._near)


class _Step:
    """A rank in a sweep: what its points wish for, and how much it matters, does not change between sweeps."""

    __slots__ = ("_members", "_sizes", "_starts", "_weights", "layer", "offsets")

    def __init__(
        self,
        points: Points,
        layer: Sequence[int],
        mains: Sequence[list[int]],
        back: Sequence[list[int]],
        half: Sequence[float],
    ) -> None:
        room = np.array([half[point] for point in layer])
        wished = [mains[point] or [point] for point in layer]
        self.layer = np.array(layer, dtype=np.intp)
        self.offsets = np.concatenate(([0.0], np.cumsum(room[:-1] + room[1:])))
        self._members = np.fromiter(chain.from_iterable(wished), dtype=np.intp)
        self._sizes = np.array([len(near) for near in wished])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._weights = [_weight(points, point, mains[point], back) for point in layer]

    def settle(self, y: Floats) -> None:
        """Move the points as near to their wishes as order and distances allow (weighted least squares)."""
        wish = np.add.reduceat(y[self._members], self._starts) / self._sizes - self.offsets
        if (wish[1:] < wish[:-1]).any():
            wish = _pooled(wish.tolist(), self._weights)
        y[self.layer] = wish + self.offsets


def _weight(points: Points, point: int, near: Sequence[int], back: Sequence[list[int]]) -> float:
    if not near:
        return 0.01
    if len(near) > 1 or back[near[0]] != [point]:
        return 1.0
    return 1e6 if point >= points.n_nodes else 1e4


def _pooled(wish: list[float], weights: list[float]) -> Floats:
    """Return what never falls and is nearest to `wish`: neighbours that would, pool at their mean."""
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for at, weight in zip(wish, weights, strict=True):
        mean, mass, count = at, weight, 1
        while means and means[-1] > mean:
            more = masses.pop()
            mean = (mean * mass + means.pop() * more) / (mass + more)
            mass += more
            count += counts.pop()
        means.append(mean)
        masses.append(mass)
        counts.append(count)
    return np.repeat(means, counts)


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
        self._starts = np.fromiter(chain.from_iterable(points.up), dtype=np.intp)
        self._ends = np.repeat(np.arange(len(points.up)), [len(up) for up in points.up])
        n_virtual = (self._starts >= points.n_nodes).astype(np.intp) + (self._ends >= points.n_nodes)
        self._steep = 1 + 3 * n_virtual
        bound = [
            (point, near)
            for mains, back in ((main_up, main_down), (main_down, main_up))
            for point, near in enumerate(mains)
            if len(near) > 1 or (near and back[near[0]] == [point])
        ]
        self._owners = np.array([point for point, _ in bound], dtype=np.intp)
        self._sizes = np.array([len(near) for _, near in bound], dtype=np.intp)
        self._members = np.fromiter(chain.from_iterable(near for _, near in bound), dtype=np.intp)
        self._groups = np.repeat(np.arange(len(bound)), self._sizes)

    def __call__(self, y: Floats) -> float:
        means = np.bincount(self._groups, weights=y[self._members], minlength=len(self._sizes)) / self._sizes
        lengths = self._steep * np.abs(y[self._starts] - y[self._ends])
        return float(lengths.sum() + 3 * np.abs(y[self._owners] - means).sum())


def _mains(points: Points, up: list[list[int]], down: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Each point's main neighbours before and after it: where its straight line should go on."""
    by_rank = sorted(range(len(points.rank)), key=points.rank.__getitem__)

    def one_way(order_: Sequence[int], behind: list[list[int]], ahead: list[list[int]]) -> list[list[int]]:
        length = [0] * len(points.rank)
        is_tree = bytearray(len(points.rank))
        mains: list[list[int]] = [[] for _ in points.rank]
        for point in order_:
            near = behind[point]
            longest, tree = 0, True
            for other in near:
                longest = max(longest, length[other])
                tree = tree and bool(is_tree[other]) and len(ahead[other]) == 1
            is_tree[point] = tree
            if point >= points.n_nodes:
                length[point] = longest
                mains[point] = near  # a virtual point has one on each side
                continue
            length[point] = longest + 1
            if len(near) < 2:
                mains[point] = near
                continue
            bar = longest / 2 if tree else longest - 0.5
            chosen = [other for other in near if length[other] > bar]
            mains[point] = chosen if len(near) - len(chosen) <= 2 else near
        return mains

    return one_way(by_rank, up, down), one_way(by_rank[::-1], down, up)
