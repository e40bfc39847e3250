"""What nodes log reaches their own attempts, and every handler as ever."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading

import pytest

from graphrun_nb import run
from tests.engine.conftest import settle
from tests.engine.printing import logs_of, nodes, texts

LOG = logging.getLogger("tests.capture")


pytestmark = pytest.mark.usefixtures("untouched")


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
