"""The parent's half of the conversation with one worker; `worker.py` is the other half."""

from __future__ import annotations

import codecs
import contextlib
import logging
import os
import pickle
import select
import socket
import sys
from typing import IO, TYPE_CHECKING

from graphrun_nb.executors.faults import raised_elsewhere
from graphrun_nb.executors.worker import HEADER, MAX_OUTPUT, Kind, Setup
from graphrun_nb.protocols import Error, Outcome, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.protocols import Call

LOOK_S = 0.5
"""How often a silent worker is looked at."""

_CHUNK = 1 << 20


class Dialogue:
    """Sends calls and takes in what comes of them, one at a time.

    Parameters
    ----------
    end
        Where messages are exchanged.
    raw
        What the worker's file descriptors 1 and 2 are connected to.
    is_running
        Tells whether the worker has not ended yet.

    Attributes
    ----------
    is_ready
        The worker has come up.
    """

    def __init__(self, end: socket.socket, raw: IO[bytes], is_running: Callable[[], bool]) -> None:
        self._end = end
        self._raw = raw
        self._is_running = is_running
        self._n_calls = 0
        self._raw_left = 0
        self._received = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        self._poll.register(raw, select.POLLIN)
        self.is_ready = False
        os.set_blocking(raw.fileno(), False)

    def perform(self, call: Call, payload: bytes) -> Outcome:
        """Send `call`, and return what came of it.

        Raises
        ------
        EOFError, ConnectionError
            The worker has ended.
        """
        if not self._n_calls:
            self._send(Kind.SETUP, pickle.dumps(Setup(path=sys.path, levels=_log_levels())))
        self._n_calls += 1
        self._raw_left = MAX_OUTPUT
        self._send(Kind.CALL, payload)
        del payload
        while True:
            kind, answer = self._receive()
            match kind:
                case Kind.VALUE:
                    self.relay_raw()  # it may have been written after the last look
                    return _value(answer)
                case Kind.ERROR:
                    self.relay_raw()
                    return Error(raised_elsewhere(answer))
                case Kind.READY:
                    self.is_ready = True
                case _:
                    self._relay(kind, answer, call)

    def relay_raw(self) -> None:
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
                sys.stdout.write(self._decoder.decode(data[: self._raw_left]))
                self._raw_left -= len(data)

    def hang_up(self) -> None:
        """Let the worker see the end; `close` would not be enough where a forked process has the socket too."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of both connections."""
        self._end.close()
        self._raw.close()

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._end.sendall(HEADER.pack(kind, len(payload)))
        self._end.sendall(payload)

    def _receive(self) -> tuple[Kind, bytes]:
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
                self.relay_raw()
            if self._end.fileno() in ready:
                chunk = self._end.recv(_CHUNK)
                if not chunk:
                    raise EOFError
                received += chunk
            if not ready and not self._is_running():
                raise EOFError

    def _relay(self, kind: Kind, payload: bytes, call: Call) -> None:
        match kind:
            case Kind.STDOUT:
                sys.stdout.write(payload.decode(errors="replace"))
            case Kind.STDERR:
                sys.stderr.write(payload.decode(errors="replace"))
            case Kind.LOG:
                record = logging.makeLogRecord(pickle.loads(payload))  # noqa: S301 (from our own worker)
                logging.getLogger(record.name).handle(record)
            case Kind.PROGRESS:
                of_call, done, total, text = pickle.loads(payload)  # noqa: S301 (from our own worker)
                if of_call == self._n_calls:
                    call.arguments[call.context].progress(done, total, text)


def _value(payload: bytes) -> Outcome:
    try:
        return Value(pickle.loads(payload))  # noqa: S301 (from our own worker)
    except Exception as error:  # noqa: BLE001 (loading runs user code)
        unfit = TypeError(f"what the node returned cannot be loaded in this process: {error}")
        unfit.add_note('hint: return plain data, or keep the node in this process: _executor="thread"')
        unfit.__cause__ = error
        return Error(unfit)


def _log_levels() -> dict[str, int]:
    named = {
        name: each.level for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger)
    }
    return {"": logging.root.level, **{name: level for name, level in named.items() if level}}
