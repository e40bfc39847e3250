"""Values and runs as plain text, bounded."""

from __future__ import annotations

import reprlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.aside import aside
from graphrun_nb.view.parts import part_counts, troubles

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from graphrun_nb.core.state import NodeState, RunState

MAX_PREVIEW = 4000
PATIENCE_S = 0.2
"""For a `__repr__` of users' own, which is called in a thread: it may never return."""


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 400
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 20
        self.maxlong = 200
        self.maxlevel = 4

    repr_bytes = repr_bytearray = reprlib.Repr.repr_str

    def repr1(self, x: Any, level: int) -> str:
        try:
            return super().repr1(x, level)
        except KeyboardInterrupt:
            raise  # somebody stops it, and that is not the __repr__'s doing
        except BaseException as error:  # noqa: BLE001 (a user's __repr__ may do anything)
            return f"<{_TYPE_NAME(type(x))}: its repr raised {_TYPE_NAME(type(error))}>"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        pairs = islice(x.items(), self.maxdict)
        shown = [f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in pairs]
        return f"{{{', '.join(shown if len(x) <= self.maxdict else [*shown, '...'])}}}"

    def repr_instance(self, x: Any, level: int) -> str:
        del level
        if type(x) in _QUICK:
            return repr(x)
        text = aside(partial(repr, x), partial(_no_repr, x), deadline_s=PATIENCE_S, waits=True).result()
        return text if len(text) <= MAX_PREVIEW else f"{text[:MAX_PREVIEW]}…"


def _no_repr(value: Any, error: BaseException | None) -> str:
    why = "does not return" if error is None else f"raised {_TYPE_NAME(type(error))}"
    return f"<{_TYPE_NAME(type(value))}: its repr {why}>"


_QUICK = frozenset({type(None), bool, float, complex, range, type, date, datetime, time, timedelta, Decimal, UUID})
"""Types whose repr is Python's own, and needs no thread."""

_SHORT = _Short()
_TYPE_NAME = type.__dict__["__name__"].__get__


def preview(value: Any) -> str:
    """Return at most 4,000 characters that show `value` to a person and can be encoded; never raises."""
    return clipped(_SHORT.repr(value))


def clipped(text: str, most: int = MAX_PREVIEW) -> str:
    """Return at most `most` characters of `text`, which can be encoded."""
    head = str.__getitem__(text, slice(most + 1))  # a subclass may lie about its length
    text = head if len(head) <= most else f"{head[: most - 1]}…"
    return str.encode(text, "utf-8", "replace").decode()


def duration(seconds: float) -> str:
    """Return a duration as people write it.

    Examples
    --------
    >>> [duration(each) for each in (0.0031, 0.25, 12.34, 75, 7380)]
    ['3 ms', '250 ms', '12.3 s', '1 min 15 s', '2 h 03 min']
    """
    if seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def headline(state: RunState) -> str:
    """Return the run in one line: name, status and counts. O(nodes)."""
    counts = ", ".join(f"{n} {status.lower()}" for status, n in sorted(state.counts().items()))
    return f"{state.graph}: {state.status.lower()} ({counts or 'no nodes'})"


def counts_in_words(counts: Counter[NodeStatus]) -> str:
    """Return how far the parts of a container are: ``12/15 done, 1 failed``.

    Examples
    --------
    >>> from collections import Counter
    >>> counts_in_words(Counter({NodeStatus.DONE: 12, NodeStatus.WAITING: 1, NodeStatus.PENDING: 2}))
    '12/15 done, 1 waiting'
    """
    more = "".join(
        f", {counts[each]} {each.lower()}" for each in (NodeStatus.FAILED, NodeStatus.WAITING) if counts[each]
    )
    return f"{counts[NodeStatus.DONE]}/{counts.total()} done{more}"


def first_line(text: str) -> str:
    """Return the first line of `text`, without what ends it."""
    return "".join(text.splitlines()[:1])


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of equally many cells as lines of text, in columns.

    Examples
    --------
    >>> print(aligned([("run", "status"), ("r1", "done")]))
    run  status
    r1   done
    """
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (zip(row, widths, strict=True) for row in table)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines)


def table(state: RunState) -> str:
    """Return the run as a text table, one row a node; of more than 400, those that failed or wait. O(nodes)."""
    rows = node_rows(state)
    if len(rows) <= MAX_ROWS:
        return "\n".join([headline(state), aligned([COLUMNS, *rows])])
    pressing = [row for row in rows if row[1] in _PRESSING]
    rest = f"and {len(rows) - len(pressing)} more nodes"
    return "\n".join([headline(state), *([aligned([COLUMNS, *pressing])] if pressing else []), rest])


MAX_ROWS = 400
_PRESSING = frozenset({NodeStatus.FAILED.lower(), NodeStatus.WAITING.lower()})

COLUMNS = ("node", "status", "attempts", "time", "")
"""What `node_rows` gives; the last column is a remark."""


def node_rows(state: RunState) -> list[tuple[str, str, str, str, str]]:
    """Return what people want to know of each node, in order; of mapped nodes' elements, those in trouble. O(nodes)."""
    counts = part_counts(state)
    pressing: dict[str, list[str]] = {}
    for node_id in troubles(state):
        pressing.setdefault(state.nodes[node_id].info.parent, []).append(node_id)
    rows = []
    for node_id in state.drawn():
        elements = pressing.get(node_id, ()) if state.nodes[node_id].info.kind == "map" else ()
        rows += [_row(each, state.nodes[each], counts.get(each)) for each in (node_id, *elements)]
    return rows


def _row(node_id: str, node: NodeState, parts: Counter[NodeStatus] | None) -> tuple[str, str, str, str, str]:
    took = duration(node.ended_at - node.started_at) if node.ended_at and node.started_at else ""
    remark = ""
    if parts:
        remark = counts_in_words(parts)
    elif node.error is not None:
        remark = f"{node.error.type_name}: {node.error.message}"
    elif node.waits:
        remark = node.waits[0].wait.prompt
    elif node.because:
        remark = f"because of {node.because}"
    attempts = f"{node.attempt}/{node.info.max_attempts}" if node.info.max_attempts > 1 else str(node.attempt or "")
    return (node_id, node.status.lower(), attempts, took, first_line(remark)[:100])
