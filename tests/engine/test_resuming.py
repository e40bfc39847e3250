"""A run that is called again by its id."""

from __future__ import annotations

import asyncio
import gc

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphInputBindError,
    GraphRunError,
    GraphRunFailed,
    RetryPolicy,
    SpecChanged,
    graph_fn,
    graphify,
    open_run,
    run,
    run_async,
    tool,
)

from .steps import forgotten


async def test_a_run_that_is_done_gives_its_outputs_without_running_a_node(steps):
    chain = steps.chain("a", "b")
    first = await run_async(chain, run_id="r", store=steps.store)
    n_events = len(steps.store.read("r"))
    steps.since()
    assert await run_async(chain, run_id="r", store=steps.store) == first == {"y": 3}
    assert (steps.since(), len(steps.store.read("r"))) == ([], n_events)


async def test_the_store_holds_the_values_of_a_run_that_was_given_an_id(steps):
    chain = steps.chain("a", "b")
    await run_async(chain, run_id="r", store=steps.store)
    steps.since()
    gc.collect()
    assert await run_async(chain, run_id="r", store=steps.store) == {"y": 3}
    assert steps.since() == []


async def test_the_values_of_a_run_without_a_given_id_go_with_its_future(steps):
    future = run(steps.chain("a"), store=steps.store)
    await future
    run_id = future.run_id
    del future
    await forgotten(run_id)
    with pytest.raises(GraphBuildError, match="were not kept") as caught:
        await run_async(steps.chain("a"), run_id=run_id, store=steps.store)
    assert caught.value.code == "resume_snapshot_policy_violation"
    assert await run_async(steps.chain("a"), run_id=run_id, store=steps.store, on_unsaved="rerun") == {"y": 2}


async def test_a_failed_run_goes_on_where_it_failed(steps):
    steps.bad.add("b")
    chain = steps.chain("a", "b", "c")
    with pytest.raises(GraphRunFailed):
        await run_async(chain, run_id="r", store=steps.store)
    steps.bad.clear()
    assert await run_async(chain, run_id="r", store=steps.store) == {"y": 4}
    assert steps.since() == ["a", "b", "b", "c"]


async def test_a_cancelled_run_called_again_runs_what_was_cancelled(steps):
    chain = steps.chain("a", "b")
    future = run(chain, run_id="r", store=steps.store)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert await run_async(chain, run_id="r", store=steps.store) == {"y": 3}


async def test_a_changed_graph_is_refused_with_the_nodes_named_and_nothing_is_recorded(steps):
    await run_async(steps.chain("a", "b"), run_id="r", store=steps.store)
    n_events = len(steps.store.read("r"))
    with pytest.raises(SpecChanged, match="'c'") as caught:
        await run_async(steps.chain("a", "c"), run_id="r", store=steps.store)
    assert caught.value.changed_nodes == ("c", "b")
    assert len(steps.store.read("r")) == n_events


async def test_keep_returns_what_is_stored_of_a_changed_graph(steps):
    await run_async(steps.chain("a", "b"), run_id="r", store=steps.store)
    steps.since()
    longer = steps.chain("a", "b", "c")
    assert await run_async(longer, run_id="r", store=steps.store, on_changed="keep") == {"y": 3}
    assert steps.since() == []


async def test_rerun_runs_what_changed_and_all_below_it(steps):
    await run_async(steps.chain("a", "b", "c"), run_id="r", store=steps.store)
    steps.since()

    @tool(outputs=["value"])
    def twice(value):
        steps.ran.append("twice")
        return 2 * value

    @graphify("chain", inputs={"x": 1}, outputs=["y"])
    def chain(x):
        a = steps.step(name="a", value=x, _id="a")
        b = twice(value=a.value, _id="b")
        return {"y": steps.step(name="c", value=b.value, _id="c").value}

    assert await run_async(chain, run_id="r", store=steps.store, on_changed="rerun") == {"y": 5}
    assert steps.since() == ["twice", "c"]


async def test_retry_and_labels_are_no_change(steps):
    def chain(**controls):
        @graphify("chain", inputs={}, outputs=["y"])
        def chain():
            return {"y": steps.step(name="a", _id="a", **controls).value}

        return chain

    await run_async(chain(), run_id="r", store=steps.store)
    relabelled = chain(_labels=["slow"], _retry=RetryPolicy(max_attempts=3))
    assert await run_async(relabelled, run_id="r", store=steps.store) == {"y": 2}
    assert steps.since() == ["a"]


async def test_other_inputs_are_refused_or_run_what_takes_them(steps):
    @graphify("two", inputs={"x": 1, "z": 1}, outputs=["y", "w"])
    def two(x, z):
        return {"y": steps.step(name="x", value=x).value, "w": steps.step(name="z", value=z).value}

    await run_async(two, {"x": 1}, run_id="r", store=steps.store)
    steps.since()
    with pytest.raises(GraphInputBindError, match="another 'x'") as caught:
        await run_async(two, {"x": 5}, run_id="r", store=steps.store)
    assert caught.value.code == "resume_inputs_changed"
    del caught  # its traceback holds the run
    assert await run_async(two, {"x": 5}, run_id="r", store=steps.store, on_changed="keep") == {"y": 2, "w": 2}
    assert steps.since() == []
    assert await run_async(two, {"x": 5}, run_id="r", store=steps.store, on_changed="rerun") == {"y": 6, "w": 2}
    assert steps.since() == ["x"]
    await forgotten("r")
    assert await run_async(two, run_id="r", store=steps.store) == {"y": 6, "w": 2}
    assert open_run("r", store=steps.store).node("step").inputs["value"] == 5


async def test_inputs_left_out_are_those_it_began_with(steps):
    steps.bad.add("a")
    chain = steps.chain("a")
    with pytest.raises(GraphRunFailed):
        await run_async(chain, {"x": 10}, run_id="r", store=steps.store)
    steps.bad.clear()
    assert await run_async(chain, run_id="r", store=steps.store) == {"y": 11}


async def test_a_run_under_way_is_joined_by_its_id(steps):
    chain = steps.chain("a", "b")
    first = run(chain, run_id="r", store=steps.store)
    second = run(chain, run_id="r", store=steps.store)
    assert (await first, await second) == ({"y": 3}, {"y": 3})
    assert steps.since() == ["a", "b"]
    with pytest.raises(GraphInputBindError):
        await run_async(chain, {"x": 7}, run_id="r", store=steps.store)


async def test_a_run_under_way_is_not_joined_with_another_graph_or_other_inputs(steps):
    first = run(steps.chain("a"), run_id="r", store=steps.store)
    with pytest.raises(SpecChanged, match="'b', 'a'"):
        run(steps.chain("b"), run_id="r", store=steps.store)
    with pytest.raises(GraphRunError, match="under way, with another graph"):
        run(steps.chain("b"), run_id="r", store=steps.store, on_changed="rerun")
    with pytest.raises(GraphRunError, match="under way, with another 'x'"):
        run(steps.chain("a"), {"x": 5}, run_id="r", store=steps.store)
    await first


async def test_a_graph_function_that_is_done_gives_its_outputs_and_one_that_failed_is_refused(steps):
    @graph_fn("agent", outputs=["y"])
    async def agent(x=1):
        return {"y": steps.step(name="a", value=x)["value"]}

    assert await run_async(agent, run_id="r", store=steps.store) == {"y": 2}
    assert await run_async(agent, run_id="r", store=steps.store) == {"y": 2}
    assert steps.since() == ["a"]
    steps.bad.add("a")
    with pytest.raises(GraphRunFailed):
        await run_async(agent, run_id="s", store=steps.store)
    with pytest.raises(GraphBuildError) as caught:
        await run_async(agent, run_id="s", store=steps.store)
    assert caught.value.code == "graph_fn_not_resumable"


async def test_a_mapped_node_runs_its_failed_elements_again_and_no_others(steps):
    @graphify("pages", inputs={"names": ["a", "b", "c"]}, outputs=["y"])
    def pages(names):
        return {"y": steps.step.map(name=names).value}

    steps.bad.add("b")
    future = run(pages, store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    assert sorted(steps.since()) == ["a", "b", "c"]
    steps.bad.clear()
    assert await future.retry() == {"y": [2, 2, 2]}
    assert steps.since() == ["b"]
    assert await future.retry(from_="step[2]") == {"y": [2, 2, 2]}
    assert steps.since() == ["c"]
    assert await future.retry(from_="step") == {"y": [2, 2, 2]}
    assert sorted(steps.since()) == ["a", "b", "c"]


async def test_a_list_that_is_shorter_now_leaves_elements_behind(steps):
    names = ["a", "b", "c"]

    @tool(outputs=["names"])
    def listed():
        return {"names": list(names)}

    @graphify("pages", inputs={}, outputs=["y"])
    def pages():
        return {"y": steps.step.map(name=listed(_id="listed").names).value}

    future = run(pages, store=steps.store)
    assert await future == {"y": [2, 2, 2]}
    del names[1:]
    steps.since()
    shorter = future.retry(from_="listed")
    assert await shorter == {"y": [2]}
    assert steps.since() == ["a"]
    assert [shorter.node(f"step[{i}]").status for i in range(3)] == ["DONE", "CANCELLED", "CANCELLED"]
    names[:] = ["a", "b", "c", "d"]
    assert await future.retry(from_="listed") == {"y": [2, 2, 2, 2]}


async def test_a_nested_graph_goes_on_inside(steps):
    inner = steps.chain("a", "b", "c")

    @graphify("outer", inputs={}, outputs=["y"])
    def outer():
        return {"y": steps.step(name="last", value=inner(x=1, _id="inner").y, _id="last").value}

    steps.bad.add("b")
    future = run(outer, store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    steps.bad.clear()
    steps.since()
    assert await future.retry() == {"y": 5}
    assert steps.since() == ["b", "c", "last"]
    assert await future.retry(from_="inner/c") == {"y": 5}
    assert steps.since() == ["c", "last"]


async def test_what_a_condition_skipped_stays_skipped(steps):
    @graphify("branch", inputs={}, outputs=["y", "z"])
    def branch():
        a = steps.step(name="a", _id="a")
        off = steps.step(name="off", value=a.value, _id="off", _condition={"op": "gt", "left": a.value, "right": 9})
        steps.step(name="below", value=off.value, _id="below")
        return {"y": off.value, "z": steps.step(name="b", value=a.value, _id="b").value}

    steps.bad.add("b")
    future = run(branch, store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    steps.bad.clear()
    steps.since()
    assert await future.retry() == {"y": None, "z": 3}
    assert steps.since() == ["b"]
