"""``each(...)``: says which arguments of ``tool.map(...)`` are lists to go through element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Each:
    """An argument that a mapped node takes one element of at a time."""

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values = values


def each(values: Any) -> Each:
    """Mark an argument of ``tool.map(...)`` as a list to map over; several are zipped and must be equally long.

    Examples
    --------
    >>> from graphrun_nb import graph, run, tool
    >>> @tool(outputs=["total"])
    ... def add(a, b):
    ...     return a + b
    >>> with graph(name="pairs") as g:
    ...     g.expose("totals", add.map(a=each([1, 2]), b=each([10, 20])).total)
    >>> run(g).result()
    {'totals': [11, 22]}
    """
    return Each(values)


def spread(tool: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the arguments without their marks, and the names of those to map over: the first if none is marked.

    Raises
    ------
    GraphValidationError
        There is nothing to map over.
    """
    over = tuple(name for name, value in arguments.items() if isinstance(value, Each)) or tuple(arguments)[:1]
    if not over:
        raise GraphValidationError(
            f"{tool}.map() needs a list to map over",
            code="tool_map_over_nothing",
            hints=("pass it by name: x=items.out",),
        )
    plain = {name: value.values if isinstance(value, Each) else value for name, value in arguments.items()}
    return plain, over
