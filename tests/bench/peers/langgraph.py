"""LangGraph: a compiled `StateGraph` whose nodes write nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from langgraph.graph import END, START, StateGraph

from tests.bench import nodes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape


class State(TypedDict):
    """What nodes share: nothing is written to it."""

    x: int


async def nothing(state: State) -> None:
    await nodes.nothing()


class LangGraph:
    """Its own async runner, without a checkpointer."""

    name = "LangGraph"
    package = "langgraph"
    how = "`StateGraph.compile().ainvoke`, no checkpointer, async nodes that write nothing"
    lacks = "events and observers, unless streamed; values from node to node; nodes wait for their whole superstep"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        builder = StateGraph(State)
        for i, needs in enumerate(shape.needs):
            builder.add_node(f"n{i}", nothing)
            if len(needs) > 1:
                builder.add_edge([f"n{each}" for each in needs], f"n{i}")
            else:
                builder.add_edge(f"n{needs[0]}" if needs else START, f"n{i}")
        for i in shape.ends:
            builder.add_edge(f"n{i}", END)
        compiled = builder.compile()
        config = {"recursion_limit": shape.n + 10}
        return lambda: runner.run(compiled.ainvoke({"x": 1}, config))


CONTENDERS = (LangGraph(),)
