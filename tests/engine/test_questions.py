"""What nodes can ask: forms, files, events, instants, deadlines, and tools in two stages."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import subprocess
import sys
import threading

import jsonschema  # noqa: F401 (imported now, a wait with a schema opens without a thread)
import pytest
from pydantic import BaseModel

from graphrun_nb import (
    AlreadyResumed,
    DualStageTool,
    GraphBuildError,
    GraphRunError,
    GraphRunFailed,
    InvalidToken,
    MemoryStore,
    PayloadRejected,
    RetryPolicy,
    graph,
    resume,
    run,
    send_event,
    tool,
)
from graphrun_nb.core import codec
from graphrun_nb.errors import BadWait, WaitExpired
from graphrun_nb.tools import ask_approval, ask_choices, ask_files, ask_form, ask_text, wait_event, wait_until
from tests.engine.conftest import ManualClock, settle


class Person(BaseModel):
    name: str
    age: int = 30


PRICES = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}}
    },
    "required": ["items"],
}


def waiting_on(**outputs):
    with graph(name="asks") as g:
        for name, make in outputs.items():
            g.expose(name, make())
    return g.build()


async def started(target, **overrides):
    clock = ManualClock()
    future = run(target, clock=clock, **overrides)
    await settle()
    return future, clock


async def test_a_form_has_one_output_per_field_and_refuses_what_does_not_fit():
    def fields():
        form = ask_form(prompt="Who?", schema=Person, _id="who")
        return [form.name, form.age]

    future, _ = await started(waiting_on(who=fields))
    with pytest.raises(PayloadRejected) as refused:
        future.resume("who", {"name": 3, "age": "old"})
    assert [path for path, _ in refused.value.errors] == ["name", "age"]
    future.resume("who", {"name": "Ada"})
    assert await future == {"who": ["Ada", 30]}


async def test_a_json_schema_names_the_path_of_what_does_not_fit():
    future, _ = await started(waiting_on(items=lambda: ask_form(prompt="?", schema=PRICES, _id="form").items))
    with pytest.raises(PayloadRejected) as refused:
        future.resume("form", {"items": [{"price": "much"}]})
    assert [path for path, _ in refused.value.errors] == ["items.0.price"]
    future.resume("form", {"items": [{"price": 2}]})
    assert await future == {"items": [{"price": 2}]}


async def test_a_schema_is_never_fetched(one_node):
    async def asks(context):
        return await context.wait("form", schema={"$ref": "http://127.0.0.1:9/schema.json"})

    future, _ = await started(one_node(asks))
    with pytest.raises(GraphRunFailed, match="which is not in it") as caught:
        await future
    assert isinstance(caught.value.__cause__, BadWait)


def test_the_loop_turns_while_the_checker_of_json_schemas_is_imported():
    script = """
import asyncio, sys
from graphrun_nb import graph, run, tool

@tool(outputs=["x"])
async def asks(context):
    await context.wait("form", schema={"type": "object"})
    return 1

async def main():
    with graph(name="g") as g:
        asks(_id="asks")
    future = run(g)
    turns_before = 0
    while not future.waits:
        turns_before += "jsonschema" in sys.modules
        await asyncio.sleep(0)
    future.resume("asks", {})
    await future
    print(turns_before > 0)

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("True\n", "")


async def test_a_model_as_schema_gives_an_instance(one_node):
    async def asks(context):
        return await context.wait("form", schema=Person)

    future, _ = await started(one_node(asks))
    future.resume("asks", {"name": "Ada", "age": 36})
    assert await future == {"x": Person(name="Ada", age=36)}


def test_a_form_without_fields_is_refused_when_the_graph_is_built():
    with graph(name="g"), pytest.raises(GraphBuildError, match="it has no fields"):
        ask_form(prompt="?", schema={"type": "object"})


async def test_files_come_as_references_that_can_be_read():
    future, _ = await started(waiting_on(files=lambda: ask_files(prompt="?", _id="f").files))
    data = base64.b64encode(b"hello").decode()
    future.resume("f", {"files": [{"name": "a.txt", "mime": "text/plain", "data": data}]})
    (file,) = (await future)["files"]
    assert (file.name, file.mime, file.size, file.read_bytes()) == ("a.txt", "text/plain", 5, b"hello")
    assert len(file.digest) == 64


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ({"name": "../a", "mime": "text/plain", "data": ""}, "files.0.name"),
        ({"name": "a\\b", "mime": "text/plain", "data": ""}, "files.0.name"),
        ({"name": "a\n", "mime": "text/plain", "data": ""}, "files.0.name"),
        ({"name": "a" * 256, "mime": "text/plain", "data": ""}, "files.0.name"),
        ({"name": "a", "mime": "nonsense", "data": ""}, "files.0.mime"),
        ({"name": "a", "mime": "text/plain", "data": "%%"}, "files.0.data"),
        ("a", "files.0"),
    ],
)
async def test_files_with_bad_names_types_or_data_are_refused(file, path):
    future, _ = await started(waiting_on(files=lambda: ask_files(prompt="?", _id="f").files))
    with pytest.raises(PayloadRejected) as refused:
        future.resume("f", {"files": [file]})
    assert refused.value.errors[0][0] == path
    assert len(future.waits) == 1
    future.cancel()


async def test_an_event_may_come_first_and_the_same_key_twice_counts_once():
    with graph(name="late") as g:
        wait_until(60, _id="pause")
        g.expose("got", wait_event("paid", _id="a", _after="pause").payload)
        g.expose("also", wait_event("paid", _id="b", _after="a").payload)
    future, clock = await started(g)
    first = future.send_event("paid", 1, key="k")
    assert future.send_event("paid", 99, key="k") == first
    send_event(future.run_id, "paid", 2)
    await clock.advance(61)
    assert await future == {"got": 1, "also": 2}


async def test_an_event_answers_the_oldest_open_wait_of_its_name_alone():
    future, _ = await started(
        waiting_on(
            one=lambda: wait_event("go", _id="one").payload,
            two=lambda: wait_event("go", _id="two").payload,
            other=lambda: wait_event("stop", _id="other").payload,
        )
    )
    future.send_event("go", 1)
    await settle()
    assert [wait.node_id for wait in future.waits] == ["two", "other"]
    future.send_event("stop", 3)
    future.send_event("go", 2)
    assert await future == {"one": 1, "two": 2, "other": 3}


async def test_wait_until_holds_no_slot_and_nobody_can_answer_it():
    with graph(name="g") as g:
        wait_until(dt.timedelta(minutes=1), _id="pause")
        g.expose("x", ask_text(prompt="?", _id="ask").text)
    future, clock = await started(g, max_concurrency=1)
    assert [wait.node_id for wait in future.waits] == ["pause", "ask"]
    with pytest.raises(GraphRunError, match="nobody can answer that"):
        future.resume("pause", True)
    future.resume("ask", "x")
    await clock.advance(59)
    assert not future.done()
    await clock.advance(2)
    assert await future == {"x": "x"}


@pytest.mark.parametrize("when", [60, 60.0, dt.timedelta(minutes=1), dt.datetime.fromtimestamp(1_700_000_060, dt.UTC)])
async def test_a_deadline_that_fails_the_node_is_seconds_a_timedelta_or_an_aware_datetime(when):
    future, clock = await started(waiting_on(x=lambda: ask_text(prompt="?", deadline=when, _id="ask").text))
    (wait,) = future.waits
    assert wait.deadline == pytest.approx(1_700_000_060)
    await clock.advance(61)
    with pytest.raises(GraphRunFailed) as caught:
        await future
    assert isinstance(caught.value.__cause__, WaitExpired)


async def test_a_deadline_with_a_default_goes_on_with_it_once():
    future, clock = await started(
        waiting_on(ok=lambda: ask_approval(prompt="?", deadline=60, on_deadline="default", default=False).approved)
    )
    (wait,) = future.waits
    await clock.advance(61)
    assert await future == {"ok": False}
    assert [type(each.event).__name__ for each in future.events].count("WaitExpired") == 1
    with pytest.raises(InvalidToken):
        resume(wait.token, True)


async def test_a_clock_that_jumps_back_neither_fires_early_nor_twice():
    future, clock = await started(
        waiting_on(x=lambda: ask_text(prompt="?", deadline=60, on_deadline="default", default="late").text)
    )
    clock.now -= 7200
    await clock.advance(3600)
    assert len(future.waits) == 1
    clock.now += 7200
    await clock.advance(61)
    assert await future == {"x": "late"}
    assert [type(each.event).__name__ for each in future.events].count("WaitExpired") == 1


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"deadline": dt.datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001 (naive is what is refused)
        ({"deadline": -1}, "-1 s from now"),
        ({"deadline": "tomorrow"}, "seconds from now, a timedelta or an aware datetime"),
        ({"deadline": 1, "on_deadline": "default"}, "needs the answer that then counts"),
        ({"deadline": 1, "on_deadline": "default", "default": 5}, "default= does not fit its own question"),
        ({"deadline": 1, "on_deadline": "fial"}, "on_deadline is 'fail' or 'default'"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_an_error_when_the_wait_opens(settings, complaint):
    future, _ = await started(waiting_on(x=lambda: ask_text(prompt="?", **settings).text))
    with pytest.raises(GraphRunFailed, match=complaint) as caught:
        await future
    assert isinstance(caught.value.__cause__, BadWait)
    assert caught.value.__cause__.hints


async def test_a_tool_in_two_stages_takes_the_answer_on_a_new_instance():
    made = []

    @tool(outputs=["paid", "thread"])
    class Pay(DualStageTool):
        def __init__(self):
            made.append(self)

        def setup(self, amount, *, context):
            return {"kind": "approval", "prompt": f"Pay {amount} for {context.node_id}?"}

        async def on_resume(self, resume, *, context):
            return {"paid": resume["approved"], "thread": threading.get_ident()}

    future, _ = await started(waiting_on(x=lambda: Pay(amount=5, _id="pay").paid))
    await asyncio.sleep(0.05)  # setup is sync, and runs in a thread
    (wait,) = future.waits
    assert wait.prompt == "Pay 5 for pay?"
    future.resume("pay", True)
    assert await future == {"x": True}
    assert len(made) == 2


@pytest.mark.parametrize("missing", ["setup", "on_resume"])
def test_a_tool_in_two_stages_without_one_of_them_is_refused(missing):
    stages = {"setup": lambda self: {}, "on_resume": lambda self, resume: {}}
    del stages[missing]
    with pytest.raises(TypeError, match=f"has no method '{missing}'"):
        tool(outputs=["x"])(type("Two", (DualStageTool,), stages))


async def test_several_waits_in_one_node_at_once(one_node):
    async def asks(context):
        return await asyncio.gather(*(context.wait("text", prompt=each) for each in "ab"))

    future, _ = await started(one_node(asks))
    assert [wait.prompt for wait in future.waits] == ["a", "b"]
    second = future.waits[1].token
    resume(second, "two")
    future.resume("asks", "one")
    assert await future == {"x": [{"text": "one"}, {"text": "two"}]}


async def test_bad_tokens_are_one_and_the_same_error_and_leave_the_log_as_it_was():
    store = MemoryStore()
    future, clock = await started(
        waiting_on(
            a=lambda: ask_text(prompt="?", _id="a").text,
            b=lambda: ask_text(prompt="?", deadline=1, on_deadline="default", default="", _id="b").text,
        ),
        store=store,
    )
    good, expired = (wait.token for wait in future.waits)
    await clock.advance(2)
    other, _ = await started(waiting_on(a=lambda: ask_text(prompt="?", _id="a").text))
    cancelled = other.waits[0].token
    other.cancel()
    await settle()
    before = codec.dump_lines(list(future.events))
    bad = [
        *("", "x", good[:-1], f"{good}A", good[::-1], f" {good}", "A" * 1_000_000, "\ud800", "\0"),
        *(None, b"bytes", 3, ["list"]),
        *(expired, cancelled),
    ]
    said = set()
    for token in bad:
        with pytest.raises(InvalidToken) as refused:
            resume(token, "x")
        said.add(str(refused.value))
    with pytest.raises(InvalidToken):
        resume(good, "x", store=MemoryStore())
    assert len(said) == 1
    assert codec.dump_lines(list(future.events)) == before
    resume(good, "x", store=store)
    assert await future == {"a": "x", "b": ""}


def test_of_eight_threads_that_answer_one_wait_exactly_one_wins_each_time():
    for _ in range(25):
        future = run(waiting_on(x=lambda: ask_choices(prompt="?", options=list("abcdefgh"), _id="ask").choice))
        while not future.waits:
            pass
        token = future.waits[0].token
        barrier = threading.Barrier(8)
        won, lost = [], []

        def answer(choice, barrier=barrier, token=token, won=won, lost=lost):
            barrier.wait()
            try:
                resume(token, choice)
            except AlreadyResumed:
                lost.append(choice)
            else:
                won.append(choice)

        threads = [threading.Thread(target=answer, args=(choice,)) for choice in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)
        assert future.result(10) == {"x": won[0]}


async def test_a_question_of_an_earlier_attempt_takes_no_answer(one_node):
    async def asks(context):
        await context.wait("text", prompt=str(context.attempt), deadline=1 if context.attempt == 1 else None)
        return context.attempt

    policy = RetryPolicy(max_attempts=2, backoff_first_s=0, retry_on=(Exception,))
    future, clock = await started(one_node(asks, _retry=policy))
    (old,) = future.waits
    await clock.advance(2)
    with pytest.raises(GraphRunFailed):  # an expired wait is not tried again
        await future
    with pytest.raises(InvalidToken):
        resume(old.token, "x")
