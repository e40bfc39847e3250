"""A run whose loop ends under it: nothing is recorded that did not happen, and a later loop goes on with it."""

from __future__ import annotations

import asyncio
import gc

import pytest
from pydantic import BaseModel

from graphrun_nb import (
    AlreadyResumed,
    DualStageTool,
    GraphRunError,
    MemoryStore,
    NodeContext,
    each,
    graph_fn,
    graphify,
    list_runs,
    open_run,
    resume,
    run,
    tool,
)
from graphrun_nb.core.policy import LOST_LIMIT

from .conftest import ManualClock, settle


class Stage:
    """A run in one store, over several loops."""

    def __init__(self, graph):
        self.graph = graph
        self.store = MemoryStore()
        self.ran = []

    def begin(self, act=None, *, until=lambda _future: True, **overrides):
        """Start or go on, at least `until` it has come so far, let `act` happen, and end the loop."""
        gc.collect()

        async def live():
            future = run(self.graph, run_id="r", store=self.store, **overrides)
            await asyncio.sleep(0.02)
            while not until(future):  # noqa: ASYNC110 (whatever is waited for)
                await asyncio.sleep(0.01)
            if act is not None:
                act(future)
                await asyncio.sleep(0.02)
            return [each.token for each in future.waits]

        return asyncio.run(live())

    def finish(self, act=None, **overrides):
        gc.collect()

        async def live():
            future = run(self.graph, run_id="r", store=self.store, **overrides)
            if act is not None:
                await asyncio.sleep(0.02)
                act(future)
            return await asyncio.wait_for(future, 5)

        return asyncio.run(live())

    def events(self, kind):
        return [each.event for each in self.store.read("r") if type(each.event).__name__ == kind]


def staged(**nodes):
    """Return a stage of independent nodes, whose outputs are the graph's."""

    @graphify("staged", inputs={}, outputs=list(nodes))
    def graph():
        return {name: node(_id=name) for name, node in nodes.items()}

    return Stage(graph)


@pytest.fixture
def asks():
    ran = []

    @tool(outputs=["value"])
    async def asks(context: NodeContext):
        ran.append("begin")
        one = await context.wait("text", prompt="one?")
        ran.append("between")
        two = await context.wait("text", prompt="two?")
        ran.append("end")
        return one["text"] + two["text"]

    asks.ran = ran
    return asks


def test_a_run_left_by_its_loop_is_interrupted_and_not_failed(asks):
    stage = staged(asks=asks)
    stage.begin()
    future = open_run("r", store=stage.store)
    assert (future.status, list_runs(store=stage.store)[0].status) == ("INTERRUPTED", "INTERRUPTED")
    assert not stage.events("AttemptFailed")
    assert not stage.events("WaitExpired")
    with pytest.raises(GraphRunError, match="was interrupted"):
        future.result()


def test_answers_are_replayed_in_order_and_open_questions_keep_their_tokens(asks):
    stage = staged(asks=asks)
    stage.begin(lambda future: future.resume("asks", "A"))
    (token,) = stage.begin()
    assert token is None
    assert asks.ran == ["begin", "between"] * 2
    outputs = stage.finish(lambda future: future.resume("asks", "B"))
    assert outputs == {"asks": "AB"}
    assert asks.ran == ["begin", "between"] * 3 + ["end"]
    assert len(stage.events("WaitOpened")) == 2


def test_the_old_token_answers_the_question_once(asks):
    stage = staged(asks=asks)
    (token,) = stage.begin()
    stage.begin(lambda _: resume(token, "A"))

    def twice(future):
        with pytest.raises(AlreadyResumed):
            resume(token, "again")
        future.resume("asks", "B")

    assert stage.finish(twice) == {"asks": "AB"}


def test_a_waiting_node_is_never_poisoned_by_restarts(asks):
    stage = staged(asks=asks)
    for _ in range(LOST_LIMIT + 1):
        stage.begin()
    stage.begin(lambda future: future.resume("asks", "A"))
    assert stage.finish(lambda future: future.resume("asks", "B")) == {"asks": "AB"}
    assert not stage.events("AttemptLost")


def test_a_node_that_was_running_is_lost_and_tried_again_without_spending_its_budget():
    attempts = []

    @tool(outputs=["value"])
    async def slow(context: NodeContext):
        attempts.append(context.attempt)
        if len(attempts) == 1:
            await asyncio.Event().wait()
        return "done"

    stage = staged(slow=slow)
    stage.begin()
    assert stage.finish() == {"slow": "done"}
    assert attempts == [1, 2]


def test_a_node_lost_too_often_is_parked():
    @tool(outputs=["value"])
    async def hangs():
        await asyncio.Event().wait()

    stage = staged(hangs=hangs)
    for _ in range(LOST_LIMIT):
        stage.begin()
    with pytest.raises(GraphRunError, match="poisoned"):
        stage.finish()


def test_answers_survive_the_loss_of_the_attempt_that_had_them():
    ran = []

    @tool(outputs=["value"])
    async def node(context: NodeContext):
        one = await context.wait("text", prompt="one?")
        ran.append(one["text"])
        if len(ran) == 1:
            await asyncio.Event().wait()
        return one["text"]

    stage = staged(node=node)
    stage.begin(lambda future: future.resume("node", "A"))
    assert stage.finish() == {"node": "A"}
    assert ran == ["A", "A"]
    assert len(stage.events("WaitOpened")) == 1


def test_an_answer_that_came_before_its_question_is_not_taken_for_a_pause_that_a_restart_finds():
    @tool(outputs=["value"])
    async def node(context: NodeContext):
        await context.sleep_until(60)
        return (await context.wait("text"))["text"]

    stage = staged(node=node)

    async def begin():
        future = run(stage.graph, run_id="r", store=stage.store, clock=ManualClock())
        future.resume("node", "A")
        await settle()

    async def go_on():
        clock = ManualClock()
        future = run(stage.graph, run_id="r", store=stage.store, clock=clock)
        await clock.advance(61)
        return await future

    asyncio.run(begin())
    assert asyncio.run(go_on()) == {"node": "A"}


def test_a_two_stage_tool_runs_no_stage_twice():
    ran = []

    @tool(outputs=["value"])
    class Pay(DualStageTool):
        def setup(self):
            ran.append("setup")
            return {"kind": "approval", "prompt": "Pay?"}

        def on_resume(self, resume):
            ran.append("on_resume")
            return {"value": resume["choice"]}

    stage = staged(pay=Pay)
    stage.begin(until=lambda future: future.waits)
    stage.begin()
    assert stage.finish(lambda future: future.resume("pay", True)) == {"pay": "Approve"}
    assert ran == ["setup", "on_resume"]


def test_a_pydantic_answer_is_an_instance_again():
    class Form(BaseModel):
        n: int

    @tool(outputs=["value"])
    async def node(context: NodeContext):
        form = await context.wait("form", prompt="n?", schema=Form)
        await context.wait("text", prompt="go on?")
        return form.n + 1

    stage = staged(node=node)
    stage.begin(lambda future: future.resume("node", {"n": 1}))
    assert stage.finish(lambda future: future.resume("node", "yes")) == {"node": 2}


def test_a_bad_answer_is_refused_before_the_node_has_come_to_its_question_again():
    @tool(outputs=["value"])
    async def node(context: NodeContext):
        await asyncio.sleep(0.01)
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        return (await context.wait("form", prompt="n?", schema=schema))["n"]

    stage = staged(node=node)
    (token,) = stage.begin()

    async def live():
        future = run(stage.graph, run_id="r", store=stage.store)
        with pytest.raises(ValueError, match="integer"):
            resume(token, {"n": "x"})
        resume(token, {"n": 5})
        return await future

    assert asyncio.run(live()) == {"node": 5}


def test_a_question_that_is_another_one_now_is_asked_anew():
    kinds = ["text"]

    @tool(outputs=["value"])
    async def node(context: NodeContext):
        return await context.wait(kinds[0], prompt="?")

    stage = staged(node=node)
    stage.begin()
    kinds[0] = "other"
    assert stage.finish(lambda future: future.resume("node", [1])) == {"node": [1]}
    assert [(each.no, each.outcome) for each in stage.events("WaitExpired")] == [(0, "dropped")]
    assert [each.wait.no for each in stage.events("WaitOpened")] == [0, 1]


def test_a_deadline_that_passed_meanwhile_gives_its_default_once(clock):
    @tool(outputs=["value"])
    async def node(context: NodeContext):
        answer = await context.wait("text", prompt="?", deadline=60, on_deadline="default", default="late")
        return answer["text"]

    stage = staged(node=node)
    stage.begin(clock=clock)
    clock.now += 61

    async def live():
        future = run(stage.graph, run_id="r", store=stage.store, clock=clock)
        await clock.advance(0)
        return await future

    assert asyncio.run(live()) == {"node": "late"}
    assert len(stage.events("WaitExpired")) == 1


def test_answers_and_events_that_came_early_are_still_there():
    opened = []

    @tool(outputs=["value"])
    async def node(context: NodeContext):
        if not opened:
            await asyncio.Event().wait()
        return [(await context.wait("text", prompt="?"))["text"], await context.wait_event("go")]

    stage = staged(node=node)

    def early(future):
        future.resume("node", "A")
        future.send_event("go", 1, key="k")

    stage.begin(early)
    opened.append(True)
    assert stage.finish(lambda future: future.send_event("go", 2, key="k")) == {"node": ["A", 1]}


def test_answers_and_events_that_were_used_up_are_not_used_again():
    went_on = []

    @tool(outputs=["value"])
    async def node(context: NodeContext):
        one = [(await context.wait("text", prompt="?"))["text"], await context.wait_event("go")]
        if not went_on:
            await asyncio.Event().wait()
        return [*one, (await context.wait("text", prompt="?"))["text"], await context.wait_event("go")]

    stage = staged(node=node)

    async def begin():
        future = run(stage.graph, run_id="r", store=stage.store)
        future.resume("node", "A")
        future.send_event("go", 1)
        await asyncio.sleep(0.02)

    asyncio.run(begin())
    went_on.append(True)

    async def finish():
        future = run(stage.graph, run_id="r", store=stage.store)
        await asyncio.sleep(0.02)
        future.resume("node", "B")
        await asyncio.sleep(0.02)
        future.send_event("go", 2)
        return await asyncio.wait_for(future, 5)

    assert asyncio.run(finish()) == {"node": ["A", 1, "B", 2]}


def test_a_mapped_node_goes_on_with_the_elements_that_were_not_done():
    ran = []

    @tool(outputs=["value"])
    async def work(x, context: NodeContext):
        ran.append(x)
        if x == 2 and ran.count(2) == 1:
            await asyncio.Event().wait()
        if x == 3:
            return (await context.wait("text", prompt="?"))["text"]
        return x

    @graphify("pages", inputs={}, outputs=["y"])
    def pages():
        return {"y": work.map(x=each([1, 2, 3])).value}

    stage = Stage(pages)
    for _ in range(LOST_LIMIT - 1):
        stage.begin()
    assert stage.finish(lambda future: future.resume("work[2]", "A")) == {"y": [1, 2, "A"]}
    assert ran.count(1) == 1


def test_a_body_begins_again_with_calls_of_its_own():
    ran = []

    @tool(outputs=["value"])
    async def call(name):
        ran.append(name)
        if len(ran) == 2:
            await asyncio.Event().wait()
        return name

    @graph_fn("agent", outputs=["value"])
    async def agent():
        await call("one")
        return (await call("two"))["value"]

    @graphify("outer", inputs={}, outputs=["y"])
    def outer():
        return {"y": agent(_id="agent").value}

    stage = Stage(outer)
    stage.begin()
    assert stage.finish() == {"y": "two"}
    assert ran == ["one", "two", "one", "two"]


def test_attempts_that_are_carried_on_take_turns_for_the_slots():
    running, most = set(), []

    def waiting(name):
        @tool(outputs=["value"], name=name)
        async def node(context: NodeContext):
            running.add(name)
            most.append(len(running))
            await asyncio.sleep(0)
            running.discard(name)
            return (await context.wait("text", prompt="?"))["text"]

        return node

    stage = staged(a=waiting("a"), b=waiting("b"), c=waiting("c"))
    stage.begin(max_concurrency=1)

    def answers(future):
        for node_id in "abc":
            future.resume(node_id, node_id)

    assert stage.finish(answers, max_concurrency=1) == {"a": "a", "b": "b", "c": "c"}
    assert max(most) == 1


def test_a_run_can_be_cancelled_right_after_it_was_taken_up(asks):
    stage = staged(asks=asks, more=asks)
    stage.begin()

    async def live():
        future = run(stage.graph, run_id="r", store=stage.store, max_concurrency=1)
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(future, 5)
        return future.status

    assert asyncio.run(live()) == "CANCELLED"


def test_a_node_that_was_answered_before_it_had_a_slot_again_can_be_cancelled(asks):
    stage = staged(asks=asks, more=asks)
    stage.begin()

    async def live():
        future = run(stage.graph, run_id="r", store=stage.store, max_concurrency=1)
        for each_id in ("asks", "more"):
            future.resume(each_id, "A")
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(future, 5)
        return [future.node(each_id).status for each_id in ("asks", "more")]

    assert asyncio.run(live()) == ["CANCELLED", "CANCELLED"]


def test_a_run_that_waits_can_be_handed_out_again(asks):
    stage = staged(asks=asks)
    stage.begin()
    status = stage.finish(on_wait="return")
    assert (status["status"], status["waiting_nodes"]) == ("waiting", ["asks"])


def test_retry_goes_on_with_an_interrupted_run(asks):
    stage = staged(asks=asks)
    stage.begin(lambda future: future.resume("asks", "A"))

    async def live():
        future = open_run("r", store=stage.store).retry()
        await asyncio.sleep(0.02)
        future.resume("asks", "B")
        return await future

    assert asyncio.run(live()) == {"asks": "AB"}
