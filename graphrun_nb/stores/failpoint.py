"""Places where a store can be made to fail, for tests: ``GRAPHRUN_FAILPOINT=name:nth:kill|oserror|sqlite|stall``."""

from __future__ import annotations

import os
import signal
import sqlite3
import time

STALL_S = 3600.0


class _Failure:
    """What happens at one place, the n-th time that it is come by."""

    def __init__(self, text: str) -> None:
        self.name, nth, self.what = text.split(":")
        self.left = int(nth)

    def __call__(self, name: str) -> None:
        if name != self.name:
            return
        self.left -= 1
        if self.left:
            return
        match self.what:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "oserror":
                raise OSError(28, "No space left on device")
            case "sqlite":
                raise sqlite3.OperationalError("database or disk is full")
            case "stall":
                time.sleep(STALL_S)


def _nothing(name: str) -> None:
    """Come by the place `name`."""


failpoint = _Failure(os.environ["GRAPHRUN_FAILPOINT"]) if "GRAPHRUN_FAILPOINT" in os.environ else _nothing
