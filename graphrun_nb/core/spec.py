"""The definition of a graph: frozen data, checked once, with a fingerprint that is the same in every process."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, assert_never

import msgspec
from msgspec import Struct

from graphrun_nb.core.events import CONTAINERS, NodeInfo
from graphrun_nb.core.graph import find_cycle
from graphrun_nb.core.ids import is_name
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Ref(Struct, frozen=True, tag="ref", gc=False):
    """The output called `output` of node `node_id`."""

    node_id: str
    output: str


class Arg(Struct, frozen=True, tag="arg", gc=False):
    """The graph's input called `name`."""

    name: str


class Literal(Struct, frozen=True, tag="literal", eq=False):
    """A plain value. `digest` stands for it in fingerprints; the value itself is never written anywhere by the core."""

    value: Any
    digest: str


class Many(Struct, frozen=True, tag="many"):
    """A ``list``, ``tuple`` or ``dict`` with bindings somewhere inside; keys are None except in a dict."""

    shape: str
    items: tuple[tuple[Any, Binding], ...]


Binding = Ref | Arg | Literal | Many


class Condition(Struct, frozen=True, tag="condition"):
    """A test over values; `args` holds the operands (bindings, or conditions below and/or/not)."""

    op: str
    args: tuple[Binding | Condition, ...]


class InputSpec(Struct, frozen=True):
    """An input of a graph; an optional one has a `default`."""

    name: str
    required: bool = True
    default: Any = None
    default_digest: str = ""


class NodeSpec(Struct, frozen=True, kw_only=True):
    """The definition of one node.

    Attributes
    ----------
    inputs
        Parameter name and where its value comes from, in order of the signature.
    executor
        Name of an executor, or empty for the run's own choice.
    code
        Fingerprint of the function's source and its version.
    timeout_s
        Limit of one attempt, in seconds, or None.
    parent
        Id of the container that it is a part of, or empty.
    results
        Of a nested graph: its outputs and where they come from.
    over
        Of a mapped node: the parameters whose lists it is mapped over. Retry, timeout and executor are its elements'.
    """

    node_id: str
    name: str
    kind: str = "tool"
    parent: str = ""
    results: tuple[tuple[str, Binding], ...] = ()
    over: tuple[str, ...] = ()
    inputs: tuple[tuple[str, Binding], ...] = ()
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    condition: Condition | None = None
    retry: RetryPolicy | None = None
    timeout_s: float | None = None
    executor: str = ""
    labels: tuple[str, ...] = ()
    group: str = ""
    code: str = ""

    def refs(self) -> Iterator[Ref]:
        """Yield every reference to another node's output, also those of the condition."""
        for _, binding in self.inputs:
            yield from refs(binding)
        if self.condition is not None:
            yield from refs(self.condition)

    def before(self) -> Iterator[str]:
        """Yield the ids of all nodes that come before it: by value, by order, and the container it is a part of."""
        for ref in self.refs():
            yield ref.node_id
        yield from self.after
        if self.parent:
            yield self.parent

    @classmethod
    def remembered(cls, info: NodeInfo) -> NodeSpec:
        """Return what can be said of a node that only a log knows: who it comes after, not what it does with that."""
        return cls(
            node_id=info.node_id,
            name=info.name,
            kind=info.kind,
            parent=info.parent,
            outputs=info.outputs,
            after=tuple(dict.fromkeys((*info.needs, *info.after))),
            labels=info.labels,
            group=info.group,
        )

    def fingerprint(self) -> str:
        """Return what the node computes as 16 hex digits; retry, labels, group and executor do not count."""
        return _digest(
            [
                self.node_id,
                self.kind,
                self.code,
                [(name, _canonical(binding)) for name, binding in self.inputs],
                list(self.outputs),
                sorted(self.after),
                _canonical(self.condition) if self.condition else None,
                *([[(name, _canonical(binding)) for name, binding in self.results]] if self.results else ()),
                *self.over,
            ]
        )

    def info(self, default_retry: RetryPolicy, *, fingerprint: str | None = None) -> NodeInfo:
        """Return what the log keeps of the definition; `fingerprint` replaces the node's own."""
        retry = RetryPolicy() if self.kind in CONTAINERS else self.retry or default_retry
        return NodeInfo(
            node_id=self.node_id,
            name=self.name,
            kind=self.kind,
            needs=tuple(dict.fromkeys(ref.node_id for ref in self.refs())),
            after=self.after,
            outputs=self.outputs,
            labels=self.labels,
            group=self.group,
            parent=self.parent,
            max_attempts=retry.max_attempts,
            conditional=self.condition is not None,
            fingerprint=self.fingerprint() if fingerprint is None else fingerprint,
        )


class GraphSpec(Struct, frozen=True, kw_only=True):
    """The definition of a graph; nodes in order of definition, which is also the order in which they start.

    `body` is the id of the one node that is a running function, whose outputs are the graph's; empty otherwise.
    """

    name: str
    body: str = ""
    version: str = "1"
    inputs: tuple[InputSpec, ...] = ()
    outputs: tuple[tuple[str, Binding], ...] = ()
    nodes: tuple[NodeSpec, ...] = ()

    def fingerprint(self, nodes: Sequence[str] | None = None) -> str:
        """Return the identity of what the graph computes, as 16 hex digits. O(nodes + edges).

        `nodes` are the fingerprints of its nodes in order, where they are known already.
        """
        return _digest(
            [
                self.name,
                self.version,
                [(each.name, each.required, each.default_digest) for each in self.inputs],
                [(name, _canonical(binding)) for name, binding in self.outputs],
                list(nodes) if nodes is not None else [node.fingerprint() for node in self.nodes],
            ]
        )


def refs(value: Binding | Condition) -> Iterator[Ref]:
    """Yield every reference inside a binding or condition, in order."""
    match value:
        case Ref():
            yield value
        case Arg() | Literal():
            return
        case Many():
            for _, item in value.items:
                yield from refs(item)
        case Condition():
            for arg in value.args:
                yield from refs(arg)
        case _:
            assert_never(value)


def args(value: Binding | Condition) -> Iterator[Arg]:
    """Yield every graph input inside a binding or condition."""
    match value:
        case Arg():
            yield value
        case Many():
            for _, item in value.items:
                yield from args(item)
        case Condition():
            for each in value.args:
                yield from args(each)


def resolve(binding: Binding, values: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Any]) -> Any:
    """Return the value that `binding` stands for.

    Parameters
    ----------
    values
        Outputs by node id; a node that is not there was skipped, and its outputs are None.
    inputs
        The run's inputs by name.
    """
    match binding:
        case Ref():
            outputs = values.get(binding.node_id)
            return None if outputs is None else outputs[binding.output]
        case Arg():
            return inputs[binding.name]
        case Literal():
            return binding.value
        case Many():
            if binding.shape == "dict":
                return {key: resolve(item, values, inputs) for key, item in binding.items}
            items = [resolve(item, values, inputs) for _, item in binding.items]
            return tuple(items) if binding.shape == "tuple" else items
        case _:
            assert_never(binding)


def holds(condition: Condition, values: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Any]) -> bool:  # noqa: PLR0911 (one return per operator)
    """Tell whether `condition` is true of these values; arguments as in `resolve`. Comparisons may raise."""

    def operand(arg: Binding | Condition) -> Any:
        return holds(arg, values, inputs) if isinstance(arg, Condition) else resolve(arg, values, inputs)

    match condition.op:
        case "and":
            return all(bool(operand(arg)) for arg in condition.args)
        case "or":
            return any(bool(operand(arg)) for arg in condition.args)
        case "not" | "falsy":
            return not operand(condition.args[0])
        case "truthy":
            return bool(operand(condition.args[0]))
    left, right = (operand(arg) for arg in condition.args)
    match condition.op:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "lt":
            return bool(left < right)
        case "le":
            return bool(left <= right)
        case "gt":
            return bool(left > right)
        case "ge":
            return bool(left >= right)
        case "in":
            return bool(left in right)
        case _:
            return bool(left not in right)


def validate(spec: GraphSpec) -> None:
    """Check that `spec` can run. O(nodes + edges).

    Raises
    ------
    GraphValidationError
        An id is used twice or is no name, a reference leads nowhere, or there is a cycle; the message names the path.
    """
    by_id = {node.node_id: node for node in spec.nodes}
    if len(by_id) != len(spec.nodes):
        twice = next(name for name, n in Counter(node.node_id for node in spec.nodes).items() if n > 1)
        raise GraphValidationError(
            f"graph {spec.name!r} has two nodes with the id {twice!r}",
            code="graph_duplicate_node_id",
            hints=("give each node its own _id, or leave _id out",),
        )
    for text in (spec.name, *by_id, *(each.name for each in spec.inputs), *(name for name, _ in spec.outputs)):
        if not is_name(text):
            raise GraphValidationError(
                f"{text!r} cannot be a name: 1 to 200 characters, no control characters",
                code="graph_invalid_name",
                hints=("ids of parts are container/part, and count as a whole",),
            )
    for node in spec.nodes:
        for ref in node.refs():
            _check_ref(spec, by_id, ref, f"node {node.node_id!r}")
        for earlier in node.after:
            if earlier not in by_id:
                raise _dangling(spec, f"node {node.node_id!r} is to run after", earlier, by_id)
        for _, binding in node.results:
            for ref in refs(binding):
                _check_ref(spec, by_id, ref, f"node {node.node_id!r}")
    for name, binding in spec.outputs:
        for ref in refs(binding):
            _check_ref(spec, by_id, ref, f"output {name!r}")
    cycle = find_cycle({node.node_id: list(node.before()) for node in spec.nodes})
    if cycle:
        raise GraphValidationError(
            f"graph {spec.name!r} has a cycle: {' → '.join(cycle)}",
            code="graph_cycle",
            hints=("each node can only use what nodes before it give; break the cycle at one of these edges",),
        )


def closest(word: str, known: Iterator[str] | list[str] | tuple[str, ...] | dict[str, Any]) -> str:
    """Return ``did you mean 'x'?`` for the known name most like `word`, whatever its case, or an empty string."""
    import difflib  # noqa: PLC0415 (only for messages, and slow to import)

    by_letters = {each.lower(): each for each in reversed(list(known))}
    found = difflib.get_close_matches(word.lower(), by_letters, n=1, cutoff=0.6)
    return f"did you mean {by_letters[found[0]]!r}?" if found else ""


def _check_ref(spec: GraphSpec, by_id: dict[str, NodeSpec], ref: Ref, who: str) -> None:
    node = by_id.get(ref.node_id)
    if node is None:
        raise _dangling(spec, f"{who} uses", ref.node_id, by_id)
    if ref.output not in node.outputs:
        raise GraphValidationError(
            f"{who} uses output {ref.output!r} of {ref.node_id!r}, which has: {', '.join(node.outputs) or 'none'}",
            code="graph_dangling_reference",
            hints=tuple(filter(None, (closest(ref.output, node.outputs),))),
        )


def _dangling(spec: GraphSpec, what: str, missing: str, by_id: dict[str, NodeSpec]) -> GraphValidationError:
    hint = closest(missing, by_id) or f"graph {spec.name!r} has: {', '.join(list(by_id)[:8])}"
    return GraphValidationError(
        f"{what} {missing!r}, and there is no such node", code="graph_dangling_reference", hints=(hint,)
    )


def _canonical(value: Binding | Condition) -> Any:
    match value:
        case Ref():
            return ["ref", value.node_id, value.output]
        case Arg():
            return ["arg", value.name]
        case Literal():
            return ["literal", value.digest]
        case Many():
            return [value.shape, [[repr(key), _canonical(item)] for key, item in value.items]]
        case Condition():
            return [value.op, [_canonical(arg) for arg in value.args]]
        case _:
            assert_never(value)


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]
