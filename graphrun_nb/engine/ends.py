"""`Ends`: who waits for a node to end, or for the parts of a container."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from graphrun_nb.core.status import TERMINAL

if TYPE_CHECKING:
    from graphrun_nb.engine.log import RunLog


class Ends:
    """Those who wait within one run.

    Attributes
    ----------
    nodes, parts
        For each node that is waited for, and for each container, who waits.
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self.nodes: dict[str, list[asyncio.Future[None]]] = {}
        self.parts: dict[str, asyncio.Future[None]] = {}

    async def of_node(self, node_id: str) -> None:
        """Return when the node has ended."""
        if self._log.state.nodes[node_id].status not in TERMINAL:
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.nodes.setdefault(node_id, []).append(end)
            await end

    async def of_parts(self, node_id: str) -> None:
        """Return when no part of the container is left open."""
        while self._log.frontier.n_open_children(node_id):
            empty = self.parts[node_id] = asyncio.get_running_loop().create_future()
            await empty

    def tell(self) -> None:
        """Tell those whose wait is over."""
        state, frontier = self._log.state, self._log.frontier
        for node_id in [each for each in self.nodes if state.nodes[each].status in TERMINAL]:
            for end in self.nodes.pop(node_id):
                if not end.done():
                    end.set_result(None)
        emptied, frontier.emptied = frontier.emptied, []
        for node_id in emptied:
            empty = self.parts.get(node_id)
            if empty is not None and not frontier.n_open_children(node_id):
                del self.parts[node_id]
                if not empty.done():
                    empty.set_result(None)

    def stop(self) -> None:
        """Let nobody wait any more."""
        for end in [each for ends in self.nodes.values() for each in ends] + list(self.parts.values()):
            if not end.done():
                end.cancel()
