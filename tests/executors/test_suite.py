"""The suite for executors fails where it should, and passes for one that somebody else wrote."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import signal
import subprocess
import sys
import threading
import unittest

import pytest

from graphrun_nb.executors.loop import LoopExecutor
from graphrun_nb.executors.thread import ThreadExecutor
from graphrun_nb.protocols import Error, Lost, Value
from graphrun_nb.testing import ExecutorConformance
from graphrun_nb.testing.executors import _held


class PoolExecutor:
    """Calls in a pool of the standard library: what a reader of the documentation would write."""

    name = "pool"

    def __init__(self):
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=8)

    async def submit(self, call):
        try:
            here = contextvars.copy_context()
            made = self._pool.submit(here.run, lambda: call.function(**call.arguments))
            return Value(await asyncio.wrap_future(made))
        except BaseException as error:  # noqa: BLE001 (an outcome like any other)
            return Error(error)

    def close(self):
        self._pool.shutdown(wait=False)


class TestPool(ExecutorConformance):
    def make_executor(self):
        return PoolExecutor()


class UnderUnittest(ExecutorConformance, unittest.TestCase):
    def make_executor(self):
        return PoolExecutor()


def test_the_suite_runs_under_unittest_as_well():
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(UnderUnittest).run(result)
    assert (result.errors, result.failures) == ([], [])
    assert result.testsRun == len([name for name in dir(ExecutorConformance) if name.startswith("test_")])


class Raising(ThreadExecutor):
    async def submit(self, call):
        return Value(call.function(**call.arguments))


class Forgetful(ThreadExecutor):
    def close(self):
        """Leave the threads where they are."""


class Retyping(ThreadExecutor):
    async def submit(self, call):
        outcome = await super().submit(call)
        return Error(RuntimeError(str(outcome.exception))) if isinstance(outcome, Error) else outcome


class OneByOne(ThreadExecutor):
    def __init__(self):
        super().__init__()
        self._one = asyncio.Lock()

    async def submit(self, call):
        async with self._one:
            return await super().submit(call)


class Contextless(ThreadExecutor):
    async def submit(self, call):
        return await asyncio.create_task(super().submit(call), context=contextvars.Context())


class Patient(ThreadExecutor):
    async def submit(self, call):
        made = asyncio.ensure_future(super().submit(call))
        while not made.done():
            try:
                await asyncio.shield(made)
            except asyncio.CancelledError:
                continue
        return made.result()


class Abrupt(LoopExecutor):
    """Ends calls with itself."""

    def __init__(self):
        self._made = set()

    async def submit(self, call):
        made = asyncio.ensure_future(super().submit(call))
        self._made.add(made)
        return await made

    def close(self):
        for each in self._made:
            each.cancel()


class Dropping(ThreadExecutor):
    async def submit(self, call):
        outcome = await super().submit(call)
        return outcome if isinstance(outcome, Error) or outcome.value is not None else Lost("nothing came")


class Stripping(ThreadExecutor):
    async def submit(self, call):
        outcome = await super().submit(call)
        if isinstance(outcome, Error):
            outcome.exception.__traceback__ = None
        return outcome


@pytest.mark.parametrize(
    ("executor", "check"),
    [
        (Raising, "an_exception_is_an_outcome_with_its_type_text_notes_and_cause"),
        (Raising, "a_call_with_unknown_arguments_is_an_error"),
        (Retyping, "an_exception_is_an_outcome_with_its_type_text_notes_and_cause"),
        (Retyping, "endless_recursion_is_an_error"),
        (Stripping, "the_traceback_points_at_the_line_that_raised"),
        (Dropping, "no_value_is_a_value"),
        (Forgetful, "a_value_comes_back"),
        (OneByOne, "calls_run_at_the_same_time"),
        (Contextless, "context_variables_are_those_of_whoever_submits"),
        (Patient, "a_call_that_is_given_up_is_over_at_once"),
        (Abrupt, "a_call_under_way_ends_by_itself_after_close"),
    ],
)
def test_a_broken_executor_fails_the_check_for_it(executor, check, monkeypatch):
    monkeypatch.setattr("graphrun_nb.testing.executors.PATIENCE_S", 0.3)
    monkeypatch.setattr("graphrun_nb.testing.executors.PROMPT_S", 0.1)
    suite = ExecutorConformance()
    suite.make_executor = executor
    suite.on_the_loop = issubclass(executor, LoopExecutor)
    before = set(threading.enumerate())
    try:
        with pytest.raises((Exception, asyncio.CancelledError)) as caught:
            getattr(suite, f"test_{check}")()
        assert isinstance(caught.value, (AssertionError, TimeoutError, LookupError, TypeError)), caught.value
    finally:
        for thread in set(threading.enumerate()) - before:
            thread.join(0.5)


def test_a_suite_without_an_executor_says_what_to_write():
    with pytest.raises(NotImplementedError, match="make_executor"):
        ExecutorConformance().test_a_value_comes_back()


def test_a_process_that_was_there_before_is_not_taken_for_another_one_when_it_rests():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        try:
            before = _held()
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
            assert f"process {child.pid}" in before
            assert f"process {child.pid}" in _held()
        finally:
            child.kill()
