"""Whose output is whose: while a run of this process is alive, what a node prints and logs goes to its attempt.

`sys.stdout` and `sys.stderr` are stood in for by a `Router`, and log records pass by on the way to their handlers. Both
ask `here.CURRENT`, so tasks, threads with a copied context and executors need nothing done for them. Not seen are
subprocesses, threads started without a context, and whoever kept a stream object from before.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from graphrun_nb.engine.here import CURRENT
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from graphrun_nb.engine.run import Run

    CallHandlers = Callable[[logging.Logger, logging.LogRecord], None]

_STREAMS = ("stdout", "stderr")
N_ROUTERS = 64
_FORMAT = logging.Formatter("%(levelname)s %(name)s: %(message)s")
_LOGGER = logging.getLogger("graphrun")
_IS_KEPT: ContextVar[bool] = ContextVar("graphrun_is_kept", default=False)
"""What is being written now was captured already, further up."""


class Router:
    """Stands in for a standard stream: what a node writes goes to its attempt, everything else to the stream.

    In all but `write`, `writelines` and `flush` it is the stream, attributes that are set included.

    Parameters
    ----------
    stream
        What it stands in for.
    name
        ``stdout`` or ``stderr``.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self.__dict__["_stream"] = stream
        self.__dict__["_name"] = name

    def write(self, text: str) -> int:
        """Write `text`, and return how many characters that are."""
        here = CURRENT.get()
        if here is None:
            written: int = self._stream.write(text)
            return written
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        output = here.run.output
        if not _IS_KEPT.get():
            output.write(here, self._name, text)
        if output.echoes:
            self._echo(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of `lines`; no newlines are added."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the stream; inside a node, where it may be broken or slow, only if the node's text goes there."""
        here = CURRENT.get()
        if here is None:
            self._stream.flush()
        elif here.run.output.echoes:
            with contextlib.suppress(Exception):
                self._stream.flush()

    def _echo(self, text: str) -> None:
        token = _IS_KEPT.set(True)
        try:
            with contextlib.suppress(Exception):
                try:
                    self._stream.write(text)
                except UnicodeEncodeError:
                    encoding = self._stream.encoding
                    self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        finally:
            _IS_KEPT.reset(token)

    @property  # type: ignore[misc]  # isinstance sees the stream
    def __class__(self) -> Any:
        return type(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            self.__dict__[name] = value  # IPython puts a `write` of its own before ours
        else:
            setattr(self._stream, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            del self.__dict__[name]
        else:
            delattr(self._stream, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (sys, self._name)

    def __repr__(self) -> str:
        return f"<{self._name} of nodes to their runs, the rest to {self._stream!r}>"


class Capture:
    """Captures the output of nodes while any run of this process is alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[Run] = set()
        self._routers: deque[Router] = deque(maxlen=N_ROUTERS)
        self._call_handlers: CallHandlers | None = None
        self._before: CallHandlers = logging.Logger.callHandlers
        self._sets_level = False

    def begin(self, run: Run) -> None:
        """Capture what the nodes of `run` write, from now on; in the context that the run was started in.

        In a notebook's kernel it does not also go on to the streams, and so into whatever cell is running, unless the
        run was told so. A run that a node starts does as the run of that node.
        """
        here = CURRENT.get()
        if here is not None:
            run.output.echoes = here.run.output.echoes
        elif run.output.echoes is None:
            run.output.echoes = hooks.here() is None
        with self._lock:
            self._alive.add(run)
            for name in _STREAMS:
                stream = getattr(sys, name)
                if stream is not None and type(stream) is not Router:
                    setattr(sys, name, self._router(stream, name))
            if logging.Logger.callHandlers is not self._call_handlers:
                self._before = logging.Logger.callHandlers
                self._call_handlers = _keeping(self._before)
                logging.Logger.callHandlers = self._call_handlers  # type: ignore[assignment, method-assign]  # put back in `end`
            if _LOGGER.level == logging.NOTSET:
                self._sets_level = True
                _LOGGER.setLevel(logging.INFO)

    def _router(self, stream: Any, name: str) -> Router:
        """Return what stands in for `stream`: the same as before, if it has had one.

        It outlives its use: `print` in another thread may be halfway through with it, and Python 3.11 does not
        hold on to `sys.stdout` meanwhile (python/cpython#130163: a crash).
        """
        for router in self._routers:
            if router._stream is stream and router._name == name:  # noqa: SLF001 (ours)
                return router
        router = Router(stream, name)
        self._routers.append(router)
        return router

    def end(self, run: Run) -> None:
        """Finish the output of `run`; after the last one, put everything back that is still as `begin` left it."""
        run.output.close()
        with self._lock:
            self._alive.discard(run)
            self._alive = {each for each in self._alive if each.is_reachable}
            if self._alive:
                return
            for name in _STREAMS:
                stream = getattr(sys, name)
                if type(stream) is Router:
                    setattr(sys, name, stream._stream)  # noqa: SLF001 (what it stood in for)
            if logging.Logger.callHandlers is self._call_handlers:
                logging.Logger.callHandlers = self._before  # type: ignore[assignment, method-assign]  # as it was
            if self._sets_level and _LOGGER.level == logging.INFO:
                _LOGGER.setLevel(logging.NOTSET)
            self._sets_level = False


def _keeping(call_handlers: CallHandlers) -> CallHandlers:
    """Return `Logger.callHandlers` such that a node's records go to its attempt first.

    A handler would not do: while the root logger has one, `logging.basicConfig` does nothing and warnings without any
    other handler vanish.
    """

    def kept(logger: logging.Logger, record: logging.LogRecord) -> None:
        here = CURRENT.get()
        if here is None or _IS_KEPT.get():
            call_handlers(logger, record)
            return
        output = here.run.output
        output.add_line(here, "log", _text_of(record))
        token = _IS_KEPT.set(True)
        try:
            if output.echoes:
                call_handlers(logger, record)
            else:
                _call_but_those_in_cells(logger, record)
        finally:
            _IS_KEPT.reset(token)

    return kept


def _call_but_those_in_cells(logger: logging.Logger, record: logging.LogRecord) -> None:
    in_cells = [stream._stream for stream in (sys.stdout, sys.stderr) if type(stream) is Router]  # noqa: SLF001
    next_: logging.Logger | None = logger
    while next_ is not None:
        for handler in next_.handlers:
            stream = getattr(handler, "stream", None)
            if record.levelno >= handler.level and not any(stream is each for each in in_cells):
                handler.handle(record)
        next_ = next_.parent if next_.propagate else None


def _text_of(record: logging.LogRecord) -> str:
    try:
        return _FORMAT.format(record)
    except Exception as error:  # noqa: BLE001 (arguments that do not fit, a user's __str__)
        return f"{record.levelname} {record.name}: a record that cannot be formatted ({type(error).__name__})"


CAPTURE = Capture()

if hasattr(os, "register_at_fork"):
    # What a forked child writes into the copy of a run would be lost: there it is not inside a node.
    os.register_at_fork(after_in_child=lambda: CURRENT.set(None))
