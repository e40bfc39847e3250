"""A new run that takes over what another one finished."""

from __future__ import annotations

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunFailed,
    graph_fn,
    graphify,
    run,
    run_async,
)


async def test_a_new_run_takes_over_what_another_one_finished(steps):
    steps.bad.add("b")
    chain = steps.chain("a", "b", "c")
    with pytest.raises(GraphRunFailed):
        await run_async(chain, run_id="old", store=steps.store)
    steps.bad.clear()
    steps.since()
    n_events = len(steps.store.read("old"))
    future = run(chain, run_id="new", store=steps.store, resume_from_run_id="old", resume_mode="failed_nodes")
    assert await future == {"y": 4}
    assert steps.since() == ["b", "c"]
    assert future.node("a").outputs == {"value": 2}
    assert len(steps.store.read("old")) == n_events
    assert "RunForked" in [type(each.event).__name__ for each in future.events]
    assert await run_async(chain, run_id="new", store=steps.store, resume_from_run_id="old") == {"y": 4}


async def test_a_new_run_takes_over_elements_and_parts_and_what_was_skipped(steps):
    inner = steps.chain("in1", "in2")

    @graphify("all", inputs={"names": ["a", "b"]}, outputs=["y", "z", "w"])
    def everything(names):
        mapped = steps.step.map(name=names, _id="mapped")
        nested = inner(x=1, _id="inner")
        off = steps.step(name="off", _id="off", _condition=False)
        return {"y": mapped.value, "z": nested.y, "w": off.value}

    steps.bad.add("b")
    with pytest.raises(GraphRunFailed):
        await run_async(everything, run_id="old", store=steps.store)
    steps.bad.clear()
    steps.since()
    future = run(everything, store=steps.store, resume_from_run_id="old")
    assert await future == {"y": [2, 2], "z": 3, "w": None}
    assert steps.since() == ["b"]
    assert future.run_id != "old"
    assert [future.node(f"mapped[{i}]").status for i in range(2)] == ["DONE", "DONE"]


async def test_a_new_run_takes_over_neither_the_calls_of_a_body_nor_hangs_on_a_part_that_was_skipped(steps):
    @graph_fn("agent", outputs=["y"])
    async def agent():
        return {"y": steps.step(name="called")["value"]}

    @graphify("inner", inputs=[], outputs=["y"])
    def inner():
        steps.step(name="off", _id="off", _condition=False)
        return {"y": steps.step(name="on", _id="on").value}

    @graphify("all", inputs={}, outputs=["y", "z", "w"])
    def everything():
        last = steps.step(name="last", value=inner(_id="inner").y)
        return {"y": agent(_id="agent").y, "z": last.value, "w": steps.step(name="bad").value}

    steps.bad.add("bad")
    with pytest.raises(GraphRunFailed):
        await run_async(everything, run_id="old", store=steps.store)
    steps.bad.clear()
    steps.since()
    future = run(everything, store=steps.store, resume_from_run_id="old")
    assert await future == {"y": 2, "z": 3, "w": 2}
    assert steps.since() == ["bad"]
    assert not [node_id for node_id in future.run.state.nodes if node_id.startswith("agent/")]
    assert future.node("inner/off").status == "SKIPPED"


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [("done", "resume_no_failed_nodes", "all nodes of run 'done'"), ("dome", "resume_source_run_missing", "'dome'")],
)
async def test_there_must_be_something_to_take_over(steps, source, code, text):
    chain = steps.chain("a")
    await run_async(chain, run_id="done", store=steps.store)
    with pytest.raises(GraphBuildError, match=text) as caught:
        await run_async(chain, store=steps.store, resume_from_run_id=source)
    assert caught.value.code == code
    assert caught.value.stage in ("resume_guard", "resume_prepare")
