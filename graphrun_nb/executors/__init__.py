"""Where calls run. An executor is one file here and one line in `EXECUTORS`."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import closest
from graphrun_nb.errors import BadOption

if TYPE_CHECKING:
    from graphrun_nb.protocols import Executor

EXECUTORS = {
    "dask": "graphrun_nb.executors.dask:DaskExecutor",
    "loop": "graphrun_nb.executors.loop:LoopExecutor",
    "process": "graphrun_nb.executors.process:ProcessExecutor",
    "thread": "graphrun_nb.executors.thread:ThreadExecutor",
}


def make_executor(name: str) -> Executor:
    """Return a new executor by its name, importing it only now.

    Raises
    ------
    BadOption
        No executor has this name; a hint names the closest.
    """
    if name not in EXECUTORS:
        hint = closest(name, EXECUTORS) or "there are: " + ", ".join(EXECUTORS)
        raise BadOption(f"there is no executor {name!r}", hints=(hint,))
    module, _, attribute = EXECUTORS[name].partition(":")
    executor: Executor = getattr(importlib.import_module(module), attribute)()
    return executor


def check_executor(given: Any) -> None:
    """Raise BadOption if `given` is not an executor; the message says what it lacks, and a hint what to do."""
    if isinstance(given, type):
        what = f"executor=... takes an executor, and {given.__name__} is a class"
        raise BadOption(what, hints=(f"executor={given.__name__}()",))
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
        raise BadOption(
            f"executor=... takes an executor, and {given!r} has not: {'; '.join(lacks)}",
            hints=(f"a name is one of {', '.join(EXECUTORS)}; what else it can be: protocols.Executor",),
        )
