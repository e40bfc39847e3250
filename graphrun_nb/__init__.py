"""Graphs of Python functions, run in a notebook and watched live in the cell's output.

>>> from graphrun_nb import graphify, run, tool
>>> @tool(outputs=["total"])
... def add(a: int, b: int) -> dict:
...     return {"total": a + b}
>>> @graphify("sums", inputs=["x"], outputs=["y"])
... def sums(x):
...     return {"y": add(a=add(a=x, b=1).total, b=10).total}
>>> run(sums, {"x": 1}).result()
{'y': 12}
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.builder import arg, graph
from graphrun_nb.authoring.graph_fn import GraphFunction, graph_fn
from graphrun_nb.authoring.graphify import graphify
from graphrun_nb.authoring.handles import NodeHandle
from graphrun_nb.authoring.mapping import each
from graphrun_nb.authoring.task_graph import TaskGraph
from graphrun_nb.authoring.tool import tool
from graphrun_nb.authoring.two_stage import DualStageTool
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import GraphSpec
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.engine.api import open_run, resume, run, run_async, send_event
from graphrun_nb.engine.context import NodeContext
from graphrun_nb.engine.continuation import Continuation
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.engine.forking import fork
from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.scheduler import ForwardScheduler
from graphrun_nb.engine.summary import list_runs
from graphrun_nb.errors import (
    AlreadyResumed,
    GraphBuildError,
    GraphHasPendingWaits,
    GraphInputBindError,
    GraphMaterializationError,
    GraphRunError,
    GraphRunFailed,
    GraphValidationError,
    InvalidToken,
    PayloadRejected,
    RunOwnedElsewhere,
    SpecChanged,
    StoreCorrupt,
)
from graphrun_nb.stores.memory import MemoryStore

if TYPE_CHECKING:
    from graphrun_nb.engine.identity import RequestIdentity
    from graphrun_nb.notebook.inspector import Inspector

__version__ = "0.1.0"

_LATER = {
    "Inspector": "graphrun_nb.notebook.inspector",
    "PostgresStore": "graphrun_nb.stores.postgres",
    "RequestIdentity": "graphrun_nb.engine.identity",
    "SqliteStore": "graphrun_nb.stores.sqlite",
}

__all__ = [
    "AlreadyResumed",
    "Continuation",
    "DualStageTool",
    "ForwardScheduler",
    "GraphBuildError",
    "GraphFunction",
    "GraphHasPendingWaits",
    "GraphInputBindError",
    "GraphMaterializationError",
    "GraphRunError",
    "GraphRunFailed",
    "GraphSpec",
    "GraphValidationError",
    "Inspector",
    "InvalidToken",
    "MemoryStore",
    "NodeContext",
    "NodeHandle",
    "NodeStatus",
    "PayloadRejected",
    "PostgresStore",
    "RequestIdentity",
    "RetryPolicy",
    "RunFuture",
    "RunOwnedElsewhere",
    "RunStatus",
    "RuntimeEnv",
    "SpecChanged",
    "SqliteStore",
    "StoreCorrupt",
    "TaskGraph",
    "arg",
    "each",
    "fork",
    "graph",
    "graph_fn",
    "graphify",
    "list_runs",
    "open_run",
    "resume",
    "run",
    "run_async",
    "send_event",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Set the notebook up: ``%load_ext graphrun_nb``."""
    from graphrun_nb.notebook import extension  # noqa: PLC0415

    extension.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take everything back: ``%unload_ext graphrun_nb``."""
    from graphrun_nb.notebook import extension  # noqa: PLC0415

    extension.unload(ipython)
