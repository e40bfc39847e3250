"""A worker process as its parent sees it: started, interrupted, killed, and cleared away."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from graphrun_nb.executors import worker
from graphrun_nb.executors.dialogue import Dialogue
from graphrun_nb.executors.packing import packed
from graphrun_nb.protocols import Error, Lost, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Call

GRACE_S = 1.0
"""How long a call that is given up has for its `finally` blocks, between SIGINT and SIGKILL."""

EXIT_S = 2.0
"""How long an idle worker may take to exit by itself."""


class Child:
    """One worker process, started by its first call. Calls come one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_busy = False
        self._is_doomed = False
        self._is_over = threading.Event()

    @property
    def is_alive(self) -> bool:
        """Whether there is a process that can take a call."""
        return not self._is_doomed and self._is_running()

    def perform(self, call: Call) -> Outcome:
        """Make `call` there, blocking until it has ended; what it prints meanwhile is printed here."""
        try:
            payload = packed(call)
            with self._lock:
                if self._is_doomed:
                    return Lost("the call was given up before it began")
                if self._process is None:
                    self._start()
                self._is_busy = True
                self._is_over.clear()
        except Exception as error:  # noqa: BLE001 (pickling runs user code; and a process may not start)
            return Error(error)
        try:
            return self._dialogue.perform(call, payload)
        except (EOFError, ConnectionError):
            return self._loss()
        except BaseException as error:  # noqa: BLE001 (whatever stands in for sys.stdout may raise)
            self._is_doomed = True
            return Error(error)
        finally:
            with self._lock:
                self._is_busy = False
                if is_doomed := self._is_doomed:
                    self._signal(signal.SIGKILL)
            if is_doomed:
                self._clear_away()
            self._is_over.set()

    def give_up(self) -> None:
        """End its call, and then it, and all processes that the call started; callable from any thread.

        The call is interrupted as by Ctrl-C; if it has not ended `GRACE_S` later, it is killed.
        """
        with self._lock:
            if self._is_doomed or self._process is None:
                self._is_doomed = True
                return
            self._is_doomed = True
            if self._is_busy:
                self._signal(signal.SIGINT)
                self._meanwhile(self._kill_unless_over)
            else:
                self._signal(signal.SIGKILL)
                self._meanwhile(self._clear_away)

    def end(self) -> None:
        """Let it exit, without waiting for that; not while `perform` runs."""
        with self._lock:
            if self._process is not None:
                self._dialogue.hang_up()
                self._meanwhile(self._clear_away)

    def _start(self) -> None:
        here, there = socket.socketpair()
        try:
            with there:
                process = self._process = subprocess.Popen(  # noqa: S603 (our own program)
                    [sys.executable, "-P", worker.__file__, str(there.fileno()), str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(there.fileno(),),
                    start_new_session=True,  # an interrupt is meant for this process, not for its workers
                )
        except BaseException:
            here.close()
            raise
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        self._dialogue = Dialogue(here, process.stdout, self._is_running)

    def _is_running(self) -> bool:
        with self._lock:
            return self._process is not None and self._process.poll() is None

    def _loss(self) -> Outcome:
        with self._lock:
            self._signal(signal.SIGKILL)  # what the call has started goes with it
        self._dialogue.relay_raw()
        code = self._clear_away()
        ended = f"with exit code {code}" if code >= 0 else f"with signal {signal.Signals(-code).name}"
        if self._dialogue.is_ready or code < 0:
            return Lost(f"the worker process ended {ended}")
        error = RuntimeError(f"the worker process could not start: it ended {ended}")
        error.add_note(f"hint: what {sys.executable} has to say is among what the node printed")
        return Error(error)

    def _kill_unless_over(self) -> None:
        if not self._is_over.wait(GRACE_S):
            with self._lock:
                self._signal(signal.SIGKILL)

    def _clear_away(self) -> int:
        """Wait until it has ended, killing it after `EXIT_S`, and let go of everything; return its exit code."""
        deadline = time.monotonic() + EXIT_S
        while True:
            with self._lock:
                if self._process is None:
                    return 0
                code = self._process.poll()
                if code is not None:
                    self._process = None
                    self._dialogue.close()
                    return code
                if time.monotonic() >= deadline:
                    self._signal(signal.SIGKILL)
            time.sleep(0.002)

    def _meanwhile(self, act: Callable[[], object]) -> None:
        try:
            threading.Thread(target=act, name="graphrun ending").start()
        except RuntimeError:  # the interpreter is ending, and starts no more threads
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process and all that it started, as long as its id cannot belong to another."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
