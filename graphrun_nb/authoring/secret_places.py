"""Where in a graph values are that must stay hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.core.secrets import is_secret
from graphrun_nb.core.spec import Arg, Literal, Many, Ref

if TYPE_CHECKING:
    from graphrun_nb.core.spec import Binding, GraphSpec


class SecretPlaces:
    """What has a secret name, or is passed to a parameter that has one.

    Attributes
    ----------
    inputs
        Names of inputs of the graph.
    values
        Plain values that stand in the graph.
    holders
        Lists and dicts that stand in the graph, and may hold secrets under their names.
    nodes
        Ids of nodes some of whose outputs are secret.
    """

    def __init__(self, spec: GraphSpec) -> None:
        self.inputs = {each.name for each in spec.inputs if is_secret(each.name)}
        self.values: list[Any] = []
        self.holders: list[Any] = []
        self.nodes: dict[str, set[str]] = {}
        for node in spec.nodes:
            for output in node.outputs:
                if is_secret(output):
                    self.nodes.setdefault(node.node_id, set()).add(output)
            for name, binding in node.inputs:
                if is_secret(name):
                    self._add(binding)
                else:
                    self._look_into(binding)

    def _add(self, binding: Binding) -> None:
        match binding:
            case Arg():
                self.inputs.add(binding.name)
            case Literal():
                self.values.append(binding.value)
            case Ref():
                self.nodes.setdefault(binding.node_id, set()).add(binding.output)
            case Many():
                for _, item in binding.items:
                    self._add(item)

    def _look_into(self, binding: Binding) -> None:
        match binding:
            case Literal(value=dict() | list() | tuple()):
                self.holders.append(binding.value)
            case Many():
                for name, item in binding.items:
                    if isinstance(name, str) and is_secret(name):
                        self._add(item)
                    else:
                        self._look_into(item)
