"""Part 3 of the contract: the names that users rely on, and the example programs.

Elsewhere: what `open_run` and `RunFuture.retry` do, in ``test_part2_run_identity.py``.
"""

from __future__ import annotations

import concurrent.futures

import pytest
from pydantic import BaseModel

import graphrun_nb
from graphrun_nb import (
    Continuation,
    Inspector,
    MemoryStore,
    NodeStatus,
    RunFuture,
    RunStatus,
    TaskGraph,
    graph,
    list_runs,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_approval, ask_choices, ask_files, ask_form, ask_text, wait_event, wait_until
from tests.contract.conftest import gate, names, sums, until

AUTHORING = ["tool", "graphify", "graph", "arg", "each", "graph_fn", "DualStageTool"]
TYPES = ["TaskGraph", "GraphFunction", "NodeHandle", "GraphSpec", "NodeStatus", "RunStatus"]
RUNNING = ["run", "run_async", "resume", "send_event", "open_run", "list_runs"]
GRIPS = ["RunFuture", "NodeContext", "RetryPolicy", "RequestIdentity", "RuntimeEnv", "ForwardScheduler", "Continuation"]
SERVICES = ["SqliteStore", "MemoryStore", "Inspector"]
ERRORS = [
    "GraphRunError",
    "GraphBuildError",
    "GraphValidationError",
    "GraphMaterializationError",
    "GraphInputBindError",
    "GraphRunFailed",
    "GraphHasPendingWaits",
    "AlreadyResumed",
    "InvalidToken",
    "PayloadRejected",
    "RunOwnedElsewhere",
    "SpecChanged",
    "StoreCorrupt",
]


@pytest.mark.parametrize("name", [*AUTHORING, *TYPES, *RUNNING, *GRIPS, *SERVICES, *ERRORS])
def test_the_name_can_be_imported_from_graphrun_nb(name):
    assert getattr(graphrun_nb, name) is not None
    assert name in graphrun_nb.__all__


def test_the_errors_are_graph_run_errors():
    for name in ERRORS:
        assert issubclass(getattr(graphrun_nb, name), graphrun_nb.GraphRunError)


async def test_the_sums_example():
    assert await run_async(sums, {"x": 1}) == {"y": 12}


def test_the_sums_example_with_a_result():
    assert run(sums, {"x": 1}).result() == {"y": 12}


def test_the_gate_example():
    future = run(gate, {"amount": 5})
    future.resume("approve", {"approved": True})
    assert future.result() == {"ok": True}


async def test_what_run_returns_is_a_concurrent_future_and_awaitable():
    future = run(sums, {"x": 1})
    assert isinstance(future, RunFuture)
    assert isinstance(future, concurrent.futures.Future)
    assert await future == {"y": 12}


async def test_its_graph_is_the_task_graph_that_really_runs_with_live_state(begin):
    held = await begin(gate, {"amount": 5})
    graph = held.future.graph
    assert isinstance(graph, TaskGraph)
    assert (graph.status, graph.node("approve").status) == (RunStatus.WAITING, NodeStatus.WAITING)
    held.future.resume("approve", True)
    await held.future
    assert (graph.status, graph.node("approve").status) == (RunStatus.DONE, NodeStatus.DONE)


async def test_its_status_is_a_run_status():
    future = run(sums, {"x": 1})
    assert future.status is RunStatus.RUNNING
    await future
    assert future.status is RunStatus.DONE


async def test_its_node_has_status_attempts_inputs_outputs_error_logs_and_duration_s():
    @tool(outputs=["x"])
    async def says(a):
        print("hello")  # noqa: T201 (what a node prints is its log)
        return a + 1

    @tool(outputs=["y"])
    async def fails(x):
        raise LookupError("gone")

    with graph(name="two") as g:
        fails(x=says(a=1, _id="says").x, _id="fails")
    future = run(g)
    with pytest.raises(graphrun_nb.GraphRunFailed):
        await future
    node = future.node("says")
    assert (node.status, node.attempts, dict(node.inputs), dict(node.outputs)) == (
        NodeStatus.DONE,
        1,
        {"a": 1},
        {"x": 2},
    )
    assert node.error is None
    assert [line.text for line in node.logs] == ["hello"]
    assert 0 <= node.duration_s < 10
    assert future.node("fails").error.message == "gone"
    assert future.node("fails").error.type_name == "LookupError"


async def test_its_waits_are_the_open_continuations(begin):
    held = await begin(gate, {"amount": 5})
    assert [type(each) for each in held.future.waits] == [Continuation]
    held.future.resume("approve", True)
    await held.future
    assert held.future.waits == ()


async def test_a_wait_past_its_deadline_is_not_open_any_more(begin):
    with graph(name="late") as g:
        ask_text(prompt="?", _id="ask", deadline=5)
    held = await begin(g)
    held.clock.now += 5  # and its timer has not fired yet
    assert held.future.waits == ()
    held.future.cancel()
    await until(held.future.done)


async def test_its_events_are_the_log_so_far(begin):
    held = await begin(gate, {"amount": 5})
    before = names(held.future)
    assert before[0] == "RunStarted"
    assert before[-1] == "WaitOpened"
    held.future.resume("approve", True)
    await held.future
    assert names(held.future)[: len(before)] == before
    assert [each.seq for each in held.future.events] == list(range(1, len(held.future.events) + 1))


async def test_its_inspect_is_the_widget(kernel):
    assert Inspector.__name__ == "Inspector"
    kernel.run("f = run(sums, {'x': 1})\nfrom graphrun_nb import Inspector")
    assert kernel.run("isinstance(f.inspect(), Inspector)").text == "True"


async def test_list_runs_gives_summaries_newest_first():
    store = MemoryStore()
    for run_id in ("first", "second", "third"):
        await run_async(sums, {"x": 1}, store=store, run_id=run_id)
    assert [row.run_id for row in list_runs(store=store)] == ["third", "second", "first"]


class Person(BaseModel):
    name: str
    age: int = 30


WAITS = {
    "ask_text": (lambda: ask_text(prompt="?", _id="ask").text, "Ada", "Ada"),
    "ask_approval": (
        lambda: list(ask_approval(prompt="?", options=("Approve", "Reject"), _id="ask")),
        {"approved": False},
        [False, "Reject"],
    ),
    "ask_choices": (lambda: ask_choices(prompt="?", options=["a", "b"], _id="ask").choice, "b", "b"),
    "ask_form with a pydantic model": (
        lambda: list(ask_form(prompt="?", schema=Person, _id="ask")),
        {"name": "Ada", "age": 3},
        ["Ada", 3],
    ),
    "ask_form with a json schema": (
        lambda: ask_form(prompt="?", schema={"properties": {"n": {"type": "integer"}}}, _id="ask").n,
        {"n": 3},
        3,
    ),
    "ask_files": (lambda: ask_files(prompt="?", _id="ask").files, {"files": []}, []),
    "wait_event": (lambda: wait_event("paid", _id="ask").payload, {"sum": 5}, {"sum": 5}),
}


@pytest.mark.parametrize("wait", WAITS)
async def test_a_built_in_wait_has_its_outputs(begin, wait):
    make, payload, answer = WAITS[wait]
    with graph(name="waits") as g:
        g.expose("x", make())
    held = await begin(g)
    await until(lambda: held.future.waits)
    if wait == "wait_event":
        held.future.send_event("paid", payload)
    else:
        held.future.resume("ask", payload)
    assert await held.future == {"x": answer}


async def test_wait_until_takes_an_instant(begin):
    with graph(name="waits") as g:
        wait_until(60)
    held = await begin(g)
    await held.clock.advance(59)
    assert not held.future.done()
    await held.clock.advance(2)
    assert await held.future == {}


def test_inspect_is_the_widget_also_where_no_notebook_is():
    future = run(sums, {"x": 1})
    assert isinstance(future.inspect(), Inspector)
    assert future.result() == {"y": 12}
