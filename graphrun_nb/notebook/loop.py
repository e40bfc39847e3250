"""The kernel's loop: `install` makes a kernel answer while a cell waits, `drive` waits on the loop's own thread.

The two parts live in `comms` (clicks) and `pump` (the turning); here is what is set up once for each kernel.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.background import background_loop, running_loop
from graphrun_nb.notebook.comms import CommTap
from graphrun_nb.notebook.pump import Interrupted, drive

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Interrupted", "LoopSupport", "drive", "install", "uninstall", "wait_for"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopSupport:
    """What `install` found.

    Parameters
    ----------
    kernel
        Whether this IPython is a Jupyter kernel, whose loop runs between cells.
    comms
        Whether comm messages pass while a cell runs.
    reason
        Why not, in words; empty if they do.
    """

    kernel: bool
    comms: bool
    reason: str = ""


def install(ip: Any) -> LoopSupport:
    """Let comm messages and Stop reach a kernel while a cell awaits or drives the loop. Calling it twice is harmless.

    Parameters
    ----------
    ip
        What `get_ipython()` gives; None and IPythons outside a kernel are left alone.
    """
    kernel = getattr(ip, "kernel", None)
    if kernel is None:
        return LoopSupport(kernel=False, comms=False, reason="no Jupyter kernel: no loop runs between prompts")
    if not (_installed and _installed[-1].tap.is_in_place(kernel)):
        uninstall()
        try:
            tap = CommTap(kernel)
        except Exception as error:  # noqa: BLE001 # whatever the kernel lacks, it goes on without a tap
            _log.debug("comm messages wait for the end of a cell: %s", error)
            return LoopSupport(kernel=True, comms=False, reason=f"this kernel is another one inside: {error}")
        tap.attach()
        _installed.append(_Installed(tap, _wake_on_signals(kernel)))
    return LoopSupport(kernel=True, comms=True)


def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine gives; the loop that runs on this thread is kept turning meanwhile."""
    here = running_loop()
    future = asyncio.run_coroutine_threadsafe(coroutine, here or background_loop())
    try:
        if here is not None:
            drive(here, future)
        return future.result()
    finally:
        future.cancel()


def uninstall() -> None:
    """Undo `install`. Without one, do nothing."""
    while _installed:
        installed = _installed.pop()
        installed.tap.detach()
        if installed.wakeup_fd is not None and threading.current_thread() is threading.main_thread():
            other = signal.set_wakeup_fd(-1)
            if other != installed.wakeup_fd:
                signal.set_wakeup_fd(other)


@dataclass(frozen=True, slots=True)
class _Installed:
    tap: CommTap
    wakeup_fd: int | None


_installed: list[_Installed] = []


def _wake_on_signals(kernel: Any) -> int | None:
    """Let a signal wake the selector; give the descriptor, or None if that is not ours to do.

    While a cell awaits and nothing else happens, Stop has no effect until something does: ipykernel's SIGINT handler
    calls `IOLoop.add_callback`, which on the loop's own thread does not wake the selector (seen on ipykernel 6.31 to
    7.4). asyncio does the same as here in `add_signal_handler`.
    """
    waker = getattr(getattr(kernel.io_loop, "asyncio_loop", None), "_csock", None)
    if waker is None or threading.current_thread() is not threading.main_thread():
        return None
    descriptor: int = waker.fileno()
    previous = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    if previous != -1:
        signal.set_wakeup_fd(previous)
        return None
    return descriptor
