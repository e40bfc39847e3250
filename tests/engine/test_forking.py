"""A fork begins where another run stood, and leaves that as it was."""

import asyncio

import pytest

from graphrun_nb import (
    DualStageTool,
    GraphBuildError,
    GraphInputBindError,
    GraphRunError,
    GraphRunFailed,
    MemoryStore,
    NodeContext,
    SpecChanged,
    SqliteStore,
    fork,
    graph_fn,
    graphify,
    open_run,
    resume,
    run,
    run_async,
    send_event,
    tool,
)
from graphrun_nb.core.events import AttemptSucceeded, OutputPinned, RunForked, WaitOpened, WaitResolved
from graphrun_nb.engine.live import RUNS
from graphrun_nb.tools import ask_approval, ask_text, wait_event
from tests.engine.conftest import ManualClock

CALLS: list[str] = []


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    CALLS.clear()
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "runs.db")


async def asking(future, n=1):
    while len(future.waits) < n:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)


def seq_of(future, kind, node_id):
    return next(each.seq for each in future.events if type(each.event) is kind and each.event.node_id == node_id)


@tool(outputs=["x"])
def one(a: int) -> int:
    CALLS.append("one")
    return a + 1


@tool(outputs=["x"])
def two(a: int, b: int) -> int:
    CALLS.append("two")
    return a * b


@graphify("two_sums", inputs={"a": 1, "b": 2}, outputs=["x"])
def sums(a, b):
    return {"x": two(one(a, _id="one"), b, _id="two").x}


@graphify("forked_gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve", _after=one(amount, _id="one")).approved}


async def test_a_fork_with_another_input_runs_what_takes_it_and_all_below_it(store):
    first = run(sums, {"a": 3}, store=store, run_id="r")
    assert await first == {"x": 8}
    second = first.fork(inputs={"b": 10})
    assert await second == {"x": 40}
    assert CALLS == ["one", "two", "two"]
    assert await fork("r", inputs={"a": 0}, store=store) == {"x": 2}
    assert await first == {"x": 8}
    assert second.run_id != first.run_id


async def test_a_fork_keeps_its_source_and_says_where_it_comes_from(store):
    first = run(sums, {"a": 3}, store=store, run_id="r")
    await first
    before = first.events
    second = first.fork(at=4, run_id="fork")
    await second
    assert open_run("r", store=store).events == before
    assert second.forked_from == ("r", 4)
    assert first.forked_from is None
    assert type(second.events[1].event) is RunForked
    assert second.parent is None


async def test_a_fork_of_a_fork_has_only_what_its_source_had(store):
    first = run(sums, {"a": 3}, store=store, run_id="r")
    await first
    second = first.fork(at=seq_of(first, AttemptSucceeded, "one"))
    await second
    third = second.fork(inputs={"b": 1})
    assert await third == {"x": 4}
    assert CALLS == ["one", "two", "two", "two"]


async def test_a_node_that_ended_after_the_event_runs_again(store):
    first = run(sums, {"a": 3}, store=store, run_id="r")
    await first
    ended = seq_of(first, AttemptSucceeded, "one")
    CALLS.clear()
    pinned = first.fork(at=ended)
    assert await pinned == {"x": 8}
    assert CALLS == ["two"]
    assert [each.event.node_id for each in pinned.events if type(each.event) is OutputPinned] == ["one"]
    CALLS.clear()
    assert await first.fork(at=ended - 1) == {"x": 8}
    assert CALLS == ["one", "two"]


async def test_a_question_that_was_open_is_open_in_the_fork_with_a_token_of_its_own(store):
    first = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(first)
    (old,) = first.waits
    first.resume("approve", True)
    assert await first == {"ok": True}
    second = first.fork(at=seq_of(first, WaitOpened, "approve"))
    (new,) = second.waits
    assert new.token
    assert new.token != old.token
    assert CALLS == ["one"]
    receipt = resume(new.token, False, store=store)
    assert receipt.run_id == second.run_id
    assert await second == {"ok": False}
    assert await first == {"ok": True}


async def test_a_fork_whose_process_ended_goes_on_with_the_token_that_it_gave(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    first = run(gate, {"amount": 1}, store=store, run_id="r")
    await asking(first)
    second = first.fork(run_id="fork")
    (wait,) = second.waits
    first.cancel()
    second.run.scheduler._halt()
    second.run._on_left()
    RUNS.clear()
    del first, second
    again = run(gate, run_id="fork", store=store)
    resume(wait.token, {"approved": True}, store=store)
    assert await again == {"ok": True}


@tool(outputs=["both"])
async def both(context: NodeContext) -> str:
    CALLS.append("both")
    a = await context.channel().ask_text(prompt="A?")
    b = await context.channel().ask_text(prompt="B?")
    return f"{a}{b}"


@graphify("asks_twice", inputs={"n": 1}, outputs=["both", "n"])
def asks_twice(n):
    return {"both": both(_id="both").both, "n": one(n, _id="one").x}


async def test_answers_that_were_given_before_the_event_are_not_asked_for_again(store):
    first = run(asks_twice, store=store, run_id="r")
    await asking(first)
    first.resume("both", "a")
    await asking(first)
    while first.waits[0].prompt != "B?":  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    second = first.fork()
    await asking(second)
    assert [each.prompt for each in second.waits] == ["B?"]
    second.resume("both", "c")
    first.resume("both", "b")
    assert (await second)["both"] == "ac"
    assert (await first)["both"] == "ab"


@tool(outputs=["said"])
class Asking(DualStageTool):
    def setup(self, q, *, context):
        CALLS.append("setup")
        return {"kind": "text", "prompt": q}

    def on_resume(self, resume, *, context):
        CALLS.append("on_resume")
        return {"said": resume["text"]}


@graphify("stages", inputs=["q"], outputs=["said"])
def stages(q):
    return {"said": Asking(q=q, _id="asking").said}


async def test_a_two_stage_tool_repeats_no_stage_in_a_fork(store):
    first = run(stages, {"q": "?"}, store=store, run_id="r")
    await asking(first)
    second = first.fork()
    await asking(second)
    second.resume("asking", "yes")
    first.resume("asking", "no")
    assert await second == {"said": "yes"}
    assert await first == {"said": "no"}
    assert CALLS == ["setup", "on_resume", "on_resume"]


async def test_a_node_that_takes_a_changed_input_asks_anew(store):
    first = run(stages, {"q": "old?"}, store=store, run_id="r")
    await asking(first)
    second = first.fork(inputs={"q": "new?"})
    await asking(second)
    assert [each.prompt for each in second.waits] == ["new?"]
    second.resume("asking", "yes")
    assert await second == {"said": "yes"}
    first.cancel()


@graphify("outer", inputs={"n": 1}, outputs=["ok", "x"])
def outer(n):
    return {"ok": gate(amount=n, _id="inner").ok, "x": one(n, _id="beside").x}


async def test_a_question_inside_a_nested_graph_goes_on_in_the_fork(store):
    first = run(outer, store=store, run_id="r")
    await asking(first)
    second = first.fork()
    await asking(second)
    second.resume("inner/approve", False)
    assert (await second)["ok"] is False
    assert CALLS.count("one") <= 3
    first.resume("inner/approve", True)
    assert (await first)["ok"] is True


@graphify("pages", inputs={"n": 3, "k": 1}, outputs=["all", "k"])
def pages(n, k):
    listed = numbers(n, _id="numbers")
    return {"all": one.map(a=listed.xs, _id="work").x, "k": one(k, _id="k").x}


@tool(outputs=["xs"])
def numbers(n: int) -> list[int]:
    return list(range(n))


async def test_elements_of_mapped_nodes_are_kept(store):
    first = run(pages, store=store, run_id="r")
    assert await first == {"all": [1, 2, 3], "k": 2}
    CALLS.clear()
    second = first.fork(inputs={"k": 5})
    assert await second == {"all": [1, 2, 3], "k": 6}
    assert CALLS == ["one"]
    some = next(each.seq for each in first.events if getattr(each.event, "node_id", "") == "work[1]") + 1
    assert await first.fork(at=some) == {"all": [1, 2, 3], "k": 2}


@graphify("hears", inputs={"n": 1}, outputs=["payload"])
def hears(n):
    return {"payload": wait_event("late", _id="hears", _after=ask_text(prompt="?", _id="ask")).payload}


async def test_events_and_answers_that_came_early_are_there_in_the_fork(store):
    first = run(hears, store=store, run_id="r")
    await asking(first)
    send_event("r", "late", 7, store=store)
    second = first.fork()
    first.cancel()
    second.resume("ask", "now")
    assert await second == {"payload": 7}


@graphify("timed", inputs={"n": 1}, outputs=["text"])
def timed(n):
    return {"text": ask_text(prompt="?", deadline=60, on_deadline="default", default="late", _id="ask").text}


async def test_a_question_has_in_the_fork_the_time_that_it_had(store):
    clock = ManualClock()
    first = run(timed, store=store, run_id="r", clock=clock)
    await asking(first)
    asked = seq_of(first, WaitOpened, "ask")
    await clock.advance(61)
    assert await first == {"text": "late"}
    second = first.fork(at=asked)
    await asking(second)
    assert second.waits[0].deadline == clock.time() + 60
    second.resume("ask", "in time")
    assert await second == {"text": "in time"}


def fails(a):
    raise ValueError("not yet")


async def test_a_failed_run_is_forked_with_the_tool_as_it_is_now(store):
    def defined(function):
        mended = tool(outputs=["x"], name="mended")(function)

        @graphify("mending", inputs={"a": 1}, outputs=["x"])
        def mending(a):
            return {"x": mended(one(a, _id="one"), _id="mended").x}

        return mending

    failing = defined(fails)
    first = run(failing, store=store, run_id="r")
    with pytest.raises(GraphRunFailed):
        await first
    mending = defined(lambda a: a * 100)
    second = first.fork()
    assert await second == {"x": 200}
    assert CALLS == ["one"]
    assert mending is not failing


@pytest.mark.parametrize("at", [0, 1, -3, 99, True, "4", 2.0])
async def test_an_event_that_is_not_there_is_refused(store, at):
    first = run(sums, store=store, run_id="r")
    await first
    with pytest.raises(GraphBuildError, match="cannot be forked at") as refused:
        first.fork(at=at)
    assert refused.value.code == "fork_no_such_event"
    assert "from 2 to 7" in refused.value.__notes__[0]
    assert list(store.run_ids()) == ["r"]


async def test_what_a_fork_refuses_leaves_nothing(store):
    first = run(sums, {"a": 3}, store=store, run_id="r")
    await first
    with pytest.raises(GraphInputBindError, match="'c'"):
        first.fork(inputs={"c": 1})
    with pytest.raises(GraphBuildError, match="already") as taken:
        first.fork(run_id="r")
    assert taken.value.code == "fork_run_exists"
    with pytest.raises(TypeError, match="no option 'max_concurency'"):
        first.fork(max_concurency=2)
    with pytest.raises(GraphRunError, match="no run 'nobody'"):
        fork("nobody", store=store)
    assert list(store.run_ids()) == ["r"]


async def test_a_done_node_that_is_defined_differently_now_stays_done_and_is_named(store):
    def defined(function):
        first = tool(outputs=["x"], name="first")(function)

        @graphify("redefined", inputs={"a": 1, "b": 2}, outputs=["x"])
        def redefined(a, b):
            return {"x": two(first(a, _id="one"), b, _id="two").x}

        return redefined

    old = defined(lambda a: a + 1)
    first = run(old, {"a": 3}, store=store, run_id="r")
    await first
    new = defined(lambda a: a + 1000)
    kept = first.fork(inputs={"b": 1})
    assert await kept == {"x": 4}
    assert kept.run.outdated == ("one",)
    with pytest.raises(SpecChanged) as changed:
        first.fork(on_changed="raise")
    assert changed.value.changed_nodes == ("one",)
    assert await first.fork(on_changed="rerun") == {"x": 2006}
    assert new is not old


async def test_a_graph_function_cannot_be_forked(store):
    @graph_fn(outputs=["y"])
    async def agent(x: int) -> int:
        return x

    future = run(agent, {"x": 1}, store=store, run_id="r")
    await future
    with pytest.raises(GraphBuildError) as refused:
        future.fork()
    assert refused.value.code == "graph_fn_not_resumable"


async def test_a_node_that_ran_twice_has_what_it_had_then(tmp_path):
    CALLS.clear()
    store = SqliteStore(tmp_path / "runs.db")
    drawn = iter([1, 2, 3, 4])

    @tool(outputs=["x"])
    def draw() -> int:
        return next(drawn)

    @graphify("drawing", inputs={"b": 1}, outputs=["x"])
    def drawing(b):
        return {"x": two(draw(_id="draw"), b, _id="two").x}

    first = run(drawing, store=store, run_id="r")
    assert await first == {"x": 1}
    then = len(first.events)
    again = first.retry(from_="draw")
    assert await again == {"x": 2}
    assert await again.fork(at=then, inputs={"b": 10}) == {"x": 10}
    assert await again.fork(inputs={"b": 10}) == {"x": 20}


async def test_a_value_that_is_gone_is_made_again_if_that_is_wanted():
    store = MemoryStore()
    drawn = iter([1, 2, 3])

    @tool(outputs=["x"])
    def draw() -> int:
        return next(drawn)

    @graphify("drawing", inputs={"b": 1}, outputs=["x"])
    def drawing(b):
        return {"x": two(draw(_id="draw"), b, _id="two").x}

    first = run(drawing, store=store, run_id="r")
    await first
    then = len(first.events)
    again = first.retry(from_="draw")
    await again
    with pytest.raises(GraphBuildError) as refused:
        again.fork(at=then, inputs={"b": 10})
    assert refused.value.code == "resume_snapshot_policy_violation"
    assert await again.fork(at=then, inputs={"b": 10}, on_unsaved="rerun") == {"x": 30}


async def test_a_run_is_forked_without_its_process(tmp_path):
    CALLS.clear()
    path = tmp_path / "runs.db"
    await run_async(sums, {"a": 3}, store=SqliteStore(path), run_id="r")
    RUNS.clear()
    assert await fork("r", inputs={"b": 10}, store=SqliteStore(path)) == {"x": 40}
    assert CALLS == ["one", "two", "two"]


async def test_each_event_of_a_run_can_be_forked_at(store):
    first = run(asks_twice, store=store, run_id="r")
    await asking(first)
    first.resume("both", "a")
    while not (first.waits and first.waits[0].prompt == "B?"):  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    first.resume("both", "b")
    expected = await first
    for at in range(2, len(first.events) + 1):
        forked = first.fork(at=at)
        answers = {"A?": "a", "B?": "b"}
        while not forked.done():
            for each in forked.waits:
                resume(each.token, answers[each.prompt], store=store)
            await asyncio.sleep(0.01)
        assert forked.result() == expected
        asked = [each.event for each in forked.events if type(each.event) is WaitResolved]
        assert [each.no for each in asked] in ([0, 1], [])
