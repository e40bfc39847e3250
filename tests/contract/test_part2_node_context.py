"""Part 2 of the contract, *NodeContext*, a test for each name it lists."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from graphrun_nb import NodeContext, RetryPolicy, RunStatus, graph, list_runs, run, run_async, tool
from tests.contract.conftest import gate, sums, until


@pytest.fixture
def node():
    """Make a graph of one node from a body that takes the context."""

    def make(body, **controls):
        with graph(name="one") as g:
            g.expose("x", tool(outputs=["x"])(body)(_id="only", **controls).x)
        return g.build()

    return make


async def test_it_has_run_id_session_id_agent_id_app_id_and_node_id(node, store):
    async def body(context):
        assert isinstance(context, NodeContext)
        return [context.run_id, context.session_id, context.agent_id, context.app_id, context.node_id]

    outputs = await run_async(node(body), run_id="r1", session_id="s1", agent_id="a1", app_id="p1", store=store)
    assert outputs == {"x": ["r1", "s1", "a1", "p1", "only"]}


async def test_it_has_inputs(node):
    @tool(outputs=["x"])
    async def body(a, context, b=2):
        return [context.inputs[name] for name in ("a", "b")]

    with graph(name="one") as g:
        g.expose("x", body(a=1, b=g.arg("z")).x)
    assert await run_async(g, {"z": 3}) == {"x": [1, 3]}


async def test_it_has_a_logger_whose_lines_are_the_nodes(node):
    async def body(context):
        context.logger.info("read %d rows", 3)

    future = run(node(body))
    await future
    (line,) = future.node("only").logs
    assert "read 3 rows" in line.text


async def test_it_has_attempt_and_an_idempotency_key_equal_over_attempts(node):
    seen = []

    async def body(context):
        seen.append((context.attempt, context.idempotency_key))
        if context.attempt < 3:
            raise OSError

    policy = RetryPolicy(max_attempts=3, backoff_first_s=0)
    await run_async(node(body, _retry=policy))
    assert [attempt for attempt, _ in seen] == [1, 2, 3]
    assert len({key for _, key in seen}) == 1


async def test_idempotency_keys_differ_between_nodes_and_runs():
    @tool(outputs=["key"])
    async def key(context):
        return context.idempotency_key

    with graph(name="two") as g:
        g.expose("a", key().key)
        g.expose("b", key().key)
    first, second = await run_async(g), await run_async(g)
    assert len({*first.values(), *second.values()}) == 4


async def test_progress_takes_done_total_and_text(node):
    heard = []

    class Watcher:
        def on_events(self, batch, state): ...

        def on_signal(self, signal):
            heard.append((signal.stream, signal.text))

    async def body(context):
        context.progress(3, 10, "rows")

    await run_async(node(body), observers=[Watcher()])
    assert heard == [("progress", "3/10 rows")]


async def test_wait_takes_kind_prompt_schema_deadline_on_deadline_and_default(node, begin):
    async def body(context):
        return await context.wait(
            "count",
            prompt="How many?",
            schema={"type": "integer"},
            deadline=60,
            on_deadline="default",
            default=7,
        )

    held = await begin(node(body))
    await until(lambda: held.future.waits)
    (wait,) = held.future.waits
    assert (wait.kind, wait.prompt, wait.schema, wait.on_deadline) == (
        "count",
        "How many?",
        {"type": "integer"},
        "default",
    )
    assert wait.deadline == pytest.approx(held.clock.now + 60)
    await held.clock.advance(61)
    assert await held.future == {"x": 7}


CHANNEL = {
    "ask_text": (lambda channel: channel.ask_text("Name?"), "Ada", "Ada"),
    "ask_approval": (lambda channel: channel.ask_approval("Pay?"), True, {"approved": True, "choice": "Approve"}),
    "ask_choices": (lambda channel: channel.ask_choices("Which?", ["a", "b"]), "b", "b"),
}


@pytest.mark.parametrize("name", CHANNEL)
async def test_the_channel_asks_text_approval_and_choices(node, begin, name):
    ask, payload, answer = CHANNEL[name]

    async def body(context):
        return [await ask(context.channel())]

    held = await begin(node(body))
    held.future.resume("only", payload)
    assert await held.future == {"x": [answer]}


async def test_the_channel_asks_files(node, begin):
    async def body(context):
        (file,) = await context.channel().ask_files("Which?")
        return file.name, file.read_bytes()

    held = await begin(node(body))
    data = base64.b64encode(b"1,2").decode()
    held.future.resume("only", {"files": [{"name": "t.csv", "mime": "text/csv", "data": data}]})
    assert await held.future == {"x": ("t.csv", b"1,2")}


async def test_the_channel_sends_text(node):
    async def body(context):
        await context.channel().send_text("half done")

    future = run(node(body))
    await future
    assert [line.text for line in future.node("only").logs] == ["half done"]


@pytest.mark.parametrize(
    "when", [60, dt.timedelta(minutes=1), dt.datetime.fromtimestamp(1_700_000_060, dt.UTC)], ids=str
)
async def test_sleep_until(node, begin, when):
    async def body(context):
        await context.sleep_until(when)
        return "awake"

    held = await begin(node(body))
    await held.clock.advance(59)
    assert not held.future.done()
    await held.clock.advance(2)
    assert await held.future == {"x": "awake"}


async def test_wait_event(node, begin):
    async def body(context):
        return [await context.wait_event("paid")]

    held = await begin(node(body))
    held.future.send_event("paid", {"amount": 5})
    assert await held.future == {"x": [{"amount": 5}]}


async def test_spawn_run_and_wait_run(node, store):
    async def body(context):
        run_id = await context.spawn_run(sums, {"x": 1})
        return run_id, await context.wait_run(run_id)

    run_id, outputs = (await run_async(node(body), store=store))["x"]
    assert outputs == {"y": 12}
    assert {row.run_id: row.graph for row in list_runs(store=store)}[run_id] == "sums"


async def test_run_and_wait(node):
    async def body(context):
        return [await context.run_and_wait(sums, {"x": 1})]

    assert await run_async(node(body)) == {"x": [{"y": 12}]}


async def test_cancel_run(node, store):
    async def body(context):
        run_id = await context.spawn_run(gate, {"amount": 5})
        return await context.cancel_run(run_id)

    assert await run_async(node(body), store=store) == {"x": True}
    await until(lambda: RunStatus.WAITING not in {row.status for row in list_runs(store=store)})
    assert {row.graph: row.status for row in list_runs(store=store)} == {"one": "DONE", "gate": "CANCELLED"}


def test_is_cancel_requested(node):
    begun, seen = [], []

    def body(context):
        begun.append(context.is_cancel_requested())
        while not context.is_cancel_requested():
            pass
        seen.append(context.is_cancel_requested())

    future = run(node(body))
    while not begun:
        pass
    future.cancel()
    while not seen:
        pass
    assert (begun, seen) == ([False], [True])
