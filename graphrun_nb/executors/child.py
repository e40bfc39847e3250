"""A worker process as its parent holds it."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from graphrun_nb.executors import worker
from graphrun_nb.executors.faults import raised_elsewhere
from graphrun_nb.executors.packing import packed
from graphrun_nb.executors.worker import HEADER, MAX_OUTPUT, Kind, Setup
from graphrun_nb.protocols import Error, Lost, Outcome, Value

if TYPE_CHECKING:
    from graphrun_nb.protocols import Call

LOOK_S = 0.5
"""How often a silent worker is looked at; also how long it has between SIGTERM and SIGKILL."""

EXIT_S = 2.0
"""How long an idle worker may take to exit by itself."""

_CHUNK = 1 << 20


class Child:
    """One worker process, started by its first call. Calls come one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = False
        self._doomed_at: float | None = None
        self._ready = False
        self._raw_left = 0

    @property
    def is_alive(self) -> bool:
        """Whether there is a process that can take a call."""
        with self._lock:
            return self._process is not None and self._doomed_at is None and self._process.poll() is None

    def perform(self, call: Call) -> Outcome:
        """Make `call` there, blocking until it has ended; what it prints meanwhile is printed here."""
        with self._lock:
            if self._doomed_at is not None:
                return Lost("the call was given up before it began")
            self._busy = True
        try:
            return self._perform(call)
        finally:
            with self._lock:
                self._busy = False
                is_doomed = self._doomed_at is not None
            if is_doomed:
                self._reap(LOOK_S)

    def kill(self) -> None:
        """End it at once, whatever it does, and all that it started; callable from any thread."""
        with self._lock:
            if self._doomed_at is None:
                self._doomed_at = time.monotonic()
                self._signal(signal.SIGTERM)
                if not self._busy:
                    self._reap_later(LOOK_S)

    def end(self) -> None:
        """Let it exit, without waiting for that; not while `perform` runs."""
        with self._lock:
            if self._process is not None:
                self._socket.close()
                self._reap_later(EXIT_S)

    def _perform(self, call: Call) -> Outcome:
        try:
            payload = packed(call)
            if self._process is None:
                self._start()
        except Exception as error:  # noqa: BLE001 (pickling runs user code; and a process may not start)
            return Error(error)
        try:
            self._send(Kind.CALL, payload)
            del payload
            return self._answer(call)
        except (EOFError, ConnectionError):
            return self._loss()
        except BaseException as error:  # noqa: BLE001 (whatever stands in for sys.stdout may raise)
            self.kill()
            return Error(error)

    def _start(self) -> None:
        here, there = socket.socketpair()
        try:
            with there, self._lock:
                self._process = subprocess.Popen(  # noqa: S603 (our own program)
                    [sys.executable, "-P", worker.__file__, str(there.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(there.fileno(),),
                    start_new_session=True,  # an interrupt is meant for this process, not for its workers
                )
                self._socket = here
                assert self._process.stdout is not None  # noqa: S101 (it is a pipe)
                self._raw = self._process.stdout
        except BaseException:
            here.close()
            raise
        os.set_blocking(self._raw.fileno(), False)
        self._received = bytearray()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._poll.register(self._raw, select.POLLIN)
        setup = Setup(path=sys.path, levels=_log_levels())
        with contextlib.suppress(ConnectionError):  # it is noticed by what follows
            self._send(Kind.SETUP, pickle.dumps(setup))

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._socket.sendall(HEADER.pack(kind, len(payload)))
        self._socket.sendall(payload)

    def _answer(self, call: Call) -> Outcome:
        self._raw_left = MAX_OUTPUT
        while True:
            kind, payload = self._receive()
            match kind:
                case Kind.VALUE:
                    self._relay_raw()
                    return _value(payload)
                case Kind.ERROR:
                    self._relay_raw()
                    return Error(raised_elsewhere(payload))
                case Kind.READY:
                    self._ready = True
                case _:
                    _relay(kind, payload, call)

    def _receive(self) -> tuple[Kind, bytes]:
        """Return the next message; raise EOFError if there will be none."""
        received = self._received
        while True:
            if len(received) >= HEADER.size:
                kind, size = HEADER.unpack_from(received)
                if len(received) >= HEADER.size + size:
                    payload = bytes(memoryview(received)[HEADER.size : HEADER.size + size])
                    del received[: HEADER.size + size]
                    return Kind(kind), payload
            ready = {fd for fd, _ in self._poll.poll(LOOK_S * 1000)}
            if self._raw.fileno() in ready:
                self._relay_raw()
            if self._socket.fileno() in ready:
                chunk = self._socket.recv(_CHUNK)
                if not chunk:
                    raise EOFError
                received += chunk
            if self._is_over(silent=not ready):
                raise EOFError

    def _is_over(self, *, silent: bool) -> bool:
        with self._lock:
            assert self._process is not None  # noqa: S101 (a call is under way)
            if self._doomed_at is not None and time.monotonic() - self._doomed_at > LOOK_S:
                self._signal(signal.SIGKILL)
            return silent and self._process.poll() is not None

    def _relay_raw(self) -> None:
        """Print what was written past Python's own streams: by C code, or by programs that the call started."""
        while True:
            try:
                data = os.read(self._raw.fileno(), MAX_OUTPUT)
            except BlockingIOError:
                return
            if not data:
                with contextlib.suppress(KeyError):
                    self._poll.unregister(self._raw)
                return
            if self._raw_left > 0:
                sys.stdout.write(data[: self._raw_left].decode(errors="replace"))
                self._raw_left -= len(data)

    def _loss(self) -> Outcome:
        with self._lock:
            self._signal(signal.SIGKILL)  # what the call has started goes with it
        self._relay_raw()
        code = self._reap(EXIT_S)
        ended = f"with exit code {code}" if code >= 0 else f"with signal {signal.Signals(-code).name}"
        if self._ready or code < 0:
            return Lost(f"the worker process ended {ended}")
        error = RuntimeError(f"the worker process could not start: it ended {ended}")
        error.add_note(f"hint: what {sys.executable} has to say is among what the node printed")
        return Error(error)

    def _reap_later(self, patience_s: float) -> None:
        if self._process is not None:
            threading.Thread(target=self._reap, args=(patience_s,), name="graphrun reaper").start()

    def _reap(self, patience_s: float) -> int:
        """Wait until it has ended, killing it after `patience_s`, and let go of everything; return its exit code."""
        deadline = time.monotonic() + patience_s
        while True:
            with self._lock:
                process = self._process
                if process is None:
                    return 0
                code = process.poll()
                if code is not None:
                    self._process = None
                    self._socket.close()
                    self._raw.close()
                    return code
                if time.monotonic() >= deadline:
                    self._signal(signal.SIGKILL)
            time.sleep(0.002)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process and all that it started, as long as its id cannot belong to another."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _relay(kind: Kind, payload: bytes, call: Call) -> None:
    match kind:
        case Kind.STDOUT:
            sys.stdout.write(payload.decode(errors="replace"))
        case Kind.STDERR:
            sys.stderr.write(payload.decode(errors="replace"))
        case Kind.LOG:
            record = logging.makeLogRecord(pickle.loads(payload))  # noqa: S301 (from our own worker)
            logging.getLogger(record.name).handle(record)
        case Kind.PROGRESS:
            done, total, text = pickle.loads(payload)  # noqa: S301 (from our own worker)
            call.arguments[call.context].progress(done, total, text)


def _value(payload: bytes) -> Outcome:
    try:
        return Value(pickle.loads(payload))  # noqa: S301 (from our own worker)
    except Exception as error:  # noqa: BLE001 (loading runs user code)
        unfit = TypeError(f"what the node returned cannot be loaded in this process: {error}")
        unfit.__cause__ = error
        return Error(unfit)


def _log_levels() -> dict[str, int]:
    named = {
        name: each.level for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)
    }
    return {"": logging.root.level, **{name: level for name, level in named.items() if level}}
