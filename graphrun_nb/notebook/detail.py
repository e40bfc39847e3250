"""What the log does not say of a node: its values as people may see them, its output and its source."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec
from msgspec import structs

from graphrun_nb.authoring.signature import source_of
from graphrun_nb.engine.output import UNFINISHED
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.showing import Shown, not_shown, values_of, view_of
from graphrun_nb.protocols import hooks
from graphrun_nb.view.aside import aside
from graphrun_nb.view.frames import NodeDetail, public_event
from graphrun_nb.view.preview import is_known

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from graphrun_nb.engine.run import Run
    from graphrun_nb.view.frames import ValueView

MAX_SOURCE = 20_000
MAX_LOG_LINES = 1_000
MAX_LOG_TEXT = 100_000
DEADLINE_S = 1.0
PATIENCE_S = 0.2
"""For a value of which nobody knows how it shows itself, when a run is recorded, which is done on the loop."""

_NOT_SHOWN = "it did not show itself in time"

_SOURCES: WeakKeyDictionary[Callable[..., Any], tuple[str, str, int]] = WeakKeyDictionary()


def detail_of(run: Run, node_id: str, *, story: bool = True, values: bool = True) -> NodeDetail:
    """Return what a view is told of a node beside the log, with the node's part of that unless no `story` is wanted.

    Without `values` no code of users' is run.

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
        inputs=_views(run, node_id, "inputs") if values else (),
        outputs=_views(run, node_id, "outputs") if values else (),
        logs=_logs(run, node_id),
        source=run.secrets.scrub(source[:MAX_SOURCE]),
        source_file=presenter.file_label(file) if presenter is not None else file,
        source_line=line,
        story=tuple((each.seq, each.at, public_event(each.event)) for each in own),
    )


def detail_aside(run: Run, node_id: str) -> Future[dict[str, Any]]:
    """Return the same as plain data, made aside: of values that do not show themselves it says so."""
    bare = detail_of(run, node_id, values=False)
    sides = {side: values_of(run, node_id, side) for side in ("inputs", "outputs")}
    views: dict[tuple[str, str], ValueView] = {}

    def work() -> dict[str, Any]:
        for side, values in sides.items():
            for each in values:
                views[side, each.name] = view_of(run, each)
        return made(None)

    def made(_error: BaseException | None) -> dict[str, Any]:
        seen = {
            side: tuple(views.get((side, each.name)) or not_shown(each, _NOT_SHOWN) for each in values)
            for side, values in sides.items()
        }
        plain: dict[str, Any] = msgspec.to_builtins(structs.replace(bare, **seen))
        return plain

    return aside(work, made, deadline_s=DEADLINE_S)


def is_quick(run: Run, node_id: str) -> bool:
    """Tell whether the values of a node are shown without running users' code."""
    return all(is_known(each.value) for side in ("inputs", "outputs") for each in values_of(run, node_id, side))


def _source_of(function: Callable[..., Any]) -> tuple[str, str, int]:
    """Return `source_of` a function, found once: a whole run is asked for at its end."""
    try:
        if function not in _SOURCES:
            _SOURCES[function] = source_of(function)
        return _SOURCES[function]
    except TypeError:  # it cannot be hashed, or not referred to weakly
        return source_of(function)


def _views(run: Run, node_id: str, side: str) -> tuple[ValueView, ...]:
    return tuple(_view(run, each) for each in values_of(run, node_id, side))


def _view(run: Run, shown: Shown) -> ValueView:
    """Return a value at first glance, without the loop waiting for it for long."""
    if is_known(shown.value):
        return view_of(run, shown)
    instead = partial(_instead, shown)
    return aside(partial(view_of, run, shown), instead, deadline_s=PATIENCE_S, waits=True).result()


def _instead(shown: Shown, _error: BaseException | None) -> ValueView:
    return not_shown(shown, _NOT_SHOWN)


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
