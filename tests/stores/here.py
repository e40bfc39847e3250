"""Graphs, and what else tests of stores within one process need."""

import asyncio

from graphrun_nb import (
    graphify,
    tool,
)
from graphrun_nb.engine.live import RUNS
from graphrun_nb.tools import ask_approval

CALLS: list[str] = []


def forget():
    """Let this process know nothing of its runs, as a new one would."""
    RUNS.clear()


async def asking(future, n=1):
    """Return when `n` questions are open."""
    while len(future.waits) < n:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)


class Holder:
    is_alive = True

    def on_mail(self): ...


@tool(outputs=["x"])
def one(a: int) -> int:
    CALLS.append("one")
    return a + 1


@tool(outputs=["x"])
async def two(a: int, fails: bool = False) -> int:
    CALLS.append("two")
    if fails:
        raise ValueError("two fails")
    return a * 2


@graphify("sums", inputs={"a": 1, "fails": False}, outputs=["x"])
def sums(a, fails):
    return {"x": two(one(a, _id="one"), fails, _id="two").x}


@graphify("gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve", _after=one(amount, _id="one")).approved}
