"""Calls in worker processes: what goes wrong there, and that nothing else goes wrong with it."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import linecache
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from graphrun_nb.executors.process import ProcessExecutor
from graphrun_nb.protocols import Error, Lost, Value
from tests.executors.conftest import call, children, error, is_running, until, value

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")


def pid():
    return os.getpid()


# a worker that ends


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os._exit(7), "exit code 7"),
        (lambda: os._exit(0), "exit code 0"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal SIGKILL"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "signal SIGSEGV"),
    ],
)
async def test_a_call_whose_process_ends_is_lost_and_the_others_are_not(pool, end, said, tmp_path):
    def patient(go):
        while not go.exists():
            time.sleep(0.005)
        return "here"

    other = asyncio.ensure_future(pool.submit(call(patient, go=tmp_path / "go")))
    outcome = await pool.submit(call(end))
    (tmp_path / "go").touch()
    assert outcome == Lost(f"the worker process ended with {said}")
    assert await other == Value("here")
    assert await value(pool, pid) != os.getpid()


async def test_an_idle_worker_that_was_killed_costs_nobody_a_call(pool):
    first = await value(pool, pid)
    os.kill(first, signal.SIGKILL)
    await until(lambda: not is_running(first))
    assert await value(pool, pid) != first


async def test_workers_that_cannot_start_are_an_error_and_not_a_loss(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    executor = ProcessExecutor()
    failed = await error(executor, pid)
    assert str(failed) == "the worker process could not start: it ended with exit code 1"
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert isinstance(await error(executor, pid), FileNotFoundError)
    executor.close()


# a call that is given up


async def given_up(executor, function, started, **arguments):
    """Begin a call in a worker that made others before, give it up once it runs, and return what it wrote."""
    await value(executor, pid)
    begun = asyncio.ensure_future(executor.submit(call(function, started=started, **arguments)))
    await until(lambda: started.exists() and started.read_text())
    begun.cancel()
    await asyncio.wait([begun])
    return started.read_text()


async def test_a_call_that_is_given_up_runs_its_finally_blocks(pool, tmp_path):
    def tidy(started, tidied):
        started.write_text(str(os.getpid()))
        try:
            time.sleep(60)
        finally:
            tidied.touch()

    worker = int(await given_up(pool, tidy, tmp_path / "started", tidied=tmp_path / "tidied"))
    await until((tmp_path / "tidied").exists)
    await until(lambda: not is_running(worker))
    assert await value(pool, pid) != worker


async def test_an_async_call_that_is_given_up_runs_its_finally_blocks(pool, tmp_path):
    async def tidy(started, tidied):
        started.write_text(str(os.getpid()))
        try:
            await asyncio.sleep(60)
        finally:
            tidied.touch()

    await given_up(pool, tidy, tmp_path / "started", tidied=tmp_path / "tidied")
    await until((tmp_path / "tidied").exists)


async def test_a_call_that_does_not_obey_is_killed_with_all_that_it_started(pool, tmp_path):
    def stubborn(started):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
        child.stdout.readline()
        started.write_text(f"{os.getpid()} {child.pid}")
        time.sleep(60)

    begun = time.monotonic()
    started = await given_up(pool, stubborn, tmp_path / "started")
    assert await value(pool, lambda: "goes on") == "goes on"
    for each in map(int, started.split()):
        await until(lambda each=each: not is_running(each))
    assert time.monotonic() - begun < 10


async def test_a_call_that_stopped_its_process_can_be_given_up(pool, tmp_path):
    def stops(started):
        started.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGSTOP)

    worker = int(await given_up(pool, stops, tmp_path / "started"))
    await until(lambda: not is_running(worker))


async def test_a_call_that_is_given_up_before_it_was_sent_never_begins(pool, tmp_path):
    packing, go_on = threading.Event(), threading.Event()

    class Slow:
        def __reduce__(self):
            packing.set()
            go_on.wait(20)
            return str, ()

    def begins(slow, mark):
        mark.touch()

    begun = asyncio.ensure_future(pool.submit(call(begins, slow=Slow(), mark=tmp_path / "mark")))
    await asyncio.to_thread(packing.wait)
    begun.cancel()
    await asyncio.wait([begun])
    go_on.set()
    for _ in range(3):
        await value(pool, pid)
    assert not (tmp_path / "mark").exists()


# what cannot be sent


async def test_an_argument_that_cannot_be_sent_is_named_with_its_node(pool):
    failed = await error(pool, lambda a, b: None, a=1, b=threading.Lock())
    assert str(failed).startswith("the argument 'b' of node 'node' cannot be sent to another process: ")
    assert failed.__notes__ == ['hint: make such things inside the function, or keep the node here: _executor="thread"']


async def test_what_a_function_uses_from_outside_and_cannot_be_sent_is_named(pool):
    gate = threading.Lock()
    failed = await error(pool, lambda: gate)
    assert "the function of node 'node', which uses 'gate' from outside of it, cannot be sent" in str(failed)


async def test_an_output_that_cannot_be_sent_back_is_named_with_its_node(pool):
    failed = await error(pool, lambda: {"fine": 1, "lines": (n for n in range(3))})
    assert str(failed).startswith(
        "the output 'lines' of node 'node', a generator, cannot be sent back from its process"
    )
    assert failed.__notes__[0].startswith("hint: return plain data")
    single = await error(pool, threading.Lock)
    assert str(single).startswith("what node 'node' returned, a lock, cannot be sent back from its process")
    assert await value(pool, lambda: "goes on") == "goes on"


async def test_what_can_be_sent_and_not_be_loaded_is_an_error_on_either_side(pool):
    def load_not_in(parent):
        if os.getpid() != parent:
            raise ValueError("gone sour")

    def load_not_here(parent):
        if os.getpid() == parent:
            raise ValueError("gone sour")
        return 1

    class Reduced:
        def __init__(self, load):
            self.load = load

        def __reduce__(self):
            return self.load, (here,)

    here = os.getpid()
    there = await error(pool, lambda a: a, a=Reduced(load_not_in))
    assert (type(there), str(there)) == (ValueError, "gone sour")
    assert "could not load the node's function and arguments" in there.__notes__[-1]
    back = await error(pool, lambda: Reduced(load_not_here))
    assert str(back) == "what the node returned cannot be loaded in this process: gone sour"
    assert await value(pool, lambda: "goes on") == "goes on"


class NeedsTwo(LookupError):
    """An exception that its own arguments cannot make again."""

    def __init__(self, what, where):
        super().__init__(f"no {what} in {where}")
        self.what = what


async def test_an_exception_whose_constructor_takes_other_arguments_keeps_its_type(pool):
    def fails():
        raise NeedsTwo("salt", "soup")

    failed = await error(pool, fails)
    assert (type(failed), str(failed), failed.what) == (NeedsTwo, "no salt in soup", "salt")


async def test_an_exception_that_cannot_be_sent_is_stood_for_by_one_that_is_caught_alike(pool):
    class Holding(ConnectionError):
        pass

    def fails():
        failing = Holding("line is dead")
        failing.lock = threading.Lock()
        failing.args = (threading.Lock(),)
        raise failing

    failed = await error(pool, fails)
    assert type(failed).__name__ == "Holding"
    assert isinstance(failed, ConnectionError)
    assert "unlocked _thread.lock" in str(failed)
    assert "could not be sent back from its process" in failed.__notes__[-1]


async def test_a_traceback_shows_the_users_lines_and_none_of_the_workers(pool):
    def inner():
        return 1 / 0

    def outer():
        try:
            inner()
        except ZeroDivisionError as cause:
            raise RuntimeError("outer") from cause

    failed = await error(pool, outer)
    text = "".join(traceback.format_exception(failed))
    assert "return 1 / 0" in text
    assert 'raise RuntimeError("outer") from cause' in text
    assert "worker.py" not in text


async def test_a_group_of_exceptions_comes_back_as_one(pool):
    def fails():
        raise ExceptionGroup("several", [ValueError("a"), OSError("b")])

    failed = await error(pool, fails)
    assert [type(each) for each in failed.exceptions] == [ValueError, OSError]


# what is printed


async def test_what_is_printed_comes_out_here_also_past_pythons_streams(pool, capsys):
    def prints():
        print("plain")
        print("aside", file=sys.stderr)
        os.write(1, b"from C\n")
        subprocess.run(["echo", "from a program"], check=True)

    await value(pool, prints)
    shown = capsys.readouterr()
    assert sorted(shown.out.splitlines()) == ["from C", "from a program", "plain"]
    assert shown.err == "aside\n"


async def test_log_records_reach_the_handlers_here_once(pool, caplog, capsys):
    def logs():
        logging.basicConfig()
        log = logging.getLogger("mine")
        log.warning("value %d", 3)
        try:
            int("why")
        except ValueError:
            log.exception("failed")

    await value(pool, logs)
    assert [(each.name, each.levelname, each.getMessage()) for each in caplog.records] == [
        ("mine", "WARNING", "value 3"),
        ("mine", "ERROR", "failed"),
    ]
    assert "ValueError: invalid literal" in caplog.text
    assert capsys.readouterr() == ("", "")


async def test_a_flood_of_output_is_cut(pool, capsys):
    def floods():
        for n in range(100_000):
            print("line", n)

    await value(pool, floods)
    shown = capsys.readouterr()
    assert len(shown.out) <= 64 * 1024
    assert "the rest is dropped" in shown.err
    await value(pool, lambda: [os.write(1, b"raw line\n" * 1000) for _ in range(100)] and None)
    assert 32 * 1024 < len(capsys.readouterr().out) <= 128 * 1024
    await value(pool, lambda: print("next"))
    assert capsys.readouterr().out == "next\n"


async def test_a_worker_knows_the_source_of_a_cell(pool):
    file = "<cell 7>"
    source = "import traceback\ndef fails():\n  try: 1 / 0\n  except ArithmeticError: return traceback.format_exc()\n"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), scope)  # noqa: S102 (a cell)
    assert "try: 1 / 0\n" in await value(pool, scope["fails"])
    del linecache.cache[file]


# what a call sees


class Context:
    """As the engine's, as far as an executor knows it."""

    def __init__(self):
        self.shown = []

    def detached(self):
        return {"run_id": "run", "node_id": "node", "attempt": 1, "idempotency_key": "run:node"}

    def progress(self, done, total=None, text=""):
        self.shown.append((done, total, text))


async def test_what_needs_the_run_says_so_in_a_process(pool):
    def asks(context):
        return context.channel()

    outcome = await pool.submit(call(asks, context=Context()))
    failed = outcome.exception
    assert str(failed) == "context.channel needs the run, which is in another process than this call"
    assert failed.__notes__ == ['hint: use _executor="thread" for this node, or make it an async tool']


async def test_progress_of_a_thread_that_outlived_its_call_reaches_nobody(pool):
    def leaves_a_thread(context):
        def late():
            time.sleep(0.05)
            context.progress(9, 9, "late")

        threading.Thread(target=late, daemon=True).start()
        return os.getpid()

    def waits(context):
        time.sleep(0.2)
        context.progress(1, 2, "mine")
        return os.getpid()

    executor = ProcessExecutor()
    first, second = Context(), Context()
    one = await executor.submit(call(leaves_a_thread, context=first))
    two = await executor.submit(call(waits, context=second))
    executor.close()
    assert one == two
    assert (first.shown, second.shown) == ([], [(1, 2, "mine")])


async def test_a_class_of_the_notebook_is_the_same_class_after_the_way_there_and_back(pool):
    class Point:
        def __init__(self, x):
            self.x = x

    def moved(point):
        point.x += 1
        return point

    Point.__module__ = "__main__"
    back = await value(pool, moved, point=Point(1))
    assert (type(back), back.x) == (Point, 2)


# how many, and how long


async def test_no_process_is_there_before_the_first_call_and_one_serves_many():
    before = children()
    executor = ProcessExecutor()
    assert children() <= before
    pids = {await value(executor, pid) for _ in range(5)}
    assert pids == children() - before
    assert len(pids) == 1
    executor.close()
    await until(lambda: not children() & pids)


async def test_no_more_processes_work_than_max_workers_says(tmp_path):
    def overlap(folder):
        mark = folder / str(os.getpid())
        mark.touch(exist_ok=False)
        time.sleep(0.02)
        n = len(list(folder.iterdir()))
        mark.unlink()
        return n

    executor = ProcessExecutor(max_workers=2)
    calls = [asyncio.ensure_future(executor.submit(call(overlap, folder=tmp_path))) for _ in range(8)]
    await asyncio.sleep(0.01)
    calls[5].cancel()
    outcomes = await asyncio.gather(*calls)
    assert isinstance(outcomes.pop(5), Error)
    seen = [each.value for each in outcomes]
    assert max(seen) == 2
    assert await value(executor, pid)
    executor.close()


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_max_workers_counts_processes(n):
    with pytest.raises(ValueError, match="max_workers counts processes, so at least 1"):
        ProcessExecutor(max_workers=n)


def test_one_executor_serves_one_loop_after_another():
    executor = ProcessExecutor(max_workers=1)
    pids = {asyncio.run(value(executor, pid)) for _ in range(3)}
    executor.close()
    assert len(pids) == 1


# the end of the parent

PARENT = """
import asyncio, os, sys, time
from pathlib import Path
from graphrun_nb.executors.process import ProcessExecutor
from graphrun_nb.protocols import Call

def idle():
    return os.getpid()

def busy(folder):
    Path(folder, "busy").write_text(str(os.getpid()))
    time.sleep(60)

async def main(folder, how):
    executor = ProcessExecutor()
    lasting = asyncio.ensure_future(executor.submit(Call("r", "n", 1, busy, {"folder": folder})))
    while not Path(folder, "busy").exists():
        await asyncio.sleep(0.005)
    outcome = await executor.submit(Call("r", "n", 1, idle, {}))
    forked = 0
    if how == "forked":
        forked = os.fork()
        if not forked:
            time.sleep(60)
    print(os.getpid(), outcome.value, Path(folder, "busy").read_text(), forked, flush=True)
    if how == "ends":
        return
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("how", ["killed", "ends", "forked"])
def test_no_worker_outlives_its_parent(how, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(tmp_path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        ids = [int(each) for each in parent.stdout.readline().split()]
        forked = ids.pop()
        if how != "ends":
            parent.kill()
        try:
            for each in ids:
                asyncio.run(until(lambda each=each: not is_running(each)))
        finally:
            if forked:
                os.kill(forked, signal.SIGKILL)
        assert parent.stderr.read() == ""


def test_a_script_without_a_main_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from graphrun_nb import run, tool, graph\n"
        "print('began')\n"
        "@tool(outputs=['pid'])\n"
        "def where():\n"
        "    import os\n"
        "    return os.getpid()\n"
        "with graph(name='g') as g:\n"
        "    g.expose('pid', where().pid)\n"
        "print(type(run(g, executor='process').result()['pid']).__name__)\n"
    )
    done = subprocess.run([sys.executable, str(script)], check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("began\nint\n", "", 0)
