"""Retrying a run: what failed goes on, what is done stays, and a tool that was mended is used."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    MemoryStore,
    NodeContext,
    RetryPolicy,
    SpecChanged,
    SqliteStore,
    graph,
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

        def on_events(self, batch, state):
            assert state.seq - len(batch) == self.seen
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
