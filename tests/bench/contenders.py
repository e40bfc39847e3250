"""All contenders that are installed here, by the file they stand in."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tests.bench.engine import Engine
from tests.bench.floor import Floor, OrderedFloor
from tests.bench.peers import PEERS

if TYPE_CHECKING:
    from tests.bench.contender import Contender

SIZES = (100, 1_000, 10_000)
OWN_SIZES = (*SIZES, 100_000)
OWN = (Floor(), OrderedFloor(), Engine(4), Engine(64), Engine(4, on_disk=True), Engine(64, on_disk=True))


def installed_peers() -> tuple[list[Contender], list[str]]:
    """Return the peers, and the names of those that are not installed."""
    found: list[Contender] = []
    missing = []
    for name in PEERS:
        try:
            found += importlib.import_module(f"tests.bench.peers.{name}").CONTENDERS
        except ModuleNotFoundError:
            missing.append(name)
    return found, missing
