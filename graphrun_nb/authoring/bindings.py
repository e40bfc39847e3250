"""Where the values of arguments and outputs come from: handles as data, and plain values as they are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.frames import users_frame
from graphrun_nb.authoring.handles import Handle, NodeHandle, Unseen, owner_of, sole_output
from graphrun_nb.authoring.place import place_of
from graphrun_nb.core.spec import Binding, Literal, Many
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.authoring.handles import Owner


def binding_of(value: Any, owner: Owner | None = None) -> Binding:
    """Return where the value of an argument comes from. O(size of nested lists, tuples and dicts).

    Raises
    ------
    GraphValidationError
        A handle belongs to another graph than `owner`, is the key of a dict, or stands in a set; or the value is nested
        too deeply to be looked through, or contains itself.
    """
    try:
        return _binding_of(value, owner)
    except RecursionError:
        raise GraphValidationError(
            f"a {type(value).__name__} that is nested too deeply, or contains itself, cannot be an argument",
            code="tool_bad_argument",
            hints=("let a tool make it, or pass it inside an object of a class of your own: that is not looked into",),
        ) from None


def _binding_of(value: Any, owner: Owner | None) -> Binding:
    if isinstance(value, Handle):
        check_owner(value, owner)
        return value.binding
    if isinstance(value, NodeHandle):
        check_owner(value, owner)
        return sole_output(value).binding
    if isinstance(value, (list, tuple, dict)) and _has_handle(value):
        if isinstance(value, dict):
            _refuse_inside(value, "the key of a dict")
            return Many("dict", tuple((key, _binding_of(item, owner)) for key, item in value.items()))
        shape = "tuple" if isinstance(value, tuple) else "list"
        return Many(shape, tuple((None, _binding_of(item, owner)) for item in value))
    if isinstance(value, (set, frozenset)):
        _refuse_inside(value, "an element of a set")
    return Literal(value, literal_digest(value))


def check_owner(handle: Unseen, owner: Owner | None) -> None:
    """Check that `handle` belongs to `owner`, the graph in which it is used.

    Raises
    ------
    GraphValidationError
        It belongs to another graph, or to an earlier build of the same; code ``graph_foreign_handle``.
    """
    home = owner_of(handle)
    if home is None or owner is None or home is owner:
        return
    ours, theirs = owner.name, home.name
    where = f"graph {theirs!r}" if ours != theirs else "an earlier build of the same graph"
    raise GraphValidationError(
        f"{handle!r} belongs to {where}, and is used in graph {ours!r}",
        code="graph_foreign_handle",
        hints=(f"give {ours!r} an input for it, or call the tool in {ours!r} itself",),
    )


def refuse_strays(arguments: Iterable[Any]) -> None:
    """Check that no argument of a plain call is a handle.

    Raises
    ------
    GraphValidationError
        One is, and there is no value behind it here; code ``graph_not_building``.
    """
    for value in arguments:
        if isinstance(value, Unseen):
            home = owner_of(value)
            where = f" inside graph {home.name!r}" if home is not None else ""
            error = GraphValidationError(
                f"{value!r} stands for a value{where}, and no graph is being built here",
                code="graph_not_building",
                hints=("make it an output of the graph, run the graph, and take the value from what the run gives",),
            )
            error.locate(str(place_of(users_frame())))
            raise error


def literal_digest(value: Any) -> str:
    """Return what stands for a plain value in fingerprints; equal for equal values, in every process."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}[{','.join(map(literal_digest, value))}]"
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}[{','.join(sorted(map(literal_digest, value)))}]"
    if isinstance(value, dict):
        return "dict{" + ",".join(f"{literal_digest(k)}={literal_digest(v)}" for k, v in value.items()) + "}"
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        import hashlib  # noqa: PLC0415 (only for arrays)

        return f"array:{value.dtype}:{getattr(value, 'shape', ())}:{hashlib.sha256(value.tobytes()).hexdigest()}"
    return f"{type(value).__module__}.{type(value).__qualname__}{_told(value)}"


def _told(value: Any) -> str:
    """Return what an object says of itself, if that is the same in every process."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return literal_digest({each.name: getattr(value, each.name) for each in dataclasses.fields(value)})
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 (a user's __repr__ may do anything)
        return ""
    return "" if " at 0x" in text else f":{text}"


def _has_handle(value: Any) -> bool:
    if isinstance(value, Unseen):
        return True
    if isinstance(value, dict):
        return any(map(_has_handle, value)) or any(map(_has_handle, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_handle, value))


def _refuse_inside(values: Iterable[Any], what: str) -> None:
    for value in values:
        if isinstance(value, Unseen):
            raise GraphValidationError(
                f"{value!r} is {what}, where no value can take its place",
                code="tool_bad_argument",
                hints=("handles stand as arguments, and inside lists, tuples and the values of dicts",),
            )
