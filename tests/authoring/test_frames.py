"""Tracebacks without the frames of this package."""

from __future__ import annotations

import sys
import traceback

from graphrun_nb.authoring.frames import without_our_frames
from graphrun_nb.errors import GraphRunError


def ours(source, **names):
    """Return `inner`, defined by `source` in a file of this package."""
    exec(compile(source, sys.modules[GraphRunError.__module__].__file__, "exec"), names)  # noqa: S102 (to stand there)
    return names["inner"]


def traceback_of(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 (any)
        return error.__traceback__
    raise AssertionError("nothing was raised")


def names(trace):
    return [frame.name for frame in traceback.extract_tb(trace)]


def users():
    raise ValueError("no")


def test_our_frames_are_left_out_wherever_they_stand():
    def body():
        ours("def inner():\n    call()\n", call=users)()

    trace = traceback_of(ours("def inner():\n    call()\n", call=body))
    assert names(trace) == ["traceback_of", "inner", "body", "inner", "users"]
    assert names(without_our_frames(trace)) == ["traceback_of", "body", "users"]
    assert names(trace) == ["traceback_of", "inner", "body", "inner", "users"]


def test_nothing_is_left_of_a_traceback_that_is_ours_alone():
    trace = traceback_of(ours("def inner():\n    raise KeyError\n"))
    assert without_our_frames(trace.tb_next) is None
    assert without_our_frames(None) is None
