"""Places where a store can be made to fail, for tests: ``GRAPHRUN_FAILPOINT=name:nth:kill|oserror|sqlite|stall``.

A process that stalls says so, stands still for a minute as one that was stopped, and goes on.
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from collections import Counter

STALL_S = 60.0
_KINDS = ("kill", "oserror", "sqlite", "stall")


class Count:
    """Counts how often each place is passed."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def passed(self, name: str) -> None:
        """Count `name`."""
        self.seen[name] += 1


class _Failure:
    """What happens at one place, the n-th time that it is passed."""

    def __init__(self, text: str) -> None:
        match text.split(":"):
            case [name, nth, what] if nth.isdecimal() and what in _KINDS:
                self.name, self.left, self.what = name, int(nth), what
            case _:
                raise ValueError(f"GRAPHRUN_FAILPOINT is name:nth:{'|'.join(_KINDS)}, not {text!r}")

    def passed(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if not self.left:
                _fail(self.what)


def _fail(what: str) -> None:
    match what:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "oserror":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case "sqlite":
            raise sqlite3.OperationalError("database or disk is full")
        case "stall":
            os.write(2, b"stalled\n")
            time.sleep(STALL_S)


_armed: _Failure | Count | None = None


def arm(text: str) -> None:
    """Let one place fail from now on; with an empty `text`, none."""
    global _armed  # noqa: PLW0603 (one a process, for tests)
    _armed = _Failure(text) if text else None


def count() -> Count:
    """Count the places that are passed from now on."""
    global _armed  # noqa: PLW0603 (one a process, for tests)
    counting = _armed = Count()
    return counting


def failpoint(name: str) -> None:
    """Pass the place `name`."""
    if _armed is not None:
        _armed.passed(name)


arm(os.environ.get("GRAPHRUN_FAILPOINT", ""))
