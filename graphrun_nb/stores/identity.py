"""Which process this is, and whether another one is still there."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil

from graphrun_nb.protocols import Owner

_CLOCK_TOLERANCE_S = 2.0


def this_process() -> Owner:
    """Return the calling process; a forked child is another one."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> Owner:
    return Owner(socket.gethostname(), _boot(), _namespace(), pid, psutil.Process(pid).create_time())


def is_surely_gone(owner: Owner) -> bool:
    """Tell whether the process has ended; False as well if that cannot be seen from here."""
    here = this_process()
    if (owner.host, owner.boot, owner.namespace) != (here.host, here.boot, here.namespace):
        return False
    try:
        process = psutil.Process(owner.pid)
        return abs(process.create_time() - owner.born) > _CLOCK_TOLERANCE_S or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(round(psutil.boot_time()))


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
