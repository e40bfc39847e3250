"""The graph under construction: tools add nodes to it, `build` checks it and hands out a `TaskGraph`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from graphrun_nb.authoring.bindings import binding_of, literal_digest
from graphrun_nb.authoring.controls import settings_of
from graphrun_nb.authoring.handles import Handle, NodeHandle
from graphrun_nb.authoring.mistakes import explain, explain_foreign
from graphrun_nb.authoring.names import checked_name, checked_names
from graphrun_nb.authoring.nesting import parts_of, rebound
from graphrun_nb.authoring.task_graph import NodeFunction, TaskGraph
from graphrun_nb.core.spec import Arg, GraphSpec, InputSpec, NodeSpec, validate
from graphrun_nb.errors import GraphBuildError, GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextvars import Token

_BUILDING: ContextVar[GraphBuilder | None] = ContextVar("graphrun_building", default=None)


def current_builder() -> GraphBuilder | None:
    """Return the graph that is being built in this context, if any."""
    return _BUILDING.get()


class GraphBuilder:
    """Collects nodes; use it as ``with graph(name="g") as g: ...``.

    Parameters
    ----------
    name
        1 to 200 characters.
    version
        Part of the graph's fingerprint.
    """

    def __init__(self, name: str, *, version: str = "1") -> None:
        self.name = checked_name(name, "a graph")
        self._version = version
        self._inputs: dict[str, InputSpec] = {}
        self._outputs: dict[str, Any] = {}
        self._nodes: dict[str, NodeSpec] = {}
        self._functions: dict[str, NodeFunction] = {}
        self._n_named: dict[str, int] = {}
        self._token: Token[GraphBuilder | None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether this is a graph that tools add to, in some context."""
        return self._token is not None

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs declared so far."""
        return tuple(self._inputs)

    def __enter__(self) -> Self:
        """Make this the graph that tools add to."""
        self._token = _BUILDING.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Go back to the graph, or none, that was being built before; say in which of the user's lines a mistake is."""
        if self._token is not None:
            _BUILDING.reset(self._token)
            self._token = None
        if isinstance(error, GraphBuildError):
            explain(error)
        elif isinstance(error, Exception):
            explain_foreign(error)

    def declare_inputs(
        self, required: Iterable[str] = (), optional: Mapping[str, Any] | None = None
    ) -> dict[str, Handle]:
        """Declare inputs of the graph and return what stands for all of them, by name.

        Raises
        ------
        GraphValidationError
            One is no name, or is there twice.
        """
        defaults = optional or {}
        names = checked_names(required, "an input") if isinstance(required, str) else tuple(required)
        checked_names([*names, *defaults], "an input")
        for name in names:
            self._inputs[name] = InputSpec(name)
        for name, default in defaults.items():
            self._inputs[name] = InputSpec(
                name, required=False, default=default, default_digest=literal_digest(default)
            )
        return {name: Handle(Arg(name), self) for name in self._inputs}

    def arg(self, name: str) -> Handle:
        """Return what stands for the input `name`, declaring it as required where it was not declared."""
        self._inputs.setdefault(checked_name(name, "an input"), InputSpec(name))
        return Handle(Arg(name), self)

    def expose(self, name: str, value: Any) -> None:
        """Make `value` (a handle, or a plain value) the graph's output `name`.

        Raises
        ------
        GraphValidationError
            There is an output of this name already, or a handle belongs to another graph.
        """
        if checked_name(name, "an output") in self._outputs:
            raise GraphValidationError(
                f"graph {self.name!r} has an output {name!r} already",
                code="graph_duplicate_name",
                hints=("expose it under another name",),
            )
        self._outputs[name] = binding_of(value, self)

    def add(
        self,
        function: NodeFunction,
        *,
        name: str,
        arguments: Mapping[str, Any],
        outputs: tuple[str, ...],
        code: str,
        kind: str,
        controls: Mapping[str, Any],
        over: tuple[str, ...] = (),
    ) -> NodeHandle:
        """Add a node and return its handle; tools call this. `over` names what a mapped node is mapped over."""
        settings = settings_of(name, controls, self)
        node_id = self._claim(name, controls)
        self._nodes[node_id] = NodeSpec(
            node_id=node_id,
            name=_called(controls, node_id),
            kind=kind,
            inputs=tuple((key, binding_of(value, self)) for key, value in arguments.items()),
            outputs=outputs,
            code=code,
            over=over,
            **settings,
        )
        self._functions[node_id] = function
        return NodeHandle(node_id, name, outputs, self)

    def add_graph(self, inner: TaskGraph, *, arguments: Mapping[str, Any], controls: Mapping[str, Any]) -> NodeHandle:
        """Add a whole graph as one node with parts, and return its handle.

        `arguments` has a value for every input; ``_retry`` and ``_executor`` hold for parts without their own.
        """
        spec = inner.spec
        settings = settings_of(spec.name, controls, self)
        node_id = self._claim(spec.name, controls)
        inputs = {name: binding_of(value, self) for name, value in arguments.items()}
        retry, executor = settings.pop("retry", None), settings.pop("executor", "")
        self._nodes[node_id] = NodeSpec(
            node_id=node_id,
            name=_called(controls, node_id),
            kind="graph",
            inputs=tuple(inputs.items()),
            outputs=tuple(name for name, _ in spec.outputs),
            results=tuple((name, rebound(binding, node_id, inputs)) for name, binding in spec.outputs),
            code=spec.version,
            **settings,
        )
        self._functions[node_id] = NodeFunction(inner.build, kind="graph")
        for part in parts_of(spec, node_id, inputs, retry=retry, executor=executor):
            if part.node_id in self._nodes:
                raise _twice(self.name, part.node_id)
            self._nodes[part.node_id] = part
        self._functions.update({f"{node_id}/{name}": function for name, function in inner.functions.items()})
        return NodeHandle(node_id, spec.name, tuple(name for name, _ in spec.outputs), self)

    def _claim(self, name: str, controls: Mapping[str, Any]) -> str:
        wanted = controls.get("_id")
        node_id = checked_name(self._free_id(name) if wanted is None else wanted, "a node")
        if node_id in self._nodes:
            raise _twice(self.name, node_id)
        return node_id

    def build(self) -> TaskGraph:
        """Check the graph and return it.

        Raises
        ------
        GraphValidationError
            See `core.spec.validate`.
        """
        spec = GraphSpec(
            name=self.name,
            version=self._version,
            inputs=tuple(self._inputs.values()),
            outputs=tuple(self._outputs.items()),
            nodes=tuple(self._nodes.values()),
        )
        validate(spec)
        return TaskGraph(spec, self._functions)

    def _free_id(self, name: str) -> str:
        while True:
            n = self._n_named[name] = self._n_named.get(name, 0) + 1
            node_id = name if n == 1 else f"{name}_{n}"
            if node_id not in self._nodes:
                return node_id


def graph(*, name: str, version: str = "1") -> GraphBuilder:
    """Return a builder for ``with graph(name="g") as g:``; tools called inside add nodes to it."""
    return GraphBuilder(name, version=version)


def arg(name: str) -> Handle:
    """Return what stands for the input `name` of the graph that is being built.

    Raises
    ------
    GraphValidationError
        No graph is being built here.
    """
    builder = current_builder()
    if builder is None:
        raise GraphValidationError(
            f"arg({name!r}) stands for a graph's input, and no graph is being built here",
            code="graph_not_building",
            hints=("use it inside `with graph(name=...) as g:`",),
        )
    return builder.arg(name)


def _called(controls: Mapping[str, Any], node_id: str) -> str:
    name = controls.get("_name")
    return node_id if name is None else checked_name(name, f"node {node_id!r}")


def _twice(graph: str, node_id: str) -> GraphValidationError:
    return GraphValidationError(
        f"graph {graph!r} has two nodes with the id {node_id!r}",
        code="graph_duplicate_node_id",
        hints=("give each node its own _id, or leave _id out",),
    )
