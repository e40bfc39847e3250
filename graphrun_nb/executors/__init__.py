"""Where calls run. An executor is one file here and one line in `EXECUTORS`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from graphrun_nb.core.spec import closest

if TYPE_CHECKING:
    from graphrun_nb.protocols import Executor

EXECUTORS = {
    "loop": "graphrun_nb.executors.loop:LoopExecutor",
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
