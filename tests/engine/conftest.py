"""A clock that stands still until a test moves it, and graphs of one line."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys

import pytest

from graphrun_nb import graph, tool
from graphrun_nb.engine.capture import CAPTURE, Router
from graphrun_nb.testing import ManualClock, settle

from .steps import Steps

__all__ = ["ManualClock", "settle"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def one_node():
    """Make a graph of one node from a function; keywords are node controls."""

    def make(function, outputs=("x",), **controls):
        with graph(name="one") as g:
            g.expose("x", tool(outputs=list(outputs))(function)(**controls)[outputs[0]])
        return g.build()

    return make


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def untouched():
    """See that a test leaves the process's streams and loggers as they were."""
    before = logging.Logger.callHandlers
    assert type(sys.stdout) is not Router
    yield
    assert not CAPTURE._alive
    assert type(sys.stdout) is not Router
    assert type(sys.stderr) is not Router
    assert logging.Logger.callHandlers is before
    assert logging.getLogger("graphrun").level == logging.NOTSET


@contextlib.contextmanager
def loop_errors():
    """Collect what the loop's exception handler is given."""
    caught = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: caught.append(context))
    try:
        yield caught
    finally:
        loop.set_exception_handler(None)
