"""What type checkers see of the public names; checked by mypy, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from graphrun_nb import (
    GraphSpec,
    NodeStatus,
    RetryPolicy,
    RunFuture,
    RunStatus,
    TaskGraph,
    graph,
    graphify,
    run,
    run_async,
    tool,
)

if TYPE_CHECKING:
    from concurrent.futures import Future


@tool(outputs=["total"])
def add(a: int, b: int) -> dict[str, int]:
    return {"total": a + b}


@graphify("sums", inputs=["x"], outputs=["y"])
def sums(x: Any) -> dict[str, Any]:
    return {"y": add(a=x, b=1, _retry=RetryPolicy(max_attempts=3)).total}


async def use() -> None:
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
    assert_type(sums.spec(), GraphSpec)
    with graph(name="by hand") as g:
        g.expose("y", add(a=g.arg("x"), b=1))
    assert_type(g.build(), TaskGraph)
