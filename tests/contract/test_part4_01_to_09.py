"""Part 4 of the contract, items 1 to 9: conditions, deadlines, answers and two-stage tools.

Left out of 3: other processes (kept runs).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import threading

import pytest
from pydantic import BaseModel

from graphrun_nb import (
    AlreadyResumed,
    DualStageTool,
    GraphBuildError,
    GraphHasPendingWaits,
    GraphRunError,
    GraphRunFailed,
    InvalidToken,
    MemoryStore,
    PayloadRejected,
    graph,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.tools import ask_approval, ask_choices, ask_files, ask_text, wait_until
from tests.contract.conftest import add_async, gate, until

NOW = 1_700_000_000.0


def only(make):
    with graph(name="only") as g:
        g.expose("x", make())
    return g.build()


def asking(body):
    return only(lambda: tool(outputs=["x"])(body)(_id="ask").x)


@pytest.mark.parametrize(
    "condition",
    [
        {"op": "eq", "value": 1},
        {"op": "truthy", "left": 1, "right": 1},
        {"op": "and", "left": 1, "right": 1},
        {"op": "not", "args": [1]},
    ],
)
def test_01_comparisons_take_left_and_right_truthy_falsy_not_take_value_and_or_take_args(condition):
    taken = {"eq": ("left", "right"), "truthy": ("value",), "and": ("args",), "not": ("value",)}[condition["op"]]
    with graph(name="g"):
        with pytest.raises(GraphBuildError, match=" and ".join(taken)):
            add_async(a=1, b=1, _condition=condition)
        add_async(a=1, b=1, _condition={"op": condition["op"], **{name: [1] for name in taken}})


@pytest.mark.parametrize(
    "when", [60, 60.0, dt.timedelta(minutes=1), dt.datetime.fromtimestamp(NOW + 60, dt.UTC)], ids=str
)
@pytest.mark.parametrize("where", ["deadline", "wait_until", "sleep_until"])
async def test_02_seconds_from_now_a_timedelta_or_an_aware_datetime(begin, when, where):
    async def sleeps(context):
        await context.sleep_until(when)

    def make():
        match where:
            case "deadline":
                return ask_text(prompt="?", deadline=when, on_deadline="default", default="x").text
            case "wait_until":
                return add_async(a=1, b=1, _after=wait_until(when, _id="wait")).total
            case _:
                return tool(outputs=["x"])(sleeps)().x

    held = await begin(only(make))
    await held.clock.advance(59)
    assert not held.future.done()
    await held.clock.advance(2)
    assert held.future.done()


async def waits(when, context):
    await context.wait("go", deadline=when)


async def sleeps(when, context):
    await context.sleep_until(when)


@pytest.mark.parametrize(
    "make",
    [
        lambda when: ask_text(prompt="?", deadline=when).text,
        lambda when: wait_until(when).node_id,
        lambda when: tool(outputs=["x"])(waits)(when).x,
        lambda when: tool(outputs=["x"])(sleeps)(when).x,
    ],
)
async def test_02_a_naive_datetime_is_refused(make):
    naive = dt.datetime(2030, 1, 1)  # noqa: DTZ001 (that is the point)
    with pytest.raises(GraphRunFailed, match="time zone") as refused:
        await run_async(only(lambda: make(naive)))
    assert "astimezone()" in " ".join(refused.value.__cause__.hints)


async def test_02_on_deadline_default_uses_the_payload_given_as_default(begin):
    held = await begin(
        only(lambda: ask_approval(prompt="?", deadline=60, on_deadline="default", default={"choice": "Reject"}).choice)
    )
    await held.clock.advance(61)
    assert await held.future == {"x": "Reject"}


async def test_02_default_is_validated_when_the_wait_opens(begin):
    held = await begin(only(lambda: ask_text(prompt="?", deadline=60, on_deadline="default", default=5).text))
    with pytest.raises(GraphRunFailed):
        await held.future


def test_03_resume_is_a_plain_function_of_token_payload_and_store():
    assert not inspect.iscoroutinefunction(resume)
    parameters = inspect.signature(resume).parameters
    assert list(parameters)[:3] == ["token", "payload", "store"]
    assert parameters["store"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["store"].default is None


def test_03_it_is_callable_from_any_thread():
    future = run(gate, {"amount": 5})
    while not future.waits:
        pass
    token, receipts = future.waits[0].token, []
    thread = threading.Thread(target=lambda: receipts.append(resume(token, True)))
    thread.start()
    thread.join(10)
    assert future.result(10) == {"ok": True}
    assert receipts[0].node_id == "approve"


async def test_03_it_is_callable_inside_a_running_loop_and_returns_a_receipt(begin):
    held = await begin(gate, {"amount": 5})
    receipt = resume(held.future.waits[0].token, True)
    assert [each.name for each in dataclasses.fields(receipt)] == ["run_id", "node_id", "at"]
    assert (receipt.run_id, receipt.node_id, receipt.at) == (held.future.run_id, "approve", held.clock.now)
    assert await held.future == {"ok": True}


async def test_03_it_looks_in_store(begin, store):
    held = await begin(gate, {"amount": 5})
    with pytest.raises(InvalidToken):
        resume(held.future.waits[0].token, True, store=MemoryStore())
    resume(held.future.waits[0].token, True, store=store)
    assert await held.future == {"ok": True}


async def test_04_the_token_is_set_where_the_wait_was_opened(begin):
    held = await begin(gate, {"amount": 5})
    returned = await run_async(gate, {"amount": 5}, on_wait="return")
    with pytest.raises(GraphHasPendingWaits) as raised:
        await run_async(gate, {"amount": 5}, on_wait="raise")
    for (continuation,) in (held.future.waits, returned["continuations"], raised.value.continuations):
        assert isinstance(continuation.token, str)


async def test_05_a_right_token_whose_wait_has_been_answered_gives_already_resumed(begin):
    held = await begin(gate, {"amount": 5})
    token = held.future.waits[0].token
    held.future.resume("approve", True)
    for _ in range(2):
        with pytest.raises(AlreadyResumed):
            resume(token, True)
        await until(held.future.done)


async def test_05_every_other_bad_token_gives_invalid_token(begin):
    held = await begin(gate, {"amount": 5})
    token = held.future.waits[0].token
    for bad in (token + "x", token[1:], "", None, "é" * 20):
        with pytest.raises(InvalidToken):
            resume(bad, True)


def late(wait):
    """Make a graph whose wait opens after a pause."""
    return only(lambda: wait(prompt="?", _id="ask", _after=wait_until(60, _id="pause")).text)


async def test_06_an_answer_before_the_wait_opens_is_kept_and_delivered_when_it_opens(begin):
    held = await begin(late(ask_text))
    held.future.resume("ask", "early")
    assert held.future.waits[0].node_id == "pause"
    await held.clock.advance(61)
    assert await held.future == {"x": "early"}


async def test_06_if_the_payload_then_fails_the_schema_the_wait_stays_open_and_the_nodes_story_says_so(begin):
    held = await begin(late(ask_text))
    held.future.resume("ask", 17)
    await held.clock.advance(61)
    assert [wait.node_id for wait in held.future.waits] == ["ask"]
    assert any("refused" in line.text for line in held.future.node("ask").logs)
    held.future.resume("ask", "better")
    assert await held.future == {"x": "better"}


async def test_06_an_unknown_node_id_is_an_error_at_once(begin):
    held = await begin(gate, {"amount": 5})
    with pytest.raises(GraphRunError, match="'aprove'"):
        held.future.resume("aprove", True)


async def test_06_payload_rejected_is_a_value_error_with_errors_of_path_and_message(begin):
    held = await begin(gate, {"amount": 5})
    with pytest.raises(ValueError, match="approved") as refused:
        held.future.resume("approve", {"approved": "yes"})
    assert isinstance(refused.value, PayloadRejected)
    ((path, message),) = refused.value.errors
    assert (refused.value.errors[0].path, refused.value.errors[0].message) == (path, message)
    assert path == "approved"
    assert "true or false" in message


PAYLOADS = [
    ({"approved": True}, (True, "Yes")),
    ({"approved": False}, (False, "No")),
    ({"choice": "Yes"}, (True, "Yes")),
    ({"choice": "Later"}, (False, "Later")),
    (True, (True, "Yes")),
    (False, (False, "No")),
    ("Yes", (True, "Yes")),
    ("Later", (False, "Later")),
]


@pytest.mark.parametrize(("payload", "answer"), PAYLOADS, ids=str)
async def test_07_payloads_of_an_approval_and_what_follows_from_each(begin, payload, answer):
    held = await begin(only(lambda: list(ask_approval(prompt="?", options=("Yes", "No", "Later"), _id="ask"))))
    held.future.resume("ask", payload)
    assert await held.future == {"x": list(answer)}


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_08_setup_takes_inputs_and_context_and_on_resume_the_answer_with_a_new_instance_for_each(begin, kind):
    made, seen = [], []

    class Ask(DualStageTool):
        def __init__(self):
            made.append(id(self))

    def setup(self, amount, *, context):
        seen.append(("setup", amount, context.node_id))
        return {"kind": "count", "prompt": "How many?", "schema": {"type": "integer"}}

    def on_resume(self, resume, *, context):
        seen.append(("on_resume", resume, context.node_id))
        return {"n": resume, "m": -resume}

    async def async_setup(self, amount, *, context):
        return setup(self, amount, context=context)

    async def async_on_resume(self, resume, *, context):
        return on_resume(self, resume, context=context)

    Ask.setup, Ask.on_resume = (setup, on_resume) if kind == "sync" else (async_setup, async_on_resume)
    two_stage = tool(outputs=["n", "m"])(Ask)
    held = await begin(only(lambda: list(two_stage(amount=5, _id="ask"))))
    await until(lambda: held.future.waits)
    assert (held.future.waits[0].kind, held.future.waits[0].prompt) == ("count", "How many?")
    held.future.resume("ask", 3)
    assert await held.future == {"x": [3, -3]}
    assert seen == [("setup", 5, "ask"), ("on_resume", 3, "ask")]
    assert len(made) == 2


class Person(BaseModel):
    name: str
    age: int = 30


async def test_09_wait_returns_the_validated_payload_and_an_instance_if_a_model_was_the_schema(begin):
    async def body(context):
        return [await context.wait("who", schema=Person), await context.wait("n", schema={"type": "integer"})]

    held = await begin(asking(body))
    held.future.resume("ask", {"name": "Ada"})
    await until(lambda: [wait.kind for wait in held.future.waits] == ["n"])
    held.future.resume("ask", 3)
    assert await held.future == {"x": [Person(name="Ada", age=30), 3]}


async def test_09_a_channel_gives_str_str_dict_and_list(begin):
    async def body(context):
        channel = context.channel()
        return [
            await channel.ask_text("?"),
            await channel.ask_choices("?", ["a", "b"]),
            await channel.ask_approval("?"),
            await channel.ask_files("?"),
        ]

    held = await begin(asking(body))
    for answer, kind in (("t", "text"), ("b", "choice"), (True, "approval"), ({"files": []}, "files")):
        await until(lambda kind=kind: [wait.kind for wait in held.future.waits] == [kind])
        held.future.resume("ask", answer)
    assert await held.future == {"x": ["t", "b", {"approved": True, "choice": "Approve"}, []]}
    assert (ask_choices.outputs, ask_files.outputs) == (("choice",), ("files",))
