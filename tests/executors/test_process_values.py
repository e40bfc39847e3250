"""What goes to a worker process and comes back: arguments, outputs, exceptions, text, classes."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import linecache
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from graphrun_nb.executors.process import ProcessExecutor
from tests.executors.conftest import call, error, value

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")


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
