"""Tests that Python answers without asking what a name stands for: ``x is None``, ``isinstance(x, int)``.

A handle cannot refuse them, and they come out false for it whatever the value will be. So they are found in the source.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.place import Place, places_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def blind_tests(body: Callable[..., Any], inputs: Iterable[str]) -> list[tuple[str, Place]]:
    """Return each such test of an input in the source of `body`: the input's name, and where.

    Names that the body gives to anything else, too, are left out. O(source).
    """
    names = set(inputs)
    found = places_in(body, lambda tree: _blind(tree, names - _rebound(tree)))
    return [(name, place) for place in found for name in _tested(place.path[0]) if name in names]


def _blind(tree: ast.Module, names: set[str]) -> Iterator[tuple[ast.AST, ...]]:
    todo: list[tuple[ast.AST, ...]] = [(tree,)]
    while todo:
        path = todo.pop()
        if not names.isdisjoint(_tested(path[0])):
            yield path
        todo += [(child, *path) for child in reversed(list(ast.iter_child_nodes(path[0])))]


def _tested(node: ast.AST) -> list[str]:
    """Return the names that a test asks about without looking at their values."""
    match node:
        case ast.Compare(left=left, ops=operators, comparators=rights):
            sides = [left, *rights] if any(isinstance(each, ast.Is | ast.IsNot) for each in operators) else []
        case ast.Call(func=ast.Name(id="isinstance"), args=[value, *_]):
            sides = [value]
        case _:
            sides = []
    return [each.id for each in sides if isinstance(each, ast.Name)]


def _rebound(tree: ast.Module) -> set[str]:
    """Return the names that are assigned, or are parameters of any function but the first one, the body itself."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for function in functions[1:]:
        names |= {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    return names
