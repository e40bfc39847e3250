"""``_condition`` as data: an operator over values and refs, or a plain bool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.bindings import binding_of
from graphrun_nb.authoring.handles import Unseen
from graphrun_nb.core.spec import Condition, closest
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from graphrun_nb.authoring.handles import Owner

OPERANDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"), ("left", "right")),
    **dict.fromkeys(("truthy", "falsy", "not"), ("value",)),
    **dict.fromkeys(("and", "or"), ("args",)),
}
"""What each operator takes."""

_SIGNS = {
    "==": "eq",
    "=": "eq",
    "!=": "ne",
    "<>": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "gte": "ge",
    "lte": "le",
    "neq": "ne",
    "not in": "not_in",
    "!": "not",
    "&&": "and",
    "&": "and",
    "all": "and",
    "||": "or",
    "|": "or",
    "any": "or",
}


def condition_of(value: Any, owner: Owner | None = None) -> Condition:
    """Return a ``_condition`` as data; `owner` is the graph that its refs must belong to.

    Raises
    ------
    GraphValidationError
        It is no bool, ref or operator; or the operator is unknown or lacks its operands; code
        ``graphify_unsupported_condition_expr``.

    Examples
    --------
    >>> condition_of({"op": "gt", "left": 4, "right": 3}).op
    'gt'
    """
    if _is_bool(value):
        return Condition("truthy", (binding_of(bool(value)),))
    if isinstance(value, Unseen):
        return Condition("truthy", (binding_of(value, owner),))
    if not isinstance(value, dict):
        raise _unsupported(
            f"_condition takes a bool, a ref or a dict with an operator, not {value!r}",
            'write for example {"op": "gt", "left": node.out, "right": 3}',
        )
    op = value.get("op")
    operands = OPERANDS.get(op) if isinstance(op, str) else None
    if operands is None:
        raise _unsupported(f"_condition has no operator {op!r}", _meant(op))
    if value.keys() != {"op", *operands}:
        raise _unsupported(
            f"the operator {op!r} takes {' and '.join(operands)}, and got {_listed(value)}",
            f'write {{"op": "{op}", {", ".join(_example(each) for each in operands)}}}',
        )
    parts = [value[name] for name in operands]
    if operands == ("args",):
        parts = value["args"]
        if not isinstance(parts, (list, tuple)) or not parts:
            raise _unsupported(
                f"the operator {op!r} takes a list of tests in args, not {parts!r}",
                f'write {{"op": "{op}", "args": [first, second]}}',
            )
    return Condition(str(op), tuple(_operand(part, owner) for part in parts))


def _operand(part: Any, owner: Owner | None) -> Any:
    return condition_of(part, owner) if isinstance(part, dict) and "op" in part else binding_of(part, owner)


def _is_bool(value: Any) -> bool:
    """Tell whether it is a bool, also one of numpy's."""
    return isinstance(value, bool) or (
        not isinstance(value, Unseen) and getattr(getattr(value, "dtype", None), "kind", "") == "b" and not value.shape
    )


def _unsupported(message: str, hint: str) -> GraphValidationError:
    return GraphValidationError(message, code="graphify_unsupported_condition_expr", hints=(hint,))


def _meant(op: Any) -> str:
    if op is None:
        return f'name the operator: {{"op": …}} with one of {", ".join(OPERANDS)}'
    if str(op) in _SIGNS:
        return f'write "{_SIGNS[str(op)]}" for {op!r}'
    return closest(str(op).lower(), OPERANDS) or f"the operators are: {', '.join(OPERANDS)}"


def _listed(value: dict[Any, Any]) -> str:
    return ", ".join(sorted(repr(key) for key in value if key != "op")) or "nothing"


def _example(operand: str) -> str:
    return f'"{operand}": {"[…]" if operand == "args" else "…"}'
