"""Orders the nodes of each rank so that few edges cross, and straightens the result.

Works on points (nodes, and virtual ones where a long edge passes a rank) numbered from 0, so that nothing depends on
how users name their nodes. Knows neither pixels along the ranks nor networkx.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Pair = tuple[int, int]

_VIRTUAL_PER_NODE = 1
"""Above so many virtual points per node, the long edges of the greatest hubs leave the body of the drawing."""

_HUB = 4
"""A hub has so many long edges; only above four times the limit any node may become one."""

_WINDOW = 256
"""Neighbours in a rank that sifting looks at together: its matrices stay below 300 kB."""


@dataclass(frozen=True, slots=True)
class Points:
    """A graph whose edges all lead from one rank to the next.

    Attributes
    ----------
    n_nodes
        Points below it are the graph's nodes, the others are virtual.
    rank
        Point -> rank, from 0.
    up, down
        Point -> its neighbours in the rank before and in the rank after.
    """

    n_nodes: int
    rank: list[int]
    up: list[list[int]]
    down: list[list[int]]


def subdivide(rank: Sequence[int], edges: Iterable[Pair]) -> tuple[Points, dict[Pair, list[int]]]:
    """Put virtual points where edges pass ranks.

    Parameters
    ----------
    rank
        Node -> rank; an edge's end has a higher one than its start.
    edges
        Distinct pairs of nodes.

    Returns
    -------
    points
        The nodes and the virtual points.
    paths
        Edge -> the virtual points it passes, for edges that span more than one rank.

    Notes
    -----
    O(E + virtual points).
    """
    ranks = list(rank)
    up: list[list[int]] = [[] for _ in rank]
    down: list[list[int]] = [[] for _ in rank]
    paths: dict[Pair, list[int]] = {}
    for start, end in edges:
        path = list(range(len(ranks), len(ranks) + rank[end] - rank[start] - 1))
        ranks.extend(range(rank[start] + 1, rank[end]))
        up.extend([] for _ in path)
        down.extend([] for _ in path)
        for one, other in pairwise([start, *path, end]):
            down[one].append(other)
            up[other].append(one)
        if path:
            paths[start, end] = path
    return Points(len(rank), ranks, up, down), paths


def hubs(rank: Sequence[int], edges: Iterable[Pair]) -> dict[Pair, tuple[bool, int]]:
    """Choose long edges to share one line per hub when there would be too many virtual points.

    Returns
    -------
    dict
        Edge -> (whether the hub is its end, the hub), for the edges that share.

    Notes
    -----
    O(E log V). Measured on 10,000 nodes with hubs that feed everything: 2.7 million virtual points without.
    """
    alone = {(start, end): rank[end] - rank[start] - 1 for start, end in edges if rank[end] - rank[start] > 1}
    shared: dict[Pair, tuple[bool, int]] = {}
    limit = _VIRTUAL_PER_NODE * len(rank)
    while (excess := sum(alone.values())) > limit:
        load: Counter[tuple[bool, int]] = Counter()
        n_edges: Counter[tuple[bool, int]] = Counter()
        for (start, end), n_passed in alone.items():
            for hub in ((False, start), (True, end)):
                load[hub] += n_passed
                n_edges[hub] += 1
        fewest = _HUB if excess < 4 * limit else 1
        enough = max((load[hub] for hub in load if n_edges[hub] >= fewest), default=0) / 2
        if not enough:
            break
        for start, end in list(alone):
            hub = max((False, start), (True, end), key=load.__getitem__)
            if load[hub] >= enough and n_edges[hub] >= fewest:
                shared[start, end] = hub
                del alone[start, end]
    return shared


def inversions(first: NDArray[Any], second: NDArray[Any]) -> int:
    """Count the pairs i, j with ``first[i] < first[j]`` and ``second[i] > second[j]``.

    Parameters
    ----------
    first, second
        Two arrays of one length m; equal values never make an inversion.

    Notes
    -----
    O(m log² m) in numpy: one stable pass per bit of the second's ranks, as in a wavelet tree.
    """
    if len(first) < 2:
        return 0
    ranked = np.unique(second[np.lexsort((second, first))], return_inverse=True)[1].reshape(-1)
    total = 0
    for bit in range(int(ranked.max()).bit_length()):
        group = ranked >> (bit + 1)
        along = np.argsort(group, kind="stable")
        group, high = group[along], (ranked[along] >> bit) & 1
        seen = np.cumsum(high)
        starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
        before = np.repeat(seen[starts] - high[starts], np.diff(np.append(starts, len(group))))
        total += int(((seen - before) * (1 - high)).sum())
    return total


def order(points: Points) -> list[list[int]]:
    """Order each rank from top to bottom so that few edges cross.

    Depth-first orders from both ends are improved by barycentre sweeps, the better one by sifting (each point moves
    to the best place in its rank, both neighbouring ranks held), then shaken by further sweeps and sifted again.
    A drawing and its mirror image cross equally often; the one closer to the order of the input is kept.

    Returns
    -------
    list of list of int
        Rank -> its points, top to bottom.

    Notes
    -----
    A pass is O(P + sum over ranks of w²) for P points and ranks of width w; the number of passes falls with P.

    Source: Gansner et al., A technique for drawing directed graphs (1993), for the sweeps; Matuszewski et al.,
    Using sifting for k-layer straightline crossing minimization (1999).
    """
    table = _Table(points)
    best: list[Ints] = []
    fewest = -1
    for roots_first in (True, False):
        layers, n_crossings = _sweep(table, _walk(points, roots_first=roots_first))
        if fewest < 0 or n_crossings < fewest:
            best, fewest = layers, n_crossings
    if fewest:
        best = _sift(table, best)
        fewest = table.crossings(best)
        for turn in range(_turns(len(points.rank))):
            if not fewest:
                break
            shaken = _sift(table, _shake(table, best, turn))
            n_crossings = table.crossings(shaken)
            if n_crossings < fewest:
                best, fewest = shaken, n_crossings
    return _as_written(points, [layer.tolist() for layer in best])


def _turns(n_points: int) -> int:
    """Few for large graphs: their first result is within some percent of the last."""
    return min(10, 1500 // n_points)


class _Table:
    """The points as arrays: per gap between two ranks, the two ends of its edges."""

    __slots__ = ("ends", "gaps", "n_points", "starts")

    def __init__(self, points: Points) -> None:
        pairs = [(start, end) for start, ends in enumerate(points.down) for end in ends]
        self.n_points = len(points.rank)
        self.starts: Ints = np.array([start for start, _ in pairs], dtype=np.intp)
        self.ends: Ints = np.array([end for _, end in pairs], dtype=np.intp)
        rank = np.array(points.rank, dtype=np.intp)
        of = rank[self.starts] if pairs else self.starts
        along = np.argsort(of, kind="stable")
        cuts = np.searchsorted(of[along], np.arange(max(points.rank, default=0) + 1))
        self.gaps = [(self.starts[along[a:b]], self.ends[along[a:b]]) for a, b in pairwise(cuts.tolist())]

    def places(self, layers: list[Ints]) -> Ints:
        """Point -> its place in its rank."""
        place = np.zeros(self.n_points, dtype=np.intp)
        for layer in layers:
            place[layer] = np.arange(len(layer))
        return place

    def crossings(self, layers: list[Ints]) -> int:
        """Count all crossings at once: later ranks have higher numbers, so edges of two gaps never invert."""
        place = np.zeros(self.n_points, dtype=np.intp)
        place[np.concatenate(layers)] = np.arange(self.n_points)
        return inversions(place[self.starts], place[self.ends])

    def sides(self, at: int) -> list[tuple[Ints, Ints]]:
        """Return the edges of a rank as (its point, the neighbour), for the rank before and the rank after."""
        before = [(self.gaps[at - 1][1], self.gaps[at - 1][0])] if at > 0 else []
        return before + ([self.gaps[at]] if at < len(self.gaps) else [])


def _walk(points: Points, *, roots_first: bool) -> list[Ints]:
    """Depth-first order, from the sources along the edges or from the sinks against them: planar for trees."""
    ahead, behind = (points.down, points.up) if roots_first else (points.up, points.down)
    layers: list[list[int]] = [[] for _ in range(max(points.rank) + 1)]
    seen = bytearray(len(points.rank))
    for root in range(len(points.rank)):
        stack = [] if behind[root] else [root]
        while stack:
            point = stack.pop()
            if not seen[point]:
                seen[point] = 1
                layers[points.rank[point]].append(point)
                stack.extend(reversed(ahead[point]))
    return [np.array(layer, dtype=np.intp) for layer in layers]


def _sweep(table: _Table, layers: list[Ints]) -> tuple[list[Ints], int]:
    """Barycentre sweeps in both directions until three in a row bring nothing."""
    best, fewest, stale = list(layers), table.crossings(layers), 0
    for turn in range(24):
        if not fewest or stale == 4:
            break
        layers = _shake(table, layers, turn)
        n_crossings = table.crossings(layers)
        stale += 1
        if n_crossings < fewest:
            best, fewest, stale = layers, n_crossings, 0
    return best, fewest


def _shake(table: _Table, layers: list[Ints], turn: int) -> list[Ints]:
    """Sort each rank by the mean place of its neighbours in the rank swept before; odd turns go upwards."""
    layers = list(layers)
    place = table.places(layers).astype(float)
    ranks = range(1, len(layers)) if turn % 2 == 0 else range(len(layers) - 2, -1, -1)
    for at in ranks:
        layer = layers[at]
        if len(layer) < 2:
            continue
        ours, theirs = table.gaps[at - 1][::-1] if turn % 2 == 0 else table.gaps[at]
        mine = place[ours].astype(np.intp)
        degree = np.bincount(mine, minlength=len(layer))
        total = np.bincount(mine, weights=place[theirs], minlength=len(layer))
        other = len(layers[at - 1 if turn % 2 == 0 else at + 1])
        stay = np.arange(len(layer)) * (other / len(layer))
        wish = np.where(degree > 0, total / np.maximum(degree, 1), stay)
        if turn % 4 > 1:
            wish = wish[::-1]
            layers[at] = layer[::-1][np.argsort(wish, kind="stable")]
        else:
            layers[at] = layer[np.argsort(wish, kind="stable")]
        place[layers[at]] = np.arange(len(layer))
    return layers


def _sift(table: _Table, layers: list[Ints]) -> list[Ints]:
    """Move points to the best places in their ranks until no move helps (or 3 to 12 passes)."""
    layers = list(layers)
    place = table.places(layers)
    dirty = {at for at, layer in enumerate(layers) if len(layer) > 1}
    for turn in range(max(3, min(12, 60_000 // table.n_points))):
        if not dirty:
            break
        todo, dirty = sorted(dirty, reverse=turn % 2 == 1), set()
        for at in todo:
            layer = layers[at]
            step = _WINDOW // 2
            for start in range(0, max(len(layer) - step, 1), step):
                window = layer[start : start + _WINDOW]
                better = _sifted(_gains(table.sides(at), window, start, place))
                if better is not None:
                    layer = np.concatenate((layer[:start], window[better], layer[start + _WINDOW :]))
                    place[layer] = np.arange(len(layer))
                    dirty |= {near for near in (at - 1, at, at + 1) if 0 <= near < len(layers)}
            layers[at] = layer
        dirty = {at for at in dirty if len(layers[at]) > 1}
    return layers


def _gains(sides: list[tuple[Ints, Ints]], window: Ints, start: int, place: Ints) -> NDArray[np.int64]:
    """Crossings of each pair of a window in this order less those in the other, shape (w, w).

    Sums rows instead of multiplying matrices: few of the cells are filled, and no thread of a BLAS is started.
    """
    width = len(window)
    cost = np.zeros((width, width), dtype=np.int64)
    for ours, theirs in sides:
        mine = place[ours] - start
        inside = np.flatnonzero((mine >= 0) & (mine < width))
        if not len(inside):
            continue
        inside = inside[np.argsort(mine[inside], kind="stable")]
        mine = mine[inside]
        at, found = np.unique(place[theirs[inside]], return_inverse=True)
        found = found.reshape(-1)
        edges = np.bincount(found * width + mine, minlength=len(at) * width).reshape(len(at), width)
        before = np.cumsum(edges, axis=0) - edges
        starts = np.flatnonzero(np.concatenate(([True], mine[1:] != mine[:-1])))
        cost[mine[starts]] += np.add.reduceat(before[found], starts, axis=0)
    return cost - cost.T


def _sifted(gains: NDArray[np.int64]) -> Ints | None:
    """Move each point of a window to where it crosses least; None if all stay."""
    along: Ints = np.arange(len(gains))
    moved = False
    for _ in range(4):
        sums = np.cumsum(gains[along][:, along], axis=1)
        movers = along[np.maximum(sums.max(axis=1), 0) > np.diagonal(sums)]
        if not len(movers):
            break
        for mover in movers.tolist():
            reach = gains[mover].take(along).cumsum()
            now = int((along == mover).argmax())
            to = int(reach.argmax())
            best = int(reach[to])
            if max(best, 0) <= reach[now]:
                continue
            to = to if best > 0 else -1
            moved = True
            if to < now:
                along[to + 2 : now + 1] = along[to + 1 : now].copy()
                along[to + 1] = mover
            else:
                along[now:to] = along[now + 1 : to + 1].copy()
                along[to] = mover
    return along if moved else None


def _as_written(points: Points, layers: list[list[int]]) -> list[list[int]]:
    """Mirror the drawing if that is closer to the input, and put interchangeable points in the input's order."""
    lean = 0
    for layer in layers:
        nodes = [point for point in layer if point < points.n_nodes]
        lean += sum(1 if one < other else -1 for one, other in pairwise(nodes))
    if lean < 0:
        layers = [layer[::-1] for layer in layers]
    for layer in layers:
        twins: dict[tuple[Any, ...], list[int]] = {}
        for place, point in enumerate(layer):
            if point < points.n_nodes:
                key = (tuple(sorted(points.up[point])), tuple(sorted(points.down[point])))
                twins.setdefault(key, []).append(place)
        for places in twins.values():
            if len(places) > 1:
                for place, point in zip(places, sorted(layer[place] for place in places), strict=True):
                    layer[place] = point
    return layers


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
    for turn in range(12):
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
