"""The gaps between ranks: their edges as arrays, and how many of those cross.

Counts and looks up; no order is changed here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graphrun_nb.view.points import Points

    Ints = NDArray[np.intp]


class Table:
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
