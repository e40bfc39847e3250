"""AetherGraph: a task graph of tools in its own runner, in a workspace that is thrown away, saving nothing."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from aethergraph import TaskGraph, tool
from aethergraph.core.graph.graph_builder import graph
from aethergraph.core.runtime.graph_runner import run_async
from aethergraph.core.runtime.runtime_services import install_services
from aethergraph.services.container.default_container import build_default_container

from tests.bench import nodes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape

_WORKSPACE = tempfile.TemporaryDirectory()


@tool(outputs=["x"])
async def nothing(a: object = None, b: object = None) -> dict:
    return {"x": await nodes.nothing(a, b)}


class AetherGraph:
    """Its runner without a state store, which it takes as a run that is not to be taken up again."""

    name = "AetherGraph"
    package = "aethergraph"
    how = "`run_async` of a `TaskGraph`, no state store, `max_concurrency=64`; async tools"
    lacks = "values kept for a later run; its own event log, in SQLite, is part of the figure"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        services = build_default_container(root=_WORKSPACE.name)
        services.state_store = None
        install_services(services)
        with graph(name=shape.name) as g:
            handles = []
            for needs in shape.needs:
                given = dict(zip("ab", [handles[each].x for each in needs], strict=False))
                handles.append(nothing(**given))
        spec = g.spec
        return lambda: runner.run(run_async(TaskGraph.from_spec(spec=spec), {}, max_concurrency=64))


CONTENDERS = (AetherGraph(),)
