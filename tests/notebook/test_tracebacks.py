"""Tracebacks of our own errors, as a cell shows them."""

from __future__ import annotations

import sys
import traceback

from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.tracebacks import install, shorten, to_the_users_line, uninstall


class Shell:
    """Stands for IPython's: renders a traceback as the names of its functions."""

    class InteractiveTB:
        @staticmethod
        def structured_traceback(etype, error, trace):
            return [etype.__name__, str(error), *(frame.name for frame in traceback.extract_tb(trace))]


def users_code(call):
    call()


def ours(source, **names):
    """Return a function that is defined in a file of this package."""
    file = sys.modules[GraphRunError.__module__].__file__
    exec(compile(source, file, "exec"), names)  # noqa: S102 (to stand in a file of ours)
    return names["inner"]


def error_of(call):
    try:
        users_code(call)
    except Exception as error:  # noqa: BLE001 (any)
        return error
    raise AssertionError("nothing was raised")


RAISING = "def deepest():\n    raise kind('no')\n\ndef inner():\n    deepest()\n"


def test_it_ends_in_the_users_line():
    error = error_of(ours(RAISING, kind=GraphRunError))
    install(Shell)
    try:
        assert error._render_traceback_() == ["GraphRunError", "no", "error_of", "users_code"]
    finally:
        uninstall()
    assert not hasattr(error, "_render_traceback_")


def test_an_error_of_anothers_type_ends_there_as_well_once_it_is_shortened():
    error = error_of(ours(RAISING, kind=KeyError))
    shorten(error, Shell)
    assert error._render_traceback_() == ["KeyError", "'no'", "error_of", "users_code"]
    assert not hasattr(KeyError, "_render_traceback_")


def test_the_exceptions_own_traceback_stays_whole():
    error = error_of(ours(RAISING, kind=GraphRunError))
    to_the_users_line(error.__traceback__)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-2:] == ["inner", "deepest"]


def test_users_frames_below_ours_are_shown():
    def callback():
        raise GraphRunError("no")

    error = error_of(ours("def inner():\n    call()\n", call=callback))
    shown = [frame.name for frame in traceback.extract_tb(to_the_users_line(error.__traceback__))]
    assert shown == ["error_of", "users_code", "inner", "callback"]


def test_a_traceback_of_ours_alone_is_shown_whole():
    error = error_of(ours(RAISING, kind=GraphRunError))
    alone = error.__traceback__.tb_next.tb_next
    assert [frame.name for frame in traceback.extract_tb(to_the_users_line(alone))] == ["inner", "deepest"]
    assert to_the_users_line(None) is None
