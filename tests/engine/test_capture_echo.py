"""Where else the text of nodes goes: nowhere in a kernel, unless its caller awaits; to the streams in a script."""
# ruff: noqa: T201 (printing is the subject)

from __future__ import annotations

import asyncio
import io
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from graphrun_nb import graph_fn, run_async
from graphrun_nb.protocols import hooks
from tests.engine.printing import logs_of, nodes, texts

LOG = logging.getLogger("tests.capture")


pytestmark = pytest.mark.usefixtures("untouched")


@pytest.fixture
def in_kernel(monkeypatch):
    """Make runs believe that a notebook shows them."""
    monkeypatch.setattr(hooks, "presenter", SimpleNamespace(awaited=lambda future: None))


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
