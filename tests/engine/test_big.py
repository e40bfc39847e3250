"""Big graphs, big values, many events: everything that people do with small ones, without recursion or long rows."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from graphrun_nb import GraphRunFailed, SqliteStore, graph, run, run_async, tool
from graphrun_nb.core.events import AttemptStarted
from graphrun_nb.core.state import fold
from graphrun_nb.view.export import to_svg
from graphrun_nb.view.text import MAX_PREVIEW, table

N = 10_000
MAX_ROW = 64 * 1024


@tool(outputs=["x"])
async def add(x=0):
    return x + 1


def chain(n):
    with graph(name="chain") as g:
        value = add(_id="n0").x
        for i in range(1, n):
            value = add(x=value, _id=f"n{i}").x
        g.expose("y", value)
    return g.build()


def wide(n):
    with graph(name="wide") as g:
        g.expose("y", [add(x=i, _id=f"n{i}").x for i in range(n)])
    return g.build()


@pytest.mark.parametrize("shape", [chain, wide])
async def test_a_chain_and_a_wide_graph_of_10_000_nodes_do_all_that_small_ones_do(shape):
    built = shape(N)
    future = run(built)
    outputs = await future

    assert outputs == {"y": N} if shape is chain else outputs == {"y": list(range(1, N + 1))}
    assert built.fingerprint() == shape(N).fingerprint()
    assert built.pretty().count(f"n{N - 1}") >= 1
    assert built.to_dot().count("->") == (N - 1 if shape is chain else 0)
    assert len(built.to_networkx().nodes) == N
    assert not built.diff(shape(N)).changed
    assert len(built.topological_order()) == N
    assert len(future.graph.nodes) == N
    assert future.node(f"n{N - 1}").outputs == {"x": N}
    state = fold(future.run_id, future.events)
    assert state.digest() == future.run.state.digest()
    assert to_svg(state).startswith("<svg")
    assert table(state).endswith(f"and {N} more nodes")


async def test_100_000_nodes_run_to_their_end():
    future = run(chain(100_000), max_concurrency=64)
    assert await future == {"y": 100_000}
    assert len(future.events) == 200_003


async def test_a_failure_at_the_top_of_a_long_chain_skips_all_of_it():
    @tool(outputs=["x"])
    async def fails():
        raise ValueError("at once")

    with graph(name="long") as g:
        value = fails(_id="first").x
        for i in range(N):
            value = add(x=value, _id=f"n{i}").x
    future = run(g.build())
    with pytest.raises(GraphRunFailed):
        await future
    assert {each.status for each in future.graph.nodes[1:]} == {"SKIPPED"}


async def test_an_output_of_100_mb_is_passed_on_as_it_is_and_told_in_4_kb():
    huge = b"x" * 100_000_000

    @tool(outputs=["data"])
    async def make():
        return huge

    @tool(outputs=["same"])
    async def take(data):
        return data is huge

    with graph(name="huge") as g:
        g.expose("same", take(make(_id="make").data).same)
    future = run(g.build())
    assert await future == {"same": True}
    assert len(future.run.secrets.preview(future.node("make").outputs["data"]).encode()) <= MAX_PREVIEW
    assert max(len(msgspec.json.encode(each.event)) for each in future.events) < MAX_ROW


async def test_10_000_transitions_of_one_node_are_told_and_folded():
    @tool(outputs=["x"])
    async def counts(context):
        for i in range(2_500):
            await context.wait("text", prompt=str(i), deadline=0, on_deadline="default", default="")
        return 1

    future = run(counts_alone(counts))
    await asyncio.wait_for(future, 60)
    assert len(future.events) > 5_000
    assert fold(future.run_id, future.events).digest() == future.run.state.digest()


def counts_alone(node):
    with graph(name="alone") as g:
        g.expose("x", node(_id="counts").x)
    return g.build()


class HalfWay:
    """Cancels its run there."""

    future = None

    def on_events(self, batch, state):
        if state.seq > N and self.future is not None:
            self.future.cancel()
            self.future = None

    def on_signal(self, signal): ...


async def test_a_run_of_10_000_nodes_that_was_left_half_way_goes_on(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    built = wide(N)
    half_way = HalfWay()
    future = half_way.future = run(built, run_id="r", store=store, observers=[half_way], max_concurrency=64)
    with pytest.raises(asyncio.CancelledError):
        await future
    n_done = sum(each.status == "DONE" for each in future.graph.nodes)
    assert await run_async(built, run_id="r", store=store) == {"y": list(range(1, N + 1))}
    started = [each.event for each in store.read("r") if type(each.event) is AttemptStarted]
    assert len(started) <= N + 64
    assert 0 < n_done < N
    store.close()
