"""Which loop a run lives on: the one that is running here, or one shared loop in a daemon thread."""

from __future__ import annotations

import asyncio
import threading

_LOCK = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs on this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the shared loop, starting its thread when first needed."""
    global _loop  # noqa: PLW0603 (one for the process is the point)
    with _LOCK:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="graphrun loop", daemon=True).start()
        return _loop
