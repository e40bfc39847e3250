"""What the sentences are shown with: the graphs of part 3, a clock that stands still, and a real kernel."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from graphrun_nb import MemoryStore, graphify, run, tool
from graphrun_nb.testing import ManualClock, settle
from graphrun_nb.tools import ask_approval


@tool(outputs=["total"])
def add(a: int, b: int) -> dict:
    return {"total": a + b}


@tool(outputs=["total"])
async def add_async(a, b):
    return a + b


@graphify(name="sums", inputs=["x"], outputs=["y"])
def sums(x):
    first = add(a=x, b=1, _id="first")
    return {"y": add(a=first.total, b=10, _id="second").total}


@graphify(name="gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    answer = ask_approval(prompt="Pay?", _id="approve")  # outputs: approved (bool), choice (str)
    return {"ok": answer.approved}


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def begin(store):
    """Start a run under a clock that stands still, and let it come as far as it can without time passing."""

    async def begin(target, inputs=None, **overrides):
        clock = ManualClock()
        future = run(target, inputs, clock=clock, **{"store": store, **overrides})
        await settle()
        return SimpleNamespace(future=future, clock=clock)

    return begin


async def until(is_true):
    """Let the loop turn until something is true."""
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 (what it waits for is not always an event of the loop)
            await asyncio.sleep(0.001)


def names(future):
    """Give the events of a run by their names, in order."""
    return [type(each.event).__name__ for each in future.events]


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """Give a kernel with the extension loaded."""
    from tests.notebook import kernels

    with kernels.started(Path(sys.executable), tmp_path_factory.mktemp("kernel")) as started:
        ready = started.run("%load_ext graphrun_nb\nimport asyncio\nfrom tests.contract.conftest import *")
        assert (ready.status, ready.stdout) == ("ok", "")
        yield started
