"""Graphs whose nodes print, and what became of it."""

from __future__ import annotations

from graphrun_nb import graph, run, tool


def texts(node, *streams):
    return [line.text for line in node.logs if not streams or line.stream in streams]


def nodes(**functions):
    """Make a graph of nodes that do not depend on one another, one for each function."""
    with graph(name="g") as g:
        for node_id, function in functions.items():
            tool(outputs=["x"])(function)(_id=node_id)
    return g.build()


async def logs_of(function, **overrides):
    """Run a function as the node `n`, and return the node."""
    future = run(nodes(n=function), **overrides)
    await future
    return future.node("n")


class Listening:
    """An observer that keeps what it hears."""

    def __init__(self):
        self.heard = []

    def on_events(self, batch, state): ...

    def on_signal(self, signal):
        self.heard.append(signal)
