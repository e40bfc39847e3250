"""What runs in processes that are killed: graphs whose nodes write down that they ran, each with one append."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from pathlib import Path

from graphrun_nb import GraphRunError, NodeContext, RetryPolicy, SqliteStore, graph, graphify, run, run_async, tool
from graphrun_nb.core.events import WaitOpened
from graphrun_nb.tools import ask_approval

RUN_ID = "mixed"


def store_at(place: str, **options: float):
    """Return the store of a file, or of an address."""
    from graphrun_nb import PostgresStore

    return PostgresStore(place, **options) if place.startswith("postgres") else SqliteStore(place, **options)


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
    print(name)
    return int(text.split(maxsplit=1)[0])


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
    print(asyncio.run(run_async(mixed(effects, n), run_id=RUN_ID, store=store_at(store))))


@graphify("gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve", _after=quick("/dev/null", "q", amount)).approved}


def hold_gate(store: str, token_to: str) -> None:
    """Ask, write the token down, and wait for the answer."""
    future = run(gate, {"amount": 5}, run_id="gate", store=store_at(store))
    while not any(type(each.event) is WaitOpened for each in future.events):
        time.sleep(0.005)
    note(token_to, future.waits[0].token or "")
    print(future.result(60))


@tool(outputs=["x"])
def paid(effects: str, ok: bool) -> int:
    note(effects, f"paid {os.getpid()}")
    return int(ok)


@tool(outputs=["x"])
def big(effects: str) -> str:
    note(effects, f"big {os.getpid()}")
    return "x" * 100_000


@graphify("all_points", inputs=["effects"], outputs=["x"])
def all_points(effects):
    first = big(effects, _id="big")
    rest = [length(effects, f"n{i}", f"{i}", _after=first, _id=f"n{i}") for i in range(6)]
    answer = ask_approval(prompt="Pay?", _id="approve", _after=rest)
    return {"x": paid(effects, answer.approved, _id="paid").x}


def count_all_points(store: str, effects: str) -> None:
    """Do the same, and print how often each place was come by."""
    from graphrun_nb.stores.failpoint import count

    counting = count()
    run_all_points(store, effects)
    note(f"{effects}.counted", json.dumps(counting.seen))


def run_all_points(store: str, effects: str) -> None:
    """Go by every place where a store can fail: a large value, lines, letters to and from, renewals, tending."""
    from graphrun_nb.stores import durable, sqlite

    durable.CLAIM_WAIT_S, sqlite.MAX_WAL = 0.3, 1

    async def main() -> dict:
        kept = store_at(store, lease_s=0.06)
        future = run(all_points, {"effects": effects}, run_id=RUN_ID, store=kept)
        while not future.done() and not future.waits:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.15)
        if future.waits:
            future.resume("approve", True)
        return await future

    outputs = asyncio.run(main())
    note(f"{effects}.outputs", str(outputs))
    print(outputs)


def claim_once(store: str, gate: str, told: str) -> None:
    """Once the file `gate` is there, try to drive the run, and say whether that was granted."""
    kept = store_at(store)

    class Holder:
        is_alive = True

        def on_mail(self) -> None: ...

    while not Path(gate).exists():
        pass
    try:
        kept.claim("one", Holder())
    except GraphRunError as error:
        note(told, type(error).__name__)
    else:
        note(told, "granted")
        time.sleep(2)


def answer_all(store: str, tokens: str, told: str, name: str, n_threads: int = 4) -> None:
    """Answer each token of the file `tokens` from many threads, and write down who won and who was told to be late."""
    from concurrent.futures import ThreadPoolExecutor

    from graphrun_nb import AlreadyResumed, resume
    from graphrun_nb.errors import StoreBusy

    kept = store_at(store)
    known = Path(tokens).read_text().split()

    def answer(token: str, who: str) -> None:
        try:
            resume(token, {"text": who}, store=kept, by=who)
        except AlreadyResumed as late:
            note(f"{told}.late", f"{token} {late.by}")
        except StoreBusy:
            answer(token, who)
        else:
            note(told, f"{token} {who}")

    with ThreadPoolExecutor(n_threads) as pool:
        for future in [pool.submit(answer, token, f"{name}{i}") for token in known for i in range(n_threads)]:
            future.result()


def ask_many(store: str, tokens: str, n: int) -> None:
    """Ask `n` questions, write the tokens down, and print who answered them."""
    from graphrun_nb.tools import ask_text

    with graph(name="many") as g:
        for i in range(n):
            g.expose(f"q{i}", ask_text(prompt="?", _id=f"q{i}").text)

    async def main() -> dict:
        future = run(g.build(), run_id="many", store=store_at(store), max_concurrency=8)
        while len(future.waits) < n:
            await asyncio.sleep(0.005)
        by_node = {each.node_id: each.token for each in future.waits}
        note(f"{tokens}.new", "\n".join(by_node[f"q{i}"] for i in range(n)))
        Path(f"{tokens}.new").rename(tokens)
        return await future

    for name, text in asyncio.run(main()).items():
        print(name, text)


def stepping_graph(n: int):
    """Many short nodes, one after the other."""
    with graph(name="steps") as g:
        g.declare_inputs(required=["effects"])
        last = 0
        for i in range(n):
            last = slow(g.arg("effects"), f"s{i}", last, _id=f"s{i}").x
        g.expose("x", last)
    return g.build()


def stepping(store: str, effects: str, n: int = 400, lease_s: float = 0.2) -> None:
    """Run many short nodes, one after the other."""
    kept = store_at(store, lease_s=lease_s)
    print(asyncio.run(run_async(stepping_graph(n), {"effects": effects}, run_id="steps", store=kept)))


@tool(outputs=["x"])
async def talkative(name: str, context: NodeContext) -> int:
    for i in range(3):
        print(f"{name} says {i}")
    print("no end of line, password=", "hunter2-secret", end="")
    context.logger.warning("%s warns", name)
    return 1


@graphify("told", inputs=["password"], outputs=["ok"])
def told(password):
    first = talkative("first", _id="first")
    answer = ask_approval(prompt="Go on?", _id="ask", _after=first)
    return {"ok": talkative("second", _after=answer, _id="second").x}


def tell_and_wait(store: str, ready: str) -> None:
    """Print, ask, say when that is on disk, and wait to be killed."""
    kept = SqliteStore(store)
    future = run(told, {"password": "hunter2-secret"}, run_id="told", store=kept)
    while not (future.waits and future.run.keeper.lines("first")):
        time.sleep(0.005)
    note(ready, "ready")
    print(future.result(60))


def look_and_leave(store: str, told: str) -> None:
    """Open the store, look at its runs, and close it, as any program may."""
    kept = SqliteStore(store)
    note(told, " ".join(kept.run_ids()))
    kept.close()


@tool(outputs=["x"])
def text_of(effects: str, name: str, size: int, before: str = "") -> str:
    del before
    note(effects, f"{name} {os.getpid()}")
    print(name)
    return f"{name} " + "x" * size


@graphify("filling", inputs=["effects"], outputs=["x", "y"])
def filling(effects):
    """Two rows of nodes that each keep 5 kB, or 100 kB in a file."""
    last = [text_of(effects, f"s{i}", 10, _id=f"s{i}").x for i in range(2)]
    for i in range(20):
        size = 100_000 if i % 7 == 6 else 5_000
        last[i % 2] = text_of(effects, f"n{i}", size, last[i % 2], _id=f"n{i}").x
    return {"x": last[0], "y": last[1]}


def fill_up(store: str, effects: str, what: str, room: int) -> None:
    """Run with little room, then go on with more; say what is done, in memory and on disk, when there was no more."""
    from graphrun_nb.core.state import fold
    from graphrun_nb.errors import StoreFull

    ballast = Path(store).with_name("ballast")

    def take_room() -> None:
        if what == "size":
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        elif what == "disk":
            status = os.statvfs(ballast.parent)
            ballast.write_bytes(bytes(status.f_bavail * status.f_bsize - room))

    def give_room() -> None:
        if what == "size":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        elif what == "disk":
            ballast.unlink()

    def allow_pages(kept: SqliteStore, n: int) -> None:
        for role in ("here", "later", "desk", "attendant") if what == "pages" else ():
            kept.database._link(role).cursor.execute(f"PRAGMA max_page_count = {n}")

    async def main() -> dict:
        future = kept = full = None
        take_room()
        try:
            kept = SqliteStore(store)
            allow_pages(kept, room)
            future = run(filling, {"effects": effects}, run_id=RUN_ID, store=kept)
            await future
        except StoreFull as error:
            full = error
        give_room()
        note(effects + ".full", str(full))
        kept = kept or SqliteStore(store)
        on_disk = fold(RUN_ID, SqliteStore(store).read(RUN_ID)).nodes
        done = [node_id for node_id, node in on_disk.items() if node.status == "DONE"]
        known = future.run.state.nodes if future is not None else {}
        assert done == [node_id for node_id, node in known.items() if node.status == "DONE"]
        keeper = kept.keeper(RUN_ID, lasting=True)
        assert all(keeper.get(ref).startswith(f"{each} x") for each in done for ref in on_disk[each].values)
        note(effects + ".done", " ".join(done))
        allow_pages(kept, 1_000_000)
        if future is None:
            return await run_async(filling, {"effects": effects}, run_id=RUN_ID, store=kept)
        return await (future.retry() if future.status == "INTERRUPTED" else future)

    print({name: len(text) for name, text in asyncio.run(main()).items()})


def write_on(store: str, lost: str, stop: str) -> None:
    """Take a run whenever nobody has it, and write under which claim that is; note each loss, until `stop` is there."""
    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import NodeSkipped
    from graphrun_nb.errors import RunOwnedElsewhere, StoreBusy

    class Holder:
        is_alive = True

        def on_mail(self) -> None: ...

    kept = store_at(store, lease_s=0.2)
    lease = None
    while not Path(stop).exists():
        time.sleep(0.003)
        try:
            if lease is None:
                lease = kept.claim("contested", Holder())
            lease.append(Batch(1.0, [NodeSkipped(str(lease.epoch))]))
        except StoreBusy:
            continue
        except RunOwnedElsewhere:
            if lease is not None:
                note(lost, str(os.getpid()))
            lease = None
