"""`LogEnd`: how far a log is written. Its latest turns lie in the run's own row until there are enough of them. Pure.

A turn then changes one page of a database and not three, and takes one statement.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.stores.bundle import MARK, OVERHEAD, tied, untied
from graphrun_nb.stores.pieces import named
from graphrun_nb.stores.rows import Row, damaged

if TYPE_CHECKING:
    from collections.abc import Iterable


class LogEnd(NamedTuple):
    """The end of a log of `n_events`, chained by `head`.

    Attributes
    ----------
    tail
        A bundle of the turns that are in no row of the log yet, or None.
    n_tail, at
        How many events these are, and the instant of the last (Unix seconds, UTC).
    """

    n_events: int
    head: bytes
    tail: bytes | None = None
    n_tail: int = 0
    at: float = 0.0

    def tail_row(self) -> Row | None:
        """Return the tail as a row of the log, if there is one."""
        if self.tail is None:
            return None
        return Row(self.n_events - self.n_tail + 1, self.n_tail, self.at, self.tail, self.head)

    def grown(self, rows: Iterable[Row], most: int) -> tuple[list[Row], LogEnd]:
        """Return the rows that are complete once `rows` have followed, and the end then; its tail has `most` bytes."""
        complete: list[Row] = []
        end = self
        for row in rows:
            n, size = end.n_events + row.n, len(row.body) + OVERHEAD
            is_small = size <= most and not named(row.body)  # what names pieces is read by itself
            if is_small and end.tail is not None and len(end.tail) + size <= most:
                tail = end.tail + tied(row.n, row.at, row.body)
                end = LogEnd(n, row.chain, tail, end.n_tail + row.n, row.at)
                continue
            full = end.tail_row()
            if full is not None:
                complete.append(full)
            if is_small:
                end = LogEnd(n, row.chain, MARK + tied(row.n, row.at, row.body), row.n, row.at)
            else:
                complete.append(row)
                end = LogEnd(n, row.chain)
        return complete, end


def end_of(run_id: str, n_events: int, head: bytes, tail: bytes | None) -> LogEnd:
    """Return the end that a run's row tells of; raises StoreCorrupt if its tail is no bundle."""
    if tail is None:
        return LogEnd(n_events, head)
    try:
        turns = list(untied(tail))
        return LogEnd(n_events, head, tail, sum(each.n for each in turns), turns[-1].at)
    except (ValueError, TypeError, LookupError, struct.error):
        raise damaged(run_id, "its last turns are not what was written") from None
