"""What runs in a worker process: takes calls from its parent, one at a time, and sends back what came of them.

It is started by path and stands alone: nothing of this package is imported here, so that a worker starts fast. The end
of the socket is the end of the parent, and then of the worker, even in the middle of a call.
"""

from __future__ import annotations

import codecs
import collections
import contextlib
import faulthandler
import functools
import io
import linecache
import logging
import os
import pickle
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import types
from enum import IntEnum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER = struct.Struct("!BQ")
"""Before each message: its kind, and how many bytes follow."""

MAX_OUTPUT = 64 * 1024
"""Bytes of output, and of log records, that a call may send; the rest is dropped."""

MAX_CHAIN = 8
"""How many exceptions of a chain are sent."""

LOOK_S = 2.0
"""How often a worker looks whether its parent is still there, where the socket does not tell."""

_DROPPED = b"[more than 64 kB of output; the rest is dropped]\n"
_NAMELESS = "<dynamic-code>"
_PLAIN = (str, int, float, type(None))


class Kind(IntEnum):
    """What a message says."""

    SETUP = 0
    CALL = 1
    READY = 2
    VALUE = 3
    ERROR = 4
    STDOUT = 5
    STDERR = 6
    LOG = 7
    PROGRESS = 8


class Setup(TypedDict):
    """How the parent is set up, as far as a worker should be the same."""

    path: list[str]
    levels: dict[str, int]


class Fault(TypedDict):
    """An exception on its way.

    Attributes
    ----------
    pickled
        The exception, or its type, arguments and attributes, or nothing if it cannot be pickled.
    lineage
        Module and qualified name of its type and that type's bases.
    frames
        Outermost first: file, line, function, end line, column, end column.
    """

    pickled: bytes
    lineage: list[tuple[str, str]]
    text: str
    notes: list[str]
    frames: list[tuple[str, int | None, str, int | None, int | None, int | None]]
    cause: Fault | None
    context: Fault | None
    suppress_context: bool


class Channel:
    """Messages over a socket; sending is safe from any thread."""

    def __init__(self, end: socket.socket, parent: int) -> None:
        self._end = end
        self._parent = parent
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)

    def send(self, kind: Kind, payload: bytes) -> None:
        """Send a message; raises OSError if the parent is gone."""
        with self._lock:
            if len(payload) < MAX_OUTPUT:
                self._end.sendall(HEADER.pack(kind, len(payload)) + payload)
            else:
                self._end.sendall(HEADER.pack(kind, len(payload)))
                self._end.sendall(payload)

    def receive(self) -> bytes | None:
        """Return the next message's payload, or None at the end."""
        while not self._poll.poll(LOOK_S * 1000):
            if os.getppid() != self._parent:  # it has ended, and a process that it forked keeps its socket open
                return None
        header = self._exactly(HEADER.size)
        return None if header is None else self._exactly(HEADER.unpack(header)[1])

    def close(self) -> None:
        """Let go of the socket in this process."""
        self._end.close()

    def _exactly(self, size: int) -> bytes | None:
        received = bytearray(size)
        view = memoryview(received)
        n = 0
        while n < size:
            try:
                chunk = self._end.recv_into(view[n:])
            except OSError:
                return None
            if not chunk:
                return None
            n += chunk
        return bytes(received)


class _Output(io.RawIOBase):
    """A standard stream whose text goes to the parent."""

    def __init__(self, kind: Kind, fd: int, send: Callable[[Kind, bytes], None]) -> None:
        self._kind = kind
        self._fd = fd
        self._send = send
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, data: Any) -> int:
        text = self._decoder.decode(bytes(data))
        if text and not _HERE.handles_record:  # a record is sent as such
            self._send(self._kind, text.encode())
        return len(data)


class _Here(threading.local):
    """What this thread is doing."""

    handles_record = False


_HERE = _Here()


class RemoteContext:
    """What a call sees of its run from another process: the facts, and a way to report progress."""

    def __init__(
        self, facts: Mapping[str, Any], inputs: Mapping[str, Any], n: int, send: Callable[[Kind, bytes], None]
    ) -> None:
        vars(self).update(facts)
        self._n = n
        self.inputs = inputs
        self.logger = logging.getLogger(f"graphrun.{facts['node_id']}")
        self._send = send

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the run to end: never, since that interrupts the call."""
        return False

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Show how far the node is; `total` None means that nobody knows. Callable from any thread."""
        self._send(Kind.PROGRESS, pickle.dumps((self._n, done, total, text)))

    def __getattr__(self, name: str) -> NoReturn:
        error = AttributeError(f"context.{name} needs the run, which is in another process than this call")
        error.add_note('hint: use _executor="thread" for this node, or make it an async tool')
        raise error


class Worker:
    """Makes calls, one at a time, in the main thread; another thread reads what the parent sends."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._calls: SimpleQueue[bytes | None] = SimpleQueue()
        self._n_taken = 0
        self._n_ended = 0
        self._left = -1
        self._pid = os.getpid()
        self._streams = (sys.stdout, sys.stderr)

    def set_up(self) -> None:
        """Become like the parent, and send to it what is printed and logged here."""
        received = self._channel.receive()
        if received is None:
            sys.exit()
        setup: Setup = pickle.loads(received)  # noqa: S301 (from the parent)
        sys.path[:] = setup["path"]
        for name, level in setup["levels"].items():
            logging.getLogger(name).setLevel(level)
        logging.Logger.callHandlers = self._forwarding(logging.Logger.callHandlers)  # type: ignore[assignment, method-assign]  # for good
        faulthandler.enable(all_threads=False)
        sys.stdout = self._stream(Kind.STDOUT, 1)
        sys.stderr = self._stream(Kind.STDERR, 2)
        os.register_at_fork(after_in_child=self._become_a_stranger)
        threading.Thread(target=self._listen, name="graphrun parent", daemon=True).start()
        self._channel.send(Kind.READY, b"")

    def work(self) -> None:
        """Make calls until the parent is gone."""
        while (payload := self._calls.get()) is not None:
            self._left = MAX_OUTPUT
            kind, answer = self._perform(payload)
            if os.getpid() != self._pid:
                os._exit(0)  # a child that the call has forked came back from it
            sys.stdout.flush()
            sys.stderr.flush()
            self._left = -1
            self._n_ended += 1
            try:
                self._channel.send(kind, answer)
            except OSError:
                return
            del payload, answer

    def _perform(self, payload: bytes) -> tuple[Kind, bytes]:
        try:
            function, arguments, node_id, name, facts, sources = pickle.loads(payload)  # noqa: S301 (from the parent)
            linecache.cache.update(sources)
        except BaseException as error:  # noqa: BLE001 (loading runs user code)
            error.add_note("hint: the worker process could not load the node's function and arguments")
            return Kind.ERROR, packed_fault(error)
        try:
            note_away(node_id)
            if name:
                arguments[name] = RemoteContext(facts, dict(arguments), self._n_taken, self._channel.send)
            value = function(**arguments)
            if hasattr(type(value), "__await__"):
                value = awaited(value)
        except BaseException as error:  # noqa: BLE001 (user code: whatever it raises is an outcome)
            return Kind.ERROR, packed_fault(error)
        try:
            return Kind.VALUE, dumps(value)
        except BaseException as error:  # noqa: BLE001 (pickling runs user code)
            return Kind.ERROR, packed_fault(unfit(value, node_id, error))

    def _listen(self) -> None:
        while (payload := self._channel.receive()) is not None:
            self._n_taken += 1
            self._calls.put(payload)
            del payload
        if self._n_taken != self._n_ended:
            os.killpg(0, signal.SIGKILL)
        self._calls.put(None)

    def _forwarding(
        self, call_handlers: Callable[[logging.Logger, logging.LogRecord], None]
    ) -> Callable[[logging.Logger, logging.LogRecord], None]:
        def forward(logger: logging.Logger, record: logging.LogRecord) -> None:
            self._send_bounded(Kind.LOG, pickle.dumps(_plain(record)))
            if logger.hasHandlers():
                _HERE.handles_record = True
                try:
                    call_handlers(logger, record)
                finally:
                    _HERE.handles_record = False

        return forward

    def _stream(self, kind: Kind, fd: int) -> io.TextIOWrapper:
        raw = io.BufferedWriter(_Output(kind, fd, self._send_bounded))
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def _send_bounded(self, kind: Kind, payload: bytes) -> None:
        left = self._left
        if left < 0:
            return
        self._left -= len(payload)
        if self._left >= 0:
            self._channel.send(kind, payload)
            return
        if kind is not Kind.LOG:
            self._channel.send(kind, payload[:left])
        self._channel.send(Kind.STDERR, _DROPPED)

    def _become_a_stranger(self) -> None:
        """In a process that a call has forked: let the parent be."""
        sys.stdout, sys.stderr = self._streams
        self._left = -1
        self._channel.close()


def note_away(node_id: str) -> None:
    """Let a tool that is called from here on this thread know the node that calls it; ``""`` means none."""
    engine = sys.modules.get("graphrun_nb.engine.here")  # not there: then the call knows no tool either
    if engine is not None:
        engine.AWAY.set(node_id)


def unfit(value: Any, node_id: str, error: BaseException) -> TypeError:
    """Return the error that says what of a returned value cannot be sent."""
    what = f"what node {node_id!r} returned, a {type(value).__name__},"
    if isinstance(value, dict):
        for name, part in value.items():
            if not fits(part):
                what = f"the output {name!r} of node {node_id!r}, a {type(part).__name__},"
                break
    unfit = TypeError(f"{what} cannot be sent back from its process: {error}")
    unfit.add_note('hint: return plain data, or keep the node in this process: _executor="thread"')
    unfit.__cause__ = error
    return unfit


def _plain(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if isinstance(value, _PLAIN)}
    try:
        fields["msg"] = record.getMessage()
    except Exception as error:  # noqa: BLE001 (arguments that do not fit, a user's __str__)
        fields["msg"] = f"a record that cannot be formatted ({type(error).__name__})"
    if record.exc_info:
        fields["exc_text"] = logging.Formatter().formatException(record.exc_info)
    return {**fields, "args": None, "exc_info": None}


def packed_fault(error: BaseException) -> bytes:
    """Return `error` and what it is chained from as bytes."""
    return pickle.dumps(_fault(error, MAX_CHAIN))


def _fault(error: BaseException | None, depth: int) -> Fault | None:
    if error is None or not depth:
        return None
    kinds = [kind for kind in type(error).__mro__ if kind is not object]
    shown = None if error.__suppress_context__ or error.__cause__ is not None else error.__context__
    try:
        text = str(error)
    except Exception as why:  # noqa: BLE001 (a user's __str__ may do anything)
        text = f"<its text cannot be made: {type(why).__name__}>"
    return Fault(
        pickled=_pickled(error),
        lineage=[(kind.__module__, kind.__qualname__) for kind in kinds],
        text=text,
        notes=[str(note) for note in getattr(error, "__notes__", ())],
        frames=_frames(error),
        cause=_fault(error.__cause__, depth - 1),
        context=_fault(shown, depth - 1),
        suppress_context=error.__suppress_context__,
    )


def _pickled(error: BaseException) -> bytes:
    """Return bytes that `faults.rebuilt` makes the same exception of, or none; tried out here."""
    for parts in (error, (type(error), error.args, vars(error))):
        try:
            data = dumps(parts)
            if type(rebuilt(data)) is type(error):
                return data
        except Exception:  # noqa: BLE001, S112 (what does not work is not sent)
            continue
    return b""


def rebuilt(pickled: bytes) -> BaseException:
    """Make an exception from its bytes; one whose constructor does not take its own `args` is made without it."""
    parts = pickle.loads(pickled)  # noqa: S301 (from the other end)
    if isinstance(parts, BaseException):
        return parts
    kind, args, attributes = parts
    error: BaseException = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


def _frames(error: BaseException) -> list[tuple[str, int | None, str, int | None, int | None, int | None]]:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    stack = traceback.TracebackException(type(error), error, trace, lookup_lines=False).stack if trace else []
    known = [(each.filename, each.lineno, each.name, each.end_lineno, each.colno, each.end_colno) for each in stack]
    return known if len(known) <= 100 else [*known[:50], *known[-50:]]


def fits(value: Any) -> bool:
    """Tell whether `value` can be sent to another process."""
    try:
        dumps(value)
    except Exception:  # noqa: BLE001 (pickling runs user code)
        return False
    return True


def dumps(value: Any) -> bytes:
    """Return `value` as bytes; what cannot be imported in another process goes as a whole."""
    buffer = io.BytesIO()
    _pickler()(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


@functools.cache
def _pickler() -> Any:
    """Return cloudpickle's pickler, such that code keeps the name of its file: 3.1.3 and later take that away."""
    import cloudpickle  # noqa: PLC0415 (found by the parent's path)

    table = cloudpickle.CloudPickler.dispatch_table

    def reduced(code: types.CodeType) -> tuple[Any, ...]:
        made, parts = table[types.CodeType](code)
        return made, tuple(code.co_filename if type(each) is str and each == _NAMELESS else each for each in parts)

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]  # it has no types
        dispatch_table = collections.ChainMap({types.CodeType: reduced}, table)  # noqa: RUF012 (as its base has it)

    return Pickler


def awaited(value: Any) -> Any:
    """Return what an awaitable gives, on a loop of its own."""
    import asyncio  # noqa: PLC0415 (not every worker needs it)

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def main(fd: int, parent: int) -> None:
    """Work for the process `parent`, which is at the other end of the socket `fd`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent that ignores it hands that down
    os.set_inheritable(fd, False)
    worker = Worker(Channel(socket.socket(fileno=fd), parent))
    worker.set_up()
    worker.work()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # given up, but not in the midst of a call
        main(*map(int, sys.argv[1:]))
