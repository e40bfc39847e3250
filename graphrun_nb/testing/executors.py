"""What every executor must keep."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrun_nb.protocols import Call, Error, Lost, Outcome, Value
from graphrun_nb.testing.checks import check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphrun_nb.protocols import Executor

PATIENCE_S = 20.0
"""How long a check waits for what must happen, before it fails."""

PROMPT_S = 2.0
"""How soon a call that is given up must be over for whoever waits for it."""

_VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("graphrun_testing", default="unset")


class ExecutorConformance:
    """What every executor must keep. Subclass it in a test module, and say how one is made.

    Attributes
    ----------
    shares_process
        Calls run in this process: they see the context variables of whoever submits them, and one that takes its
        process down is not tried.
    on_the_loop
        Calls run on the loop's own thread; then the functions that take time are async ones.

    Examples
    --------
    >>> from graphrun_nb.executors.thread import ThreadExecutor
    >>> class TestThreads(ExecutorConformance):
    ...     def make_executor(self):
    ...         return ThreadExecutor()
    >>> TestThreads().test_a_value_comes_back()
    """

    shares_process = True
    on_the_loop = False

    def make_executor(self) -> Executor:
        """Return a new executor."""
        raise NotImplementedError(f"{type(self).__name__}.make_executor returns the executor to be tested")

    def test_a_value_comes_back(self) -> None:
        """Arguments go in by name, and the value comes out."""

        def function(a: int, b: list[int]) -> dict[str, Any]:
            return {"sum": a + sum(b), "nothing": None}

        self._expect_value(_call(function, a=1, b=[2, 3]), {"sum": 6, "nothing": None})

    def test_no_value_is_a_value(self) -> None:
        """A function that returns nothing gives None."""

        def function() -> None:
            pass

        self._expect_value(_call(function), None)

    def test_a_big_value_goes_in_and_comes_out(self) -> None:
        """10 MB are the same on both ways."""

        def function(data: bytes) -> bytes:
            return data[::-1]

        data = os.urandom(1000) * 10_000
        self._expect_value(_call(function, data=data), data[::-1])

    def test_an_exception_is_an_outcome_with_its_type_text_notes_and_cause(self) -> None:
        """What the function raises comes back as it was."""

        def function() -> None:
            error = LookupError("no such thing", 7)
            error.add_note("look elsewhere")
            raise error from ValueError("the cause")

        error = self._error_of(_call(function))
        check(type(error) is LookupError, f"its type is {type(error)!r}")
        check(error.args == ("no such thing", 7), f"its arguments are {error.args!r}")
        check(getattr(error, "__notes__", []) == ["look elsewhere"], "its notes are lost")
        check(isinstance(error.__cause__, ValueError), f"its cause is {error.__cause__!r}")

    def test_the_traceback_points_at_the_line_that_raised(self) -> None:
        """The last frame is where it happened."""

        def function() -> None:
            raise LookupError

        error = self._error_of(_call(function))
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        code = function.__code__
        place = None if trace is None else (trace.tb_frame.f_code.co_filename, trace.tb_frame.f_code.co_name)
        check(place == (code.co_filename, code.co_name), f"the last frame is {place}")
        check(trace is not None and trace.tb_lineno == code.co_firstlineno + 1, "the line is another one")

    def test_what_is_no_exception_is_an_outcome_as_well(self) -> None:
        """SystemExit and KeyboardInterrupt in a function end the call, and nothing else."""
        for kind in (SystemExit, KeyboardInterrupt):

            def function(kind: type[BaseException] = kind) -> None:
                raise kind(3)

            error = self._error_of(_call(function))
            check(type(error) is kind, f"{kind.__name__} came out as {error!r}")

    def test_endless_recursion_is_an_error(self) -> None:
        """A RecursionError is one like any other, and the executor goes on."""

        def function(n: int) -> int:
            def deeper(n: int) -> int:
                return deeper(n + 1)

            return deeper(n) if n else n

        async def act(executor: Executor) -> None:
            error = _error(await executor.submit(_call(function, n=1)))
            check(isinstance(error, RecursionError), f"it is {error!r}")
            _expect(await executor.submit(_call(function, n=0)), 0)

        self._with_executor(act)

    def test_a_call_with_unknown_arguments_is_an_error(self) -> None:
        """`submit` does not raise, whatever is wrong with the call."""

        def function() -> None:
            pass

        error = self._error_of(_call(function, surplus=1))
        check(isinstance(error, TypeError), f"it is {error!r}")

    def test_calls_run_at_the_same_time(self) -> None:
        """Six calls are under way before the first one ends."""

        async def act(executor: Executor, folder: Path) -> None:
            started = [folder / str(n) for n in range(6)]
            calls = [_call(self._waits, started=each, go=folder / "go") for each in started]
            outcomes = asyncio.gather(*map(executor.submit, calls))
            await _until(lambda: all(each.exists() for each in started), "they are not under way at the same time")
            _touch(folder / "go")
            for outcome in await outcomes:
                _expect(outcome, "went")

        self._with_executor(act)

    def test_many_calls_give_each_its_own_value(self) -> None:
        """200 calls, 20 at a time."""

        def function(n: int) -> int:
            return n * n

        async def act(executor: Executor) -> None:
            for start in range(0, 200, 20):
                calls = [_call(function, n=n) for n in range(start, start + 20)]
                for call, outcome in zip(calls, await asyncio.gather(*map(executor.submit, calls)), strict=True):
                    _expect(outcome, call.arguments["n"] ** 2)

        self._with_executor(act)

    def test_a_call_that_is_given_up_is_over_at_once(self) -> None:
        """Cancelling `submit` ends it, whatever the function does; other calls do not notice."""

        async def act(executor: Executor, folder: Path) -> None:
            other = asyncio.ensure_future(executor.submit(_call(self._waits, started=folder / "1", go=folder / "go")))
            lasting = asyncio.ensure_future(executor.submit(_call(self._waits, started=folder / "2", go=folder / "no")))
            await _until(lambda: (folder / "1").exists() and (folder / "2").exists(), "the calls did not start")
            begun = time.monotonic()
            lasting.cancel()
            await asyncio.wait([lasting])
            check(time.monotonic() - begun < PROMPT_S, "it took too long")
            gone = None if lasting.cancelled() else lasting.result()
            check(gone is None or isinstance(_error(gone), asyncio.CancelledError), f"it gave {gone!r}")
            check(not other.done(), "the other call ended as well")
            _touch(folder / "go")
            _expect(await other, "went")
            _touch(folder / "no")

        self._with_executor(act)

    def test_what_a_call_gives_after_it_was_given_up_is_dropped(self) -> None:
        """A late value reaches nobody, and disturbs nobody."""

        async def act(executor: Executor, folder: Path) -> None:
            late = asyncio.ensure_future(executor.submit(_call(self._waits, started=folder / "1", go=folder / "go")))
            await _until((folder / "1").exists, "the call did not start")
            late.cancel()
            await asyncio.wait([late])
            _touch(folder / "go")
            for n in range(3):
                again = _call(self._waits, started=folder / f"again {n}", go=folder / "go")
                _expect(await executor.submit(again), "went")

        self._with_executor(act)

    def test_context_variables_are_those_of_whoever_submits(self) -> None:
        """Calls in this process see them, and what they set stays theirs."""
        if not self.shares_process:
            return

        async def act(executor: Executor) -> None:
            def function() -> str:
                return _VARIABLE.get()

            _VARIABLE.set("mine")
            _expect(await executor.submit(_call(function)), "mine")

        self._with_executor(act)

    def test_a_call_that_takes_its_process_down_is_lost(self) -> None:
        """The outcome is `Lost`, with a reason; other calls do not notice, and the executor goes on."""
        if self.shares_process:
            return

        def function() -> None:
            os._exit(3)

        async def act(executor: Executor, folder: Path) -> None:
            other = asyncio.ensure_future(executor.submit(_call(self._waits, started=folder / "1", go=folder / "go")))
            await _until((folder / "1").exists, "the call did not start")
            outcome = await executor.submit(_call(function))
            check(isinstance(outcome, Lost) and bool(outcome.reason), f"it gave {outcome!r}")
            check(not other.done(), "the other call ended as well")
            _touch(folder / "go")
            _expect(await other, "went")
            _expect(await executor.submit(_call(self._waits, started=folder / "2", go=folder / "go")), "went")

        self._with_executor(act)

    def test_a_function_sees_its_context(self) -> None:
        """Facts of the run are there, and progress arrives."""

        def function(a: int, context: Any) -> tuple[Any, ...]:
            context.progress(1, 2, "half")
            return context.run_id, context.node_id, context.attempt, context.idempotency_key, a

        context = _Context()
        call = Call("run", "node", 2, function, {"a": 5, "context": context}, "context")
        self._expect_value(call, ("run", "node", 2, "run:node", 5))
        check(context.shown == [(1, 2, "half")], f"progress was {context.shown}")

    def test_close_can_be_called_again(self) -> None:
        """Also before anything ran."""
        self.make_executor().close()

        def function() -> None:
            pass

        async def act(executor: Executor) -> None:
            await executor.submit(_call(function))
            executor.close()
            executor.close()

        self._with_executor(act, closes=True)

    def test_a_call_under_way_ends_by_itself_after_close(self) -> None:
        """`close` takes nothing from a call that has begun."""

        async def act(executor: Executor, folder: Path) -> None:
            call = asyncio.ensure_future(executor.submit(_call(self._waits, started=folder / "1", go=folder / "go")))
            await _until((folder / "1").exists, "the call did not start")
            executor.close()
            _touch(folder / "go")
            _expect(await call, "went")

        self._with_executor(act, closes=True)

    @property
    def _waits(self) -> Callable[..., Any]:
        """A function that says that it has started, and goes on when it is told to."""

        async def waits_on_the_loop(started: Path, go: Path) -> str:
            _touch(started)
            await _until(go.exists, "it was not told to go on")
            return "went"

        def waits(started: Path, go: Path) -> str:
            started.touch()
            while go.parent.exists() and not go.exists():
                time.sleep(0.005)
            return "went"

        return waits_on_the_loop if self.on_the_loop else waits

    def _expect_value(self, call: Call, value: Any) -> None:
        async def act(executor: Executor) -> None:
            _expect(await executor.submit(call), value)

        self._with_executor(act)

    def _error_of(self, call: Call) -> BaseException:
        errors: list[BaseException] = []

        async def act(executor: Executor) -> None:
            errors.append(_error(await executor.submit(call)))

        self._with_executor(act)
        return errors[0]

    def _with_executor(self, act: Callable[..., Awaitable[None]], *, closes: bool = False) -> None:
        """Let `act` use an executor on a loop; then nothing may be left of it, and the loop has seen no error.

        `closes` says that `act` closes it itself.
        """
        seen: list[dict[str, Any]] = []

        async def use(folder: Path) -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
            before = _held()
            executor = self.make_executor()
            wanted = (executor, folder)[: act.__code__.co_argcount]
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await act(*wanted)
            finally:
                if not closes:
                    executor.close()
            await _until(lambda: not _held() - before, lambda: f"left after close: {sorted(_held() - before)}")

        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(use(Path(folder)))
        check(not seen, f"the loop met errors: {seen}")


class _Context:
    """A `CallContext` that keeps what it is told."""

    run_id = "run"
    node_id = "node"
    attempt = 2
    idempotency_key = "run:node"

    def __init__(self) -> None:
        self.shown: list[tuple[float, float | None, str]] = []

    def detached(self) -> dict[str, Any]:
        return {"run_id": "run", "node_id": "node", "attempt": 2, "idempotency_key": "run:node"}

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        self.shown.append((done, total, text))


def _touch(path: Path) -> None:
    path.touch()


def _call(function: Callable[..., Any], **arguments: Any) -> Call:
    return Call("run", "node", 1, function, arguments)


def _held() -> set[str]:
    """Name the threads, child processes and open files of this process, as far as the system tells."""
    held = {f"thread {each.name} {each.ident}" for each in threading.enumerate()}
    if not Path("/proc/self/fd").exists():
        return held
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid():
                held.add(f"process {stat.parent.name}")
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(f"file {fd.name}: {fd.readlink()}")
    return {each for each in held if "/proc/" not in each}


async def _until(holds: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        await asyncio.sleep(0.005)


def _error(outcome: Outcome) -> BaseException:
    if not isinstance(outcome, Error):
        raise AssertionError(f"the outcome is {outcome!r}, and an Error was expected")  # noqa: TRY004 (a check failed)
    return outcome.exception


def _expect(outcome: Outcome, value: Any) -> None:
    check(isinstance(outcome, Value), f"the outcome is {outcome!r}, and a Value was expected")
    check(outcome == Value(value), "the value is another one")
