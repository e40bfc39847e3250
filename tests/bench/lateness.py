"""``python -m tests.bench.lateness [silent]``: how late the loop is while a store is busy, or values are large."""

# ruff: noqa: T201, ASYNC220 (it prints, and starts a process, once)

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from graphrun_nb import PostgresStore, SqliteStore, graph, run, run_async, tool
from tests.bench.engine import build
from tests.bench.shapes import layered
from tests.stores.programs import stepping_graph
from tests.stores.proxy import Proxy, proxy
from tests.stores.server import server

N = 10_000
HELD_S = 5.0
LARGE = 100_000_000
TICK_S = 0.001
SILENT_S = 3.0
SILENT_AFTER = 20


class Late:
    """How late somebody is called who wants to be called each millisecond."""

    def __init__(self) -> None:
        self._late: list[float] = []

    async def watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self._late.append(time.perf_counter() - begun - TICK_S)

    def __str__(self) -> str:
        p99 = statistics.quantiles(self._late, n=100)[-1]
        return f"p99 {p99 * 1000:.1f} ms, max {max(self._late) * 1000:.1f} ms of {len(self._late)} calls"


@tool(outputs=["text"])
async def text() -> str:
    return "x" * LARGE


@tool(outputs=["numbers"])
async def numbers() -> list[int]:
    return list(range(1_000_000))


async def while_held(path: Path) -> None:
    """Tell it while another process keeps everybody from writing."""
    shape, late = build(layered(N)), Late()
    command = [sys.executable, "-m", "tests.bench.lateness", str(path)]
    future = run(shape, run_id="held", store=SqliteStore(path), max_concurrency=64)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        await asyncio.to_thread(holder.stdout.readline)
        again = run(shape, run_id="again", store=SqliteStore(path), max_concurrency=64) if future.done() else future
        watching = asyncio.create_task(late.watch())
        before = len(again.events)
        await asyncio.to_thread(holder.wait)
        n = len(again.events) - before
        watching.cancel()
    await again
    print(f"loop while another process holds the database for {HELD_S:.0f} s ({n} events kept meanwhile): {late}")


async def of_large_values(path: Path) -> None:
    """Tell it while a text of 100 MB and a list of a million numbers are written."""
    with graph(name="large") as g:
        g.expose("text", text(_id="text").text)
        g.expose("numbers", numbers(_id="numbers").numbers)
    late, built = Late(), g.build()
    watching = asyncio.create_task(late.watch())
    begun = time.perf_counter()
    await run_async(built, store=SqliteStore(path))
    watching.cancel()
    took = time.perf_counter() - begun
    print(f"loop while a text of 100 MB and a list of 1,000,000 numbers are made and kept in {took:.1f} s: {late}")


class Silencing:
    """Lets the network fall silent for a while, as soon as so many events are recorded."""

    def __init__(self, network: Proxy) -> None:
        self._network = network

    def on_events(self, batch, state):
        if state.seq - len(batch) < SILENT_AFTER <= state.seq:
            self._network.hold()
            threading.Timer(SILENT_S, self._network.release).start()

    def on_signal(self, signal): ...


async def while_silent(server_port: int) -> None:
    """Tell it while nothing comes through to a server, and nobody is told."""
    with proxy(server_port) as network:
        store = PostgresStore(f"postgresql://postgres@127.0.0.1:{network.port}/postgres")
        late = Late()
        watching = asyncio.create_task(late.watch())
        await run_async(stepping_graph(40), {"effects": os.devnull}, store=store, observers=[Silencing(network)])
        watching.cancel()
        store.close()
    print(f"loop while the network to a server is silent for {SILENT_S:.0f} s: {late}")


def hold(path: str) -> None:
    """Keep everybody else from writing for a while."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        print("held", flush=True)
        time.sleep(HELD_S)
        connection.rollback()


if __name__ == "__main__":
    if sys.argv[1:] == ["silent"]:
        with server() as made:
            asyncio.run(while_silent(made.port))
    elif sys.argv[1:]:
        hold(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
            asyncio.run(while_held(Path(folder) / "runs.db"))
            asyncio.run(of_large_values(Path(folder) / "runs.db"))
