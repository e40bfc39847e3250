"""The gaps between ranks: their edges as arrays, and how many of those cross.

Counts and looks up; no order is changed here.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graphrun_nb.view.points import Points

    Ints = NDArray[np.intp]


class Table:
    """The points as arrays: per gap between two ranks, the two ends of its edges."""

    __slots__ = ("_gap", "ends", "gaps", "n_points", "starts")

    def __init__(self, points: Points) -> None:
        self.n_points = len(points.rank)
        starts = np.repeat(np.arange(self.n_points), [len(down) for down in points.down])
        ends = np.fromiter(chain.from_iterable(points.down), dtype=np.intp)
        gap = np.array(points.rank, dtype=np.intp)[starts]
        along = np.argsort(gap, kind="stable")
        self.starts, self.ends, self._gap = starts[along], ends[along], gap[along]
        cuts = np.searchsorted(self._gap, np.arange(max(points.rank, default=0) + 1))
        self.gaps = [(self.starts[a:b], self.ends[a:b]) for a, b in pairwise(cuts.tolist())]

    def places(self, layers: list[Ints]) -> Ints:
        """Point -> its place in its rank."""
        place = np.zeros(self.n_points, dtype=np.intp)
        for layer in layers:
            place[layer] = np.arange(len(layer))
        return place

    def crossings(self, layers: list[Ints]) -> int:
        """Count all crossings at once."""
        place = self.places(layers)
        return inversions(place[self.starts], place[self.ends], self._gap)

    def sides(self, at: int) -> list[tuple[Ints, Ints]]:
        """Return the edges of a rank as (its point, the neighbour), for the rank before and the rank after."""
        before = [(self.gaps[at - 1][1], self.gaps[at - 1][0])] if at > 0 else []
        return before + ([self.gaps[at]] if at < len(self.gaps) else [])


def inversions(first: Ints, second: Ints, gap: Ints) -> int:
    """Count the pairs i, j of one gap with ``first[i] < first[j]`` and ``second[i] > second[j]``.

    Parameters
    ----------
    first, second, gap
        Three arrays of one length m, of small numbers from 0; equal ones never make an inversion.

    Notes
    -----
    O(m log m) in numpy for each bit of the second's numbers, as in a wavelet tree; O(m) while 16 bits hold gap and
    number, which a radix sort then takes.
    """
    if len(first) < 2:
        return 0
    n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
    second = second[np.argsort((gap * n_first + first) * n_second + second)]
    gap = np.sort(gap)
    n_bits, n_gaps = (n_second - 1).bit_length(), int(gap[-1]) + 1
    total = 0
    for bit in range(n_bits):
        rest = n_bits - bit - 1
        group = (gap << rest) + (second >> (bit + 1))
        along = np.argsort(group.astype(np.uint16) if n_gaps << rest <= 1 << 16 else group, kind="stable")
        group, high = group[along], (second[along] >> bit) & 1
        seen = np.cumsum(high)
        starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
        before = np.repeat(seen[starts] - high[starts], np.diff(np.append(starts, len(group))))
        total += int(((seen - before) * (1 - high)).sum())
    return total
