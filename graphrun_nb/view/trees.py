"""Trees: dicts, lists and records, some levels deep and some parts wide."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import Any

from graphrun_nb.core.secrets import MASK, is_secret
from graphrun_nb.view.look import Branch, TreeLook
from graphrun_nb.view.text import clipped, preview

MAX_PARTS = 50
MAX_BRANCHES = 250
MAX_DEPTH = 6
MAX_LEAF = 200
_LISTS: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}


def tree(value: Any) -> TreeLook | None:
    """Return how a container or a record looks as a tree, or None if `value` is none or has no parts."""
    parts = _parts(value)
    return TreeLook(_Growing().branch("", value, 0)) if parts is not None and parts[2] else None


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], int] | None:
    """Return what a container is called, its first parts by key, and how many there are."""
    kind = type(value)
    if isinstance(value, dict):
        items = [(_key(key), each) for key, each in islice(value.items(), MAX_PARTS)]
        return kind.__name__, items, len(value)
    if kind in _LISTS:
        return _LISTS[kind], [(str(i), each) for i, each in enumerate(islice(value, MAX_PARTS))], len(value)
    named = _fields(value)
    if named is not None:
        return kind.__name__, list(islice(named.items(), MAX_PARTS)), len(named)
    return None


def _fields(value: Any) -> dict[str, Any] | None:
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.repr]
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        names = list(kind._fields)
    elif hasattr(kind, "__pydantic_fields__"):
        names = [name for name, field in kind.__pydantic_fields__.items() if field.repr]
    else:
        return None
    return {name: getattr(value, name, None) for name in names}


def _key(key: Any) -> str:
    return clipped(key if isinstance(key, str) else preview(key), MAX_LEAF)


class _Growing:
    def __init__(self) -> None:
        self.left = MAX_BRANCHES
        self.above: set[int] = set()

    def branch(self, key: str, value: Any, depth: int) -> Branch:
        self.left -= 1
        if key and is_secret(key):
            return Branch(key, MASK)
        parts = None if depth >= MAX_DEPTH or id(value) in self.above else _parts(value)
        if parts is None:
            return Branch(key, clipped(preview(value), MAX_LEAF))
        name, items, n = parts
        self.above.add(id(value))
        children = []
        for each_key, each in items:
            if self.left <= 0:
                break
            children.append(self.branch(each_key, each, depth + 1))
        self.above.discard(id(value))
        return Branch(key, f"{name} · {n:,}", tuple(children), n - len(children))
