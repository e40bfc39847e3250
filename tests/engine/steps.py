"""Tools that write down that they ran, and fail as long as they are told to."""

from __future__ import annotations

import asyncio
import gc

from graphrun_nb import (
    MemoryStore,
    graphify,
    tool,
)
from graphrun_nb.engine.live import RUNS


class Steps:
    """Tools that write down that they ran, and fail as long as they are told to."""

    def __init__(self):
        self.ran = []
        self.bad = set()
        self.store = MemoryStore()

        @tool(outputs=["value"])
        def step(name, value=1):
            self.ran.append(name)
            if name in self.bad:
                raise ValueError(f"{name} is bad")
            return value + 1

        self.step = step

    def chain(self, *names):
        @graphify("chain", inputs={"x": 1}, outputs=["y"])
        def chain(x):
            for name in names:
                x = self.step(name=name, value=x, _id=name).value
            return {"y": x}

        return chain

    def since(self):
        ran, self.ran[:] = list(self.ran), []
        return ran


async def forgotten(run_id):
    """Return once nobody in this process holds the run; the thread of its last node may take a moment to end."""
    gc.collect()
    while run_id in RUNS:
        await asyncio.sleep(0.01)
        gc.collect()
