"""``%graphrun diff``: what differs between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import display

from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.result import result_of
from graphrun_nb.notebook.line import UsageError, take_options
from graphrun_nb.view.run_diff import Side, compare

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run
    from graphrun_nb.notebook.scope import Scope


def diff(words: list[str], scope: Scope) -> None:
    """Show what differs between ``RUN [RUN]``: inputs, outputs, definition, and the nodes' stories and durations.

    Raises
    ------
    UsageError
        There are not two of them.
    GraphRunError
        One cannot be found.
    """
    rest, _ = take_options(words)
    if not 1 <= len(rest) <= 2:
        raise UsageError(f"diff takes two runs, not {len(rest)}", hints=("%graphrun diff RUN RUN",))
    here, there = scope.run(rest[0]), scope.run(rest[1] if rest[1:] else "")
    lines = repr(changes).splitlines() if (changes := here.graph.diff(there.graph)) else []
    display(compare(_side(here), _side(there), lines))


def _side(run: Run) -> Side:
    outputs = {
        node_id: {name: run.secrets.preview(value, name) for name, value in run.outputs_of(node_id).items()}
        for node_id in run.state.nodes
    }
    if run.state.status is RunStatus.DONE:
        outputs[""] = {name: run.secrets.preview(value, name) for name, value in result_of(run).items()}
    return Side(run.state, outputs)
