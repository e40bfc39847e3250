"""Runs calls in worker processes, so that one that crashes or hangs takes nothing with it.

A worker is a program of its own at the other end of a socket (`worker.py`), held by a thread here (`child.py`): one
dead worker is one lost attempt. The pools of the standard library fail all calls when one worker dies, and run the
user's main module again in each.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.executors.child import Child
from graphrun_nb.executors.thread import ThreadExecutor
from graphrun_nb.protocols import Error, Lost, Outcome

if TYPE_CHECKING:
    from graphrun_nb.protocols import Call


class ProcessExecutor:
    """As many processes as there are calls at the same time; idle ones are used again.

    Functions, arguments and results are copied between processes, by cloudpickle. An async function runs on a loop of
    its own there. A call that is given up is interrupted as by Ctrl-C, and killed if that does not end it within a
    second, together with the processes that it started. Workers have the environment, folder and import path that this
    process had when they were started; they end with this executor, and with this process, however that ends.

    Parameters
    ----------
    max_workers
        How many processes work at the same time; more calls wait for a free one. None leaves that to the runs'
        ``max_concurrency``; a number is for an executor that several runs share.

    Raises
    ------
    NotImplementedError
        The system is not POSIX.

    Examples
    --------
    >>> from graphrun_nb import graph, run, tool
    >>> @tool(outputs=["square"])
    ... def square(x: int):
    ...     return x * x
    >>> with graph(name="g") as g:
    ...     g.expose("squares", square.map(x=[1, 2, 3]).square)
    >>> workers = ProcessExecutor(max_workers=2)
    >>> run(g, executor=workers).result()
    {'squares': [1, 4, 9]}
    >>> workers.close()
    """

    name = "process"

    def __init__(self, max_workers: int | None = None) -> None:
        if os.name != "posix":
            raise NotImplementedError('executor="process" needs a POSIX system; use "thread"')
        if max_workers is not None and (type(max_workers) is not int or max_workers < 1):
            raise ValueError(f"max_workers counts processes, so at least 1: {max_workers!r}")
        self._threads = ThreadExecutor()
        self._slots = None if max_workers is None else _Slots(max_workers)
        self._idle: list[Child] = []
        self._closed = False

    async def submit(self, call: Call) -> Outcome:
        """Run `call` in a process; what it prints and logs comes out here, in a copy of the current context."""
        if self._slots is None:
            return await self._submit(call)
        try:
            await self._slots.take()
        except asyncio.CancelledError as given_up:
            return Error(given_up)
        try:
            return await self._submit(call)
        finally:
            self._slots.give_back()

    def close(self) -> None:
        """End the idle processes; busy ones end after their call."""
        self._closed = True
        self._threads.close()
        idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    async def _submit(self, call: Call) -> Outcome:
        child = self._free()
        performed = msgspec.structs.replace(call, function=child.perform, arguments={"call": call}, context="")
        outcome = await self._threads.submit(performed)
        if isinstance(outcome, (Error, Lost)):
            child.give_up()
            return outcome
        if child.is_alive and not self._closed:
            self._idle.append(child)
        else:
            child.end()
        ended: Outcome = outcome.value
        return ended

    def _free(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            child.end()
        return Child()


class _Slots:
    """A number of slots, for the coroutines of any loops; whoever waits longest comes first."""

    def __init__(self, n: int) -> None:
        self._lock = threading.Lock()
        self._n_free = n
        self._waiting: deque[concurrent.futures.Future[None]] = deque()

    async def take(self) -> None:
        with self._lock:
            if self._n_free:
                self._n_free -= 1
                return
            turn: concurrent.futures.Future[None] = concurrent.futures.Future()
            self._waiting.append(turn)
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancel():
                self.give_back()
            raise

    def give_back(self) -> None:
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._n_free += 1
