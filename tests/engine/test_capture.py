"""What nodes print reaches their own attempts, and nobody else's."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import sys
import threading

import pytest

from graphrun_nb import GraphRunFailed, RetryPolicy, graph, graph_fn, run, tool
from graphrun_nb.engine.capture import Router
from tests.engine.conftest import settle
from tests.engine.printing import Listening, logs_of, nodes, texts

pytestmark = pytest.mark.usefixtures("untouched")


async def test_async_nodes_that_print_in_turn_keep_their_lines_apart():
    def printing(name):
        async def node():
            for i in range(20):
                print(name, end=" ")
                await asyncio.sleep(0)
                print(i)
                await asyncio.sleep(0)

        return node

    future = run(nodes(a=printing("a"), b=printing("b"), c=printing("c")))
    await future
    for name in "abc":
        assert texts(future.node(name)) == [f"{name} {i}" for i in range(20)]
        assert {line.stream for line in future.node(name).logs} == {"stdout"}


async def test_eight_threads_that_print_at_once_keep_their_lines_apart():
    together = threading.Barrier(8)

    def printing(name):
        def node():
            together.wait()
            for i in range(200):
                print(name, i)
                print(name, -i, file=sys.stderr)

        return node

    future = run(nodes(**{f"n{i}": printing(f"n{i}") for i in range(8)}), max_concurrency=8)
    await future
    for name in (f"n{i}" for i in range(8)):
        assert texts(future.node(name), "stdout") == [f"{name} {i}" for i in range(200)]
        assert texts(future.node(name), "stderr") == [f"{name} {-i}" for i in range(200)]


async def test_what_a_nodes_own_tasks_and_threads_with_its_context_print_is_the_nodes():
    async def node():
        def work(word):
            print(word)

        await asyncio.gather(asyncio.create_task(asyncio.to_thread(work, "in a task's thread")))
        asyncio.get_running_loop().call_soon(work, "in a callback")
        await asyncio.sleep(0)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, work, "in a pool").result()

    assert texts(await logs_of(node)) == ["in a task's thread", "in a callback", "in a pool"]


async def test_a_thread_without_the_nodes_context_prints_as_if_no_run_were_there(capsys):
    def node():
        print("mine")
        thread = threading.Thread(target=print, args=["nobody's"], **CONTEXTLESS)
        thread.start()
        thread.join()

    assert texts(await logs_of(node)) == ["mine"]
    assert capsys.readouterr().out == "mine\nnobody's\n"


CONTEXTLESS = {"context": contextvars.Context()} if sys.version_info >= (3, 14) else {}


async def test_text_outside_any_node_passes_unchanged_and_at_once(capsys):
    gate = asyncio.Event()

    async def node():
        await gate.wait()

    future = run(nodes(n=node))
    await settle()
    assert print("partial", end="") is None
    assert capsys.readouterr().out == "partial"
    assert sys.stdout.write("four") == 4
    sys.stdout.writelines(["a", "b"])
    assert capsys.readouterr().out == "fourab"
    with pytest.raises(TypeError):
        sys.stdout.write(3)
    gate.set()
    await future
    assert future.node("n").logs == ()


async def test_two_runs_at_once_keep_their_nodes_apart_and_the_last_one_tidies_up():
    gates = [asyncio.Event(), asyncio.Event()]
    original = sys.stdout

    def waiting(i):
        async def node():
            print("run", i)
            await gates[i].wait()
            print("over", i)

        return node

    futures = [run(nodes(n=waiting(i))) for i in range(2)]
    await settle()
    gates[0].set()
    await futures[0]
    assert type(sys.stdout) is Router
    gates[1].set()
    await futures[1]
    assert sys.stdout is original
    assert [texts(each.node("n")) for each in futures] == [["run 0", "over 0"], ["run 1", "over 1"]]


async def test_a_run_that_a_node_starts_has_output_of_its_own():
    async def inner():
        print("inner")

    async def outer(context):
        print("before")
        ids.append(await context.spawn_run(nodes(n=inner)))
        await context.wait_run(ids[0])
        print("after")

    ids, listening = [], Listening()
    node = await logs_of(outer, observers=[listening])
    assert texts(node) == ["before", "after"]
    assert [signal.text for signal in listening.heard] == ["before", "after"]


async def test_a_running_body_and_its_calls_print_under_their_own_names():
    @tool(outputs=["x"])
    async def later():
        print("later")

    @tool(outputs=["x"])
    def now():
        print("now")

    @graph_fn(name="body")
    async def body():
        print("begins")
        now()
        await asyncio.gather(later(), later())
        print("ends")

    future = run(body)
    await future
    said = {node.node_id: texts(node) for node in future.graph.nodes}
    assert said == {"body": ["begins", "ends"], "now": ["now"], "later": ["later"], "later_2": ["later"]}


async def test_each_element_of_a_map_has_its_own_lines():
    @tool(outputs=["x"])
    def show(i):
        print("element", i)

    with graph(name="g") as g:
        show.map(i=[10, 20, 30], _id="m")
    future = run(g.build())
    await future
    assert [texts(future.node(f"m[{i}]")) for i in range(3)] == [["element 10"], ["element 20"], ["element 30"]]
    assert future.node("m").logs == ()


async def test_what_an_observer_prints_is_not_the_nodes_that_it_observes(capsys):
    class Chatty(Listening):
        def on_events(self, batch, state):
            print(*[type(event).__name__ for _, event in batch])

    async def node(context):
        await context.wait("text", prompt="Name?")

    future = run(nodes(n=node), observers=[Chatty()])
    await settle()
    future.resume("n", "x")
    await future
    assert future.node("n").logs == ()
    assert "WaitOpened" in capsys.readouterr().out


async def test_an_abandoned_thread_prints_under_its_own_attempt_or_not_at_all(capsys):
    again, go_on, printed, gate = threading.Event(), threading.Event(), threading.Event(), asyncio.Event()

    def slow(context):
        if context.attempt > 1:
            again.set()
            return
        print("one", end="")
        go_on.wait()
        print("late")
        printed.set()

    async def other():
        await gate.wait()

    with graph(name="g") as g:
        tool(outputs=["x"])(slow)(_id="slow", _timeout=0.05, _retry=RetryPolicy(max_attempts=99, backoff_first_s=0))
        tool(outputs=["x"])(other)(_id="other")
    future = run(g.build())
    await asyncio.to_thread(again.wait)
    go_on.set()
    await asyncio.to_thread(printed.wait)
    gate.set()
    await future
    assert texts(future.node("slow")) == ["one", "late"]
    assert future.node("other").logs == ()


async def test_an_attempt_of_an_ended_run_never_prints_into_a_live_one():
    go_on, printed, gate = threading.Event(), threading.Event(), asyncio.Event()

    def slow():
        go_on.wait()
        print("late")
        printed.set()

    async def other():
        await gate.wait()

    with graph(name="g") as g:
        tool(outputs=["x"])(slow)(_id="slow", _timeout=0.01)
    ended = run(g.build())
    with pytest.raises(GraphRunFailed):
        await ended
    alive = run(nodes(n=other))
    await settle()
    go_on.set()
    await asyncio.to_thread(printed.wait)
    gate.set()
    await alive
    assert texts(ended.node("slow")) == ["late"]
    assert alive.node("n").logs == ()


def test_a_run_on_the_background_loop_is_captured_as_well():
    def node():
        print("in the background")

    future = run(nodes(n=node))
    future.result()
    assert texts(future.node("n")) == ["in the background"]
