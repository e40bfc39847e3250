"""Errors that come out of this package in a cell: their traceback ends in the user's line, and not in one of ours."""

from __future__ import annotations

from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.frames import is_ours
from graphrun_nb.errors import GraphRunError

if TYPE_CHECKING:
    from collections.abc import Callable

_METHOD = "_render_traceback_"  # what IPython asks an exception for


def install(shell: Any) -> None:
    """Let `shell` show errors of this package without our frames at their end."""
    setattr(GraphRunError, _METHOD, _renderer(shell))


def uninstall() -> None:
    """Show all frames again."""
    if hasattr(GraphRunError, _METHOD):
        delattr(GraphRunError, _METHOD)


def shorten(error: BaseException, shell: Any) -> None:
    """Let `shell` show an error of another's type, which comes out of this package, in the same way."""
    setattr(error, _METHOD, MethodType(_renderer(shell), error))


def _renderer(shell: Any) -> Callable[[BaseException], list[str]]:
    def render(error: BaseException) -> list[str]:
        trace = to_the_users_line(error.__traceback__)
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace)
        return lines

    return render


def to_the_users_line(trace: TracebackType | None) -> TracebackType | None:
    """Return a copy of the traceback up to the last frame that is not ours; all of it if every frame is."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    n_kept = max((i for i, each in enumerate(entries, 1) if not is_ours(each.tb_frame.f_code.co_filename)), default=0)
    copy = None
    for each in reversed(entries[: n_kept or len(entries)]):
        copy = TracebackType(copy, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return copy
