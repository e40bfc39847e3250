"""A graph inside a graph: its nodes become parts of one container node, and take their inputs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.spec import Arg, Binding, Condition, Literal, Many, NodeSpec, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphrun_nb.core.policy import RetryPolicy
    from graphrun_nb.core.spec import GraphSpec


def parts_of(
    inner: GraphSpec, container: str, inputs: Mapping[str, Binding], *, retry: RetryPolicy | None, executor: str
) -> Iterator[NodeSpec]:
    """Yield the nodes of `inner` as parts of `container`; ids become ``container/id``.

    Parameters
    ----------
    inputs
        Where each input of `inner` comes from.
    retry, executor
        For parts that have none of their own.
    """

    def outer(binding: Binding) -> Binding:
        return rebound(binding, container, inputs)

    for node in inner.nodes:
        yield msgspec.structs.replace(
            node,
            node_id=f"{container}/{node.node_id}",
            inputs=tuple((name, outer(binding)) for name, binding in node.inputs),
            after=tuple(f"{container}/{each}" for each in node.after),
            condition=None if node.condition is None else _condition(node.condition, container, inputs),
            results=tuple((name, outer(binding)) for name, binding in node.results),
            parent=f"{container}/{node.parent}" if node.parent else container,
            retry=node.retry or retry,
            executor=node.executor or executor,
        )


def rebound(binding: Binding, container: str, inputs: Mapping[str, Binding]) -> Binding:
    """Return a binding of the inner graph as one of the outer graph."""
    match binding:
        case Ref():
            return Ref(f"{container}/{binding.node_id}", binding.output)
        case Arg():
            return inputs[binding.name]
        case Many():
            return Many(binding.shape, tuple((key, rebound(item, container, inputs)) for key, item in binding.items))
        case Literal():
            return binding


def _condition(condition: Condition, container: str, inputs: Mapping[str, Binding]) -> Condition:
    def operand(arg: Any) -> Any:
        if isinstance(arg, Condition):
            return _condition(arg, container, inputs)
        return rebound(arg, container, inputs)

    return Condition(condition.op, tuple(map(operand, condition.args)))
