"""``python -m tests.bench.durable [postgresql|lists|answers]``: what a lasting store costs, how soon a run is back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from graphrun_nb import (
    PostgresStore,
    RetryPolicy,
    SqliteStore,
    graph,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    tool,
)
from graphrun_nb.core.events import WaitResolved
from graphrun_nb.stores import as_store
from graphrun_nb.tools import ask_text
from tests.bench.engine import Engine, build
from tests.bench.measure import measure
from tests.bench.shapes import layered
from tests.stores.server import server

N = 10_000
N_QUESTIONS = 12
IDLE_S = 5.0
N_LISTED = 200
LISTED_NODES = 1_000


N_ASKED = 1_000
CHILD = (sys.executable, "-m", "tests.bench.durable")


@tool(outputs=["x"])
async def noop() -> int:
    return 1


@tool(outputs=["n"])
async def gather(values: list) -> int:
    return len(values)


class Killer:
    """Kills the process in the middle of a run."""

    def on_events(self, batch, state):
        if state.seq > N:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_signal(self, signal): ...


class Watch:
    """Notes when answers are recorded."""

    def __init__(self):
        self.seen = []

    def on_events(self, batch, state):
        self.seen += [time.time() for _, event in batch if type(event) is WaitResolved]

    def on_signal(self, signal): ...


def main() -> None:
    """Print the figures of a store in a file, each a line."""
    with tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
        path = Path(folder) / "runs.db"
        again(str(path), Path(folder))
        print(f"store, a no-op node: {path.stat().st_size / N / 1.5:.0f} B")


def on_a_server() -> None:
    """Print the figures of a store on a server of our own, on this machine."""
    with server() as made, tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
        again(made.url, Path(folder))
        for slots in (64, 4):
            cost = measure(Engine(slots, url=made.url), layered(N), n_rounds=5, spent_s=60)
            print(
                f"layered, {N} no-op nodes, {slots} slots: {cost.ratio:.2f} x floor, {cost.node_us:.1f} µs CPU a node"
            )
        print(PostgresStore(made.url).about())


def lists() -> None:
    """Print what a table of finished runs costs with their outlines, and by folding their logs."""
    with tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
        store, shape = SqliteStore(Path(folder) / "runs.db"), build(layered(LISTED_NODES))
        for _ in range(N_LISTED):
            asyncio.run(run_async(shape, store=store, max_concurrency=64))
        spent, rows = {}, {}
        for how in ("outlines", "logs"):
            begun = time.process_time()
            rows[how] = list_runs(store=store)
            spent[how] = time.process_time() - begun
            with store.database.writing() as cursor:
                cursor.execute("UPDATE runs SET outline = NULL")
        assert rows["outlines"] == rows["logs"]
        print(
            f"{N_LISTED} finished runs of {LISTED_NODES} nodes listed: {spent['outlines'] * 1000:.1f} ms CPU, "
            f"by folding their logs {spent['logs']:.2f} s, {spent['logs'] / spent['outlines']:.0f} times that"
        )
        store.close()


def answers() -> None:
    """Print what it costs to answer questions of a run that another process drives, beside few and many nodes."""
    for n_nodes in (0, N):
        with tempfile.TemporaryDirectory(prefix="graphrun-bench-") as folder:
            place, tokens = str(Path(folder) / "runs.db"), Path(folder) / "tokens"
            owner = subprocess.Popen([*CHILD, "ask", place, str(tokens), str(n_nodes)])
            while not tokens.exists():
                assert owner.poll() is None
                time.sleep(0.1)
            subprocess.run([*CHILD, "answer_all", place, str(tokens)], check=True)
            assert owner.wait() == 0


def ask(place: str, tokens: str, n_nodes: str) -> None:
    """Run so many nodes, then ask, and let the tokens be known."""
    with graph(name="questions") as g:
        before = [noop(_id=f"n{i}") for i in range(int(n_nodes))]
        last = gather(before, _id="last")
        for i in range(N_ASKED):
            g.expose(f"q{i}", ask_text(prompt="?", _id=f"q{i}", _after=last).text)
    future = run(g.build(), store=place, run_id="q", max_concurrency=N_ASKED)
    while len(future.waits) < N_ASKED:
        time.sleep(0.1)
    told = Path(f"{tokens}.new")
    told.write_text("\n".join(each.token for each in future.waits))
    told.rename(tokens)
    assert set(future.result().values()) == {"yes"}


def answer_all(place: str, tokens: str) -> None:
    """Answer them all, and tell what that cost."""
    store, given = as_store(place), Path(tokens).read_text().split()
    resume(given[0], "yes", store=store)
    begun, spent = time.perf_counter(), time.process_time()
    for token in given[1:]:
        resume(token, "yes", store=store)
    spent, took = (time.process_time() - spent) / (N_ASKED - 1), (time.perf_counter() - begun) / (N_ASKED - 1)
    print(
        f"each of {N_ASKED} answers by token to a run of another process, log of {store.n_events('q'):,} events: "
        f"{spent * 1000:.2f} ms CPU of the one who answers, {took * 1000:.1f} ms"
    )


def again(place: str, folder: Path) -> None:
    """Tell how soon runs are there again, and how soon answers are."""
    subprocess.run([sys.executable, "-m", "tests.bench.durable", "killed", place], check=False)
    store, shape = as_store(place), build(layered(N))
    shape.fingerprint(), shape.infos(RetryPolicy())
    told("a finished run of 10,000 nodes opened", lambda: open_run("whole", store=store))
    told("the same called again", lambda: run(shape, run_id="whole", store=store, max_concurrency=64).result())
    told(
        "a half-finished one called again, to its end",
        lambda: run(shape, run_id="half", store=store, max_concurrency=64).result(),
    )
    answered(store, place, folder / "tokens")


def told(what, act):
    begun = time.perf_counter()
    act()
    print(f"{what}: {time.perf_counter() - begun:.2f} s")


def answered(store, place, tokens):
    with graph(name="questions") as g:
        for i in range(N_QUESTIONS):
            g.expose(f"q{i}", ask_text(prompt="?", _id=f"q{i}").text)
    watch = Watch()
    future = run(g.build(), store=store, run_id="q", max_concurrency=N_QUESTIONS, observers=[watch])
    while len(future.waits) < N_QUESTIONS:
        time.sleep(0.01)
    begun = time.process_time()
    time.sleep(IDLE_S)
    print(f"an owner that only waits: {(time.process_time() - begun) / IDLE_S:.2%} of a core")
    tokens.write_text("\n".join(each.token for each in future.waits))
    subprocess.run([sys.executable, "-m", "tests.bench.durable", "answer", place, str(tokens)], check=True)
    sent = [float(text) for text in future.result(30).values()]
    late = sorted(seen - each for seen, each in zip(watch.seen, sent, strict=True))
    print(f"an answer from another process: recorded after {late[0] * 1000:.0f} to {late[-1] * 1000:.0f} ms")


def child(what: str, path: str, tokens: str = "") -> None:
    """Be the process that is killed, or the one that answers."""
    store = as_store(path)
    if what == "answer":
        for token in Path(tokens).read_text().split():
            resume(token, {"text": str(time.time())}, store=store)
            time.sleep(0.3)
        return
    shape = build(layered(N))
    asyncio.run(run_async(shape, run_id="whole", store=store, max_concurrency=64))
    asyncio.run(run_async(shape, run_id="half", store=store, max_concurrency=64, observers=[Killer()]))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["postgresql"]:
            on_a_server()
        case ["lists"]:
            lists()
        case ["answers"]:
            answers()
        case ["ask", *words]:
            ask(*words)
        case ["answer_all", *words]:
            answer_all(*words)
        case words:
            child(*words)
