"""Values and runs as plain text, bounded."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphrun_nb.core.state import NodeState, RunState

MAX_PREVIEW = 4000


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 400
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 20
        self.maxlong = 200
        self.maxlevel = 4

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            text = repr(x)
        except Exception as error:  # noqa: BLE001 (a user's __repr__ may do anything)
            return f"<{type(x).__name__}: its repr raised {type(error).__name__}>"
        del level
        return text if len(text) <= MAX_PREVIEW else f"{text[:MAX_PREVIEW]}…"


_SHORT = _Short()


def preview(value: Any) -> str:
    """Return at most 4,000 characters that show `value` to a person; never raises."""
    try:
        text = _SHORT.repr(value)
    except Exception as error:  # noqa: BLE001 (a user's __repr__ may do anything)
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= MAX_PREVIEW else f"{text[: MAX_PREVIEW - 1]}…"


def duration(seconds: float) -> str:
    """Return a duration as people write it.

    Examples
    --------
    >>> [duration(each) for each in (0.0031, 0.25, 12.34, 75, 7380)]
    ['3 ms', '250 ms', '12.3 s', '1 min 15 s', '2 h 03 min']
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def headline(state: RunState) -> str:
    """Return the run in one line: name, status and counts. O(nodes)."""
    counts = ", ".join(f"{n} {status.lower()}" for status, n in sorted(state.counts().items()))
    return f"{state.graph}: {state.status.lower()} ({counts or 'no nodes'})"


def table(state: RunState) -> str:
    """Return the run as a text table, one row a node. O(nodes)."""
    rows = [("node", "status", "attempts", "time", "")]
    rows += [_row(node_id, node) for node_id, node in state.nodes.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [[*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]] for row in rows]
    return "\n".join([headline(state), *("  ".join(line).rstrip() for line in lines)])


def _row(node_id: str, node: NodeState) -> tuple[str, str, str, str, str]:
    took = duration(node.ended_at - node.started_at) if node.ended_at and node.started_at else ""
    remark = ""
    if node.error is not None:
        remark = f"{node.error.type_name}: {node.error.message}".splitlines()[0][:100]
    elif node.waits:
        remark = node.waits[0].wait.prompt[:100]
    elif node.because:
        remark = f"because of {node.because}"
    attempts = f"{node.attempt}/{node.info.max_attempts}" if node.info.max_attempts > 1 else str(node.attempt or "")
    return (node_id, node.status.lower(), attempts, took, remark)
