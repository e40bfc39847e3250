"""What ``%graphrun`` does with runs that are there already: the table, ``show``, ``cancel``, ``resume``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.status import NODE_STATUS
from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.live import find_run
from graphrun_nb.engine.summary import list_runs
from graphrun_nb.notebook.line import UsageError
from graphrun_nb.protocols import hooks
from graphrun_nb.view.text import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphrun_nb.engine.run import Run

VERBS = ("show", "cancel", "resume")
_COLUMNS = ("run", "graph", "status", "nodes", "started", "took")


def table() -> str:
    """Return the runs of the default store, newest first, as text."""
    now = time.time()
    rows = [_COLUMNS]
    for each in list_runs():
        counts = ", ".join(
            f"{each.counts[status]} {row.word}" for status, row in NODE_STATUS.items() if each.counts[status]
        )
        ago = f"{duration(now - each.started_at)} ago"
        took = duration((each.ended_at or now) - each.started_at)
        rows.append((each.run_id, each.graph, each.status.lower(), counts, ago, took))
    if len(rows) == 1:
        return "no runs yet: %graphrun NAME key=value … launches one"
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def carry_out(
    verb: str, words: list[str], namespace: Mapping[str, Any], value: Callable[[str, str], Any]
) -> RunFuture | None:
    """Do what ``%graphrun VERB …`` says.

    Parameters
    ----------
    words
        What follows the verb: RUN (an id, the beginning of one, or a variable that holds a future; the latest run if
        left out), and for ``resume`` a node and ``key=expression`` or one bare expression.
    value
        Evaluates an expression, given its name and source.

    Raises
    ------
    UsageError
        The words make no sense.
    GraphRunError
        There is no such run, or it refuses.
    """
    if verb == "resume":
        _resume(words, namespace, value)
        return None
    if len(words) > 1:
        raise UsageError(f"{verb} takes one run, not {' '.join(words)!r}", hints=(f"%graphrun {verb} RUN",))
    run = _run(words[0] if words else "", namespace)
    if verb == "cancel":
        run.call(lambda: run.cancel(by="user"))
        return None
    future = RunFuture(run)
    if hooks.presenter is not None:
        hooks.presenter.display(future)
    return future


def _run(word: str, namespace: Mapping[str, Any]) -> Run:
    held = namespace.get(word)
    return held.run if isinstance(held, RunFuture) else find_run(word)


def _resume(words: list[str], namespace: Mapping[str, Any], value: Callable[[str, str], Any]) -> None:
    usage = "%graphrun resume RUN NODE key=value …"
    if len(words) < 3:
        raise UsageError("resume takes a run, a node and an answer", hints=(usage,))
    name, node_id, *answers = words
    run = _run(name, namespace)
    if len(answers) == 1 and not _is_assignment(answers[0]):
        payload = value("the answer", answers[0])
    else:
        payload = {}
        for word in answers:
            if not _is_assignment(word):
                raise UsageError(f"{word!r} is not key=value", hints=(usage,))
            key, _, source = word.partition("=")
            payload[key] = value(key, source)
    run.call(lambda: run.waits.answer(node_id, payload, by="cell"))


def _is_assignment(word: str) -> bool:
    key, equals, source = word.partition("=")
    return bool(equals) and key.isidentifier() and not source.startswith("=")
