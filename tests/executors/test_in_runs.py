"""Executors as runs use them: which one a node gets, and what becomes of it in the run's log."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from graphrun_nb import (
    GraphRunFailed,
    GraphValidationError,
    NodeContext,
    RetryPolicy,
    graph,
    graph_fn,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import AttemptFailed, AttemptLost, AttemptStarted
from graphrun_nb.errors import NodeLost
from graphrun_nb.executors.loop import LoopExecutor
from graphrun_nb.executors.process import ProcessExecutor
from graphrun_nb.executors.thread import ThreadExecutor
from tests.executors.conftest import is_running, until


@tool(outputs=["pid", "thread"])
def where():
    return {"pid": os.getpid(), "thread": threading.current_thread() is threading.main_thread()}


def one(function, **controls):
    """Make a graph of the node `n`."""
    with graph(name="one") as g:
        handle = tool(outputs=["x"])(function)(_id="n", **controls)
        g.expose("x", handle.x)
    return g.build()


def kinds(future, *wanted):
    return [type(each.event).__name__ for each in future.events if isinstance(each.event, wanted)]


# which one


@pytest.mark.parametrize("executor", ["process", "pool"])
async def test_sync_nodes_run_where_the_run_says_unless_they_say_themselves(executor, pool):
    with graph(name="g") as g:
        g.expose("run", where(_id="run").pid)
        g.expose("thread", where(_id="thread", _executor="thread").pid)
        g.expose("loop", where(_id="loop", _executor="loop").pid)
        g.expose("process", where(_id="process", _executor="process").pid)
    outputs = await run_async(g, executor=pool if executor == "pool" else executor)
    here = os.getpid()
    assert {name: pid == here for name, pid in outputs.items()} == {
        "run": False,
        "thread": True,
        "loop": True,
        "process": False,
    }


async def test_an_async_node_runs_on_the_loop_unless_it_says_process_itself(pool):
    async def pid():
        await asyncio.sleep(0)
        return os.getpid()

    assert await run_async(one(pid), executor=pool) == {"x": os.getpid()}
    assert (await run_async(one(pid, _executor="process"), executor=pool))["x"] != os.getpid()


async def test_elements_of_a_mapped_node_run_in_processes(pool):
    def square(x):
        return {"y": x * x, "pid": os.getpid()}

    with graph(name="g") as g:
        mapped = tool(outputs=["y", "pid"])(square).map(x=[1, 2, 3], _executor="process")
        g.expose("y", mapped.y)
        g.expose("pids", mapped.pid)
    outputs = await run_async(g, executor=pool)
    assert outputs["y"] == [1, 4, 9]
    assert os.getpid() not in outputs["pids"]


async def test_calls_of_a_running_body_go_to_processes(pool):
    @graph_fn(name="fn")
    async def fn():
        by_run = await where.aio()
        by_call = await where.aio(_executor="process")
        right_here = where()
        return {"pids": [each["pid"] != os.getpid() for each in (by_run, by_call, right_here)]}

    assert await run_async(fn, executor=pool) == {"pids": [True, True, False]}


async def test_a_call_without_await_cannot_be_sent_elsewhere():
    @graph_fn(name="fn")
    async def fn():
        where(_executor="process")

    with pytest.raises(GraphRunFailed, match="is called without await, so it runs right here") as caught:
        await run_async(fn)
    assert caught.value.__cause__.__notes__ == ["hint: await where.aio(…)"]


async def test_an_executor_that_does_not_exist_is_refused_with_the_node_before_anything_runs():
    ran = []
    with graph(name="g") as g:
        tool(outputs=[])(lambda: ran.append(1))(_id="a")
        where(_id="b", _executor="proces")
    with pytest.raises(GraphValidationError, match="node 'b' wants the executor 'proces', and there is none") as caught:
        await run_async(g)
    assert (caught.value.code, caught.value.hints) == ("graph_unknown_executor", ("did you mean 'process'?",))
    assert not ran


async def test_an_executor_that_a_body_names_and_does_not_exist_is_refused_there():
    @graph_fn(name="fn")
    async def fn():
        await where.aio(_executor="proces")

    with pytest.raises(GraphRunFailed, match="wants the executor 'proces', and there is none"):
        await run_async(fn)


class Nameless:
    name = ""

    async def submit(self, call): ...

    def close(self): ...


class Shut:
    name = "shut"

    def submit(self, call): ...


@pytest.mark.parametrize(
    ("given", "says", "hint"),
    [
        (
            ProcessExecutor,
            "and ProcessExecutor is a class",
            "executor=ProcessExecutor()",
        ),
        (Nameless(), "has not: a name, which is a text", "protocols.Executor"),
        (Shut(), "has not: async def submit(self, call); def close(self)", "protocols.Executor"),
        (4, "and 4 has not: a name, which is a text; async def submit", "dask, loop, process, thread"),
    ],
)
async def test_what_is_no_executor_is_refused_by_what_it_lacks(given, says, hint):
    with pytest.raises(TypeError) as caught:
        await run_async(one(lambda: 1), executor=given)
    assert says in str(caught.value)
    assert hint in caught.value.__notes__[0]


class Keeping(LoopExecutor):
    """One that a caller makes, and closes."""

    name = "keeping"
    n_closed = 0

    async def submit(self, call):
        return call.node_id if call.arguments.get("oddly") else await super().submit(call)

    def close(self):
        self.n_closed += 1


async def test_an_executor_that_was_lent_is_used_by_its_name_and_not_closed():
    lent = Keeping()
    with graph(name="g") as g:
        g.expose("a", where(_id="a", _executor="keeping").thread)
        g.expose("b", where(_id="b").thread)
        g.expose("c", where(_id="c", _executor="thread").thread)
    assert await run_async(g, executor=lent) == {"a": True, "b": True, "c": False}
    assert lent.n_closed == 0


async def test_an_executor_that_gives_no_outcome_fails_the_node():
    with pytest.raises(GraphRunFailed, match="an executor gives a Value, an Error or a Lost, not 'n'"):
        await run_async(one(lambda oddly: oddly, oddly=True), executor=Keeping())


async def test_runs_close_the_executors_that_they_made(monkeypatch):
    closed = []
    for kind in (ProcessExecutor, ThreadExecutor):
        close = kind.close
        monkeypatch.setattr(kind, "close", lambda self, close=close: (closed.append(self.name), close(self)))
    with graph(name="g") as g:
        where(_id="a", _executor="process")
        where(_id="b", _executor="thread")
    await run_async(g)
    assert {"process", "thread"} == set(closed)


# what becomes of it


async def test_a_node_that_took_its_process_down_is_run_again_and_its_budget_is_whole(pool, tmp_path):
    def falls_twice(context):
        if context.attempt <= 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if context.attempt == 3:
            raise ConnectionError
        return context.attempt

    future = run(one(falls_twice), executor=pool, retry=RetryPolicy(max_attempts=2, backoff_first_s=0.001))
    assert await future == {"x": 4}
    assert kinds(future, AttemptLost, AttemptFailed) == ["AttemptLost", "AttemptLost", "AttemptFailed"]
    lost = next(each.event for each in future.events if isinstance(each.event, AttemptLost))
    assert lost.reason == "the worker process ended with signal SIGKILL"


async def test_a_node_that_always_takes_its_process_down_is_given_up_and_the_others_are_not(pool):
    with graph(name="g") as g:
        below = tool(outputs=["x"])(lambda x: x)
        bad = tool(outputs=["x"])(lambda: os._exit(7))(_id="bad")
        below(bad.x, _id="below")
        tool(outputs=["x"])(lambda: time.sleep(0.1))(_id="fine")
    future = run(g, executor=pool, retry=RetryPolicy(max_attempts=9))
    with pytest.raises(GraphRunFailed) as caught:
        await future
    assert str(caught.value).endswith("failed: poisoned: the process died 3 times while this node ran")
    assert type(caught.value.__cause__) is NodeLost
    assert str(caught.value.__cause__) == "node 'bad' was lost: the worker process ended with exit code 7"
    assert [future.node(each).status for each in ("bad", "below", "fine")] == ["FAILED", "SKIPPED", "DONE"]
    assert len(kinds(future, AttemptStarted)) == 4


async def test_a_body_sees_a_call_that_took_its_process_down_as_an_exception(pool):
    @graph_fn(name="fn")
    async def fn():
        try:
            await tool(outputs=["x"])(lambda: os._exit(7)).aio()
        except NodeLost as lost:
            return {"lost": str(lost)}

    assert "exit code 7" in (await run_async(fn, executor=pool))["lost"]


async def test_an_exception_keeps_its_class_for_the_retry_policy(pool):
    class Busy(Exception):
        pass

    def fails(context):
        if context.attempt == 1:
            raise Busy("later")
        return context.attempt

    policy = RetryPolicy(max_attempts=2, backoff_first_s=0.001, retry_on=(Busy,))
    assert await run_async(one(fails), executor=pool, retry=policy) == {"x": 2}


async def test_a_failure_points_at_the_users_line(pool):
    def fails():
        return {}["missing"]

    future = run(one(fails), executor=pool)
    with pytest.raises(GraphRunFailed) as caught:
        await future
    cause = caught.value.__cause__
    assert type(cause) is KeyError
    trace = cause.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert (trace.tb_frame.f_code.co_filename, trace.tb_lineno) == (__file__, fails.__code__.co_firstlineno + 1)
    (frame,) = future.node("n").error.frames
    assert (frame.function, frame.source.strip()) == ("fails", 'return {}["missing"]')


async def test_a_timeout_ends_the_work_and_the_next_attempt_has_another_worker(pool, tmp_path):
    def slow(context):
        (tmp_path / f"{context.attempt}").write_text(str(os.getpid()))
        if context.attempt == 1:
            time.sleep(60)
        return context.attempt

    future = run(one(slow, _timeout=0.5), executor=pool, retry=RetryPolicy(max_attempts=2, backoff_first_s=0.001))
    assert await future == {"x": 2}
    (failed,) = (each.event for each in future.events if isinstance(each.event, AttemptFailed))
    assert failed.error.message == "node 'n' did not end within 0.5 s"
    first = int((tmp_path / "1").read_text())
    await until(lambda: not is_running(first))
    assert int((tmp_path / "2").read_text()) != first


async def test_cancelling_a_run_ends_the_work_of_its_processes(tmp_path):
    def stubborn(n):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        (tmp_path / str(n)).write_text(str(os.getpid()))
        time.sleep(60)

    with graph(name="g") as g:
        for n in range(3):
            tool(outputs=["x"])(stubborn)(n)
    future = run(g, executor="process")
    await until(lambda: len([each for each in tmp_path.iterdir() if each.read_text()]) == 3)
    workers = [int(each.read_text()) for each in tmp_path.iterdir()]
    begun = time.monotonic()
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    assert time.monotonic() - begun < 1
    for worker in workers:
        await until(lambda worker=worker: not is_running(worker))


async def test_what_a_node_prints_and_logs_in_its_process_is_in_its_own_logs(pool):
    def says(word, context):
        print(word, "printed")
        print(word, "aside", file=sys.stderr)
        context.logger.info("%s logged", word)
        logging.getLogger("mine").warning("%s warned", word)
        subprocess.run(["echo", f"{word} echoed"], check=True)

    with graph(name="g") as g:
        for word in ("a", "b"):
            tool(outputs=["x"])(says)(word, _id=word)
    future = run(g, executor=pool)
    await future
    for word in ("a", "b"):
        assert sorted((line.stream, line.text) for line in future.node(word).logs) == [
            ("log", f"INFO graphrun.{word}: {word} logged"),
            ("log", f"WARNING mine: {word} warned"),
            ("stderr", f"{word} aside"),
            ("stdout", f"{word} echoed"),
            ("stdout", f"{word} printed"),
        ]


async def test_a_context_knows_its_run_in_a_process_and_shows_progress(pool):
    heard = []

    class Listening:
        def on_events(self, batch, state): ...

        def on_signal(self, signal):
            heard.append((signal.stream, signal.text))

    def knows(a, context: NodeContext):
        context.progress(1, 2, "half")
        return [
            context.run_id,
            context.session_id,
            context.agent_id,
            context.app_id,
            context.node_id,
            context.attempt,
            context.idempotency_key,
            dict(context.inputs),
            context.is_cancel_requested(),
        ]

    outputs = await run_async(
        one(knows, a=5), executor=pool, run_id="r1", session_id="s", agent_id="ag", app_id="ap", observers=[Listening()]
    )
    assert outputs["x"] == ["r1", "s", "ag", "ap", "n", 1, "r1:n", {"a": 5}, False]
    assert ("progress", "1/2 half") in heard


async def test_a_question_in_a_process_says_where_it_can_be_asked(pool):
    async def asks(context):
        return await context.wait("text", prompt="?")

    with pytest.raises(GraphRunFailed, match=r"context\.wait needs the run") as caught:
        await run_async(one(asks, _executor="process"), executor=pool)
    assert 'use _executor="thread"' in caught.value.__cause__.__notes__[-1]


async def test_what_cannot_be_sent_fails_the_node_with_its_name_and_a_hint(pool):
    lock = threading.Lock()
    future = run(one(lambda held: held, held=lock, _executor="process"), executor=pool)
    with pytest.raises(GraphRunFailed, match="the argument 'held' of node 'n' cannot be sent to another process"):
        await future
    assert future.node("n").error.notes[0].startswith("hint: make such things inside the function")
