"""What stands for a value while a graph is being built."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from graphrun_nb.core.spec import Arg, Binding, Literal, Many, Ref, closest
from graphrun_nb.errors import GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handle:
    """A value that will be there when the graph runs; it cannot be looked at while the graph is being built."""

    __slots__ = ("binding",)

    def __init__(self, binding: Ref | Arg) -> None:
        self.binding = binding

    def __repr__(self) -> str:
        """Name what it stands for."""
        if isinstance(self.binding, Arg):
            return f"<input {self.binding.name}>"
        return f"<{self.binding.node_id}.{self.binding.output}>"

    def _refuse(self, what: str) -> NoReturn:
        frame = sys._getframe(2)  # noqa: SLF001 (the caller's line is the message)
        raise GraphValidationError(
            f"line {frame.f_lineno} of {frame.f_code.co_name}: {what} {self!r}, whose value is not known before the "
            "graph runs",
            code="graphify_control_flow_non_deterministic",
            hints=("branch with _condition=..., loop with tool.map(...), or do it inside a tool",),
        )

    def __bool__(self) -> bool:  # noqa: PLE0304 (it only raises)
        """Refuse: a branch would be decided before the value exists."""
        self._refuse("a branch on")

    def __len__(self) -> int:  # noqa: PLE0303 (it only raises)
        """Refuse: the length is not known yet."""
        self._refuse("len() of")

    def __iter__(self) -> Iterator[Any]:
        """Refuse: the elements are not known yet."""
        self._refuse("a loop over")

    def __eq__(self, other: object) -> bool:
        """Refuse: a comparison would be decided before the value exists."""
        self._refuse("a comparison of")

    def __lt__(self, other: object) -> bool:
        """Refuse: a comparison would be decided before the value exists."""
        self._refuse("a comparison of")

    __gt__ = __le__ = __ge__ = __lt__

    def __hash__(self) -> int:
        """Hash by identity."""
        return id(self)


class NodeHandle:
    """A node of the graph being built; its outputs are ``h.out`` or ``h["out"]``, or the elements of ``a, b = h``.

    Attributes
    ----------
    node_id : str
    """

    __slots__ = ("_name", "_outputs", "node_id")

    def __init__(self, node_id: str, name: str, outputs: tuple[str, ...]) -> None:
        self.node_id = node_id
        self._name = name
        self._outputs = outputs

    def __getattr__(self, output: str) -> Handle:
        if output.startswith("__"):
            raise AttributeError(output)
        return self[output]

    def __getitem__(self, output: str) -> Handle:
        if output not in self._outputs:
            hint = closest(output, self._outputs) or f"it declares: {', '.join(self._outputs) or 'none'}"
            raise GraphValidationError(
                f"{self._name} has no output {output!r}", code="tool_unknown_output", hints=(hint,)
            )
        return Handle(Ref(self.node_id, output))

    def __iter__(self) -> Iterator[Handle]:
        return iter([self[output] for output in self._outputs])

    def __repr__(self) -> str:
        return f"<node {self.node_id}>"

    def sole(self) -> Handle:
        """Return the one output that the bare handle stands for.

        Raises
        ------
        GraphValidationError
            There is not exactly one.
        """
        if len(self._outputs) != 1:
            raise GraphValidationError(
                f"{self.node_id!r} has {len(self._outputs)} outputs, so it cannot stand for one of them",
                code="tool_ambiguous_output",
                hints=(f"choose one: {', '.join(f'{self.node_id}.{output}' for output in self._outputs)}",),
            )
        return self[self._outputs[0]]


def binding_of(value: Any) -> Binding:
    """Return where the value of an argument comes from. O(size of nested lists, tuples and dicts)."""
    if isinstance(value, Handle):
        return value.binding
    if isinstance(value, NodeHandle):
        return value.sole().binding
    if isinstance(value, (list, tuple, dict)) and _has_handle(value):
        if isinstance(value, dict):
            return Many("dict", tuple((key, binding_of(item)) for key, item in value.items()))
        shape = "tuple" if isinstance(value, tuple) else "list"
        return Many(shape, tuple((None, binding_of(item)) for item in value))
    return Literal(value, literal_digest(value))


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
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _has_handle(value: Any) -> bool:
    if isinstance(value, (Handle, NodeHandle)):
        return True
    if isinstance(value, dict):
        return any(map(_has_handle, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_handle, value))
