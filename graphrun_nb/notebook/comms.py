"""The comm path: messages of widgets are dispatched while a cell awaits or drives the loop.

ipykernel before 7.4 keeps them until the cell ends, 7.4 while the cell blocks. A tap on the main shell's receive
callback takes out the comm messages that have a receiver; everything else goes the kernel's own way, in order. Handlers
may be called on any thread (subshells of ipykernel 7), so they should do no more than `call_soon_threadsafe`.
Leans on private attributes, each asked for by a feature test; where one is missing the kernel behaves as without us.
"""
# ruff: noqa: SLF001 # ipykernel and pyzmq have no public way to see a message before it is queued

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from contextvars import Context, copy_context
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)

_COMM_TYPES = frozenset({"comm_open", "comm_msg", "comm_close"})
_REQUIRED = (
    "comm_manager.comms",
    "comm_manager.targets",
    "get_parent",
    "session.deserialize",
    "session.feed_identities",
    "session.unpack",
    "set_parent",
    "_parent_ident",
    "_publish_status",
)


class CommTap:
    """The receive callback of the main shell's stream, wrapped.

    Parameters
    ----------
    kernel
        An ipykernel. What is raised says which part of its inside is not as expected; it is left as it is then.
    """

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.stream = _main_stream(kernel)
        self.inner: Callable[[Any], Awaitable[None] | None] = self.stream._recv_callback
        self.is_busy = _busy_test(kernel)
        self.active = False
        self.n_passed_on = 0
        self._complained = False
        self._parent: tuple[Any, dict[str, Any]] = (b"", {})
        _require(kernel)
        self._inner_set_parent = kernel.set_parent
        if not callable(self.inner):
            raise TypeError("the shell's stream has no receive callback")

    def is_in_place(self, kernel: Any) -> bool:
        """Say whether this kernel's messages come through here."""
        return self.kernel is kernel and self.active and self.stream._recv_callback == self.receive

    def attach(self) -> None:
        """Wrap the callback."""
        self.active = True
        self._parent = self.kernel._parent_ident["shell"], self.kernel.get_parent("shell")
        self.kernel.set_parent = self._set_parent
        self._set(self.receive)

    def detach(self) -> None:
        """Put the callback back; if another has wrapped ours since, just pass messages on."""
        self.active = False
        if vars(self.kernel).get("set_parent") == self._set_parent:
            del self.kernel.set_parent
        if self.stream._recv_callback == self.receive:
            self._set(self.inner)

    def receive(self, frames: list[Any]) -> Awaitable[None] | None:
        """Dispatch a comm message if the kernel is busy; pass everything else on."""
        if self.active and (self.n_passed_on or self.is_busy()):
            try:
                comm = self._read_comm(frames)
            except Exception as error:  # noqa: BLE001 # an unreadable message is the kernel's to complain about
                comm = None
                self._complain(error)
            if comm is not None:
                self._dispatch_soon(*comm)
                return None
        passed_on = self.inner(frames)
        if passed_on is None:
            return None
        self.n_passed_on += 1
        return self._until_done(passed_on)

    async def _until_done(self, passed_on: Awaitable[None]) -> None:
        try:
            await passed_on
        finally:
            self.n_passed_on -= 1

    def _set_parent(self, ident: Any, parent: dict[str, Any], channel: str = "shell") -> None:
        """Remember on whose behalf the main shell runs: ipykernel 7.0 tells it in the cell's own context only."""
        if channel == "shell" and self._is_on_loop():
            self._parent = ident, parent
        self._inner_set_parent(ident, parent, channel)

    def _is_on_loop(self) -> bool:
        return asyncio._get_running_loop() is getattr(self.stream.io_loop, "asyncio_loop", None)

    def _set(self, callback: Callable[[Any], Any]) -> None:
        if self._is_on_loop():
            self.stream.on_recv(callback, copy=False)
        else:
            self.stream.io_loop.add_callback(self.stream.on_recv, callback, copy=False)

    def _read_comm(self, frames: list[Any]) -> tuple[list[bytes], dict[str, Any]] | None:
        """Read a comm message that has a receiver already; one without may wait for a queued cell to make it."""
        session = self.kernel.session
        if len(frames) < 2:  # ipykernel 7 sends itself a single frame, "stop aborting"
            return None
        idents, parts = session.feed_identities(frames, copy=False)
        message = session.deserialize(parts, content=False, copy=False)
        kind = message["header"]["msg_type"]
        if kind not in _COMM_TYPES:
            return None
        content = session.unpack(message["content"])
        comms = self.kernel.comm_manager
        known = content["target_name"] in comms.targets if kind == "comm_open" else content["comm_id"] in comms.comms
        return (idents, session.deserialize(parts, content=True, copy=False)) if known else None

    def _dispatch_soon(self, idents: list[bytes], message: dict[str, Any]) -> None:
        """Leave the stream's callback first: a handler that waits in it keeps the stream from its next message."""
        context = getattr(self.kernel, "_shell_context", None)
        context = context.copy() if isinstance(context, Context) else copy_context()
        asyncio.get_running_loop().call_soon(self._handle, idents, message, context=context)

    def _handle(self, idents: list[bytes], message: dict[str, Any]) -> None:
        """Do what the kernel does with a shell message, but its signal handling; then be back in what it came into."""
        kernel = self.kernel
        before = self._parent
        _flush()
        self._set_parent(idents, message)
        kernel._publish_status("busy", "shell", message)
        try:
            kernel.shell_handlers[message["header"]["msg_type"]](kernel.shell_stream, idents, message)
        except Exception:  # noqa: BLE001 # a handler is others' code, as in ipykernel's dispatch_shell
            _log.exception("Exception in comm handler")
        finally:
            _flush()
            kernel._publish_status("idle", "shell", message)
            self._set_parent(*before)
            if before[1]:
                kernel._publish_status("busy", "shell", before[1])

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            _log.debug("a shell message could not be read while a cell ran: %r", error)


def _main_stream(kernel: Any) -> Any:
    thread = getattr(kernel, "shell_channel_thread", None)
    return thread.manager.get_shell_channel_to_subshell_pair(None).to_stream if thread else kernel.shell_stream


def _busy_test(kernel: Any) -> Callable[[], bool]:
    """Make the question whether the main shell works on a message or has one queued."""
    queue = getattr(kernel, "msg_queue", None)
    if queue is not None and not getattr(kernel, "shell_channel_thread", None):
        getters = queue._getters
        return lambda: not getters
    lock: asyncio.Lock = kernel._main_asyncio_lock
    return lock.locked


def _require(kernel: Any) -> None:
    """Raise what is missing of the rest that a tap uses."""
    for path in _REQUIRED:
        attrgetter(path)(kernel)
    if any(inspect.iscoroutinefunction(kernel.shell_handlers[kind]) for kind in _COMM_TYPES):
        raise TypeError("its comm handlers are coroutines")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
