"""How a node is called: worked out from its definition once, for all runs of its graph."""

from __future__ import annotations

import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import Binding, Ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.authoring.task_graph import NodeFunction
    from graphrun_nb.core.spec import NodeSpec


class Plan:
    """A node's function and where its arguments come from.

    Attributes
    ----------
    refs
        Arguments that are outputs of other nodes: parameter, node id, output.
    rest
        All other arguments: parameter and binding.
    output
        The only declared output, or empty.
    direct
        Calling the function gives a coroutine, without running any of the user's code, and nothing else has to be
        done about it.
    fed
        Node ids and outputs that are all of the function's arguments, in the order of its parameters; None where there
        is more to it than calling it with them.
    """

    __slots__ = ("call", "context", "direct", "fed", "function", "output", "outputs", "refs", "rest", "spec")

    def __init__(self, spec: NodeSpec, function: NodeFunction) -> None:
        self.spec = spec
        self.function = function
        self.call: Callable[..., Any] = function.call
        self.context = function.context
        self.outputs = spec.outputs
        self.output = spec.outputs[0] if len(spec.outputs) == 1 else ""
        self.refs = tuple((name, each.node_id, each.output) for name, each in spec.inputs if type(each) is Ref)
        self.rest: tuple[tuple[str, Binding], ...] = tuple(each for each in spec.inputs if type(each[1]) is not Ref)
        self.direct = (
            spec.kind in ("tool", "wait")
            and spec.executor in ("", "loop", "thread")
            and spec.timeout_s is None
            and isinstance(function.call, (FunctionType, MethodType))
            and inspect.iscoroutinefunction(function.call)
            and bool(function.call.__code__.co_flags & inspect.CO_COROUTINE)
        )
        self.fed: tuple[tuple[str, str], ...] | None = None
        if (
            self.direct
            and not self.rest
            and not self.context
            and _first_parameters(self.call, len(self.refs)) == [name for name, _, _ in self.refs]
        ):
            self.fed = tuple((node_id, output) for _, node_id, output in self.refs)


def _first_parameters(call: Any, n: int) -> list[str]:
    """Return the names of the first `n` parameters that a function or method takes by position."""
    skipped = 1 if isinstance(call, MethodType) else 0
    code = call.__code__
    return list(code.co_varnames[skipped : min(code.co_argcount, skipped + n)])
