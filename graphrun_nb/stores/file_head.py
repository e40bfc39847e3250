"""Reads the first bytes of a database file that this process may have open.

Whenever a process closes a handle on a file, it gives up all its locks on it, those of other handles too
(https://www.sqlite.org/howtocorrupt.html, 2.2). Another process would then take the file for one that nobody uses, and
delete ``-wal`` under us. So the handles here are never closed: one a file.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HANDLES: dict[tuple[int, int], int] = {}
_LOCK = threading.Lock()


def head_of(path: Path, n: int) -> bytes:
    """Return the first `n` bytes of a file.

    Raises
    ------
    FileNotFoundError, OSError
        It cannot be opened.
    """
    with _LOCK:
        found = path.stat()
        known = (found.st_dev, found.st_ino)
        if known not in _HANDLES:
            _HANDLES[known] = os.open(path, os.O_RDONLY)
        return os.pread(_HANDLES[known], n, 0)
