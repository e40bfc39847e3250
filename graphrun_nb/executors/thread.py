"""Runs calls in daemon threads of its own, so that a sync function neither blocks the loop nor delays exit.

`asyncio.to_thread` would do neither: its pool has as many threads as there are cores and a few, and a hung call keeps
the process alive.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from graphrun_nb.protocols import Error, Outcome, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Call

_Job = tuple[contextvars.Context, "Call", asyncio.AbstractEventLoop, "asyncio.Future[Outcome]"]


class ThreadExecutor:
    """As many threads as there are calls at the same time; idle ones are used again.

    A call that is given up keeps its thread until it ends by itself; what it then returns is dropped.
    """

    name = "thread"

    def __init__(self) -> None:
        self._idle: deque[SimpleQueue[_Job | None]] = deque()
        self._closed = False

    async def submit(self, call: Call) -> Outcome:
        """Run `call` in a thread, in a copy of the current context."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        jobs = self._idle.pop() if self._idle else self._start(call)
        jobs.put((contextvars.copy_context(), call, loop, done))
        try:
            return await done
        except BaseException as exception:  # noqa: BLE001 (being given up is an outcome like any other)
            return Error(exception)

    def close(self) -> None:
        """End the idle threads; busy ones end after their call."""
        self._closed = True
        while self._idle:
            self._idle.pop().put(None)

    def _start(self, call: Call) -> SimpleQueue[_Job | None]:
        jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, args=(jobs,), name=f"graphrun {call.run_id}", daemon=True).start()
        return jobs

    def _work(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            context, call, loop, done = job
            outcome = context.run(_run, call)
            try:
                loop.call_soon_threadsafe(self._finish, jobs, done, outcome)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            del job, context, call, outcome, done

    def _finish(self, jobs: SimpleQueue[_Job | None], done: asyncio.Future[Outcome], outcome: Outcome) -> None:
        if self._closed:
            jobs.put(None)
        else:
            self._idle.append(jobs)
        if not done.done():
            done.set_result(outcome)


def _run(call: Call) -> Outcome:
    function: Callable[..., object] = call.function
    try:
        return Value(function(**call.arguments))
    except BaseException as exception:  # noqa: BLE001 (user code: whatever it raises is an outcome)
        return Error(exception)
