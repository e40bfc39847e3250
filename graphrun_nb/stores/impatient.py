"""`Impatient`: a connection to PostgreSQL whose owner can wait for no longer than until an instant."""

from __future__ import annotations

import math
import selectors
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import waiting

if TYPE_CHECKING:
    from psycopg.abc import PQGen

_T = TypeVar("_T")


class Impatient(psycopg.Connection[Any]):
    """A connection; what has not come by `until` (as `time.monotonic` tells) is given up, and the connection closed.

    A server that is slow, and a network that is silent, look alike. What was sent may still be done there.

    Attributes
    ----------
    until
        Infinity for an owner that can wait.
    """

    until = math.inf

    def wait(self, gen: PQGen[_T], *args: Any, **options: Any) -> _T:
        """Consume a generator of the driver; raises psycopg.OperationalError once `until` has passed."""
        if self.until == math.inf:
            return super().wait(gen, *args, **options)
        found = _consumed(gen, self.pgconn.socket, self.until)
        if found is None:
            self.close()
            raise psycopg.OperationalError("the server has not answered in time")
        return found[0]


def _consumed(gen: PQGen[_T], socket: int, until: float) -> tuple[_T] | None:
    """Return what the generator comes to, None if the server does not answer in time."""
    try:
        wanted = next(gen)
        with selectors.DefaultSelector() as selector:
            selector.register(socket, wanted)
            while found := selector.select(max(until - time.monotonic(), 0.0)):
                wanted = gen.send(waiting.Ready(found[0][1]))
                selector.modify(socket, wanted)
    except StopIteration as done:
        return (done.value,)
    return None
