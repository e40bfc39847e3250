"""What ``%graphrun`` does with existing runs: the table of runs, and the table of verbs."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

from graphrun_nb.engine.summary import list_runs, runs_table
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.comparing import diff
from graphrun_nb.notebook.doctor import doctor
from graphrun_nb.notebook.exporting import export
from graphrun_nb.notebook.going_on import attach, fork, one_run, retry, show
from graphrun_nb.notebook.line import UsageError, unquoted
from graphrun_nb.notebook.post_mortem import debug
from graphrun_nb.notebook.pruning import prune

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.notebook.scope import Scope


def table() -> str:
    """Return the runs of the default store, newest first, as text."""
    rows = list_runs()
    return runs_table(rows) if rows else "no runs yet: %graphrun NAME key=value … launches one"


def carry_out(verb: str, words: list[str], scope: Scope) -> RunFuture | None:
    """Do what ``%graphrun VERB …`` says.

    Parameters
    ----------
    words
        What follows the verb. RUN is a variable that holds a future, an id, or the beginning of one; the latest run if
        left out.

    Raises
    ------
    UsageError
        The words make no sense.
    GraphRunError
        There is no such run, or it refuses.
    """
    return VERBS[verb](words, scope)


def _cancel(words: list[str], scope: Scope) -> None:
    run = one_run("cancel", words, scope)
    if not run.call(lambda: run.cancel(by="user")):
        raise GraphRunError(f"run {run.run_id!r} is not alive any more: {run.status.lower()}")


def _resume(words: list[str], scope: Scope) -> None:
    usage = "%graphrun resume RUN NODE key=value …"
    if words[1:] and _is_assignment(words[1]):
        words = ["", *words]
    if len(words) < 3:
        raise UsageError("resume takes a run, a node and an answer", hints=(usage,))
    name, node_id, *answers = words
    run = scope.run(name)
    if len(answers) == 1 and not _is_assignment(answers[0]):
        payload = scope.value("the answer", answers[0])
    else:
        payload = {}
        for word in answers:
            if not _is_assignment(word):
                raise UsageError(f"{word!r} is not key=value", hints=(usage,))
            key, _, source = word.partition("=")
            payload[key] = scope.value(key, source)
    run.call(lambda: run.answering.answer(unquoted(node_id), payload, by="cell"))


def _help(_words: list[str], scope: Scope) -> None:
    sys.stdout.write(f"{inspect.getdoc(scope.shell.find_line_magic('graphrun'))}\n")


def _is_assignment(word: str) -> bool:
    key, equals, source = word.partition("=")
    return bool(equals) and key.isidentifier() and not source.startswith("=")


VERBS: dict[str, Callable[[list[str], Scope], RunFuture | None]] = {
    "show": show,
    "attach": attach,
    "retry": retry,
    "fork": fork,
    "cancel": _cancel,
    "resume": _resume,
    "debug": debug,
    "diff": diff,
    "export": export,
    "doctor": doctor,
    "prune": prune,
    "help": _help,
}
"""What each verb does, given the words after it."""
