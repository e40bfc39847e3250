"""What nodes gave, by node id."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.protocols import Keeper


class Values(MutableMapping[str, Mapping[str, Any]]):
    """Outputs of the nodes that are done, each a dict by name, which is made when somebody asks for it.

    Most nodes have one output. A dict around each would be a third of a run's memory, and as much of a node's time.

    Attributes
    ----------
    only : dict of str to Any
        The output of each node that has one.
    """

    __slots__ = ("_graph", "_named", "only")

    def __init__(self, keeper: Keeper, graph: TaskGraph) -> None:
        self.only = keeper.only
        self._named = keeper.values
        self._graph = graph

    def of(self, node_id: str, output: str) -> Any:
        """Return one output of a node that is done."""
        only = self.only
        return only[node_id] if node_id in only else self._named[node_id][output]

    def __getitem__(self, node_id: str) -> Mapping[str, Any]:
        if node_id in self.only:
            return {self._graph.only_output(node_id): self.only[node_id]}
        return self._named[node_id]

    def __setitem__(self, node_id: str, outputs: Mapping[str, Any]) -> None:
        output = self._graph.only_output(node_id)
        if output:
            self.only[node_id] = outputs[output]
        else:
            self._named[node_id] = outputs

    def __delitem__(self, node_id: str) -> None:
        if node_id in self.only:
            del self.only[node_id]
        else:
            del self._named[node_id]

    def __contains__(self, node_id: object) -> bool:
        return node_id in self.only or node_id in self._named

    def __iter__(self) -> Iterator[str]:
        yield from self.only
        yield from self._named

    def __len__(self) -> int:
        return len(self.only) + len(self._named)
