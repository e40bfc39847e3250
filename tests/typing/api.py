"""What type checkers see of the public names; checked by mypy, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from networkx import DiGraph

from graphrun_nb import (
    Continuation,
    GraphFunction,
    GraphSpec,
    NodeHandle,
    NodeStatus,
    RetryPolicy,
    RunFuture,
    RunStatus,
    TaskGraph,
    each,
    fork,
    graph,
    graph_fn,
    graphify,
    list_runs,
    run,
    run_async,
    tool,
)
from graphrun_nb.authoring.graph_diff import GraphDiff

if TYPE_CHECKING:
    from concurrent.futures import Future


@tool(outputs=["total"])
def add(a: int, b: int) -> dict[str, int]:
    return {"total": a + b}


@graphify("sums", inputs=["x"], outputs=["y"])
def sums(x: Any) -> dict[str, Any]:
    return {"y": add(a=x, b=1, _retry=RetryPolicy(max_attempts=3)).total}


@graph_fn(outputs=["y"])
async def agent(x: int) -> int:
    return x


@graph_fn
async def bare(x: int) -> int:
    return x


async def use() -> None:
    assert_type(bare, GraphFunction)
    assert_type(agent, GraphFunction)
    assert_type(await run_async(sums, {"x": 1}), dict[str, Any])
    future = run(sums, {"x": 1}, max_concurrency=2)
    assert_type(future, RunFuture)
    as_future: Future[dict[str, Any]] = future
    assert_type(as_future.result(1.0), dict[str, Any])
    assert_type(await future, dict[str, Any])
    assert_type(future.status, RunStatus)
    assert_type(future.node("add").status, NodeStatus)
    assert_type(future.graph, TaskGraph)
    assert_type(sums.build(), TaskGraph)
    assert_type(sums.build().subgraph("add", "#label"), TaskGraph)
    assert_type(sums.build().select("/a/"), list[str])
    assert_type(sums.build().diff(sums.build()), GraphDiff)
    assert_type(sums.build().to_networkx(), DiGraph[str])
    assert_type(sums.spec(), GraphSpec)
    with graph(name="by hand") as g:
        g.expose("y", add(a=g.arg("x"), b=1))
        assert_type(add.map(a=each([1]), b=1), NodeHandle)
    assert_type(g.build(), TaskGraph)
    assert_type(agent, GraphFunction)
    assert_type(agent.sync(x=1), dict[str, Any])
    assert_type(await add.aio(a=1, b=2), dict[str, Any])
    assert_type(fork(future, at=2, inputs={"x": 2}), RunFuture)
    assert_type(future.fork(run_id="f"), RunFuture)
    assert_type(await future.opened("add"), Continuation)
    assert_type(future.forked_from, tuple[str, int] | None)
    assert_type(future.parent, tuple[str, str] | None)
    assert_type(list_runs()[0].status, RunStatus)
