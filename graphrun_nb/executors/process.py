"""Runs calls in worker processes, so that one that crashes or hangs takes nothing with it.

A worker is a program of its own at the other end of a socket (`worker.py`), held by a thread here (`child.py`): one
dead worker is one lost attempt. The pools of the standard library fail all calls when one worker dies, and run the
user's main module again in each.
"""

from __future__ import annotations

import os
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
    its own there. A call that is given up is killed, together with the processes that it started.

    Raises
    ------
    NotImplementedError
        The system is not POSIX.
    """

    name = "process"

    def __init__(self) -> None:
        if os.name != "posix":
            raise NotImplementedError('executor="process" needs a POSIX system; use "thread"')
        self._threads = ThreadExecutor()
        self._idle: list[Child] = []
        self._closed = False

    async def submit(self, call: Call) -> Outcome:
        """Run `call` in a process; what it prints and logs comes out here, in a copy of the current context."""
        child = self._free()
        performed = msgspec.structs.replace(call, function=child.perform, arguments={"call": call}, context="")
        outcome = await self._threads.submit(performed)
        if isinstance(outcome, (Error, Lost)):
            child.kill()
            return outcome
        if child.is_alive and not self._closed:
            self._idle.append(child)
        else:
            child.end()
        ended: Outcome = outcome.value
        return ended

    def close(self) -> None:
        """End the idle processes; busy ones end after their call."""
        self._closed = True
        self._threads.close()
        idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _free(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            child.end()
        return Child()
