"""What runs in processes that are killed: graphs whose nodes write down that they ran, each with one append."""

from __future__ import annotations

import asyncio
import os
import time

from graphrun_nb import NodeContext, RetryPolicy, SqliteStore, graph, graphify, run, run_async, tool
from graphrun_nb.tools import ask_approval

RUN_ID = "mixed"


def note(path: str, text: str) -> None:
    """Append a line with one write."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{text}\n".encode())
    finally:
        os.close(handle)


@tool(outputs=["x"])
async def quick(effects: str, name: str, a: int = 0, b: int = 0) -> int:
    note(effects, f"{name} {os.getpid()}")
    return a + b + 1


@tool(outputs=["x"])
def threaded(effects: str, name: str, a: int = 0, b: int = 0) -> int:
    note(effects, f"{name} {os.getpid()}")
    time.sleep(0.01)
    return a + b + 1


@tool(outputs=["x"])
async def slow(effects: str, name: str, a: int = 0, b: int = 0) -> int:
    note(effects, f"{name} {os.getpid()}")
    await asyncio.sleep(0.015)
    return a + b + 1


@tool(outputs=["x"])
async def flaky(effects: str, name: str, context: NodeContext, a: int = 0, b: int = 0) -> int:
    note(effects, f"{name} {os.getpid()}")
    if context.attempt == 1:
        raise ValueError("once")
    return a + b + 1


@tool(outputs=["x"])
async def large(effects: str, name: str, a: int = 0, b: int = 0) -> str:
    note(effects, f"{name} {os.getpid()}")
    return f"{a + b} " + "x" * 100_000


@tool(outputs=["x"])
def length(effects: str, name: str, text: str) -> int:
    note(effects, f"{name} {os.getpid()}")
    return int(text.split()[0])


def mixed(effects: str, n: int = 200):
    """A layered graph of all kinds of nodes."""
    kinds = [quick, threaded, slow, flaky]
    made = []
    with graph(name="mixed") as g:
        for i in range(n):
            controls = {"_id": f"n{i}"}
            kind = kinds[i % len(kinds)]
            if kind is flaky:
                controls["_retry"] = RetryPolicy(max_attempts=3, backoff_first_s=0.001)
            if i % 40 == 39:
                big = large(effects, f"n{i}", made[i - 10].x, 0, _id=f"n{i}")
                made.append(length(effects, f"m{i}", big.x, _id=f"m{i}"))
                continue
            above = [made[i - 10].x, made[i - 7].x] if i >= 10 else []
            made.append(kind(effects, f"n{i}", **dict(zip("ab", above, strict=False)), **controls))
        g.expose("total", made[-1].x)
    return g.build()


def run_mixed(store: str, effects: str, n: int = 200) -> None:
    """Run it, or go on with it, and print what it gives."""
    print(asyncio.run(run_async(mixed(effects, n), run_id=RUN_ID, store=SqliteStore(store))))


@graphify("gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt=f"Pay {amount}?", _id="approve").approved}


def hold_gate(store: str, token_to: str) -> None:
    """Ask, write the token down, and wait for the answer."""
    future = run(gate, {"amount": 5}, run_id="gate", store=SqliteStore(store))
    while not future.waits:
        time.sleep(0.005)
    note(token_to, future.waits[0].token or "")
    print(future.result(60))
