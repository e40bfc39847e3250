"""`@graph_fn`: ordinary Python whose tool calls become nodes while it runs."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, overload

from graphrun_nb.authoring.bindings import literal_digest, refuse_strays
from graphrun_nb.authoring.builder import current_builder
from graphrun_nb.authoring.controls import stray_control
from graphrun_nb.authoring.mistakes import no_attribute
from graphrun_nb.authoring.names import check_inputs, checked_name
from graphrun_nb.authoring.registry import define
from graphrun_nb.authoring.signature import code_fingerprint, refuse_generator, signature_of
from graphrun_nb.authoring.task_graph import NodeFunction, TaskGraph
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import Arg, GraphSpec, InputSpec, NodeSpec
from graphrun_nb.errors import GraphRunError, GraphValidationError
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class GraphFunction:
    """A function that runs as a graph. Made by `graph_fn`.

    Attributes
    ----------
    name, version : str
    outputs : tuple of str
        Names of what it returns; empty if any dict will do.
    """

    kind = "body"

    def __init__(
        self,
        body: Callable[..., Any],
        *,
        name: str,
        inputs: Sequence[str] | Mapping[str, Any] | None,
        outputs: Sequence[str],
        version: str,
    ) -> None:
        refuse_generator(body, "graph function")
        functools.update_wrapper(self, body)
        self.name = name
        self.version = version
        self.outputs = tuple(outputs)
        self.signature = signature_of(body, None)
        self.node_function = NodeFunction(body, self.signature.context, inspect.iscoroutinefunction(body), self.kind)
        defaults = {
            each.name: each.default
            for each in inspect.signature(body).parameters.values()
            if each.default is not each.empty and each.name != self.signature.context
        }
        declared = list(inputs) if inputs is not None else list(self.signature.names)
        if isinstance(inputs, dict):
            defaults |= inputs
        check_inputs(
            name, declared, self.signature.names, self.signature.required, open_ended=self.signature.open_ended
        )
        self.inputs = tuple(
            InputSpec(each, required=False, default=defaults[each], default_digest=literal_digest(defaults[each]))
            if each in defaults
            else InputSpec(each)
            for each in declared
        )
        define(name, self)

    @functools.cached_property
    def code(self) -> str:
        """Fingerprint of the function's source and its version."""
        return code_fingerprint(self.node_function.call, self.version)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a node to the graph being built, or run the function.

        Returns
        -------
        NodeHandle, or coroutine of dict
            A handle while a graph is being built, otherwise a coroutine of the outputs. Called by another graph
            function it is a node of that run.
        """
        controls = {key: kwargs.pop(key) for key in list(kwargs) if key[:1] == "_"}
        builder = current_builder()
        runner = hooks.runner
        if builder is None and runner is not None and not runner.is_inside():
            arguments = self.signature.named(self.name, args, kwargs)
            refuse_strays(arguments.values())
            if controls:
                raise stray_control(self.name, min(controls))
            return runner.run(self, arguments)
        arguments = self.signature.bind(self.name, args, kwargs)
        if builder is not None:
            if "_retry" in controls:
                raise GraphValidationError(
                    f"{self.name}(_retry=…): a running function is not tried again as a whole",
                    code="tool_bad_control",
                    hints=("give _retry to the tools that it calls",),
                )
            return builder.add(
                self.node_function,
                name=self.name,
                arguments=arguments,
                outputs=self.outputs or ("result",),
                code=self.code,
                kind=self.kind,
                controls={**controls, "_retry": RetryPolicy()},
            )
        refuse_strays(arguments.values())
        if runner is None:
            raise GraphRunError(f"nothing here can run the graph function {self.name!r}", hints=("import graphrun_nb",))
        called = runner.call(self, arguments, controls, in_thread=False)
        if called is not NotImplemented:
            return called
        if controls:
            raise stray_control(self.name, min(controls))
        return runner.run(self, arguments)

    def sync(self, **inputs: Any) -> dict[str, Any]:
        """Run the function and return its outputs, blocking until they are there; raises as `RunFuture.result`."""
        if hooks.runner is None:
            raise GraphRunError(f"nothing here can run the graph function {self.name!r}", hints=("import graphrun_nb",))
        return hooks.runner.result(self, inputs)

    def build(self) -> TaskGraph:
        """Return the graph of one node, the body, that grows while it runs."""
        body = NodeSpec(
            node_id=self.name,
            name=self.name,
            kind=self.kind,
            inputs=tuple((each.name, Arg(each.name)) for each in self.inputs),
            outputs=self.outputs,
            code=self.code,
        )
        spec = GraphSpec(name=self.name, version=self.version, inputs=self.inputs, nodes=(body,), body=self.name)
        return TaskGraph(spec, {self.name: self.node_function})

    def spec(self) -> GraphSpec:
        """Return the graph's definition: its body alone."""
        return self.build().spec

    def io(self) -> dict[str, Any]:
        """Return the declared inputs and outputs: ``{"inputs": {"required", "optional"}, "outputs"}``."""
        return {
            "inputs": {
                "required": [each.name for each in self.inputs if each.required],
                "optional": {each.name: each.default for each in self.inputs if not each.required},
            },
            "outputs": list(self.outputs),
        }

    if not TYPE_CHECKING:  # a type checker is to go on refusing what is not there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name)

    def __repr__(self) -> str:
        inputs = [each.name if each.required else f"{each.name}=…" for each in self.inputs]
        return f"<graph function {self.name}({', '.join(inputs)}) -> {', '.join(self.outputs) or 'anything'}>"


@overload
def graph_fn(body: Callable[..., Any], /) -> GraphFunction: ...


@overload
def graph_fn(
    name: str | None = ...,
    *,
    inputs: Sequence[str] | Mapping[str, Any] | None = ...,
    outputs: Sequence[str] = ...,
    version: str = ...,
) -> Callable[[Callable[..., Any]], GraphFunction]: ...


def graph_fn(
    name: str | Callable[..., Any] | None = None,
    *,
    inputs: Sequence[str] | Mapping[str, Any] | None = None,
    outputs: Sequence[str] = (),
    version: str = "1",
) -> GraphFunction | Callable[[Callable[..., Any]], GraphFunction]:
    """Turn a function into a graph that grows while it runs: each tool that it calls appears as a node.

    Parameters
    ----------
    name
        The graph's name; the function's by default.
    inputs
        Its parameters by default; a dict gives defaults.
    outputs
        Names of what it returns; with one of them, any value that is no dict is that output. Without any, a returned
        dict is the outputs, and another value the output ``result``.
    version
        Part of the graph's fingerprint.

    Notes
    -----
    A sync tool called in an async body runs right there; ``await tool.aio(...)`` runs it in a thread. A sync body runs
    in a thread as a whole. A parameter called ``context``, or annotated NodeContext, is injected. A function that runs
    cannot be resumed after its process has ended; a `@graphify` graph can.

    Raises
    ------
    GraphValidationError
        `inputs` and the function's parameters do not agree.
    """
    given = None if callable(name) else name

    def decorate(body: Callable[..., Any]) -> GraphFunction:
        own_name = checked_name(given if given is not None else getattr(body, "__name__", "graph"), "a graph")
        return GraphFunction(body, name=own_name, inputs=inputs, outputs=outputs, version=version)

    return decorate(name) if callable(name) else decorate
