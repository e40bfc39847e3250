"""Part 4 of the contract, items 30 to 36.

Elsewhere: 35 in ``test_part4_35_secrets.py``; `--replace` of 36 in ``test_part3_magic_verbs.py``; the rest of 32
and 33 with run identity; `durability` (32) in ``test_part4_durable_stores.py``; ``.graphrun`` (36) in
``test_part3_magic.py``.
"""

from __future__ import annotations

import base64

import pytest

from graphrun_nb import (
    GraphRunError,
    GraphRunFailed,
    MemoryStore,
    RetryPolicy,
    graph,
    graph_fn,
    graphify,
    run,
    run_async,
    tool,
)
from graphrun_nb.protocols import Error, Lost
from graphrun_nb.testing import ManualClock, settle
from graphrun_nb.tools import FileRef, ask_files, ask_text
from tests.contract.conftest import add_async, gate, sums, until


@tool(outputs=["x"])
async def fails():
    raise ValueError("no")


async def test_30_ask_files_takes_base64_and_gives_file_refs(begin):
    with graph(name="g") as g:
        g.expose("files", ask_files(prompt="?", _id="ask").files)
    held = await begin(g)
    data = base64.b64encode(b"a,b\n").decode()
    held.future.resume("ask", {"files": [{"name": "t.csv", "mime": "text/csv", "data": data}]})
    (file,) = (await held.future)["files"]
    assert isinstance(file, FileRef)
    assert (file.name, file.mime, file.size, file.read_bytes()) == ("t.csv", "text/csv", 4, b"a,b\n")
    assert file.digest


async def test_31_max_concurrency_1_never_deadlocks():
    @graphify("inner", inputs=["x"], outputs=["y"])
    def inner(x):
        return {"y": add_async.map(a=[1, 2], b=x).total}

    @tool(outputs=["x"])
    async def nests(context):
        return (await context.run_and_wait(sums, {"x": 1}, max_concurrency=1))["y"]

    with graph(name="g") as g:
        ask_text(prompt="?", _id="ask")
        g.expose("x", [nests().x, inner(x=1).y])
    future = run(g, max_concurrency=1)
    await until(lambda: str(future.status) == "WAITING")
    future.resume("ask", "")
    assert await future == {"x": [12, [2, 3]]}


async def test_31_child_ids_are_those_of_elements_and_of_nested_nodes():
    @graphify("inner", inputs=["x"], outputs=["y"])
    def inner(x):
        return {"y": add_async(a=x, b=1, _id="inner").total}

    with graph(name="g") as g:
        add_async.map(a=[1, 2], b=1, _id="work")
        inner(x=1, _id="outer")
    future = run(g)
    await future
    assert {node.node_id for node in future.graph.nodes} == {"work", "work[0]", "work[1]", "outer", "outer/inner"}


async def test_32_logs_are_kept_best_effort_64_kb_an_attempt():
    @tool(outputs=["x"])
    async def talks():
        for _ in range(2000):
            print("x" * 99)  # noqa: T201 (what a node prints is its log)

    with graph(name="g") as g:
        talks()
    future = run(g)
    await future
    n_bytes = sum(len(line.text) + 1 for line in future.node("talks").logs)
    assert 60_000 < n_bytes < 70_000


async def test_33_jitter_is_a_hash_of_run_node_and_attempt():
    async def pauses(run_id):
        clock = ManualClock()
        with graph(name="g") as g:
            fails(_id="fails")
        policy = RetryPolicy(max_attempts=3, backoff_first_s=10, jitter=1)
        future = run(g, clock=clock, run_id=run_id, store=MemoryStore(), retry=policy)
        await settle()
        await clock.advance(100)
        return [each.at for each in future.events if type(each.event).__name__ == "AttemptStarted"]

    assert await pauses("r1") == await pauses("r1") != await pauses("r2")
    policy = RetryPolicy(backoff_first_s=10, backoff_base=1, jitter=1)
    one = policy.pause_s("r", "n", 1, 1)
    assert one not in (policy.pause_s("r", "other", 1, 1), policy.pause_s("r", "n", 1, 2))


async def test_33_jitter_knows_attempts_that_were_lost():
    class LosesOne:
        name = "loses one"
        n_calls = 0

        async def submit(self, call):
            del call
            self.n_calls += 1
            return Lost("gone") if self.n_calls == 1 else Error(ValueError("no"))

        def close(self): ...

    @tool(outputs=["x"])
    def anything(): ...

    with graph(name="g") as g:
        anything(_id="n")
    policy = RetryPolicy(max_attempts=2, backoff_first_s=100, jitter=1)
    future = run(g, run_id="r", store=MemoryStore(), clock=ManualClock(), executor=LosesOne(), retry=policy)
    await until(lambda: future.node("n").status == "RETRYING")
    failed, scheduled = future.events[-2:]
    assert scheduled.event.due - failed.at == pytest.approx(policy.pause_s("r", "n", 1, 2))
    future.cancel()
    await until(future.done)


async def test_34_result_inside_a_node_of_any_run_on_the_same_loop_is_refused_with_a_hint():
    @tool(outputs=["x"])
    async def blocks():
        run(sums, {"x": 1}).result()

    with graph(name="g") as g:
        blocks()
    with pytest.raises(GraphRunFailed) as raised:
        await run_async(g)
    cause = raised.value.__cause__
    assert isinstance(cause, GraphRunError)
    assert "await" in " ".join(cause.hints)


async def test_34_it_is_any_run_on_the_same_loop_and_a_graph_functions_sync_as_well(begin):
    held = await begin(gate, {"amount": 5})

    @graph_fn(name="other", outputs=["x"])
    async def other():
        return 1

    @tool(outputs=["x"])
    async def of_a_run_begun_elsewhere():
        held.future.result()

    @tool(outputs=["x"])
    async def of_a_graph_function():
        other.sync()

    for blocks in (of_a_run_begun_elsewhere, of_a_graph_function):
        with graph(name="g") as g:
            blocks()
        with pytest.raises(GraphRunFailed) as raised:
            await run_async(g)
        assert "await" in " ".join(raised.value.__cause__.hints)
    held.future.cancel()
    await until(held.future.done)


def generates():
    yield 1


async def generates_async():
    yield 1


@pytest.mark.parametrize("function", [generates, generates_async])
def test_34_generator_functions_as_tools_are_refused_at_decoration_with_a_hint(function):
    with pytest.raises(TypeError, match="generator") as refused:
        tool(outputs=["x"])(function)
    assert "return a list" in "\n".join([str(refused.value), *getattr(refused.value, "__notes__", ())])


async def test_36_running_the_same_cell_again_while_its_run_is_alive_starts_a_new_run(kernel):
    kernel.run("f = %graphrun gate amount=5\nfirst = f")
    kernel.run("f = %graphrun gate amount=5")
    assert kernel.run("first.run_id != f.run_id, first.done(), f.done()").text == "(True, False, False)"
    kernel.run("first.cancel(); f.cancel()")


def test_36_the_view_says_that_another_is_alive_and_offers_it_until_it_has_ended(kernel):
    kernel.run("f = %graphrun gate amount=5\nfirst = f")
    kernel.run("f = %graphrun gate amount=5\nview = f.inspect()")
    assert kernel.run("first.run_id in view.others, f.run_id in view.others").text == "(True, False)"
    kernel.run("first.cancel()\ntry: await first\nexcept asyncio.CancelledError: pass\nawait asyncio.sleep(0)")
    assert kernel.run("first.run_id in view.others").text == "False"
    kernel.run("f.cancel()")


async def test_36_launching_does_not_block(kernel):
    reply = kernel.run("f = %graphrun gate amount=5\nf.done()")
    assert reply.text == "False"
    kernel.run("f.cancel()")
