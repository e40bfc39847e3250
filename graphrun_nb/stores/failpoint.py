"""Places where a store can be made to fail, for tests: ``GRAPHRUN_FAILPOINT=name:nth:kill|oserror|sqlite|stall``."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from collections import Counter

STALL_S = 3600.0


class Count:
    """Counts how often each place is come by."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def come_by(self, name: str) -> None:
        """Count `name`."""
        self.seen[name] += 1


class _Failure:
    """What happens at one place, the n-th time that it is come by."""

    def __init__(self, text: str) -> None:
        self.name, nth, self.what = text.split(":")
        self.left = int(nth)

    def come_by(self, name: str) -> None:
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
    """Count the places that are come by from now on."""
    global _armed  # noqa: PLW0603 (one a process, for tests)
    counting = _armed = Count()
    return counting


def failpoint(name: str) -> None:
    """Come by the place `name`."""
    if _armed is not None:
        _armed.come_by(name)


arm(os.environ.get("GRAPHRUN_FAILPOINT", ""))
