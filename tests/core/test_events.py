"""How events and errors show themselves to people."""

from __future__ import annotations

from graphrun_nb.core.events import AttemptStarted, Envelope, ErrorInfo, FrameInfo, RunFinished
from graphrun_nb.core.status import RunStatus


class Printer:
    """Stands for IPython's pretty printer."""

    said = ""

    def text(self, text):
        self.said += text


def shown(value):
    printer = Printer()
    value._repr_pretty_(printer, False)
    return printer.said


LIBRARYS = FrameInfo(file="/lib/pandas.py", line=7, function="concat", source="raise", user=False)
USERS = FrameInfo(file="In[3]", line=2, function="load", source="    return 1 / 0", user=True)


def test_an_error_reads_as_a_traceback_of_the_users_own_frames():
    error = ErrorInfo(("builtins.ZeroDivisionError",), "division by zero", (LIBRARYS, USERS), ("hint: add one",))
    told = "In[3], line 2, in load\n    return 1 / 0\nZeroDivisionError: division by zero\nhint: add one"
    assert str(error) == shown(error) == told


def test_an_error_without_frames_of_the_user_shows_those_that_there_are():
    assert str(ErrorInfo(("a.b.Odd",), "no", (LIBRARYS,))).startswith("/lib/pandas.py, line 7, in concat")
    assert str(ErrorInfo(("a.b.Odd",), "no")) == "Odd: no"


def test_an_event_shows_its_number_its_kind_and_its_node():
    assert shown(Envelope("r", 5, 0.0, AttemptStarted("load", 2))) == "<event 5: AttemptStarted load 2>"
    assert shown(Envelope("r", 6, 0.0, RunFinished(RunStatus.DONE))) == "<event 6: RunFinished>"
