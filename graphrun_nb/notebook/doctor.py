"""``%graphrun doctor``: `engine.doctor`, and what only a notebook's kernel knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.doctor import Finding, findings, sound, store, table
from graphrun_nb.engine.env import default_store
from graphrun_nb.notebook.line import UsageError
from graphrun_nb.notebook.loop import install
from graphrun_nb.notebook.presenter import NotebookPresenter
from graphrun_nb.notebook.pump import mechanism
from graphrun_nb.protocols import hooks
from graphrun_nb.stores.memory import MemoryStore

if TYPE_CHECKING:
    from graphrun_nb.notebook.scope import Scope


def doctor(words: list[str], scope: Scope) -> None:
    """Print what is in order here and what is not."""
    if words:
        raise UsageError(f"doctor takes nothing, not {' '.join(words)!r}", hints=("%graphrun doctor",))
    here = [each for each in findings() if each.what != "store"]
    sys.stdout.write(table([*here, *_stored(), _result(), _clicks(scope), _view(scope)]))


def _stored() -> list[Finding]:
    """Return what can be said of the store: where it is, and whether all that it keeps is as it was written."""
    where = store()
    if not where.ok or isinstance(kept := default_store(), MemoryStore):
        return [where]
    return sound(kept)


def _result() -> Finding:
    loop = running_loop()
    if loop is None:
        return Finding("future.result()", "waits for the background loop")
    how = mechanism(loop)
    if not how:
        hint = "write: await future; or %pip install nest-asyncio2"
        return Finding("future.result()", f"cannot turn {type(loop).__name__}", ok=False, hint=hint)
    return Finding("future.result()", how)


def _clicks(scope: Scope) -> Finding:
    support = install(scope.shell)
    if not support.kernel:
        return Finding("kernel", "none: a terminal, without views")
    if not support.comms:
        return Finding("clicks", "wait for the end of a cell", ok=False, hint=support.reason)
    return Finding("clicks", "reach the run while a cell waits")


def _view(scope: Scope) -> Finding:
    if getattr(scope.shell, "kernel", None) is None:
        return Finding("live view", "none here")
    if isinstance(hooks.presenter, NotebookPresenter) and hooks.presenter.is_watched:
        return Finding("live view", "this front end shows it")
    hint = "if no graph appears below a run, install anywidget where the notebook's server runs, and reload the page"
    return Finding("live view", "no front end has shown one yet", hint=hint)
