"""Part 1 of the contract, ``run_async(target, inputs, identity, **rt_overrides)``, a test a sentence.

Not here: what a stored run is continued from, which is in ``test_part2_run_identity.py``.
"""

from __future__ import annotations

import inspect

import pytest

from graphrun_nb import (
    ForwardScheduler,
    GraphHasPendingWaits,
    GraphInputBindError,
    RequestIdentity,
    RetryPolicy,
    RuntimeEnv,
    graph,
    graph_fn,
    graphify,
    list_runs,
    run,
    run_async,
    tool,
)
from tests.contract.conftest import add, add_async, gate, sums


@graph_fn(name="agent", outputs=["z"])
async def agent(x, y):
    return (await add_async(a=x, b=y))["total"]


async def test_the_runner_executes_a_graph_function():
    assert await run_async(agent, {"x": 1, "y": 2}) == {"z": 3}


async def test_the_runner_executes_a_static_task_graph_constructed_via_graphify():
    assert await run_async(sums.build(), {"x": 1}) == {"y": 12}


async def test_the_runner_executes_a_static_task_graph_constructed_via_a_builder():
    with graph(name="built") as g:
        g.expose("y", add(a=g.arg("x"), b=1).total)
    assert await run_async(g, {"x": 1}) == await run_async(g.build(), {"x": 1}) == {"y": 2}


async def test_the_runner_executes_what_has_a_build_and_what_gives_a_graph_when_it_is_called():
    class Builder:
        def build(self):
            return sums.build()

    assert await run_async(Builder(), {"x": 1}) == await run_async(sums.build, {"x": 1}) == {"y": 12}


async def test_it_initialises_a_runtime_env_and_manages_a_forward_scheduler():
    future = run(sums, {"x": 1}, max_concurrency=3)
    assert isinstance(future.run.env, RuntimeEnv)
    assert isinstance(future.run.scheduler, ForwardScheduler)
    assert future.run.env.max_concurrency == 3
    await future


async def test_for_nested_execution_there_is_a_context_run_api():
    @tool(outputs=["y"])
    async def outer(context):
        return (await context.run_and_wait(sums, {"x": 1}))["y"]

    with graph(name="nesting") as g:
        g.expose("y", outer().y)
    assert await run_async(g) == {"y": 12}


async def test_input_validation_comes_before_anything_runs(store):
    with pytest.raises(GraphInputBindError):
        await run_async(sums, {"z": 1}, store=store)
    assert list_runs(store=store) == []


async def test_persistence_is_wired_up_automatically(store):
    await run_async(sums, {"x": 1}, store=store, run_id="kept")
    assert [(row.run_id, row.graph, row.status.value) for row in list_runs(store=store)] == [("kept", "sums", "DONE")]
    assert type(store.read("kept")[-1].event).__name__ == "RunFinished"


async def test_the_example_with_every_kind_of_argument(store):
    result = await run_async(
        sums.build(),
        {"x": 42},
        run_id="custom-run-123",
        identity=RequestIdentity(user_id="ada"),
        max_concurrency=8,
        store=store,
    )
    assert result == {"y": 53}
    assert [row.run_id for row in list_runs(store=store)] == ["custom-run-123"]


@pytest.mark.parametrize("inputs", [[1], "x", 5, sums], ids=repr)
async def test_inputs_is_a_dict_or_none(inputs):
    with pytest.raises(GraphInputBindError, match="inputs are a dict of values by name") as refused:
        await run_async(sums, inputs)
    assert refused.value.hints == ("pass {'x': …}",)


async def test_identity_is_ignored_when_running_locally():
    for identity in (None, RequestIdentity(user_id="ada", roles=["none at all"])):
        assert await run_async(sums, {"x": 1}, identity) == {"y": 12}


def test_target_is_required_and_inputs_and_identity_are_none_by_default():
    parameters = inspect.signature(run_async).parameters
    assert list(parameters) == ["target", "inputs", "identity", "rt_overrides"]
    assert parameters["target"].default is inspect.Parameter.empty
    assert parameters["inputs"].default is parameters["identity"].default is None
    assert parameters["rt_overrides"].kind is inspect.Parameter.VAR_KEYWORD


async def test_session_id_groups_runs(store):
    for session in ("morning", "evening", "morning"):
        await run_async(sums, {"x": 1}, store=store, session_id=session)
    assert [row.session_id for row in list_runs(store=store)] == ["morning", "evening", "morning"]


async def test_agent_id_and_app_id_are_provenance(store):
    await run_async(sums, {"x": 1}, store=store, run_id="r", agent_id="writer", app_id="desk")
    began = store.read("r")[0].event
    assert (began.agent_id, began.app_id) == ("writer", "desk")


async def test_retry_is_a_retry_policy():
    tries = []

    @tool(outputs=["n"])
    async def flaky():
        tries.append(1)
        if len(tries) < 3:
            raise OSError
        return len(tries)

    with graph(name="g") as g:
        g.expose("n", flaky().n)
    assert await run_async(g, retry=RetryPolicy(max_attempts=3, backoff_first_s=0)) == {"n": 3}


async def test_any_additional_attribute_that_the_environment_supports_is_an_override(store):
    future = run(sums, {"x": 1}, store=store, fail_fast=True, timeout=30)
    assert (future.run.env.fail_fast, future.run.env.timeout, future.run.env.store) == (True, 30, store)
    await future


async def test_it_returns_a_dict_of_the_resolved_outputs():
    outputs = await run_async(sums, {"x": 1})
    assert type(outputs) is dict
    assert outputs == {"y": 12}


async def test_it_returns_a_status_dict_if_waiting_on_continuations():
    waiting = await run_async(gate, {"amount": 5}, on_wait="return")
    assert type(waiting) is dict
    assert waiting["status"] == "waiting"


async def test_graph_has_pending_waits_is_raised_if_the_graph_waits_and_outputs_are_not_ready():
    with pytest.raises(GraphHasPendingWaits):
        await run_async(gate, {"amount": 5}, on_wait="raise")


@pytest.mark.parametrize("target", [None, 3, "sums", add, object(), [sums], dict, lambda x: x])
async def test_a_target_that_is_no_valid_task_graph_or_graph_function_is_a_type_error(target):
    with pytest.raises(TypeError, match="run_async_invalid_target"):
        await run_async(target)


async def test_for_a_graph_function_await_with_its_inputs_works_directly():
    assert await agent(x=1, y=2) == {"z": 3}


async def test_a_graph_whose_outputs_are_not_json_serialisable_still_runs_fresh():
    @tool(outputs=["thing"])
    async def make():
        return object

    @tool(outputs=["same"])
    async def use(thing):
        return thing is object

    @graphify("opaque", outputs=["thing", "same"])
    def opaque():
        thing = make().thing
        return {"thing": thing, "same": use(thing).same}

    assert await run_async(opaque) == {"thing": object, "same": True}
