"""What is measured against the floor, behind one small protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape


class Contender(Protocol):
    """One way to run a graph of no-op nodes.

    Attributes
    ----------
    name : str
        As the table calls it.
    package : str
        The distribution whose version the table tells; empty where there is none.
    how : str
        The interface that is used, and what differs in what is asked of it.
    lacks : str
        What this engine does for a node and this does not.
    """

    name: str
    package: str
    how: str
    lacks: str

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        """Build the graph of `shape` out of `nodes.nothing`, and return what runs it once, on `runner`'s loop if any.

        Raises
        ------
        CannotExpress
            There is no such graph here.
        """
        ...


class CannotExpress(Exception):
    """A contender has no way to say a shape."""
