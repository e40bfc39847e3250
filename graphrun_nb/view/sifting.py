"""Sifting: each point moves to the place in its rank where its edges cross least, both neighbouring ranks held.

Improves an order; where to start and when to stop trying is up to `ordering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graphrun_nb.view.gaps import Ints, Table

_WINDOW = 256
"""Neighbours in a rank that sifting looks at together: its matrices stay below 300 kB."""


def sift(table: Table, layers: list[Ints]) -> list[Ints]:
    """Move points to the best places in their ranks until no move helps (or 1 to 12 passes, fewer for more points)."""
    layers = list(layers)
    place = table.places(layers)
    dirty = {at for at, layer in enumerate(layers) if len(layer) > 1}
    for turn in range(max(1, min(12, 60_000 // table.n_points))):
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


def _gains(sides: list[tuple[Ints, Ints]], window: Ints, start: int, place: Ints) -> NDArray[np.int32]:
    """Crossings of each pair of a window in this order less those in the other, shape (w, w).

    Sums rows instead of multiplying matrices: few of the cells are filled, and no thread of a BLAS is started.
    """
    width = len(window)
    cost = np.zeros((width, width), dtype=np.int32)
    for ours, theirs in sides:
        mine = place[ours] - start
        inside = np.flatnonzero((mine >= 0) & (mine < width))
        if not len(inside):
            continue
        inside = inside[np.argsort(mine[inside], kind="stable")]
        mine = mine[inside]
        near = place[theirs[inside]]
        known = np.zeros(int(near.max()) + 1, dtype=np.intp)
        known[near] = 1
        found = (np.cumsum(known) - 1)[near]
        n_found = int(found.max()) + 1
        edges = np.bincount(found * width + mine, minlength=n_found * width).astype(np.int32).reshape(n_found, width)
        before = np.cumsum(edges, axis=0, dtype=np.int32) - edges
        starts = np.flatnonzero(np.concatenate(([True], mine[1:] != mine[:-1])))
        cost[mine[starts]] += np.add.reduceat(before[found], starts, axis=0, dtype=np.int32)
    return cost - cost.T


def _sifted(gains: NDArray[np.int32]) -> Ints | None:
    """Move each point of a window to where it crosses least; None if all stay."""
    along: Ints = np.arange(len(gains))
    moved = False
    for turn in range(4):
        sums = np.cumsum(gains[np.ix_(along, along)] if turn else gains, axis=1, dtype=np.int32)
        movers = along[np.maximum(sums.max(axis=1), 0) > np.diagonal(sums)]
        if not len(movers):
            break
        for mover in movers.tolist():
            reach = gains[mover].take(along).cumsum(dtype=np.int32)
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
