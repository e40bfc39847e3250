"""What stands for a value while a graph is being built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from graphrun_nb.authoring.frames import is_called_by_user, users_frame
from graphrun_nb.authoring.mistakes import OPERATIONS, attribute_refusal, refusal, shows_only
from graphrun_nb.authoring.place import place_of
from graphrun_nb.core.spec import Arg, Ref, closest
from graphrun_nb.errors import GraphAttributeError, GraphValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Owner(Protocol):
    """The graph that a handle belongs to."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether tools add to it just now, in some context."""
        ...


def _refusing(operation: str) -> Callable[..., Any]:
    def refuse(self: Unseen, *_: Any, **__: Any) -> Any:
        raise refusal(self, operation)

    refuse.__name__ = operation
    return refuse


class Unseen:
    """Something that cannot be looked at while the graph is being built.

    Every special method that would need the value raises GraphValidationError, with the user's line and what to write
    instead. Its repr is always there; ``str`` and ``format`` give it too, except in the user's own code while the graph
    is being built, where a text would be made of the handle in place of the value.
    """

    __slots__ = ("_owner",)

    _owner: Owner | None

    def __hash__(self) -> int:
        """Hash by identity."""
        return id(self)

    def __copy__(self) -> Self:
        """Return itself: what it stands for is one thing."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """Return itself, as `__copy__`."""
        return self

    def __str__(self) -> str:
        being_built = self._owner is not None and self._owner.is_open
        if being_built and is_called_by_user() and not shows_only(place_of(users_frame())):
            raise refusal(self, "__str__")
        return repr(self)

    def __format__(self, form: str) -> str:
        return format(str(self), form)


for _operation in OPERATIONS.keys() - vars(Unseen).keys():
    setattr(Unseen, _operation, _refusing(_operation))


class Handle(Unseen):
    """A value that will be there when the graph runs."""

    __slots__ = ("binding",)

    def __init__(self, binding: Ref | Arg, owner: Owner | None = None) -> None:
        self.binding = binding
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise attribute_refusal(self, name)

    def __repr__(self) -> str:
        """Name what it stands for."""
        if isinstance(self.binding, Arg):
            return f"<input {self.binding.name}>"
        return f"<{self.binding.node_id}.{self.binding.output}>"


class NodeHandle(Unseen):
    """A node of the graph being built; its outputs are ``h.out`` or ``h["out"]``, or the elements of ``a, b = h``.

    Attributes
    ----------
    node_id : str
    """

    __slots__ = ("_name", "_outputs", "node_id")

    def __init__(self, node_id: str, name: str, outputs: tuple[str, ...], owner: Owner | None = None) -> None:
        self.node_id = node_id
        self._owner = owner
        self._name = name
        self._outputs = outputs

    def __getattr__(self, output: str) -> Handle:
        if output.startswith("__") or output in NodeHandle.__slots__:
            raise AttributeError(output)
        if output.startswith("_") and output not in self._outputs:
            raise AttributeError(output)
        return self[output]

    def __getitem__(self, output: str) -> Handle:
        if output not in self._outputs:
            raise GraphAttributeError(
                f"{self._name} has no output {output!r}",
                code="tool_unknown_output",
                hints=(closest(str(output), self._outputs) or f"it declares: {', '.join(self._outputs) or 'none'}",),
            )
        return Handle(Ref(self.node_id, output), self._owner)

    def __iter__(self) -> Iterator[Handle]:
        return iter([self[output] for output in self._outputs])

    def __repr__(self) -> str:
        """Name the node."""
        return f"<node {self.node_id}>"


def owner_of(handle: Unseen) -> Owner | None:
    """Return the graph that a handle belongs to, if it is known."""
    return handle._owner  # noqa: SLF001 (an attribute of this name would hide an output)


def sole_output(node: NodeHandle) -> Handle:
    """Return the one output that a bare handle stands for.

    Raises
    ------
    GraphValidationError
        There is not exactly one.
    """
    outputs = list(iter(node))  # list(node) would ask for its length first
    if len(outputs) != 1:
        raise GraphValidationError(
            f"{node.node_id!r} has {len(outputs)} outputs, so it cannot stand for one of them",
            code="tool_ambiguous_output",
            hints=(f"choose one: {', '.join(repr(each)[1:-1] for each in outputs)}",),
        )
    return outputs[0]
