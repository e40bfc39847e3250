"""This engine: a graph made with its builder, run in memory with an observer attached."""

from __future__ import annotations

import itertools
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb import PostgresStore, SqliteStore, TaskGraph, graph, run_async, tool
from tests.bench import nodes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import RunState
    from graphrun_nb.protocols import Signal
    from tests.bench.shapes import Shape

nothing = tool(outputs=["x"])(nodes.nothing)
nothing_here = tool(outputs=["x"])(nodes.nothing_here)


class Watching:
    """An observer that looks at nothing."""

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None: ...

    def on_signal(self, signal: Signal) -> None: ...


def build(shape: Shape, node: Callable = nothing) -> TaskGraph:
    """Give the graph of `shape`, each node a call of the tool `node`."""
    handles = []
    with graph(name=shape.name) as g:
        for needs in shape.needs:
            handles.append(node(*[handles[each] for each in needs]))
    return g.build()


class Engine:
    """This engine with a number of slots."""

    package = "graphrun-nb"
    lacks = ""

    def __init__(self, slots: int, *, on_disk: bool = False, url: str = "") -> None:
        self.name = f"graphrun_nb, {slots} slots{', PostgreSQL' if url else ', SQLite' if on_disk else ''}"
        self.how = f"`run_async(graph, max_concurrency={slots})`: all events, an observer, a context a node, values"
        self._slots = slots
        self._on_disk = on_disk or bool(url)
        self._url = url

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        built, watching = build(shape), (Watching(),)
        if not self._on_disk:
            return lambda: runner.run(run_async(built, max_concurrency=self._slots, observers=watching))
        folder = tempfile.TemporaryDirectory(prefix="graphrun-bench-")
        store = PostgresStore(self._url) if self._url else SqliteStore(Path(folder.name) / "runs.db")
        runs = (
            run_async(built, max_concurrency=self._slots, observers=watching, store=store, run_id=f"r{self._slots}-{i}")
            for i in itertools.count()
        )
        weakref.finalize(built, folder.cleanup)
        return lambda: runner.run(next(runs))
