"""``%load_ext graphrun_nb``: magic, completion, presenter, tracebacks, a kernel that answers while a cell waits."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from graphrun_nb.notebook import loop, matcher, tracebacks
from graphrun_nb.notebook.beside import store_beside
from graphrun_nb.notebook.magic import GraphrunMagics
from graphrun_nb.notebook.presenter import in_a_notebook
from graphrun_nb.protocols import hooks

_WARMED = ("numpy", "networkx", "graphrun_nb.view.layout")


def load(shell: Any) -> None:
    """Set up IPython; calling it again is harmless."""
    if hooks.presenter is None:
        hooks.presenter = in_a_notebook()
    hooks.default_store = store_beside
    shell.register_magics(GraphrunMagics)
    matcher.attach(shell)
    tracebacks.install(shell)
    threading.Thread(target=_warm, name="graphrun warm-up", daemon=True).start()


def unload(shell: Any) -> None:
    """Take back what `load` did; runs under way go on."""
    hooks.presenter = None
    hooks.default_store = None
    shell.magics_manager.magics["line"].pop("graphrun", None)
    shell.magics_manager.magics["cell"].pop("graphrun", None)
    matcher.detach(shell)
    tracebacks.uninstall()
    loop.uninstall()


def _warm() -> None:
    """Import what the first layout needs, while the person still types."""
    for name in _WARMED:
        importlib.import_module(name)
