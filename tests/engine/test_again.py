"""A run that has a past: called again by its id, retried, taken over by another, or opened to look at."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphInputBindError,
    GraphRunError,
    GraphRunFailed,
    MemoryStore,
    NodeContext,
    RetryPolicy,
    SpecChanged,
    SqliteStore,
    graph,
    graph_fn,
    graphify,
    list_runs,
    open_run,
    run,
    run_async,
    tool,
)
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import UnknownNode

from .conftest import settle


class Steps:
    """Tools that write down that they ran, and fail as long as they are told to."""

    def __init__(self):
        self.ran = []
        self.bad = set()
        self.store = MemoryStore()

        @tool(outputs=["value"])
        def step(name, value=1):
            self.ran.append(name)
            if name in self.bad:
                raise ValueError(f"{name} is bad")
            return value + 1

        self.step = step

    def chain(self, *names):
        @graphify("chain", inputs={"x": 1}, outputs=["y"])
        def chain(x):
            for name in names:
                x = self.step(name=name, value=x, _id=name).value
            return {"y": x}

        return chain

    def since(self):
        ran, self.ran[:] = list(self.ran), []
        return ran


async def forgotten(run_id):
    """Return once nobody in this process holds the run; the thread of its last node may take a moment to end."""
    gc.collect()
    while run_id in RUNS:
        await asyncio.sleep(0.01)
        gc.collect()


@pytest.fixture
def steps():
    return Steps()


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


async def test_retry_goes_on_with_what_failed_and_has_a_fresh_budget(steps):
    steps.bad.add("b")
    future = run(steps.chain("a", "b", "c"), retry=RetryPolicy(max_attempts=2, backoff_first_s=0.0), store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    assert steps.since() == ["a", "b", "b"]
    again = future.retry()
    with pytest.raises(GraphRunFailed):
        await again
    assert steps.since() == ["b", "b"]
    steps.bad.clear()
    assert await again.retry() == {"y": 4}
    assert steps.since() == ["b", "c"]
    assert again.node("b").attempts == 5


async def test_retry_is_the_same_run_and_the_first_future_keeps_its_outcome(steps):
    steps.bad.add("a")
    future = run(steps.chain("a"), store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    steps.bad.clear()
    again = future.retry()
    await again
    assert again.run_id == future.run_id
    assert isinstance(future.exception(), GraphRunFailed)
    assert again.result() == {"y": 2}
    assert [row.run_id for row in list_runs(store=steps.store)] == [future.run_id]


async def test_a_future_from_before_a_retry_says_where_the_outcome_of_that_is(steps):
    steps.bad.add("a")
    future = run(steps.chain("a"), store=steps.store, run_id="once")
    with pytest.raises(GraphRunFailed) as before:
        await future
    assert not hasattr(before.value, "__notes__")
    steps.bad.clear()
    await future.retry()
    for ask in (lambda: future, lambda: asyncio.to_thread(future.result)):
        with pytest.raises(GraphRunFailed) as since:
            await ask()
        assert since.value.__notes__ == ["hint: so it ended before it went on; it is done now: open_run('once')"]


async def test_a_future_from_before_a_retry_cancels_the_run_that_goes_on():
    begun = asyncio.Event()

    @tool
    async def step(context: NodeContext):
        if context.attempt == 1:
            raise ValueError("first")
        begun.set()
        await asyncio.Event().wait()

    @graphify("waits", outputs=["y"])
    def waits():
        return {"y": step()}

    future = run(waits)
    with pytest.raises(GraphRunFailed):
        await future
    assert not future.cancel()
    again = future.retry()
    await begun.wait()
    assert future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await again


async def test_whoever_watches_a_run_sees_it_go_on(steps):
    class Watcher:
        seen = 0

        def on_events(self, first, batch, state):
            assert first == self.seen + 1
            self.seen += len(batch)

        def on_signal(self, signal):
            pass

    steps.bad.add("a")
    watcher = Watcher()
    future = run(steps.chain("a"), store=steps.store, observers=[watcher])
    with pytest.raises(GraphRunFailed):
        await future
    steps.bad.clear()
    again = future.retry()
    await again
    assert watcher.seen == len(again.events) == len(steps.store.read(again.run_id))


async def test_retry_from_a_node_runs_it_and_all_below_it_although_they_are_done(steps):
    future = run(steps.chain("a", "b", "c"), store=steps.store)
    await future
    steps.since()
    assert await future.retry(from_="b") == {"y": 4}
    assert steps.since() == ["b", "c"]
    assert await future.retry(from_=["c"]) == {"y": 4}
    assert steps.since() == ["c"]


async def test_there_is_nothing_to_retry_in_a_run_that_is_done(steps):
    future = run(steps.chain("a"), store=steps.store)
    await future
    with pytest.raises(GraphBuildError) as caught:
        future.retry()
    assert caught.value.code == "resume_no_failed_nodes"
    with pytest.raises(UnknownNode, match="no node 'A'"):
        future.retry(from_="A")


async def test_a_run_under_way_is_not_retried(steps):
    future = run(steps.chain("a"), store=steps.store)
    with pytest.raises(GraphRunError, match="under way"):
        future.retry()
    await future


async def test_a_tool_mended_in_a_cell_is_used_by_retry():
    space = {}
    cell = "from graphrun_nb import tool, graphify\n@tool(outputs=['v'])\ndef mend(x):\n    return x {op} 0\n"
    graph = "@graphify('mended', inputs=['x'], outputs=['y'])\ndef mended(x):\n    return {'y': mend(x=x).v}\n"
    exec(cell.format(op="/") + graph, space)  # noqa: S102
    future = run(space["mended"], {"x": 1}, store=MemoryStore())
    with pytest.raises(GraphRunFailed):
        await future
    exec(cell.format(op="*"), space)  # noqa: S102
    assert await future.retry() == {"y": 0}


@pytest.fixture
def shops():
    """Give the cell of a tool that three nodes share, the graph, and which of them were called."""
    space = {"called": []}
    tool_cell = """
from graphrun_nb import tool, graphify
@tool(outputs=[{output!r}])
def read(text):
    called.append(text)
    return float(text{mended})
"""
    graph_cell = """
@tool(outputs=["total"])
def add_up(prices):
    return sum(prices)

@graphify("shops", outputs=["total"])
def shops():
    return {{"total": add_up([read(text, _id=text).{output} for text in ("1", "2,5", "3")]).total}}
"""

    def define(*, mended, output="price", graph=True):
        cell = tool_cell + (graph_cell if graph else "")
        exec(cell.format(mended=".replace(',', '.')" if mended else "", output=output), space)  # noqa: S102
        return space["shops"]

    def called():
        names, space["called"][:] = list(space["called"]), []
        return sorted(names)

    return SimpleNamespace(define=define, called=called)


async def failed(target):
    future = run(target, store=MemoryStore())
    with pytest.raises(GraphRunFailed):
        await future
    return future


async def test_a_tool_mended_for_one_node_does_not_run_the_others_again_that_it_made(shops):
    future = await failed(shops.define(mended=False))
    shops.called()
    shops.define(mended=True, graph=False)
    again = future.retry()
    assert await again == {"total": 6.5}
    assert (shops.called(), again.run.outdated) == (["2,5"], ("1", "3"))


async def test_on_changed_rerun_runs_them_again(shops):
    future = await failed(shops.define(mended=False))
    shops.called()
    shops.define(mended=True, graph=False)
    again = future.retry(on_changed="rerun")
    assert await again == {"total": 6.5}
    assert (shops.called(), again.run.outdated) == (["1", "2,5", "3"], ())


async def test_on_changed_raise_names_what_changed_and_records_nothing(shops):
    future = await failed(shops.define(mended=False))
    n_events = len(future.events)
    shops.define(mended=True, graph=False)
    with pytest.raises(SpecChanged) as caught:
        future.retry(on_changed="raise")
    assert caught.value.changed_nodes == ("1", "2,5", "3")
    assert len(future.events) == n_events
    with pytest.raises(ValueError, match="on_changed is one of raise, rerun, keep, not 'no'"):
        future.retry(on_changed="no")


async def test_what_is_asked_to_run_again_is_not_said_to_stay(shops):
    future = await failed(shops.define(mended=False))
    shops.called()
    shops.define(mended=True, graph=False)
    again = future.retry(from_="1")
    assert await again == {"total": 6.5}
    assert (shops.called(), again.run.outdated) == (["1", "2,5"], ("3",))


async def test_a_node_that_is_done_runs_again_if_it_has_to_give_another_output_now(shops):
    future = await failed(shops.define(mended=False))
    shops.called()
    shops.define(mended=True, output="euros")
    again = future.retry()
    assert await again == {"total": 6.5}
    assert (shops.called(), again.run.outdated) == (["1", "2,5", "3"], ())


async def test_a_graph_of_other_nodes_is_followed(steps):
    steps.bad.add("b")
    future = run(steps.chain("a", "b"), {"x": 1}, store=steps.store)
    with pytest.raises(GraphRunFailed):
        await future
    steps.bad.clear()
    steps.since()
    changed = steps.chain("other", "b")
    assert await future.retry() == {"y": 3}
    assert steps.since() == ["other", "b"]
    assert changed is not None


async def test_a_tool_mended_for_one_element_does_not_run_the_other_elements_again():
    space = {"called": []}
    cell = """
from graphrun_nb import tool, graphify
@tool(outputs=["share"])
def share(n):
    called.append(n)
    return 12 / n{mended}

@graphify("shares", outputs=["all"])
def shares():
    return {{"all": share.map(n=[1, 2, 0, 4], _id="share")}}
"""
    exec(cell.format(mended=""), space)  # noqa: S102
    future = await failed(space["shares"])
    space["called"].clear()
    exec(cell.format(mended=" if n else None"), space)  # noqa: S102
    again = future.retry()
    assert await again == {"all": [12, 6, None, 3]}
    assert (space["called"], again.run.outdated) == ([0], ("share",))


async def test_what_failed_this_time_has_no_outputs_of_last_time(steps):
    future = run(steps.chain("a"), store=steps.store)
    await future
    steps.bad.add("a")
    with pytest.raises(GraphRunFailed):
        await future.retry(from_="a")
    assert future.node("a").outputs == {}


async def test_the_time_limit_of_the_first_time_does_not_end_the_second(clock):
    @tool(outputs=["x"])
    async def asks(context: NodeContext):
        if context.attempt == 1:
            raise ValueError("once more")
        return (await context.wait("text", prompt="?"))["text"]

    with graph(name="limited") as g:
        g.expose("x", asks(_id="asks").x)
    future = run(g, store=MemoryStore(), clock=clock, timeout=10)
    await settle()
    await clock.advance(8)
    again = future.retry()
    await clock.advance(8)
    again.resume("asks", "in time")
    assert await again == {"x": "in time"}


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


def defined_in(module, op):
    """Define the graph ``halves`` as a module's code does, and return it."""
    space = {"__name__": module}
    cell = "from graphrun_nb import tool, graphify\n@tool(outputs=['v'])\ndef halve(x):\n    return x {op} 2\n"
    cell += "@graphify('halves', inputs=['x'], outputs=['y'])\ndef halves(x):\n    return {{'y': halve(x=x).v}}\n"
    exec(cell.format(op=op), space)  # noqa: S102
    return space["halves"]


async def test_retry_does_not_take_another_modules_graph_of_the_same_name_for_its_own():
    mine = defined_in("mine", "/")
    future = run(mine, {"x": "ten"}, store=MemoryStore())
    with pytest.raises(GraphRunFailed):
        await future
    other = defined_in("other", "*")
    with pytest.raises(GraphRunFailed):
        await future.retry()
    mended = defined_in("mine", "*")
    assert await future.retry() == {"y": "tenten"}
    assert (mine, other) != (mended, mended)


async def test_a_tool_mended_after_a_restart_is_used_by_retry(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    with pytest.raises(GraphRunFailed):
        await run_async(defined_in("mine", "/"), {"x": "ten"}, store=store, run_id="r")
    await asyncio.sleep(0)  # the loop holds the exception, and so the graph, until its present round is over
    RUNS.clear()
    gc.collect()
    with pytest.raises(GraphRunError, match="not defined in this process"):
        open_run("r", store=store).retry()
    mended = defined_in("mine", "*")
    assert await open_run("r", store=store).retry() == {"y": "tenten"}
    assert mended
