"""How a node is called: worked out from its definition once, for all runs of its graph."""

from __future__ import annotations

import inspect
from operator import itemgetter
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
    n_fed
        How many arguments there are, if they are the only outputs of other nodes, in the order of the function's
        parameters, and calling it with them is all there is to it; otherwise -1.
    fetch
        Picks these arguments out of a dict of values by node id, if there are any: a tuple, or the value if it is one.
    """

    __slots__ = ("call", "context", "direct", "fetch", "function", "n_fed", "output", "outputs", "refs", "rest", "spec")

    def __init__(self, spec: NodeSpec, function: NodeFunction, only_output: Callable[[str], str]) -> None:
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
        sources = [node_id for _, node_id, _ in self.refs]
        self.n_fed = -1
        self.fetch: Any = None
        if (
            self.direct
            and not self.rest
            and not self.context
            and all(map(only_output, sources))
            and _first_parameters(self.call, len(self.refs)) == [name for name, _, _ in self.refs]
        ):
            self.n_fed = len(sources)
            self.fetch = itemgetter(*sources) if sources else None


def _first_parameters(call: Any, n: int) -> list[str]:
    """Return the names of the first `n` parameters that a function or method takes by position."""
    skipped = 1 if isinstance(call, MethodType) else 0
    code = call.__code__
    return list(code.co_varnames[skipped : min(code.co_argcount, skipped + n)])
