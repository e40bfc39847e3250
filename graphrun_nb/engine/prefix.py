"""`Prefix`: a run as it stood after its first events, unchangeable."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.declared import declared_types
from graphrun_nb.core.events import NodeReset
from graphrun_nb.core.state import fold
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.engine.persistence import kept_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import Envelope
    from graphrun_nb.engine.run import Run


class Prefix:
    """The fold of the first `at` events of a run; see `Past`. O(events).

    Attributes
    ----------
    log
        Those events.
    """

    has_outputs = False

    def __init__(self, run: Run, at: int) -> None:
        log = tuple(run.log)
        self.log: Sequence[Envelope] = log[:at]
        self.run_id = run.run_id
        self.state = fold(run.run_id, self.log)
        self.values: dict[str, Mapping[str, Any]] = {}
        self.inputs: dict[str, Any] = {}
        self.keeper = run.keeper
        self._latest = run.values
        self._reset = {each.event.node_id for each in log[at:] if type(each.event) is NodeReset}

    def fetch(self, graph: TaskGraph) -> None:
        """Get inputs and outputs, as they were then."""
        keeper = self.keeper
        if keeper.refers:
            keeper.types = {**keeper.types, **declared_types(graph)}
        for name, ref in self.state.inputs:
            with contextlib.suppress(LookupError):
                self.inputs[name] = keeper.get(ref)
        for node_id, node in self.state.nodes.items():
            if node.status is not NodeStatus.DONE:
                continue
            if node.values:
                with contextlib.suppress(LookupError):
                    self.values[node_id] = kept_outputs(node, keeper)
            elif node_id in self._latest and node_id not in self._reset:
                self.values[node_id] = self._latest[node_id]
