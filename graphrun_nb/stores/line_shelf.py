"""What nodes print and log, kept beside a run's log: best effort, in batches, and never waited for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.protocols import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.stores.tables import Cursor

MAX_BATCH = 65_536
"""Characters that ride along with one turn."""
_Line = tuple[int, str, str, float]
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(list[_Line]).decode


class LineShelf:
    """The lines of one run. `add` may be called from any thread."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._new: deque[Signal] = deque()

    def __len__(self) -> int:
        return len(self._new)

    def add(self, line: Signal) -> None:
        """Keep a line soon."""
        self._new.append(line)

    def take(self, most: int = MAX_BATCH) -> list[Signal]:
        """Remove and return the oldest lines that are not written, `most` characters or a little more."""
        taken: list[Signal] = []
        while self._new and most > 0:
            taken.append(self._new.popleft())
            most -= len(taken[-1].text) + 1
        return taken

    def give_back(self, lines: Sequence[Signal]) -> None:
        """Have lines again that could not be written."""
        self._new.extendleft(reversed(lines))

    def write(self, cursor: Cursor, lines: Sequence[Signal]) -> None:
        """Write lines, a row for each node."""
        of_node: dict[str, list[_Line]] = {}
        for each in lines:
            of_node.setdefault(each.node_id, []).append((each.attempt, each.stream, each.text, each.at))
        cursor.executemany(
            "INSERT INTO lines (run_id, node_id, at, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(self._run_id, node_id, told[0][3], _ENCODE(told)) for node_id, told in of_node.items()],
        )

    def read(self, cursor: Cursor, node_id: str) -> list[Signal]:
        """Return the lines of a node that are written, whoever wrote them."""
        cursor.execute("SELECT data FROM lines WHERE run_id = ? AND node_id = ? ORDER BY at", (self._run_id, node_id))
        found: list[Signal] = []
        for (data,) in cursor.fetchall():
            try:
                told = _DECODE(data)
            except (msgspec.MsgspecError, TypeError):
                continue  # damaged: these lines are gone, and nothing else is
            found += [Signal(node_id, *line) for line in told]
        return found


def are_lines(data: bytes) -> bool:
    """Tell whether these bytes are lines of a node."""
    try:
        return bool(_DECODE(data))
    except (msgspec.MsgspecError, TypeError):
        return False
