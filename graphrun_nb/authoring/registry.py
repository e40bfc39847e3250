"""Graphs by name, so that a running node can name the one that it starts."""

from __future__ import annotations

import weakref
from typing import Any

from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphMaterializationError

_DEFINED: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_OF_MODULE: weakref.WeakValueDictionary[tuple[str, str], Any] = weakref.WeakValueDictionary()


def define(name: str, target: Any) -> None:
    """Remember `target` as the graph called `name`, instead of any earlier one, as long as somebody holds it."""
    _DEFINED[name] = target
    _OF_MODULE[module_of(target), name] = target


def module_of(target: Any) -> str:
    """Return the name of the module, or of the notebook, in which a graph is defined."""
    return target.__module__ or "__main__"


def latest(name: str) -> Any:
    """Return the graph called `name` that was defined last, or None."""
    return _DEFINED.get(name)


def redefined(name: str, module: str) -> Any:
    """Return the graph called `name` that a module, or a notebook's cells, defined last, or None."""
    return _OF_MODULE.get((module, name))


def defined(name: str) -> Any:
    """Return the graph called `name`.

    Raises
    ------
    GraphMaterializationError
        No such graph is defined in this process.
    """
    target = _DEFINED.get(name)
    if target is None:
        raise GraphMaterializationError(
            f"no graph {name!r} is defined in this process",
            code="run_async_invalid_target",
            hints=(closest(name, list(_DEFINED)) or "run the cell that defines it first",),
        )
    return target
