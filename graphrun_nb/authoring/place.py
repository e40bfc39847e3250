"""Where in the user's own source something happens: the line, and the expression on it."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.signature import source_of
from graphrun_nb.authoring.syntax import parsed
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType

MAX_TEXT = 80

_Span = tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of source.

    Attributes
    ----------
    file
        How people know it: ``In[3]``, or a path, relative if it lies below the working directory.
    line
        From 1.
    text
        The line without its indentation, at most 80 characters; empty where there is no source.
    path
        The expression that was being evaluated and all that it stands in, innermost first; empty if it is not known.
    """

    file: str
    line: int
    text: str = ""
    path: tuple[ast.AST, ...] = ()

    def __str__(self) -> str:
        """Name the file and line, and quote it."""
        quoted = f", `{self.text}`" if self.text else ""
        return f"{self.file}, line {self.line}{quoted}"


def place_of(frame: FrameType) -> Place:
    """Return where `frame` is. O(source of its file)."""
    span = next(islice(frame.f_code.co_positions(), max(frame.f_lasti, 0) // 2, None), (None,) * 4)
    return _place(frame, frame.f_lineno, span)


def place_of_raise(trace: TracebackType) -> Place:
    """Return the line at which an exception passed through the frame of `trace`."""
    return _place(trace.tb_frame, trace.tb_lineno, (None,) * 4)


def place_of_definition(function: Callable[..., Any]) -> Place | None:
    """Return the first line of a function, or of its decorators; None if it is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    text = linecache.getline(code.co_filename, code.co_firstlineno)
    return Place(_label(code.co_filename), code.co_firstlineno, short(text))


def places_in(
    function: Callable[..., Any], paths: Callable[[ast.Module], Iterable[tuple[ast.AST, ...]]]
) -> list[Place]:
    """Return the places of those expressions in a function's source that `paths` picks, each with what it stands in."""
    source, filename, first = source_of(function)
    try:
        tree = parsed(source)
    except SyntaxError:
        return []
    lines = source.splitlines()
    found = []
    for path in paths(tree):
        line = getattr(path[0], "lineno", 1)
        found.append(Place(_label(filename), first + line - 1, short(lines[line - 1]), path))
    return found


def short(text: str) -> str:
    """Return `text` in one line of at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


def _place(frame: FrameType, line: int, span: _Span) -> Place:
    filename = frame.f_code.co_filename
    lines = linecache.getlines(filename, frame.f_globals)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return Place(_label(filename), line, short(text), _path("".join(lines), span))


def _label(filename: str) -> str:
    presenter = hooks.here()
    label = presenter.file_label(filename) if presenter is not None else filename
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 (a name in angle brackets is no path)
    return label.removeprefix(here)


def _path(source: str, span: _Span) -> tuple[ast.AST, ...]:
    """Return the innermost node that has exactly this span, and those around it."""
    if None in span:
        return ()
    try:
        todo: list[tuple[ast.AST, ...]] = [(parsed(source),)]
    except (SyntaxError, ValueError):
        return ()
    found: tuple[ast.AST, ...] = ()
    while todo:
        path = todo.pop()
        own = _span(path[0])
        if own == span and len(path) > len(found):
            found = path
        if None in own or _covers(own, span):
            todo += [(child, *path) for child in ast.iter_child_nodes(path[0])]
    return found


def _span(node: ast.AST) -> _Span:
    """Return the first and last line, first and last byte in them; None of it for a node that has no place itself."""
    names = ("lineno", "end_lineno", "col_offset", "end_col_offset")
    line, end_line, column, end_column = (getattr(node, name, None) for name in names)
    return line, end_line, column, end_column


def _covers(outer: Any, inner: Any) -> bool:
    starts = (outer[0], outer[2]) <= (inner[0], inner[2])
    return starts and (inner[1], inner[3]) <= (outer[1], outer[3])
