"""What nodes print in a notebook: in their logs and in the live view, and in no cell that happens to run."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys

import pytest

from graphrun_nb import run
from graphrun_nb.notebook.detail import MAX_LOG_LINES, MAX_LOG_TEXT
from tests.engine.conftest import settle
from tests.engine.printing import nodes
from tests.notebook import kernels, matrix
from tests.notebook.views import View

SETUP = """
import asyncio, logging, sys, threading
from ipykernel.iostream import OutStream
from graphrun_nb import graph, run, run_async, tool
original, go_on = sys.stdout, threading.Event()

@tool(outputs=["x"])
async def on_the_loop(context):
    print("async: begins")
    context.logger.info("async: logged")
    while not go_on.is_set():
        await asyncio.sleep(0.001)
    print("async: ends", file=sys.stderr)

@tool(outputs=["x"])
def in_a_thread():
    print("sync: begins")
    go_on.wait()
    print("sync: ends")
    logging.getLogger("mine").error("sync: logged")

with graph(name="g") as g:
    on_the_loop(_id="a")
    in_a_thread(_id="b")
g = g.build()

def said(future):
    return [[(line.stream, line.text) for line in future.node(node_id).logs] for node_id in "ab"]
"""
SAID = [
    [("stdout", "async: begins"), ("log", "INFO graphrun.a: async: logged"), ("stderr", "async: ends")],
    [("stdout", "sync: begins"), ("stdout", "sync: ends"), ("log", "ERROR mine: sync: logged")],
]


@pytest.fixture(params=matrix.versions())
def kernel(request, tmp_path):
    """Give a new kernel of each version."""
    python = matrix.python(request.param)
    if python is None:
        pytest.skip(f"not there: python tests/notebook/matrix.py prepare {request.param}")
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(kernels.started(python, tmp_path))
        ready = kernel.run(SETUP)
        assert (ready.status, ready.stdout) == ("ok", ""), ready
        yield kernel


def test_what_nodes_print_is_in_their_logs_and_in_no_cell(kernel):
    assert kernel.run("logging.basicConfig(level=logging.INFO)").status == "ok"
    launching = kernel.submit("future = run(g)\nprint('launched')")
    assert kernel.reply(launching).stdout == "launched\n"
    between = kernel.run("await asyncio.sleep(0.05); print('between', isinstance(sys.stdout, OutStream)); go_on.set()")
    assert between.stdout == "between True\n"
    waiting = kernel.run("_ = await future; print('waited')")
    assert waiting.stdout == "waited\n"
    assert kernel.run("said(future)").text.replace("\n", "").replace("  ", " ") == repr(SAID)
    assert kernel.run("sys.stdout is original, threading.active_count() > 0").text == "(True, True)"
    assert kernel.reply(launching).stdout == "launched\n"
    assert kernel.run("print('as ever')").stdout == "as ever\n"


def test_blocking_for_the_result_shows_nothing_of_the_nodes_either(kernel):
    blocked = kernel.run("go_on.set()\nfuture = run(g)\nprint(len(future.result()))\nprint('over')")
    assert blocked.stdout == "0\nover\n"
    assert eval(kernel.run("said(future)").text) == SAID  # noqa: S307 (a literal of ours)


def test_what_a_cell_awaits_prints_in_that_cell(kernel):
    awaited = kernel.run("go_on.set(); _ = await run_async(g)")
    shown = awaited.stdout.splitlines()
    assert {line for line in shown if "begins" in line or "ends" in line} == {
        "async: begins",
        "async: ends",
        "sync: begins",
        "sync: ends",
    }
    assert kernel.run("print('next')").stdout == "next\n"


async def shown(future):
    """Give a view of a run that has been told all that there was so far."""
    view = View(future)
    view.tell({"kind": "sync", "id": 1, "have": 0})
    while not any(frame["kind"] == "events" and not frame["events"] for frame in view.sent):
        await settle()
    view.sent.clear()
    return view


def logs(view, node_id="n"):
    return view.ask("detail", node_id=node_id)["data"].get("logs", [])


async def test_a_detail_has_the_nodes_lines_and_how_the_unfinished_one_stands():
    gate = asyncio.Event()

    async def node():
        print("one")
        logging.getLogger("mine").error("two")
        sys.stderr.write("\r10%")
        await gate.wait()
        sys.stderr.write("\r20%\n")

    future = run(nodes(n=node))
    view = View(future)
    await settle()
    assert [tuple(line[1:]) for line in logs(view)] == [
        ("stdout", "one"),
        ("log", "ERROR mine: two"),
        ("stderr", "\r10%"),
    ]
    gate.set()
    await future
    assert [tuple(line[1:]) for line in logs(view)][-1] == ("stderr", "20%")
    assert [line[0] for line in logs(view)] == [line.at for line in future.node("n").logs]


@pytest.mark.parametrize(("n", "width", "n_shown"), [(5_000, 1, MAX_LOG_LINES), (60, 1_000, MAX_LOG_TEXT // 1_000)])
async def test_a_detail_shows_the_last_of_many_lines(n, width, n_shown):
    def node(context):
        for i in range(n):
            print(f"{i:0{width}}")
        if context.attempt < 3:
            raise ConnectionError

    future = run(nodes(n=node), retry=3)
    clock_retry = future.run.env.retry
    assert clock_retry.max_attempts == 3
    view = View(future)
    await future
    note, *lines = logs(view)
    assert note[1:] == ["note", f"{3 * n - n_shown} earlier lines are in future.node('n').logs"]
    assert len(lines) == n_shown
    assert [line[0] for line in lines] == [line.at for line in future.node("n").logs][-n_shown:]


async def test_lines_go_to_the_view_as_they_are_printed_in_one_frame_a_burst():
    gate = asyncio.Event()

    async def node():
        await gate.wait()
        for i in range(150):
            print("line", i)

    future = run(nodes(n=node))
    view = await shown(future)
    gate.set()
    await future
    while len(heard := [each for frame in view.sent for each in frame.get("signals", ())]) < 150:
        await settle()
    assert [each["text"] for each in heard] == [f"line {i}" for i in range(150)]
    assert len([frame for frame in view.sent if frame["kind"] == "signals"]) <= 2
    assert [each["at"] for each in heard] == [line[0] for line in logs(view)]
