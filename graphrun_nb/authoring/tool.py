"""`@tool`: a function that is a node while a graph is being built, and a plain function otherwise."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any, overload

from graphrun_nb.authoring.bindings import refuse_strays
from graphrun_nb.authoring.builder import current_builder
from graphrun_nb.authoring.controls import stray_control
from graphrun_nb.authoring.mapping import spread
from graphrun_nb.authoring.signature import Signature, by_name, code_fingerprint, refuse_generator, signature_of
from graphrun_nb.authoring.task_graph import NodeFunction
from graphrun_nb.authoring.two_stage import DualStageTool, TwoStage
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphRunError, GraphValidationError, Misuse, NodeOutputError
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from graphrun_nb.authoring.handles import NodeHandle


class Tool:
    """A function with named outputs. Made by `tool`.

    Attributes
    ----------
    function
        The function itself.
    outputs
        Names of what it gives.
    is_async
        It is a coroutine function.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        outputs: Sequence[str],
        inputs: Sequence[str] | None = None,
        name: str | None = None,
        version: str = "1",
        kind: str = "tool",
    ) -> None:
        if not callable(function):
            raise Misuse(
                f"@tool(...) decorates a function, not {function!r}",
                code="tool_not_callable",
                hints=("write it above a def",),
            )
        refuse_generator(function, "tool")
        are_names = isinstance(outputs, (list, tuple)) and all(map(is_name, outputs))
        if not are_names or len(set(outputs)) != len(outputs):
            raise Misuse(
                f"@tool(outputs=...) takes a list of different names, not {outputs!r}",
                code="tool_bad_outputs",
                hints=('write outputs=["first", "second"]',),
            )
        if "node_id" in outputs:
            raise Misuse(
                "@tool(outputs=...): 'node_id' is the node's own id",
                code="tool_bad_outputs",
                hints=("give the output another name",),
            )
        if isinstance(function, type) and issubclass(function, DualStageTool):
            function = TwoStage(function)
            kind = "wait"
        functools.update_wrapper(self, function)
        self.function: Callable[..., Any] = function
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.outputs = tuple(outputs)
        self.version = version
        self.kind = kind
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (asks what kind of call it is, not whether)
        )
        self.signature: Signature = signature_of(function, inputs)
        self.node_function = NodeFunction(by_name(function), self.signature.context, self.is_async, kind)

    @functools.cached_property
    def code(self) -> str:
        """Fingerprint of the function's source and its version."""
        if isinstance(self.function, TwoStage):
            return self.function.fingerprint(self.version)
        return code_fingerprint(self.function, self.version)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a node to the graph being built, or run the function.

        Returns
        -------
        NodeHandle, or dict, or awaitable of dict
            A handle while a graph is being built, otherwise the outputs by name.
        """
        controls = {key: kwargs.pop(key) for key in list(kwargs) if key[:1] == "_"}
        builder = current_builder()
        if builder is None:
            refuse_strays((*args, *kwargs.values()))
            if hooks.runner is not None and hooks.runner.is_inside():
                arguments = self.signature.bind(self.name, args, kwargs)
                return hooks.runner.call(self, arguments, controls, in_thread=False)
            if controls:
                raise stray_control(self.name, min(controls))
            self._require_context(args, kwargs)
            returned = self.function(*args, **kwargs)
            is_later = self.is_async or inspect.iscoroutine(returned)
            return self._outputs_later(returned) if is_later else self.outputs_of(returned)
        return builder.add(
            self.node_function,
            name=self.name,
            arguments=self.signature.bind(self.name, args, kwargs),
            outputs=self.outputs,
            code=self.code,
            kind=self.kind,
            controls=controls,
        )

    def aio(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, dict[str, Any]]:
        """Run the function without blocking the loop: a sync one in a thread. Gives a coroutine of the outputs.

        Inside a graph function it is a node of that run, as any call.
        """
        controls = {key: kwargs.pop(key) for key in list(kwargs) if key[:1] == "_"}
        refuse_strays((*args, *kwargs.values()))
        if hooks.runner is not None and hooks.runner.is_inside():
            arguments = self.signature.bind(self.name, args, kwargs)
            called: Coroutine[Any, Any, dict[str, Any]] = hooks.runner.call(
                self, arguments, controls, in_thread=not self.is_async
            )
            return called
        if controls:
            raise stray_control(f"{self.name}.aio", min(controls))
        self._require_context(args, kwargs)
        if self.is_async:
            return self._outputs_later(self.function(*args, **kwargs))
        return self._outputs_later(asyncio.to_thread(self.function, *args, **kwargs))

    def map(self, *args: Any, **kwargs: Any) -> NodeHandle:
        """Add a node that calls the function once for each element of a list that may be known only at run time.

        Arguments wrapped in `each` are lists to go through, side by side; with none wrapped, the first argument is one.
        Each output of the node is the list of what its elements gave, in order. ``_retry``, ``_timeout`` and
        ``_executor`` hold for each element by itself; if one fails the others go on, and then the node fails.

        Raises
        ------
        GraphValidationError
            No graph is being built, or the arguments do not fit.
        """
        controls = {key: kwargs.pop(key) for key in list(kwargs) if key[:1] == "_"}
        builder = current_builder()
        if builder is None:
            raise GraphValidationError(
                f"{self.name}.map(...) makes a node, and no graph is being built here",
                code="graph_not_building",
                hints=(f"in a running function, gather calls: await asyncio.gather(*[{self.name}(...) for ...])",),
            )
        arguments, over = spread(self.name, self.signature.bind(self.name, args, kwargs))
        return builder.add(
            self.node_function,
            name=self.name,
            arguments=arguments,
            outputs=self.outputs,
            code=self.code,
            kind="map",
            controls=controls,
            over=over,
        )

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Bind like a function, so that methods can be tools."""
        if instance is None or isinstance(self.function, TwoStage):
            return self
        bound = self.function.__get__(instance, owner)
        return Tool(bound, outputs=self.outputs, name=self.name, version=self.version, kind=self.kind)

    def __repr__(self) -> str:
        return f"<tool {self.name}({', '.join(self.signature.names)}) -> {', '.join(self.outputs) or 'nothing'}>"

    def outputs_of(self, returned: Any) -> dict[str, Any]:
        """Return what a call gave, by output name; see `named_outputs`."""
        return named_outputs(self.name, self.outputs, returned)

    def _require_context(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        context = self.signature.context
        if not context or context in kwargs:
            return
        if self.kind == "wait":
            raise GraphRunError(
                f"{self.name} asks something, and needs a run to ask in",
                hints=("call it in a @graphify or @graph_fn function, and run that",),
            )
        parameters = inspect.signature(self.function).parameters
        if len(args) <= list(parameters).index(context) and parameters[context].default is inspect.Parameter.empty:
            raise Misuse(
                f"{self.name} takes a NodeContext, {context!r}, which only a run has",
                code="tool_without_context",
                hints=(f"call it in a @graphify or @graph_fn function, and run that; or pass {context}=…",),
            )

    async def _outputs_later(self, returned: Any) -> dict[str, Any]:
        value = await returned
        return self.outputs_of(await value if inspect.iscoroutine(value) else value)


def named_outputs(name: str, outputs: tuple[str, ...], returned: Any) -> dict[str, Any]:
    """Fit what a function returned to its declared outputs.

    One declared output: a returned value that is no dict is that output.

    Raises
    ------
    NodeOutputError
        Outputs are missing or surplus; the message names both sets.
    """
    if isinstance(returned, dict):
        if returned.keys() == set(outputs):
            return returned
    elif len(outputs) == 1:
        return {outputs[0]: returned}
    elif not outputs and returned is None:
        return {}
    got = f"the keys {sorted(map(str, returned))}" if isinstance(returned, dict) else f"a {type(returned).__name__}"
    raise NodeOutputError(
        f"{name} declares the outputs {sorted(outputs)}, and returned {got}",
        hints=_output_hints(outputs, returned),
    )


def _output_hints(outputs: tuple[str, ...], returned: Any) -> tuple[str, ...]:
    if not outputs:
        return ("return nothing, or name what it gives: @tool(outputs=[...])",)
    if not isinstance(returned, dict):
        return (f"name them: return {{{', '.join(f'{output!r}: …' for output in outputs)}}}",)
    missing = [output for output in outputs if output not in returned]
    surplus = [str(key) for key in returned if key not in outputs]
    for key in surplus:
        guess = closest(key, missing)
        if guess:
            return (f"{key!r}: {guess}",)
    if len(outputs) == 1 and missing:
        return (f"to return a dict as {outputs[0]!r}, wrap it: {{{outputs[0]!r}: …}}",)
    if not missing:
        return (f"leave out {', '.join(map(repr, surplus))}, or add it to outputs=[...]",)
    return (f"return {', '.join(map(repr, missing))} as well, or take it out of outputs=[...]",)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    outputs: Sequence[str] = ...,
    inputs: Sequence[str] | None = ...,
    name: str | None = ...,
    version: str = ...,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    outputs: Sequence[str] = ("result",),
    inputs: Sequence[str] | None = None,
    name: str | None = None,
    version: str = "1",
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a sync or async function, or a `DualStageTool`, usable as a node.

    Parameters
    ----------
    outputs
        Names of what it gives; with one of them, any value that is no dict is that output.
    inputs
        Names of its parameters, where the function's own signature does not tell.
    name
        How its nodes are called; the function's name by default.
    version
        Raise it when the meaning changes and the source does not.

    Raises
    ------
    TypeError
        The function is a generator, or takes arguments that have no name.

    Examples
    --------
    >>> @tool(outputs=["total"])
    ... def add(a: int, b: int) -> dict:
    ...     return {"total": a + b}
    >>> add(a=1, b=2)
    {'total': 3}
    """

    def decorate(function: Callable[..., Any]) -> Tool:
        return Tool(function, outputs=outputs, inputs=inputs, name=name, version=version)

    return decorate if function is None else decorate(function)
