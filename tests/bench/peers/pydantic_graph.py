"""pydantic-graph: steps and edges of its `GraphBuilder`, with a join after each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_graph import GraphBuilder, StepContext, reduce_null

from tests.bench import nodes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape


async def nothing(context: StepContext[None, None, None]) -> None:
    await nodes.nothing()


def layers(shape: Shape) -> list[list[int]]:
    """Return the nodes by how many come before them on their longest way."""
    rank: list[int] = []
    for needs in shape.needs:
        rank.append(1 + max((rank[each] for each in needs), default=-1))
    found: list[list[int]] = [[] for _ in range(max(rank) + 1)]
    for i, each in enumerate(rank):
        found[each].append(i)
    return found


class PydanticGraph:
    """Its builder's graph; two steps of a layer are joined all together, since joins belong to one fork."""

    name = "pydantic-graph"
    package = "pydantic-graph"
    how = "`GraphBuilder` graph, `run`; async steps; a layer is a fork and one join (coarser than the shape)"
    lacks = "values over joins, events, observers, contexts, a bound on what runs at once"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        builder = GraphBuilder(output_type=None.__class__)
        before = builder.start_node
        for no, layer in enumerate(layers(shape)):
            steps = [builder.step(nothing, node_id=f"n{i}") for i in layer]
            builder.add(builder.edge_from(before).to(*steps))
            before = steps[0]
            if len(steps) > 1:
                before = builder.join(reduce_null, initial=None, node_id=f"join{no}")
                builder.add(builder.edge_from(*steps).to(before))
        builder.add(builder.edge_from(before).to(builder.end_node))
        built = builder.build()
        return lambda: runner.run(built.run())


CONTENDERS = (PydanticGraph(),)
