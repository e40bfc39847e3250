"""Where calls run. An executor is one file here and one line in `EXECUTORS`."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import closest

if TYPE_CHECKING:
    from graphrun_nb.protocols import Executor

EXECUTORS = {
    "loop": "graphrun_nb.executors.loop:LoopExecutor",
    "process": "graphrun_nb.executors.process:ProcessExecutor",
    "thread": "graphrun_nb.executors.thread:ThreadExecutor",
}


def make_executor(name: str) -> Executor:
    """Return a new executor by its name, importing it only now.

    Raises
    ------
    ValueError
        No executor has this name; a note names the closest.
    """
    if name not in EXECUTORS:
        error = ValueError(f"there is no executor {name!r}")
        error.add_note(f"hint: {closest(name, EXECUTORS) or 'there are: ' + ', '.join(EXECUTORS)}")
        raise error
    module, _, attribute = EXECUTORS[name].partition(":")
    executor: Executor = getattr(importlib.import_module(module), attribute)()
    return executor


def check_executor(given: Any) -> None:
    """Raise TypeError if `given` is not an executor; the message says what it lacks, and a note what to do."""
    if isinstance(given, type):
        error = TypeError(f"executor=... takes an executor, and {given.__name__} is a class")
        error.add_note(f"hint: executor={given.__name__}()")
        raise error
    lacks = [
        text
        for holds, text in (
            (isinstance(getattr(given, "name", None), str) and given.name, "a name, which is a text"),
            (inspect.iscoroutinefunction(getattr(given, "submit", None)), "async def submit(self, call)"),
            (callable(getattr(given, "close", None)), "def close(self)"),
        )
        if not holds
    ]
    if lacks:
        error = TypeError(f"executor=... takes an executor, and {given!r} has not: {'; '.join(lacks)}")
        error.add_note(f"hint: a name is one of {', '.join(EXECUTORS)}; what else it can be: protocols.Executor")
        raise error
