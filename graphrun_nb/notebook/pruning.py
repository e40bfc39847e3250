"""``%graphrun prune``: runs that ended long ago are deleted; how its words are read, here and in a terminal."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, TypeVar

from graphrun_nb.engine.env import default_store
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.line import UsageError, take_options

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.notebook.scope import Scope
    from graphrun_nb.protocols import RunStore

DAYS = 30.0
_DAY_S = 86_400
_USAGE = "%graphrun prune --older-than DAYS --keep N --dry-run"


def prune(words: list[str], scope: Scope) -> None:
    """Delete runs of the default store that have ended: ``--older-than DAYS --keep N --dry-run``.

    Raises
    ------
    UsageError
        The words make no sense.
    GraphRunError
        The store keeps its runs as long as its process.
    """
    del scope
    rest, options = take_options(words, valued=("--older-than", "--keep"), flags=("--dry-run",))
    if rest:
        raise UsageError(f"prune takes no runs, but {' '.join(rest)!r} was given", hints=(_USAGE,))
    is_dry = "--dry-run" in options
    older_than = _read(days, "--older-than", options.get("--older-than", str(DAYS)))
    keep = _read(count, "--keep", options.get("--keep", "0"))
    gone = pruned(default_store(), older_than, keep, dry_run=is_dry)
    what = "would be deleted" if is_dry else "deleted"
    sys.stdout.write("".join(f"{run_id}\n" for run_id in gone) + f"{len(gone)} run{'s'[: len(gone) != 1]} {what}\n")


def pruned(store: RunStore, older_than: float, keep: int, *, dry_run: bool) -> list[str]:
    """Delete what ended more than `older_than` days ago, but the `keep` runs that began last; return their ids.

    Raises
    ------
    GraphRunError
        The store keeps its runs as long as its process.
    """
    delete = getattr(store, "prune", None)
    if delete is None:
        raise GraphRunError("this store keeps its runs as long as its process")
    return list(delete(older_than_s=older_than * _DAY_S, keep=keep, dry_run=dry_run))


def days(text: str) -> float:
    """Read ``30`` or ``30d``; raises ValueError if it is not a number of days."""
    found = float(text.removesuffix("d"))
    if not 0 <= found < math.inf:
        raise ValueError(text)
    return found


def count(text: str) -> int:
    """Read a number of runs; raises ValueError if it is none."""
    n = int(text)
    if n < 0:
        raise ValueError(text)
    return n


def _read(convert: Callable[[str], T], option: str, text: str) -> T:
    try:
        return convert(text)
    except ValueError as error:
        raise UsageError(f"{option} takes a number, at least 0, not {text!r}", hints=(_USAGE,)) from error
