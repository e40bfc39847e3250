"""What differs between two runs, as a short table."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.text import aligned, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphrun_nb.core.state import NodeState, RunState

MAX_ROWS = 60
MAX_CELL = 80
ABSENT = "not there"
_LEFT = ' style="text-align: left"'
SLOWER, SLOWER_S = 1.5, 0.1
"""Durations differ if one is longer than the other by half and by 100 ms: below that it is mostly chance."""

Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs.

    Attributes
    ----------
    outputs
        Previews of the outputs of its nodes, by node id and name; of the run's own, under ``""``.
    """

    state: RunState
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What differs between two runs; a notebook shows it as a table.

    Attributes
    ----------
    heading
        An empty cell and the ids of the runs.
    rows
        What, here, there; at most 60.
    note
        What is left out, or that nothing differs.
    """

    heading: Row
    rows: tuple[Row, ...]
    note: str = ""

    def __repr__(self) -> str:
        return "\n".join(filter(None, (aligned([self.heading, *self.rows]), self.note)))

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col"{_LEFT}>{escape(cell)}</th>' for cell in self.heading)
        body = "".join(
            f'<tr><th scope="row"{_LEFT}>{escape(what)}</th><td{_LEFT}>{escape(here)}</td>'
            f"<td{_LEFT}>{escape(there)}</td></tr>"
            for what, here, there in self.rows
        )
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def compare(here: Side, there: Side, graph: Iterable[str] = ()) -> RunDiff:
    """Return what differs between two runs; O(nodes).

    Parameters
    ----------
    graph
        What differs between their definitions, a difference a line.
    """
    ours, theirs = here.state, there.state
    both = [("status", ours.status.lower(), theirs.status.lower()), ("took", _took(ours), _took(theirs))]
    found = list(_differing("input", *({name: ref.preview for name, ref in each.inputs} for each in (ours, theirs))))
    found += _differing("output", here.outputs.get("", {}), there.outputs.get("", {}))
    if ours.graph != theirs.graph:
        found.append(("graph", ours.graph, theirs.graph))
    found += [("graph", "", line) for line in graph]
    found += _nodes(here, there)
    note = "" if found else "nothing else differs"
    if len(found) > MAX_ROWS:
        note = f"and {len(found) - MAX_ROWS} more differences"
    rows = [tuple(map(_clipped, row)) for row in both + found[:MAX_ROWS]]
    return RunDiff(("", ours.run_id, theirs.run_id), tuple((what, a, b) for what, a, b in rows), note)


def _nodes(here: Side, there: Side) -> Iterator[Row]:
    ours, theirs = here.state.nodes, there.state.nodes
    for node_id in dict.fromkeys((*here.state.drawn(), *there.state.drawn())):
        mine, its = ours.get(node_id), theirs.get(node_id)
        if mine is None or its is None or _story(mine) != _story(its) or _is_slower(mine, its):
            yield (node_id, _in_words(mine), _in_words(its))
        if mine is not None and its is not None and mine.status is its.status is NodeStatus.DONE:
            outputs = here.outputs.get(node_id, {}), there.outputs.get(node_id, {})
            yield from ((f"{node_id}.{name}", a, b) for name, a, b in _differing("", *outputs))


def _differing(kind: str, ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[Row]:
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name) != theirs.get(name):
            yield (f"{kind} {name}".lstrip(), ours.get(name, ABSENT), theirs.get(name, ABSENT))


def _story(node: NodeState) -> tuple[object, ...]:
    """Return what is compared of two nodes, besides how long they took."""
    error = node.error
    return (node.status, node.attempt, error and error.types, error and error.message, node.because)


def _is_slower(node: NodeState, other: NodeState) -> bool:
    if not (node.ended_at and node.started_at and other.ended_at and other.started_at):
        return False
    short, long = sorted((node.ended_at - node.started_at, other.ended_at - other.started_at))
    return long - short >= SLOWER_S and long >= short * SLOWER


def _in_words(node: NodeState | None) -> str:
    if node is None:
        return ABSENT
    parts = [node.status.lower()]
    if node.attempt > 1:
        parts.append(f"{node.attempt} attempts")
    if node.started_at and node.ended_at:
        parts.append(duration(node.ended_at - node.started_at))
    if node.error is not None:
        parts.append(f"{node.error.type_name}: {node.error.message}")
    elif node.because:
        parts.append(f"because of {node.because}")
    return ", ".join(parts)


def _took(state: RunState) -> str:
    return duration(state.ended_at - state.started_at) if state.ended_at and state.started_at else "not ended"


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_CELL else f"{line[: MAX_CELL - 1]}…"
