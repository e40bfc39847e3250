"""What a user's expression looks like in words that a graph understands, as source to be copied."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.In: "in",
    ast.NotIn: "not_in",
    ast.Is: "eq",
    ast.IsNot: "ne",
}

Loop = ast.For | ast.ListComp | ast.SetComp | ast.GeneratorExp


def as_condition(test: ast.expr) -> str:
    """Return what ``_condition=`` takes for a Python test.

    Examples
    --------
    >>> def of(source):
    ...     return as_condition(ast.parse(source, mode="eval").body)
    >>> of("h.n > 3")
    '{"op": "gt", "left": h.n, "right": 3}'
    >>> of("not h.ok")
    '{"op": "not", "value": h.ok}'
    >>> of("0 < h.n and bool(h.ok)")
    '{"op": "and", "args": [{"op": "lt", "left": 0, "right": h.n}, h.ok]}'
    """
    match test:
        case ast.Compare(ops=[operator]):
            return _compared(test.left, operator, test.comparators[0])
        case ast.Compare():
            lefts = [test.left, *test.comparators[:-1]]
            return _joined("and", [_compared(*each) for each in zip(lefts, test.ops, test.comparators, strict=True)])
        case ast.BoolOp():
            return _joined("and" if isinstance(test.op, ast.And) else "or", map(as_condition, test.values))
        case ast.UnaryOp(op=ast.Not()):
            return f'{{"op": "not", "value": {as_condition(test.operand)}}}'
        case ast.Call(func=ast.Name(id="bool"), args=[value]):
            return as_condition(value)
    return ast.unparse(test)


def as_map(loop: Loop) -> str:
    """Return the mapped call that does what `loop` does with each element, or an empty string.

    Examples
    --------
    >>> as_map(ast.parse("[scale(x=each, by=2) for each in h.items]", mode="eval").body)
    'scale.map(x=h.items, by=2)'
    """
    target, source = _target_and_source(loop)
    if not isinstance(target, ast.Name):
        return ""
    for call in _calls(loop):
        arguments = [("", each) for each in call.args] + [(each.arg or "**", each.value) for each in call.keywords]
        uses = [isinstance(value, ast.Name) and value.id == target.id for _, value in arguments]
        if not any(uses):
            continue
        marked = uses != [True] + [False] * (len(uses) - 1)
        parts = []
        for (name, value), is_element in zip(arguments, uses, strict=True):
            text = ast.unparse(source if is_element else value)
            text = f"each({text})" if is_element and marked else text
            parts.append(f"{name}={text}" if name and name != "**" else f"{name}{text}")
        return f"{ast.unparse(call.func)}.map({', '.join(parts)})"
    return ""


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
    sides = f'"left": {as_condition(left)}, "right": {as_condition(right)}'
    return f'{{"op": "{OPERATORS[type(operator)]}", {sides}}}'


def _joined(operator: str, parts: Iterator[str] | list[str] | map[str]) -> str:
    return f'{{"op": "{operator}", "args": [{", ".join(parts)}]}}'


def _target_and_source(loop: Loop) -> tuple[ast.expr, ast.expr]:
    holder = loop if isinstance(loop, ast.For) else loop.generators[0]
    return holder.target, holder.iter


def _calls(loop: Loop) -> Iterator[ast.Call]:
    """Yield the calls for each element that can be tools."""
    body: list[ast.stmt] | list[ast.expr] = loop.body if isinstance(loop, ast.For) else [loop.elt]
    for each in body:
        for node in ast.walk(each):
            if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id)):
                yield node
