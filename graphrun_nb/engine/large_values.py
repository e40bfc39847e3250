"""`LargeValues`: has a large value written by a thread before its attempt is settled."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.workers import Workers

LIGHT = frozenset({type(None), bool, int, float})
"""Types whose values are never large."""


class LargeValues:
    """Those of one run. An attempt keeps its slot until its value is written.

    Parameters
    ----------
    write
        Gives what has to be done in a thread before a value can be settled, or None if nothing.
    later
        Has a turn made soon.
    fail
        Called if it cannot be written.
    """

    def __init__(
        self,
        workers: Workers,
        write: Callable[[Attempt, Any], Callable[[], None] | None],
        *,
        later: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._workers = workers
        self._write = write
        self._later = later
        self._fail = fail

    def put_off(self, attempt: Attempt, value: Any) -> bool:
        """Have a value written first, if that takes a while and was not done; the outcome comes again afterwards."""
        work = None if attempt.is_written else self._write(attempt, value)
        if work is None:
            return False
        attempt.is_written = True
        attempt.task = None
        self._workers.under_way[attempt.node_id] = attempt
        threading.Thread(target=self._written, args=(attempt, value, work), name="graphrun value", daemon=True).start()
        return True

    def _written(self, attempt: Attempt, value: Any, work: Callable[[], None]) -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 (it is raised where the loop is)
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._workers.post(self._take_back, attempt, value, error)

    def _take_back(self, attempt: Attempt, value: Any, error: Exception | None) -> None:
        if error is not None:
            self._fail(error)
            return
        workers = self._workers
        if workers.under_way.get(attempt.node_id) is attempt:
            del workers.under_way[attempt.node_id]
        workers.outcomes.append((attempt, value, None))
        self._later()
