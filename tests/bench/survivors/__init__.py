"""Engines that say they survive, a file each; those of others are installed by the extra `bench`.

Each runs in processes that are killed: what it does, it says in files, a line with one append.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

MODULES = ("graphrun", "langgraph", "dbos")


class Survivor(Protocol):
    """One way to run the graph of `work`, and to ask a person.

    Attributes
    ----------
    name : str
        As the table calls it.
    packages : tuple of str
        The distributions whose versions the table tells.
    how : str
        What it was told to do, in its own words.
    """

    name: str
    packages: tuple[str, ...]
    how: str

    def run(self, folder: Path, shape: str) -> list[int]:
        """Run a graph, or go on with the run that is kept in `folder`; return the values of its last layer."""
        ...

    def hold(self, folder: Path, n: int) -> None:
        """Ask `n` questions, touch `asked`, and stay for as long as answers need this process."""
        ...

    def answering(self, folder: Path) -> AbstractContextManager[Callable[[int, str], None]]:
        """Return what answers question `i` with a text from another process, and raises if that is refused."""
        ...


def survivor(module: str, no: int) -> Survivor:
    """Return one of those in a file."""
    return importlib.import_module(f"tests.bench.survivors.{module}").SURVIVORS[no]


def installed() -> tuple[list[tuple[str, int]], list[str]]:
    """Return where each that is installed stands, and the files whose packages are not there."""
    found, missing = [], []
    for module in MODULES:
        try:
            of_file = importlib.import_module(f"tests.bench.survivors.{module}").SURVIVORS
        except ModuleNotFoundError:
            missing.append(module)
        else:
            found += [(module, no) for no in range(len(of_file))]
    return found, missing
