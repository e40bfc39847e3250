"""The order of the points of each rank, so that few edges cross.

Starts, sweeps and the choice among their results; single moves are made in `sifting`. Knows no coordinates.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from graphrun_nb.view.gaps import Table
from graphrun_nb.view.sifting import sift

if TYPE_CHECKING:
    from graphrun_nb.view.gaps import Ints
    from graphrun_nb.view.points import Points


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
    table = Table(points)
    best: list[Ints] = []
    fewest = -1
    for roots_first in (True, False):
        layers, n_crossings = _sweep(table, _walk(points, roots_first=roots_first))
        if fewest < 0 or n_crossings < fewest:
            best, fewest = layers, n_crossings
    if fewest:
        best = sift(table, best)
        fewest = table.crossings(best)
        for turn in range(_turns(len(points.rank))):
            if not fewest:
                break
            shaken = sift(table, _shake(table, best, turn))
            n_crossings = table.crossings(shaken)
            if n_crossings < fewest:
                best, fewest = shaken, n_crossings
    return _as_written(points, [layer.tolist() for layer in best])


def _turns(n_points: int) -> int:
    """Few for large graphs: their first result is within some percent of the last."""
    return min(10, 1500 // n_points)


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


def _sweep(table: Table, layers: list[Ints]) -> tuple[list[Ints], int]:
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


def _shake(table: Table, layers: list[Ints], turn: int) -> list[Ints]:
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
