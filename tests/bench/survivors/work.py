"""The graphs that all of them run: layers of four nodes, of mixed kinds or all of them quick.

Every node needs two of the layer above, so an engine that waits for whole layers has nothing to lose by that.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.stores.programs import note

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, DEPTH = 4, 50
KINDS = {"mixed": ("quick", "slow", "blocking", "flaky"), "quick": ("quick",)}
"""The graphs, and the kinds of nodes that take turns in each. A flaky one fails the first time."""

SLOW_S, BLOCKING_S = 0.015, 0.01
MODULUS = 1_000_003


@dataclass(frozen=True, slots=True)
class Node:
    """A node, and the names of those it needs: two, or none."""

    name: str
    kind: str
    needs: tuple[str, ...]


def layers(shape: str) -> list[list[Node]]:
    """Return the nodes of a graph, layer by layer."""
    kinds = KINDS[shape]
    names = [[f"n{layer}-{place}" for place in range(WIDTH)] for layer in range(DEPTH)]
    return [
        [
            Node(
                name,
                kinds[(layer + place) % len(kinds)],
                (names[layer - 1][place], names[layer - 1][(place + 1) % WIDTH]) if layer else (),
            )
            for place, name in enumerate(names[layer])
        ]
        for layer in range(DEPTH)
    ]


def value(a: int = 0, b: int = 0) -> int:
    return (a + b + 1) % MODULUS


def expected() -> list[int]:
    """Return the values of the last layer, which are the same for all graphs."""
    values = [value()] * WIDTH
    for _ in range(DEPTH - 1):
        values = [value(values[place], values[(place + 1) % WIDTH]) for place in range(WIDTH)]
    return values


def journal(folder: Path) -> Path:
    """Return the file in which nodes say that they began, failed and ended."""
    return folder / "journal.txt"


def begin(folder: Path, name: str, kind: str) -> None:
    """Say that a node begins; a flaky one fails the first time."""
    note(str(journal(folder)), f"began {name}")
    if kind == "flaky" and journal(folder).read_text().split("\n").count(f"began {name}") == 1:
        note(str(journal(folder)), f"failed {name}")
        raise ConnectionError("the first time")


def end(folder: Path, name: str, a: int, b: int) -> int:
    note(str(journal(folder)), f"ended {name}")
    return value(a, b)


def do(folder: Path, name: str, kind: str, a: int = 0, b: int = 0) -> int:
    """Do a node's work in a thread."""
    begin(folder, name, kind)
    if kind in {"slow", "blocking"}:
        time.sleep(SLOW_S if kind == "slow" else BLOCKING_S)
    return end(folder, name, a, b)


async def do_async(folder: Path, name: str, kind: str, a: int = 0, b: int = 0) -> int:
    """Do a node's work on a loop."""
    begin(folder, name, kind)
    if kind == "slow":
        await asyncio.sleep(SLOW_S)
    elif kind == "blocking":
        await asyncio.to_thread(time.sleep, BLOCKING_S)
    return end(folder, name, a, b)


def act(folder: Path, i: int, answer: str) -> None:
    """Do what an answer asks for."""
    note(str(folder / "acted.txt"), f"{i} {answer}")
