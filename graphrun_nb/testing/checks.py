"""How the suites say that something does not hold, and how they wait for what must happen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_S = 0.005


def check(holds: bool, otherwise: str) -> None:
    """Fail with the message `otherwise` unless it `holds`."""
    if not holds:
        raise AssertionError(otherwise)


def wait_until(holds: Callable[[], bool], otherwise: str, patience_s: float) -> None:
    """Return as soon as it `holds`; fail with the message `otherwise` if that takes too long."""
    deadline = time.monotonic() + patience_s
    while not holds():
        check(time.monotonic() < deadline, otherwise)
        time.sleep(POLL_S)
