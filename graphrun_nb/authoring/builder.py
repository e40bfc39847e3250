"""The graph under construction: tools add nodes to it, `build` checks it and hands out a `TaskGraph`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from graphrun_nb.authoring.handles import Handle, NodeHandle, binding_of, literal_digest
from graphrun_nb.authoring.nesting import parts_of, rebound
from graphrun_nb.authoring.task_graph import NodeFunction, TaskGraph
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import Arg, Condition, GraphSpec, InputSpec, NodeSpec, closest, validate
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextvars import Token

_BUILDING: ContextVar[GraphBuilder | None] = ContextVar("graphrun_building", default=None)

_OPERANDS = {
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"), ("left", "right")),
    **dict.fromkeys(("truthy", "falsy", "not"), ("value",)),
    **dict.fromkeys(("and", "or"), ("args",)),
}
CONTROLS = ("_id", "_name", "_labels", "_after", "_condition", "_retry", "_timeout", "_executor", "_group")


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
        self._name = name
        self._version = version
        self._inputs: dict[str, InputSpec] = {}
        self._outputs: dict[str, Any] = {}
        self._nodes: dict[str, NodeSpec] = {}
        self._functions: dict[str, NodeFunction] = {}
        self._n_named: dict[str, int] = {}
        self._token: Token[GraphBuilder | None] | None = None

    def __enter__(self) -> Self:
        """Make this the graph that tools add to."""
        self._token = _BUILDING.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Go back to the graph, or none, that was being built before."""
        if self._token is not None:
            _BUILDING.reset(self._token)
            self._token = None

    def declare_inputs(
        self, required: Iterable[str] = (), optional: Mapping[str, Any] | None = None
    ) -> dict[str, Handle]:
        """Declare inputs of the graph and return what stands for them, by name."""
        for name in required:
            self._inputs[name] = InputSpec(name)
        for name, default in (optional or {}).items():
            self._inputs[name] = InputSpec(
                name, required=False, default=default, default_digest=literal_digest(default)
            )
        return {name: Handle(Arg(name)) for name in self._inputs}

    def arg(self, name: str) -> Handle:
        """Return what stands for the input `name`, declaring it as required where it was not declared."""
        self._inputs.setdefault(name, InputSpec(name))
        return Handle(Arg(name))

    def expose(self, name: str, value: Any) -> None:
        """Make `value` (a handle, or a plain value) the graph's output `name`."""
        self._outputs[name] = binding_of(value)

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
        settings = settings_of(name, controls)
        node_id = self._claim(name, controls)
        self._nodes[node_id] = NodeSpec(
            node_id=node_id,
            name=controls.get("_name") or node_id,
            kind=kind,
            inputs=tuple((key, binding_of(value)) for key, value in arguments.items()),
            outputs=outputs,
            code=code,
            over=over,
            **settings,
        )
        self._functions[node_id] = function
        return NodeHandle(node_id, name, outputs)

    def add_graph(self, inner: TaskGraph, *, arguments: Mapping[str, Any], controls: Mapping[str, Any]) -> NodeHandle:
        """Add a whole graph as one node with parts, and return its handle.

        `arguments` has a value for every input; ``_retry`` and ``_executor`` hold for parts without their own.
        """
        spec = inner.spec
        settings = settings_of(spec.name, controls)
        node_id = self._claim(spec.name, controls)
        inputs = {name: binding_of(value) for name, value in arguments.items()}
        retry, executor = settings.pop("retry", None), settings.pop("executor", "")
        self._nodes[node_id] = NodeSpec(
            node_id=node_id,
            name=controls.get("_name") or node_id,
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
                raise _twice(self._name, part.node_id)
            self._nodes[part.node_id] = part
        self._functions.update({f"{node_id}/{name}": function for name, function in inner.functions.items()})
        return NodeHandle(node_id, spec.name, tuple(name for name, _ in spec.outputs))

    def _claim(self, name: str, controls: Mapping[str, Any]) -> str:
        node_id = controls.get("_id") or self._free_id(name)
        if node_id in self._nodes:
            raise _twice(self._name, node_id)
        if not is_name(node_id):
            raise GraphValidationError(
                f"_id={node_id!r} cannot name a node: 1 to 200 characters, no control characters",
                code="graph_invalid_name",
            )
        return node_id

    def build(self) -> TaskGraph:
        """Check the graph and return it.

        Raises
        ------
        GraphValidationError
            See `core.spec.validate`.
        """
        spec = GraphSpec(
            name=self._name,
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


def settings_of(tool: str, controls: Mapping[str, Any]) -> dict[str, Any]:
    """Return node controls as fields of a NodeSpec.

    Raises
    ------
    GraphValidationError
        A control is unknown, or its value cannot be meant.
    """
    unknown = controls.keys() - set(CONTROLS)
    if unknown:
        control = min(unknown)
        raise GraphValidationError(
            f"{tool}() has no node control {control!r}",
            code="tool_unknown_control",
            hints=(closest(control, CONTROLS) or f"the controls are: {', '.join(CONTROLS)}",),
        )
    if not controls:
        return {}
    retry = controls.get("_retry")
    if isinstance(retry, int) and not isinstance(retry, bool):
        retry = RetryPolicy(max_attempts=retry)
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise GraphValidationError(
            f"{tool}(_retry=...) takes a RetryPolicy or a number of attempts, not {retry!r}", code="tool_bad_control"
        )
    timeout = controls.get("_timeout")
    if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
        raise GraphValidationError(f"{tool}(_timeout=...) takes seconds > 0, not {timeout!r}", code="tool_bad_control")
    labels = controls.get("_labels") or ()
    return {
        "after": _after(controls.get("_after")),
        "condition": None if controls.get("_condition") is None else condition_of(controls["_condition"]),
        "retry": retry,
        "timeout_s": None if timeout is None else float(timeout),
        "executor": controls.get("_executor") or "",
        "labels": (labels,) if isinstance(labels, str) else tuple(labels),
        "group": controls.get("_group") or "",
    }


def _twice(graph: str, node_id: str) -> GraphValidationError:
    return GraphValidationError(
        f"graph {graph!r} has two nodes with the id {node_id!r}",
        code="graph_duplicate_node_id",
        hints=("give each node its own _id, or leave _id out",),
    )


def _after(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(dict.fromkeys(_id_of(item) for item in items))


def _id_of(item: Any) -> str:
    if isinstance(item, NodeHandle):
        return item.node_id
    if isinstance(item, Handle) and not isinstance(item.binding, Arg):
        return item.binding.node_id
    if isinstance(item, str):
        return item
    raise GraphValidationError(f"_after takes handles or node ids, not {item!r}", code="tool_bad_control")


def condition_of(value: Any) -> Condition:
    """Return a ``_condition`` as data.

    Raises
    ------
    GraphValidationError
        It is neither a bool nor an operator over refs that is known; code ``graphify_unsupported_condition_expr``.
    """
    if isinstance(value, (bool, Handle, NodeHandle)):
        return Condition("truthy", (binding_of(value),))
    op = str(value.get("op")) if isinstance(value, dict) else ""
    operands = _OPERANDS.get(op)
    if operands is None:
        raise GraphValidationError(
            f"_condition does not understand {value!r}",
            code="graphify_unsupported_condition_expr",
            hints=(f'write {{"op": …, …}} with one of: {", ".join(_OPERANDS)}',),
        )
    if value.keys() != {"op", *operands}:
        raise GraphValidationError(
            f"_condition {op!r} takes {' and '.join(operands)}, and got {sorted(value.keys() - {'op'})}",
            code="graphify_unsupported_condition_expr",
        )
    parts = value["args"] if operands == ("args",) else [value[name] for name in operands]
    return Condition(op, tuple(_operand(part) for part in parts))


def _operand(part: Any) -> Any:
    return condition_of(part) if isinstance(part, dict) and "op" in part else binding_of(part)
