"""Runs calls on the event loop itself: async functions always, sync ones where that was asked for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from graphrun_nb.protocols import Error, Outcome, Value

if TYPE_CHECKING:
    from graphrun_nb.protocols import Call


class LoopExecutor:
    """Calls the function right here and awaits what it returns, if that can be awaited."""

    name = "loop"

    async def submit(self, call: Call) -> Outcome:
        """Run `call` to its end."""
        try:
            returned = call.function(**call.arguments)
            if inspect.isawaitable(returned):
                returned = await returned
        except BaseException as exception:  # noqa: BLE001 (user code: whatever it raises is an outcome)
            return Error(exception)
        return Value(returned)

    def close(self) -> None:
        """Nothing to let go of."""
