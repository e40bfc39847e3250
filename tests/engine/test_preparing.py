"""A run that is opened to be looked at, with its graph or without."""

from __future__ import annotations

import gc

import pytest

from graphrun_nb import (
    GraphRunError,
    graphify,
    open_run,
    run,
    run_async,
)

from .steps import forgotten


async def test_a_run_can_be_opened_alive_ended_and_without_its_graph(steps):
    with pytest.raises(GraphRunError, match="no run 'r'"):
        open_run("r", store=steps.store)
    chain = steps.chain("a", "b")
    future = run(chain, run_id="r", store=steps.store)
    assert await open_run("r", store=steps.store) == {"y": 3}
    assert open_run("r", store=steps.store).graph.node("a").outputs == {"value": 2}
    del chain, future
    gc.collect()
    opened = open_run("r", store=steps.store)
    assert (opened.result(), opened.status, opened.parent) == ({"y": 3}, "DONE", None)
    assert opened.graph.dependents("a") == ["b"]
    assert opened.node("b").outputs == {"value": 3}
    with pytest.raises(GraphRunError, match="not defined in this process"):
        opened.retry(from_="b")


async def test_elements_of_an_opened_run_can_be_looked_at(steps):
    @graphify("pages", inputs={"names": ["a", "b"]}, outputs=["y"])
    def pages(names):
        return {"y": steps.step.map(name=names).value}

    await run_async(pages, run_id="r", store=steps.store)
    await forgotten("r")
    assert open_run("r", store=steps.store).node("step[1]").status == "DONE"


async def test_opening_a_run_records_nothing(steps):
    await run_async(steps.chain("a"), run_id="r", store=steps.store)
    before = steps.store.read("r")
    open_run("r", store=steps.store)
    assert steps.store.read("r") == before
