"""`@graphify`: a function whose body, traced once per build, becomes a graph."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.blind_tests import blind_tests
from graphrun_nb.authoring.builder import GraphBuilder, current_builder
from graphrun_nb.authoring.handles import Handle, NodeHandle
from graphrun_nb.authoring.mistakes import blind_test_refusal, no_attribute
from graphrun_nb.authoring.names import check_inputs, checked_name, checked_names
from graphrun_nb.authoring.place import place_of_definition
from graphrun_nb.authoring.registry import define, module_of
from graphrun_nb.authoring.signature import Signature
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphBuildError, GraphValidationError, Misuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphrun_nb.authoring.place import Place
    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.spec import GraphSpec


class Graphified:
    """A graph as a function. Made by `graphify`; calling or `build`-ing it gives a fresh `TaskGraph`."""

    def __init__(
        self,
        body: Callable[..., Any],
        *,
        name: str,
        required: Sequence[str],
        optional: Mapping[str, Any],
        outputs: Sequence[str],
        version: str,
    ) -> None:
        functools.update_wrapper(self, body)
        self.name = name
        self.version = version
        self.outputs = tuple(outputs)
        self._body = body
        self._required = tuple(required)
        self._optional = optional
        define(name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> TaskGraph | NodeHandle:
        """Build the graph; while another one is being built, add this one to it as one node with parts.

        Inputs are given by name, or in the order of their declaration.

        Raises
        ------
        GraphValidationError
            An input is missing or unknown; or inputs are given, and no graph is being built.
        """
        __tracebackhide__ = True
        builder = current_builder()
        known = (*self._required, *self._optional)
        if builder is None:
            if args or kwargs:
                first = min(kwargs, default=known[0] if known else "x")
                raise GraphValidationError(
                    f"{self.name}({first}=…) adds the graph to another one, and none is being built here",
                    code="graph_not_building",
                    hints=(f"to run it: run({self.name}, {{{first!r}: …}})",),
                )
            return self.build()
        controls = {key: kwargs.pop(key) for key in list(kwargs) if key[:1] == "_"}
        signature = Signature(known, frozenset(self._required), open_ended=False, context="")
        arguments = {**self._optional, **signature.bind(self.name, args, kwargs)}
        return builder.add_graph(self.build(), arguments=arguments, controls=controls)

    def build(self) -> TaskGraph:
        """Trace the body and return the checked graph.

        Raises
        ------
        GraphValidationError
            The body returns other outputs than declared, looks at values that are not there yet, or the graph is
            wrong; the message names the line.
        Exception
            Whatever the body itself raises.
        """
        __tracebackhide__ = True
        builder = GraphBuilder(self.name, version=self.version)
        handles = builder.declare_inputs(self._required, self._optional)
        for name, place in self._blind_tests:
            raise blind_test_refusal(handles[name], place)
        with builder:
            returned = self._body(**handles)
        try:
            for output, value in self._named(returned).items():
                builder.expose(output, value)
            graph = builder.build()
        except GraphBuildError as error:
            definition = place_of_definition(self._body)
            if definition is not None:
                error.locate(str(definition))
            raise
        graph.module = module_of(self)
        return graph

    if not TYPE_CHECKING:  # a type checker is to go on refusing what is not there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name)

    @functools.cached_property
    def _blind_tests(self) -> list[tuple[str, Place]]:
        return blind_tests(self._body, (*self._required, *self._optional))

    def spec(self) -> GraphSpec:
        """Return the graph's definition."""
        return self.build().spec

    def io(self) -> dict[str, Any]:
        """Return the declared inputs and outputs: ``{"inputs": {"required", "optional"}, "outputs"}``."""
        return {
            "inputs": {"required": list(self._required), "optional": dict(self._optional)},
            "outputs": list(self.outputs),
        }

    def _repr_html_(self) -> str | None:
        """Return the graph as a picture, for a notebook; None, which shows its plain repr, if it cannot be built."""
        try:
            graph = self.build()
        except Exception:  # noqa: BLE001 (a body may raise anything, and building it tells)
            return None
        return graph._repr_html_()

    def _named(self, returned: Any) -> dict[str, Any]:
        if isinstance(returned, (Handle, NodeHandle)) and len(self.outputs) == 1:
            return {self.outputs[0]: returned}
        if returned is None and not self.outputs:
            return {}
        if not isinstance(returned, dict):
            entries = ", ".join(f"{output!r}: …" for output in self.outputs or ("x",))
            declare = "" if self.outputs else "declare what it gives, outputs=['x'], and "
            raise GraphValidationError(
                f"graph {self.name!r} must return a dict of its outputs {list(self.outputs)}, not {returned!r}",
                code="graphify_bad_return",
                hints=(f"{declare}write return {{{entries}}}",),
            )
        for key in returned:
            if key not in self.outputs:
                known = ", ".join(self.outputs)
                declared = f"it declares: {known}" if known else f"write outputs={list(returned)}"
                hint = closest(str(key), self.outputs) or declared
                raise GraphValidationError(
                    f"graph {self.name!r} declares no output {key!r}", code="graphify_unknown_output", hints=(hint,)
                )
        missing = [output for output in self.outputs if output not in returned]
        if missing:
            raise GraphValidationError(
                f"graph {self.name!r} does not return {', '.join(map(repr, missing))}",
                code="graphify_missing_output",
                hints=("add it to the returned dict, or take it out of outputs=[...]",),
            )
        return returned

    def __repr__(self) -> str:
        inputs = [*self._required, *(f"{name}=…" for name in self._optional)]
        return f"<graph {self.name}({', '.join(inputs)}) -> {', '.join(self.outputs) or 'nothing'}>"


def graphify(
    name: str | None = None,
    *,
    inputs: Sequence[str] | Mapping[str, Any] | None = None,
    outputs: Sequence[str] = (),
    version: str = "1",
) -> Callable[[Callable[..., Any]], Graphified]:
    """Turn a function that calls tools into a graph.

    Parameters
    ----------
    name
        The graph's name; the function's by default.
    inputs
        A list of required names, or a dict of optional ones with their defaults. The function's own parameters by
        default: those without a default are required.
    outputs
        Names of what the body returns in its dict.
    version
        Part of the graph's fingerprint.

    Raises
    ------
    GraphValidationError
        The body is ``async def`` or a generator, its parameters are not the inputs, or a name cannot be one.

    Examples
    --------
    >>> from graphrun_nb import tool
    >>> @tool(outputs=["total"])
    ... def add(a, b):
    ...     return a + b
    >>> @graphify("sums", inputs=["x"], outputs=["y"])
    ... def sums(x):
    ...     return {"y": add(a=x, b=1).total}
    >>> sums.build().topological_order()
    ['add']
    """
    if callable(name):
        raise Misuse(
            "write @graphify(...) with parentheses",
            code="graph_no_parentheses",
            hints=("@graphify(outputs=[...]) names what it gives",),
        )

    def decorate(body: Callable[..., Any]) -> Graphified:
        own_name = name if name is not None else str(getattr(body, "__name__", "graph"))
        if inspect.iscoroutinefunction(body):
            raise GraphValidationError(
                f"graph {own_name!r} is an async def, and its body is only traced, never awaited",
                code="graphify_async_def",
                hints=("write a plain def that calls async tools, or use @graph_fn for a body that runs",),
            )
        if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
            raise GraphValidationError(
                f"graph {own_name!r} is a generator function, and its body is called once to be traced",
                code="graphify_generator",
                hints=("return a dict of the outputs instead of yielding",),
            )
        checked_name(own_name, "a graph")
        checked_names(outputs, f"outputs of graph {own_name!r}")
        required: Iterable[str] = ()
        optional: Mapping[str, Any] = {}
        if inputs is None:
            required, optional = _own_inputs(body)
        elif isinstance(inputs, dict):
            optional = inputs
        else:
            required = inputs
        what = f"inputs of graph {own_name!r}"
        declared = checked_names(required, what)
        _check_parameters(body, own_name, (*declared, *checked_names(optional, what)))
        return Graphified(body, name=own_name, required=declared, optional=optional, outputs=outputs, version=version)

    return decorate


def _own_inputs(body: Callable[..., Any]) -> tuple[Sequence[str], Mapping[str, Any]]:
    """Return the parameters without a default, and the others with theirs."""
    parameters = inspect.signature(body).parameters.values()
    named = [each for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    required = [each.name for each in named if each.default is each.empty]
    return required, {each.name: each.default for each in named if each.default is not each.empty}


def _check_parameters(body: Callable[..., Any], name: str, inputs: Sequence[str]) -> None:
    parameters = inspect.signature(body).parameters
    for each in inputs:
        if each.startswith("_"):
            raise GraphValidationError(
                f"graph {name!r} cannot have an input {each!r}: names that begin with _ are node controls",
                code="graphify_input_mismatch",
                hints=("give it a name without the leading _",),
            )
        if each in parameters and parameters[each].kind is inspect.Parameter.POSITIONAL_ONLY:
            raise GraphValidationError(
                f"graph {name!r} passes its inputs by name, and {each!r} is positional only",
                code="graphify_input_mismatch",
                hints=("leave out the / in the function's parameters",),
            )
    named = [each for each in parameters.values() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    check_inputs(
        name,
        inputs,
        [each.name for each in named],
        frozenset(each.name for each in named if each.default is each.empty),
        open_ended=any(each.kind is each.VAR_KEYWORD for each in parameters.values()),
    )
