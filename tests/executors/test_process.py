"""Worker processes that end, hang, are given up or outlived."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
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
