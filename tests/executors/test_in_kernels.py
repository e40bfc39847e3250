"""Worker processes of a notebook: functions and classes of its cells go there, and nothing stays when it ends."""

from __future__ import annotations

import ast
import asyncio
import contextlib

import pytest

from tests.executors.conftest import is_running, until
from tests.notebook import kernels, matrix

CELLS = [
    """
    import os, time
    from dataclasses import dataclass
    from pathlib import Path
    from graphrun_nb import graph, run, tool
    factor = 3

    @dataclass
    class Point:
        x: int

    class NoPoint(Exception):
        pass
    """,
    """
    def scaled(point):
        return Point(point.x * factor)

    @tool(outputs=["point", "pid"])
    def move(point):
        print("moving", point)
        if not isinstance(point, Point):
            raise NoPoint(point)
        return {"point": scaled(point), "pid": os.getpid()}

    @tool(outputs=["x"])
    def lasting(mark):
        mark.write_text(str(os.getpid()))
        time.sleep(60)

    def one(target, *args):
        with graph(name="g") as g:
            handle = target(*args, _id="n")
            for name in target.outputs:
                g.expose(name, handle[name])
        return g.build()
    """,
]


@pytest.fixture(scope="module", params=matrix.versions())
def kernel(request, tmp_path_factory):
    """Give a kernel of each version in which the cells have run."""
    python = matrix.python(request.param)
    if python is None:
        pytest.skip(f"not there: python tests/notebook/matrix.py prepare {request.param}")
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(kernels.started(python, tmp_path_factory.mktemp("kernel")))
        for cell in CELLS:
            assert kernel.run(cell).status == "ok"
        yield kernel


def test_functions_and_classes_of_cells_go_to_a_process_and_come_back_as_they_are(kernel):
    assert kernel.run("future = run(one(move, Point(2)), executor='process'); moved = await future").status == "ok"
    shown = kernel.run("type(moved['point']) is Point, moved['point'], moved['pid'] != os.getpid()")
    assert shown.text == "(True, Point(x=6), True)"
    assert kernel.run("[line.text for line in future.node('n').logs]").text == "['moving Point(x=2)']"


def test_a_cell_that_ran_again_is_what_the_next_run_sends(kernel):
    assert kernel.run("factor = 5").status == "ok"
    assert kernel.run("run(one(move, Point(2)), executor='process').result()['point']").text == "Point(x=10)"
    assert kernel.run("factor = 3").status == "ok"


def test_a_failure_in_a_process_shows_the_line_of_the_cell(kernel):
    cell = "future = run(one(move, 4), executor='process')\ntry:\n    await future\nexcept Exception as e: error = e"
    assert kernel.run(cell).status == "ok"
    assert kernel.run("type(error.__cause__) is NoPoint").text == "True"
    frame = kernel.run("frame = future.node('n').error.frames[-1]; (frame.file[:3], frame.line, frame.source.strip())")
    assert ast.literal_eval(frame.text) == ("In[", 8, "raise NoPoint(point)")


def test_no_worker_outlives_its_kernel(tmp_path):
    with kernels.started(matrix.python(matrix.INSTALLED), tmp_path) as kernel:
        for cell in CELLS:
            assert kernel.run(cell).status == "ok"
        mark = tmp_path / "mark"
        assert kernel.run(f"f = run(one(lasting, Path({str(mark)!r})), executor='process')").status == "ok"
        asyncio.run(until(lambda: mark.exists() and mark.read_text()))
        worker = int(mark.read_text())
        assert is_running(worker)
    asyncio.run(until(lambda: not is_running(worker)))
