"""A graph's definition as plain text for people."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, assert_never

from graphrun_nb.authoring.edges import without_elements
from graphrun_nb.core.events import CONTAINERS
from graphrun_nb.core.spec import Arg, Binding, Condition, Literal, Many, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphrun_nb.core.policy import RetryPolicy
    from graphrun_nb.core.spec import GraphSpec, NodeSpec
    from graphrun_nb.core.state import RunState

MAX_CELL = 60

_SIGNS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "in": "in",
    "not_in": "not in",
    "and": "and",
    "or": "or",
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 40


def source_text(binding: Binding) -> str:
    """Return where a value comes from: ``node.output``, ``input x``, or the repr of a plain value.

    Examples
    --------
    >>> source_text(Many("list", ((None, Ref("load", "rows")), (None, Arg("limit")), (None, Literal("a", "")))))
    "[load.rows, input limit, 'a']"
    """
    match binding:
        case Ref():
            return f"{binding.node_id}.{binding.output}"
        case Arg():
            return f"input {binding.name}"
        case Literal():
            return _SHORT.repr(binding.value)
        case Many():
            if binding.shape == "dict":
                return f"{{{', '.join(f'{key!r}: {source_text(item)}' for key, item in binding.items)}}}"
            inside = ", ".join(source_text(item) for _, item in binding.items)
            if binding.shape == "tuple":
                return f"({inside},)" if len(binding.items) == 1 else f"({inside})"
            return f"[{inside}]"
        case _:
            assert_never(binding)


def condition_text(condition: Condition) -> str:
    """Return a condition as people write it in Python.

    Examples
    --------
    >>> more = Condition("gt", (Ref("load", "rows"), Literal(3, "")))
    >>> condition_text(Condition("and", (more, Condition("not", (Ref("load", "empty"),)))))
    'load.rows > 3 and not load.empty'
    """
    parts = [_operand(each) for each in condition.args]
    match condition.op:
        case "truthy":
            return parts[0]
        case "not" | "falsy":
            return f"not {parts[0]}"
    return f" {_SIGNS[condition.op]} ".join(parts)


def signature_of_io(spec: GraphSpec) -> dict[str, Any]:
    """Return a graph's inputs and outputs; see `TaskGraph.io_signature`."""
    return {
        "inputs": {
            "required": [each.name for each in spec.inputs if each.required],
            "optional": {each.name: each.default for each in spec.inputs if not each.required},
        },
        "outputs": {name: source_text(binding) for name, binding in spec.outputs},
    }


def pretty(spec: GraphSpec, nodes: Mapping[str, NodeSpec], state: RunState) -> str:
    """Return the definition, and what has become of it, as text; see `TaskGraph.pretty`."""
    ran = bool(state.seq)
    shown, n_elements = without_elements(nodes)
    rows = [_row(node, n_elements[node_id], state if ran else None) for node_id, node in shown.items()]
    inputs = [each.name if each.required else f"{each.name}=…" for each in spec.inputs]
    head = f"{spec.name}({', '.join(inputs)}), {len(rows)} node{'s' if len(rows) != 1 else ''}"
    outputs = [f"{name} = {source_text(binding)}" for name, binding in spec.outputs]
    return "\n".join(
        [
            f"{head}, {state.status.lower()}" if ran else head,
            *_table(("node", "needs", "after", "when", "labels", "retry", "status"), rows),
            *([f"outputs: {', '.join(outputs)}"] if outputs else []),
        ]
    )


def _operand(part: Binding | Condition) -> str:
    if not isinstance(part, Condition):
        return source_text(part)
    return condition_text(part) if part.op in ("truthy", "not", "falsy") else _grouped(part)


def _grouped(condition: Condition) -> str:
    text = condition_text(condition)
    return f"({text})" if condition.op in ("and", "or") else text


def _row(node: NodeSpec, n_elements: int, state: RunState | None) -> tuple[str, ...]:
    depth = 0 if not node.parent else node.parent.count("/") + 1
    kind = f" [{node.kind}{f' of {n_elements}' if n_elements else ''}]" if node.kind in CONTAINERS else ""
    is_own = node.node_id == node.name or node.node_id.endswith(f"/{node.name}")
    label = node.node_id if is_own else f"{node.node_id} ({node.name})"
    needs = dict.fromkeys(f"{ref.node_id}.{ref.output}" for ref in node.refs())
    return (
        f"{'  ' * depth}{label}{kind}",
        ", ".join(needs),
        ", ".join(node.after),
        "" if node.condition is None else condition_text(node.condition),
        " ".join(f"#{label}" for label in node.labels),
        _retry(node.retry),
        "" if state is None else state.nodes[node.node_id].status.lower(),
    )


def _retry(retry: RetryPolicy | None) -> str:
    return "" if retry is None else f"{retry.max_attempts} attempt{'s' if retry.max_attempts != 1 else ''}"


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows under titles, without the columns that are empty throughout."""
    cells = [tuple(_cut(cell) for cell in row) for row in rows]
    shown = [i for i in range(len(titles)) if i == 0 or any(row[i] for row in cells)]
    lines = [titles, *cells] if cells else []
    widths = {i: max(len(line[i]) for line in lines) for i in shown} if lines else {}
    return [f"  {'  '.join(line[i].ljust(widths[i]) for i in shown)}".rstrip() for line in lines]


def _cut(cell: str) -> str:
    return cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 1]}…"
