"""What the log does not say of a node: its values as people may see them, its output and its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from graphrun_nb.authoring.signature import source_of
from graphrun_nb.engine.output import UNFINISHED
from graphrun_nb.errors import GraphRunError
from graphrun_nb.protocols import hooks
from graphrun_nb.view.frames import NodeDetail, ValueView, public_event
from graphrun_nb.view.text import MAX_PREVIEW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphrun_nb.engine.run import Run

MAX_SOURCE = 20_000
MAX_LOG_LINES = 1_000
MAX_LOG_TEXT = 100_000

_SOURCES: WeakKeyDictionary[Callable[..., Any], tuple[str, str, int]] = WeakKeyDictionary()


def detail_of(run: Run, node_id: str, *, story: bool = True) -> NodeDetail:
    """Return what a view is told of a node beside the log, with the node's part of that unless no `story` is wanted.

    Raises
    ------
    GraphRunError
        There is no such node.
    """
    if node_id not in run.state.nodes:
        raise GraphRunError(f"there is no node {node_id!r}")
    presenter = hooks.here()
    function = run.graph.functions.get(node_id)
    source, file, line = ("", "", 0) if function is None else _source_of(function.call)
    own = [each for each in run.log if getattr(each.event, "node_id", None) == node_id] if story else []
    return NodeDetail(
        node_id=node_id,
        inputs=_views(run, run.inputs_of(node_id)),
        outputs=_views(run, run.outputs_of(node_id)),
        logs=_logs(run, node_id),
        source=run.secrets.scrub(source[:MAX_SOURCE]),
        source_file=presenter.file_label(file) if presenter is not None else file,
        source_line=line,
        story=tuple((each.seq, each.at, public_event(each.event)) for each in own),
    )


def _source_of(function: Callable[..., Any]) -> tuple[str, str, int]:
    """Return `source_of` a function, found once: a whole run is asked for at its end."""
    try:
        if function not in _SOURCES:
            _SOURCES[function] = source_of(function)
        return _SOURCES[function]
    except TypeError:  # it cannot be hashed, or not referred to weakly
        return source_of(function)


def _views(run: Run, values: Mapping[str, Any]) -> tuple[ValueView, ...]:
    shown = []
    for name, value in values.items():
        text = run.shown(value, name)
        shown.append(ValueView(name, type(value).__name__, text, truncated=len(text) >= MAX_PREVIEW))
    return tuple(shown)


def _logs(run: Run, node_id: str) -> tuple[tuple[float, str, str], ...]:
    """Return a node's last lines, with a note in place of earlier ones if they are many."""
    lines = run.output.lines(node_id)
    shown = [(line.at, line.stream, UNFINISHED + line.text) for line in reversed(run.output.unfinished(node_id))]
    left = MAX_LOG_TEXT
    for n, line in enumerate(reversed(lines)):
        left -= len(line.text)
        if n == MAX_LOG_LINES or left < 0:
            shown.append((line.at, "note", f"{len(lines) - n} earlier lines are in future.node({node_id!r}).logs"))
            break
        shown.append((line.at, line.stream, line.text))
    return tuple(reversed(shown))
