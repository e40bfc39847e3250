"""A network between a client and a server that can fall silent: nothing comes through, and nobody is told."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy:
    """Passes bytes on between clients and the server at `port`, while it is not held.

    Attributes
    ----------
    port
        Where clients find it.
    """

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._open = threading.Event()
        self._open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listening]
        self._begin(self._accept)

    def hold(self) -> None:
        """Fall silent."""
        self._open.clear()

    def release(self) -> None:
        """Pass on what has come meanwhile, and what comes."""
        self._open.set()

    def close(self) -> None:
        """End all connections."""
        self.release()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _begin(self, act, *arguments) -> None:
        threading.Thread(target=act, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                client, _ = self._listening.accept()
                self._open.wait()
                server = socket.create_connection(self._to)
                self._sockets += (client, server)
                self._begin(self._pass_on, client, server)
                self._begin(self._pass_on, server, client)

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while select.select([here], [], []):
                self._open.wait()
                data = here.recv(65_536)
                self._open.wait()
                if not data:
                    break
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """Have one for the length of the block."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()
