"""Whose code a frame runs: the user's own, ours, or some library's."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_OURS = f"{Path(__file__).resolve().parent.parent}{os.sep}"
_LIBRARIES = tuple(
    {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
        *site.getsitepackages(),
    }
)


def is_ours(filename: str) -> bool:
    """Tell whether a source file belongs to this package."""
    return filename.startswith(_OURS)


def is_users(filename: str) -> bool:
    """Tell whether a source file is the user's own: a cell, or a file outside of any library."""
    return not filename.startswith((_OURS, *_LIBRARIES)) and not filename.startswith("<frozen ")


def users_frame() -> FrameType:
    """Return the innermost frame of the user's own code; if all of it is libraries', the one that called us."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (there is no public way to one's callers)
    called_us = None
    while frame is not None:
        filename = frame.f_code.co_filename
        if is_users(filename):
            return frame
        if called_us is None and not is_ours(filename):
            called_us = frame
        frame = frame.f_back
    return called_us or sys._getframe(1)  # noqa: SLF001 (as above)


def is_called_by_user() -> bool:
    """Tell whether the code that called into this package is the user's own, and not some library's."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (as above)
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)


def without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return a copy of the traceback that leaves out our frames, wherever they stand; None if there is no other."""
    entries = []
    while trace is not None:
        if not is_ours(trace.tb_frame.f_code.co_filename):
            entries.append(trace)
        trace = trace.tb_next
    copy = None
    for each in reversed(entries):
        copy = TracebackType(copy, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return copy


def between_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that is not ours to the last, in place; all of it if every frame is."""
    first = trace
    while first is not None and is_ours(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    first = last = first or trace
    while trace is not None:
        if not is_ours(trace.tb_frame.f_code.co_filename):
            last = trace
        trace = trace.tb_next
    if last is not None and not is_ours(last.tb_frame.f_code.co_filename):
        last.tb_next = None
    return first
