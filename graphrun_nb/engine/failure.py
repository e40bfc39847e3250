"""Exceptions of users' code, as data for the log."""

from __future__ import annotations

import linecache
import traceback
from typing import TYPE_CHECKING

from graphrun_nb.authoring.frames import is_users, without_our_frames
from graphrun_nb.core.events import ErrorInfo, FrameInfo
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.errors import GraphRunError
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from types import TracebackType

MAX_FRAMES = 40
MAX_TEXT = 4000
MAX_NOTES = 20
MAX_NOTE = 1000
MAX_TYPES = 40
MAX_TYPE = 400
MAX_LINE = 200
"""Of a source line, and of the names of files and functions, which programs can make as long as they like."""


def describe(exception: BaseException) -> ErrorInfo:
    """Return `exception` as data: at most 40 frames and 4,000 characters a text, which keeps the event below 64 kB."""
    frames = traceback.extract_tb(users_trace(exception))
    if len(frames) > MAX_FRAMES:
        half = MAX_FRAMES // 2
        frames = traceback.StackSummary.from_list([*frames[:half], *frames[-half:]])
    presenter = hooks.here()
    label = presenter.file_label if presenter is not None else None
    return ErrorInfo(
        types=tuple(
            qualified_name(kind)[-MAX_TYPE:] for kind in type(exception).__mro__[:MAX_TYPES] if kind is not object
        ),
        message=_text(exception),
        frames=tuple(
            FrameInfo(
                file=_short(label(frame.filename) if label else frame.filename),
                line=frame.lineno or 0,
                function=_short(frame.name),
                source=_short(linecache.getline(frame.filename, frame.lineno or 0).rstrip()),
                user=is_users(frame.filename),
            )
            for frame in frames
        ),
        notes=_notes(exception),
        cause=_cause(exception),
    )


def users_trace(exception: BaseException) -> TracebackType | None:
    """Return the traceback without our frames; if all of them are, none of our own errors, and all of another one."""
    trace = without_our_frames(exception.__traceback__)
    return trace if trace is not None or isinstance(exception, GraphRunError) else exception.__traceback__


def _cause(exception: BaseException) -> str:
    parts: list[str] = []
    seen = {id(exception)}
    current: BaseException | None = exception
    while current is not None and len(parts) < 8:
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if current is None or id(current) in seen:
            break
        seen.add(id(current))
        parts.append(f"{_short(type(current).__name__)}: {_text(current)}")
    return "\n".join(parts)[:MAX_TEXT]


def _notes(exception: BaseException) -> tuple[str, ...]:
    notes = getattr(exception, "__notes__", ())
    if not isinstance(notes, list | tuple):
        return ()
    return tuple(_text(note)[:MAX_NOTE] for note in notes[:MAX_NOTES])


def _short(text: str) -> str:
    return _encodable(text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 1]}…")


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _text(said: object) -> str:
    try:
        return _encodable(str(said)[:MAX_TEXT])
    except BaseException as error:  # noqa: BLE001 (a user's __str__ may do anything)
        return f"<its text cannot be made: {type(error).__name__}>"
