"""Deadlines in the forms that users write, as instants."""

from __future__ import annotations

import datetime as dt
from numbers import Real
from typing import TYPE_CHECKING, Any

from graphrun_nb.errors import BadWait

if TYPE_CHECKING:
    When = float | dt.timedelta | dt.datetime

LATEST = 253_402_300_799.0
"""The end of the year 9999, in Unix seconds: nothing later has a date."""


def instant(when: object, now: float, *, name: str) -> float:
    """Return `when` in Unix seconds (UTC).

    Parameters
    ----------
    when
        Seconds from `now` (>= 0), a timedelta (>= 0), or an aware datetime, which may have passed.
    now
        Unix seconds.
    name
        Of the argument, for the errors.

    Raises
    ------
    BadWait
        It is a datetime without a time zone, lies before `now`, or is none of these.

    Examples
    --------
    >>> instant(1.5, 1000.0, name="deadline")
    1001.5
    >>> instant(dt.timedelta(minutes=1), 1000.0, name="deadline")
    1060.0
    """
    if isinstance(when, dt.datetime):
        return _at(when, name)
    seconds: Any = when.total_seconds() if isinstance(when, dt.timedelta) else when
    if type(seconds) is bool or not isinstance(seconds, Real):
        raise BadWait(
            f"{name} is seconds from now, a timedelta or an aware datetime, not {when!r}", hints=(_hint(when, name),)
        )
    due = now + float(seconds)
    if not now <= due <= LATEST:
        raise BadWait(
            f"{name}={when!r} is {float(seconds):g} s from now", hints=("give it 0 s or more, before the year 10000",)
        )
    return due


def _at(when: dt.datetime, name: str) -> float:
    if when.utcoffset() is None:
        raise BadWait(
            f"{name}={when!r} has no time zone, so it names no instant",
            hints=(f"for local time, pass {name}=when.astimezone(); or pass seconds from now, or a timedelta",),
        )
    return when.timestamp()


def _hint(when: object, name: str) -> str:
    if isinstance(when, str):
        return f"read the text: {name}=datetime.fromisoformat({when!r}).astimezone()"
    if isinstance(when, dt.date):
        return f"say at what time: {name}=datetime.combine(when, time(12)).astimezone()"
    return f"for example {name}=60, {name}=timedelta(hours=1)"
