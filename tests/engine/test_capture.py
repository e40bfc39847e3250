"""What a node prints and logs is its own: never another node's, never lost, never endless."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import copy
import io
import logging
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from graphrun_nb import GraphRunFailed, RetryPolicy, graph, graph_fn, run, run_async, tool
from graphrun_nb.engine.capture import CAPTURE, Router
from graphrun_nb.protocols import hooks
from tests.engine.conftest import settle
from tests.engine.printing import Listening, logs_of, nodes, texts

LOG = logging.getLogger("tests.capture")


@pytest.fixture(autouse=True)
def untouched():
    """See that each test leaves the process as it was."""
    before = logging.Logger.callHandlers
    assert type(sys.stdout) is not Router
    yield
    assert not CAPTURE._alive
    assert type(sys.stdout) is not Router
    assert type(sys.stderr) is not Router
    assert logging.Logger.callHandlers is before
    assert logging.getLogger("graphrun").level == logging.NOTSET


@pytest.fixture
def in_kernel(monkeypatch):
    """Make runs believe that a notebook shows them."""
    monkeypatch.setattr(hooks, "presenter", SimpleNamespace(refresh=lambda future: None))


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


async def test_a_stream_that_lacks_a_character_shows_it_spelt_out(monkeypatch):
    bare = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bare, encoding="ascii", write_through=True))

    def node():
        print("é")

    assert texts(await logs_of(node)) == ["é"]
    assert bare.getvalue() == b"\\xe9\n"


async def test_what_an_observer_prints_is_not_the_nodes_that_it_observes(capsys):
    class Chatty(Listening):
        def on_events(self, first, batch, state):
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


async def test_redirecting_inside_a_node_works_as_ever():
    def node():
        print("before")
        with contextlib.redirect_stdout(io.StringIO()) as mine, contextlib.redirect_stderr(mine):
            print("redirected")
            print("this too", file=sys.stderr)
        print("after")
        caught.append(mine.getvalue())

    caught = []
    assert texts(await logs_of(node)) == ["before", "after"]
    assert caught == ["redirected\nthis too\n"]


async def test_a_broken_stream_does_not_hurt_a_node(monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError("no space left")

        flush = write

    monkeypatch.setattr(sys, "stdout", Broken())

    def node():
        print("kept", flush=True)
        sys.stdout.write("and this")

    assert texts(await logs_of(node)) == ["kept", "and this"]
    with pytest.raises(OSError, match="no space"):
        print("outside")


async def test_what_is_not_text_is_refused_as_by_any_stream():
    async def node():
        sys.stdout.write(b"bytes")

    with pytest.raises(GraphRunFailed, match=r"TypeError: write\(\) argument must be str, not bytes"):
        await logs_of(node)


async def test_a_process_without_streams_runs_all_the_same(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)

    def node():
        print("into the void")
        print("seen", file=sys.stderr)

    assert texts(await logs_of(node)) == ["seen"]
    assert sys.stdout is None


async def test_in_everything_but_writing_a_router_is_the_stream():
    gate = asyncio.Event()
    original = sys.stdout

    async def node():
        await gate.wait()

    future = run(nodes(n=node))
    await settle()
    router = sys.stdout
    assert type(router) is Router
    assert isinstance(router, type(original))
    assert router.encoding == original.encoding
    assert router.isatty() is original.isatty()
    assert router.fileno() == original.fileno()
    assert router.buffer is original.buffer
    assert copy.copy(router) is router
    router.colour = "red"
    assert original.colour == "red"
    del router.colour
    assert not hasattr(original, "colour")
    with pytest.raises(AttributeError):
        router.parent_header  # noqa: B018 (it has none)
    with router as entered:
        assert entered is router
        router.flush()
        del entered
        router.close = lambda: None
    del router.close
    gate.set()
    await future
    assert sys.stdout is original


async def test_whoever_puts_a_write_of_their_own_on_a_router_sees_what_passes():
    """IPython does so for each cell."""
    gate, seen = asyncio.Event(), []

    async def node():
        await gate.wait()
        print("the node's")

    future = run(nodes(n=node))
    await settle()
    stream = sys.stdout
    original_write = stream.write
    stream.write = lambda text: (seen.append(text), original_write(text))[1]
    print("outside")
    stream.write = original_write
    print("later")
    gate.set()
    await future
    assert seen == ["outside", "\n"]
    assert texts(future.node("n")) == ["the node's"]


async def test_output_still_passes_where_somebody_wrapped_a_router_and_put_it_back_too_late(capsys):
    original, gate = sys.stdout, asyncio.Event()

    async def node():
        await gate.wait()

    future = run(nodes(n=node))
    await settle()
    with contextlib.redirect_stdout(io.StringIO()) as mine:
        gate.set()
        await future
        print("mine")
    assert type(sys.stdout) is Router
    assert mine.getvalue() == "mine\n"
    print("passes")
    assert texts(await logs_of(lambda: print("captured"))) == ["captured"]
    assert sys.stdout is original
    assert capsys.readouterr().out == "passes\ncaptured\n"


async def test_nothing_is_captured_twice_where_a_wrapper_stands_between_two_routers(capsys):
    class Wrapper:
        def __init__(self, stream):
            self.stream = stream

        def __getattr__(self, name):
            return getattr(self.stream, name)

    original, gate = sys.stdout, asyncio.Event()

    async def waiting():
        await gate.wait()

    first = run(nodes(n=waiting))
    await settle()
    router, sys.stdout = sys.stdout, Wrapper(sys.stdout)
    assert texts(await logs_of(lambda: print("once"))) == ["once"]
    sys.stdout = router
    gate.set()
    await first
    assert sys.stdout is original
    assert capsys.readouterr().out == "once\n"


async def test_capsys_sees_nodes_and_works_afterwards(capsys):
    def node():
        print("the node's")
        print("its error", file=sys.stderr)

    await logs_of(node)
    print("after")
    out, err = capsys.readouterr()
    assert out == "the node's\nafter\n"
    assert err == "its error\n"


def test_a_run_on_the_background_loop_is_captured_as_well():
    def node():
        print("in the background")

    future = run(nodes(n=node))
    future.result()
    assert texts(future.node("n")) == ["in the background"]


async def test_the_loggers_of_a_node_are_heard_from_info_upwards():
    async def node(context):
        context.logger.debug("hidden")
        context.logger.info("read %d rows", 3)
        LOG.info("hidden, as the root logger is at WARNING")
        LOG.warning("careful")
        try:
            {}["row"]
        except KeyError:
            context.logger.exception("failed")

    node = await logs_of(node)
    info, warning, error = texts(node, "log")
    assert info == "INFO graphrun.n: read 3 rows"
    assert warning == "WARNING tests.capture: careful"
    assert error.startswith("ERROR graphrun.n: failed\nTraceback (most recent call last):\n")
    assert error.endswith("KeyError: 'row'")
    assert texts(node, "stdout", "stderr") == []


async def test_a_level_that_the_user_chose_stays():
    logger = logging.getLogger("graphrun")

    async def node(context):
        context.logger.info("is it heard?")
        logger.setLevel(logging.ERROR)

    try:
        assert texts(await logs_of(node)) == ["INFO graphrun.n: is it heard?"]
        assert logger.level == logging.ERROR
        assert texts(await logs_of(node)) == []
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)


async def test_records_of_nodes_at_once_and_in_threads_keep_apart():
    together = threading.Barrier(4)

    def logging_(name):
        def node():
            together.wait()
            for i in range(100):
                LOG.error("%s %d", name, i)

        return node

    future = run(nodes(**{name: logging_(name) for name in "abcd"}))
    await future
    for name in "abcd":
        assert texts(future.node(name)) == [f"ERROR tests.capture: {name} {i}" for i in range(100)]


async def test_handlers_hear_nodes_as_ever_and_what_they_print_is_not_captured_again(capsys):
    async def node():
        handler = logging.StreamHandler(sys.stderr)
        LOG.addHandler(handler)
        LOG.propagate = False
        try:
            LOG.warning("careful")
        finally:
            LOG.removeHandler(handler)
            LOG.propagate = True

    node = await logs_of(node)
    assert [(line.stream, line.text) for line in node.logs] == [("log", "WARNING tests.capture: careful")]
    assert capsys.readouterr().err == "careful\n"


async def test_logging_can_be_configured_while_a_run_is_alive(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)

    async def node():
        logging.basicConfig(level=logging.INFO)
        LOG.info("heard")

    assert texts(await logs_of(node)) == ["INFO tests.capture: heard"]
    assert len(root.handlers) == 1


async def test_a_record_that_cannot_be_formatted_does_not_hurt_the_node(monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)

    async def node():
        LOG.error("%d apples", "no")
        LOG.error("fine")

    bad, fine = texts(await logs_of(node))
    assert bad == "ERROR tests.capture: a record that cannot be formatted (TypeError)"
    assert fine == "ERROR tests.capture: fine"


async def test_another_patch_of_logging_stays_and_nothing_is_captured_twice():
    seen, gate, unpatched = [], asyncio.Event(), logging.Logger.callHandlers

    async def node():
        await gate.wait()
        LOG.error("once")

    future = run(nodes(n=node))
    await settle()
    before = logging.Logger.callHandlers

    def theirs(logger, record):
        seen.append(record.getMessage())
        before(logger, record)

    logging.Logger.callHandlers = theirs
    try:
        gate.set()
        await future
        assert logging.Logger.callHandlers is theirs
        again = await logs_of(node)
        assert logging.Logger.callHandlers is theirs
    finally:
        logging.Logger.callHandlers = unpatched
    assert texts(future.node("n")) == texts(again) == ["ERROR tests.capture: once"]
    assert seen == ["once", "once"]


async def test_in_a_kernel_a_node_does_not_wait_for_a_stream_that_it_does_not_write_to(in_kernel, monkeypatch):
    class Slow(io.StringIO):
        def flush(self):
            flushed.append(1)

    flushed = []
    monkeypatch.setattr(sys, "stdout", Slow())
    assert texts(await logs_of(lambda: print("at once", flush=True))) == ["at once"]
    assert flushed == []
    await run_async(nodes(n=lambda: print("shown", flush=True)))
    assert flushed == [1]


async def test_in_a_kernel_nothing_of_a_node_reaches_the_cell(in_kernel, capsys, tmp_path):
    in_cell = logging.StreamHandler(sys.stderr)
    in_file = logging.FileHandler(tmp_path / "log")
    LOG.handlers = [in_cell, in_file]

    def node():
        print("printed", flush=True)
        print("error", file=sys.stderr)
        LOG.warning("logged")
        logging.StreamHandler().handle(logging.makeLogRecord({"msg": "handled"}))

    try:
        node = await logs_of(node)
    finally:
        LOG.handlers = []
        in_file.close()
    assert texts(node) == ["printed", "error", "WARNING tests.capture: logged", "handled"]
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "log").read_text() == "logged\n"


async def test_in_a_kernel_a_run_that_its_caller_awaits_prints_for_the_caller(in_kernel, capsys):
    async def inner():
        print("inner")

    async def node(context):
        print("outer")
        await context.run_and_wait(nodes(n=inner))

    await run_async(nodes(n=node))
    assert capsys.readouterr().out == "outer\ninner\n"
    await logs_of(node)
    assert capsys.readouterr().out == ""

    @graph_fn(name="body")
    async def body():
        print("body")

    await asyncio.to_thread(body.sync)
    assert capsys.readouterr().out == "body\n"


SCRIPT = """
import os, subprocess, sys, warnings
from graphrun_nb import graph, run, tool
from graphrun_nb.protocols import hooks

@tool(outputs=["x"])
def node():
    print("printed")
    warnings.warn("deprecated")
    subprocess.run([sys.executable, "-c", "print('from a subprocess')"], check=True)
    child = os.fork()
    if not child:
        print("from a fork", flush=True)
        os._exit(0)
    os.waitpid(child, 0)

with graph(name="g") as g:
    node(_id="n")
hooks.presenter = object() if "in a kernel" in sys.argv else None
print("before", flush=True)
future = run(g.build())
future.result()
print("after", [line.text for line in future.node("n").logs if line.stream == "stdout"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("where", ["in a terminal", "in a kernel"])
def test_other_processes_are_not_captured_and_in_a_script_everything_is_shown(where):
    ignoring = ["-W", "ignore::DeprecationWarning"]  # newer Pythons warn of forks beside threads
    done = subprocess.run(
        [sys.executable, *ignoring, "-c", SCRIPT, where], capture_output=True, text=True, check=True, timeout=60
    )
    shown = [] if where == "in a kernel" else ["printed"]
    others = ["from a fork", "from a subprocess"]
    assert sorted(done.stdout.splitlines()) == ["after ['printed']", "before", *others, *shown]
    assert ("UserWarning: deprecated" in done.stderr) == bool(shown)


TALKING = """
import asyncio, threading
from graphrun_nb import graphify, run, tool

@tool(outputs=["x"])
async def node():
    return 1

@graphify("g", inputs={}, outputs=["x"])
def g():
    return {"x": node().x}

def talk():
    while not over.is_set():
        print("talking")

async def main():
    for _ in range(300):
        await run(g)

over = threading.Event()
threads = [threading.Thread(target=talk) for _ in range(2)]
for thread in threads:
    thread.start()
asyncio.run(main())
over.set()
for thread in threads:
    thread.join()
"""


def test_runs_that_begin_and_end_do_not_crash_a_thread_that_prints():
    ended = subprocess.run([sys.executable, "-c", TALKING], stdout=subprocess.DEVNULL, timeout=60, check=False)
    assert ended.returncode == 0
