"""What holds for all tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let tests be interrupted, also where a shell began them in the background, which has SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
