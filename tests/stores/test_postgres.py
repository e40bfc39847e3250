"""A store on a server: real processes are killed, and so is the server."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import psycopg
import pytest

from graphrun_nb import (
    MemoryStore,
    PostgresStore,
    RunStatus,
    list_runs,
    open_run,
    run,
    run_async,
)
from graphrun_nb.__main__ import WRONG, main
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded, NodeSkipped, RunStarted, WaitOpened, WaitResolved
from graphrun_nb.core.state import fold
from graphrun_nb.engine.live import RUNS
from graphrun_nb.errors import StoreBusy, StoreFull, StoreUnusable
from graphrun_nb.stores import as_store
from graphrun_nb.stores.tables import VERSION
from graphrun_nb.testing.store_programs import keep
from tests.stores.earlier import TO_2
from tests.stores.programs import RUN_ID, gate, stepping_graph
from tests.stores.test_kills import SLOTS, check, effects_of, wait_for_effects
from tests.stores.zygote import zygote


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


@pytest.fixture(autouse=True)
def _a_machine_under_load_is_not_a_slow_server(monkeypatch):
    monkeypatch.setattr("graphrun_nb.stores.postgres._SLOW_S", 60.0)


@pytest.fixture
def store(database):
    made = PostgresStore(database)
    yield made
    made.close()


class Holder:
    is_alive = True

    def on_mail(self): ...


def connected(url):
    return psycopg.connect(url, autocommit=True)


async def until(holds):
    while not holds():  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)


async def test_a_run_that_is_done_gives_what_it_gave_without_its_process(database):
    assert await run_async(stepping_graph(5), {"effects": os.devnull}, store=database, run_id="r") == {"x": 5}
    RUNS.clear()
    assert await open_run("r", store=database) == {"x": 5}
    assert [each.run_id for each in list_runs(store=database)] == ["r"]
    assert as_store(database) is as_store(database)


def test_the_server_is_named_by_the_environment(database, monkeypatch):
    monkeypatch.setenv("GRAPHRUN_STORE", database)
    assert run(stepping_graph(2), {"effects": os.devnull}, run_id="r").result(30) == {"x": 2}
    assert PostgresStore(database).n_events("r") > 0


@pytest.mark.parametrize("durability", ["process", "power", "off"])
def test_turns_are_synced_as_their_durability_says(database, durability, monkeypatch):
    sent = []
    execute = psycopg.Connection.execute

    def listen(self, query, *arguments, **options):
        sent.append(query if isinstance(query, bytes) else b"")
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", listen)
    lease = PostgresStore(database).claim("r", Holder(), durability=durability)
    synced = []
    for event in (RunStarted("g"), NodeSkipped("a")):
        del sent[:]
        lease.append(Batch(1.0, [event]))
        begun = [each for each in sent if each.startswith(b"BEGIN")]
        synced.append([b"synchronous_commit = off" not in each for each in begun])
    lease.release()
    assert synced == {"process": [[True], [False]], "power": [[True], [True]], "off": [[False], []]}[durability]


@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_again_and_again_loses_nothing(children, tmp_path, database, seed):
    effects = tmp_path / "effects.txt"
    n_kills = 0
    while True:
        child = children.start("tests.stores.programs:run_mixed", database, str(effects))
        if n_kills < 6:
            wait_for_effects(effects, effects_of(effects).total() + 25 + 5 * seed, child)
            child.kill()
        status = child.wait()
        if status == 0:
            break
        assert status == -signal.SIGKILL, child.text()
        n_kills += 1
    assert n_kills >= 3
    check(PostgresStore(database), effects, n_kills)


@pytest.mark.parametrize(
    "point",
    [
        "claim.row",
        "claim.taken",
        "claim.committed",
        "append.begun",
        "append.values",
        "append.waits",
        "append.rows",
        "append.committed",
        "post.row",
        "post.committed",
        "settle.rows",
        "renew.rows",
    ],
)
def test_a_run_that_is_killed_at_a_step_of_its_store_goes_on_from_there(children, tmp_path, database, point):
    effects = tmp_path / "effects.txt"
    arguments = ("tests.stores.programs:run_all_points", database, str(effects))
    child = children.start(*arguments, failpoint=f"{point}:1:kill")
    assert child.wait() == -signal.SIGKILL, child.text()
    child = children.start(*arguments)
    assert child.wait() == 0, child.text()
    assert "{'x': 1}" in child.text()
    log = PostgresStore(database).read(RUN_ID)
    started = Counter(each.event.node_id for each in log if type(each.event) is AttemptStarted)
    ran = effects_of(effects)
    assert all(ran[node_id] <= started[node_id] for node_id in ran)
    assert sum(n - 1 for n in ran.values()) <= SLOTS


def test_an_owner_that_was_stopped_and_replaced_writes_nothing_more(children, tmp_path, database):
    effects = tmp_path / "effects.txt"
    store = PostgresStore(database, lease_s=0.2)
    first = children.start("tests.stores.programs:stepping", database, str(effects), 150)
    while store.n_events("steps") < 40:
        time.sleep(0.01)
    first.kill(signal.SIGSTOP)
    while store.owner("steps") is not None:
        time.sleep(0.01)
    second = children.start("tests.stores.programs:stepping", database, str(effects), 150)
    before = store.n_events("steps")
    while store.n_events("steps") < before + 20:
        time.sleep(0.01)
    first.kill(signal.SIGCONT)
    assert first.wait() == 1
    assert "RunOwnedElsewhere" in first.text()
    assert second.wait() == 0, second.text()
    log = store.read("steps")
    succeeded = Counter(each.event.node_id for each in log if type(each.event) is AttemptSucceeded)
    assert set(succeeded.values()) == {1}
    assert len(succeeded) == 150
    assert sum(n - 1 for n in effects_of(effects).values()) <= 2


def test_of_answers_from_threads_and_processes_one_wins_and_is_used(children, tmp_path, database):
    n = 40
    tokens, told = tmp_path / "tokens.txt", tmp_path / "told.txt"
    owner = children.start("tests.stores.programs:ask_many", database, str(tokens), n)
    while not tokens.exists():
        time.sleep(0.01)
    answering = [
        children.start("tests.stores.programs:answer_all", database, str(tokens), str(told), name) for name in "ab"
    ]
    for each in answering:
        assert each.wait() == 0, each.text()
    assert owner.wait() == 0, owner.text()
    winners = dict(line.split() for line in told.read_text().splitlines())
    assert len(told.read_text().splitlines()) == n == len(winners)
    used = dict(line.split() for line in owner.text().splitlines())
    assert list(used.values()) == [winners[token] for token in tokens.read_text().split()]


def test_a_run_of_another_machine_is_left_alone_until_its_lease_runs_out(children, tmp_path, database):
    store = PostgresStore(database, lease_s=0.5)
    child = children.start("tests.stores.programs:stepping", database, str(tmp_path / "effects.txt"), 40)
    while store.n_events("steps") < 10:
        time.sleep(0.01)
    child.kill()
    child.wait()
    with connected(database) as other:
        other.execute("SET search_path = graphrun")
        owner = json.loads(bytes(other.execute("SELECT owner FROM runs").fetchone()[0], "utf8"))
        elsewhere = json.dumps({**owner, "host": "far-away"})
        other.execute(
            "UPDATE runs SET owner = %s, expires_at = extract(epoch FROM clock_timestamp()) + 1.0", [elsewhere]
        )
    assert store.owner("steps").host == "far-away"
    while store.owner("steps") is not None:
        time.sleep(0.05)
    second = children.start("tests.stores.programs:stepping", database, str(tmp_path / "effects.txt"), 40)
    assert second.wait() == 0, second.text()


async def test_a_run_waits_for_a_server_that_is_started_again_and_goes_on(own_server, tmp_path):
    store = PostgresStore(own_server.url)
    effects = tmp_path / "effects.txt"
    future = run(stepping_graph(40), {"effects": str(effects)}, run_id="r", store=store)
    await until(lambda: effects_of(effects).total() >= 10)
    await asyncio.to_thread(own_server.stop)
    await until(lambda: future.run.log.is_behind)
    n_then = effects_of(effects).total()
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert effects_of(effects).total() == n_then
    await asyncio.to_thread(own_server.start)
    assert await future == {"x": 40}
    assert set(effects_of(effects).values()) == {1}
    assert {node.status for node in fold("r", store.read("r")).nodes.values()} == {"DONE"}
    store.close()


async def test_an_owner_that_waits_hears_of_answers_also_after_the_server_was_started_again(own_server):
    store = PostgresStore(own_server.url)
    future = run(gate, {"amount": 5}, run_id="r", store=store)
    await until(lambda: future.waits)
    token = future.waits[0].token
    await asyncio.to_thread(own_server.stop)
    await asyncio.to_thread(own_server.start)
    code = "import sys; from graphrun_nb import resume; resume(sys.argv[1], True, store=sys.argv[2])"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, token, own_server.url], check=True)
    assert await future == {"ok": True}
    store.close()


async def test_turns_that_a_crashed_server_lost_are_noticed_and_the_run_goes_on_from_what_is_there(database):
    store = PostgresStore(database)
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    with connected(database) as other:
        head = other.execute("SELECT n_events, head, tail FROM graphrun.runs").fetchone()
        lease.append(Batch(2.0, [NodeSkipped("a")]))
        other.execute("UPDATE graphrun.runs SET n_events = %s, head = %s, tail = %s", head)
    with pytest.raises(StoreUnusable, match="lost events of run 'r': 2 were written, and 1 are there"):
        lease.append(Batch(3.0, [NodeSkipped("b")]))
    lease.release()
    assert store.claim("r", Holder()).n_events == 1
    store.close()


def test_a_commit_that_was_not_heard_of_is_not_written_twice(store, monkeypatch):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    link = store.database._links["here"]
    execute = type(link.connection).execute

    def lose(connection, query, *arguments, **options):
        result = execute(connection, query, *arguments, **options)
        if query == "COMMIT":
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return result

    batch = Batch(2.0, [NodeSkipped("a")])
    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", lose)
        with pytest.raises(StoreBusy):
            lease.append(batch)
    told = []
    lease.append_later(batch, told.append)
    while not told:
        time.sleep(0.005)
    assert told == [None]
    assert [each.event for each in store.read("r")] == [RunStarted("g"), NodeSkipped("a")]
    lease.append(Batch(3.0, [NodeSkipped("b")]))
    lease.release()
    assert store.n_events("r") == 3


def test_a_server_that_is_slow_is_written_to_beside_the_loop(store, monkeypatch):
    lease = store.claim("r", Holder())
    lease.append(Batch(1.0, [RunStarted("g")]))
    monkeypatch.setattr("graphrun_nb.stores.postgres._SLOW_S", 0.0)
    with pytest.raises(StoreBusy, match="slow"):
        lease.append(Batch(2.0, [NodeSkipped("a")]))
    keep(lease, Batch(2.0, [NodeSkipped("a")]))
    assert store.n_events("r") == 2
    lease.release()


async def test_a_whole_run_on_a_slow_server_keeps_the_order_of_its_turns(store, monkeypatch):
    monkeypatch.setattr("graphrun_nb.stores.postgres._SLOW_S", -1.0)
    assert await run_async(stepping_graph(10), {"effects": os.devnull}, store=store, run_id="r") == {"x": 10}
    future = run(gate, {"amount": 5}, run_id="q", store=store)
    await until(lambda: future.waits)
    future.resume("approve", True)
    assert await future == {"ok": True}
    assert {node.status for node in fold("r", store.read("r")).nodes.values()} == {"DONE"}


def test_a_value_that_postgres_cannot_hold_is_refused(store):
    class Huge(bytes):
        def __len__(self):
            return 2**30

    with pytest.raises(StoreFull, match=r"1,073,741,824 bytes"):
        store.stow("r", "0" * 32, Huge())


def test_the_clock_of_leases_is_the_servers(store, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 5.0)
    assert store.database.now() > 1e9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("postgres@", "nobody_here@"), "nobody_here"),
        (lambda url: f"{url}_not", "_not"),
        (lambda url: "postgresql://127.0.0.1:1/x", "cannot be used"),
        (lambda url: f"{url}?nonsense=1", "no address"),
        (lambda url: url.replace("postgres@", "postgres:hunter2@").replace("/d", "/no"), "cannot be used"),
    ],
)
def test_a_server_that_refuses_is_told_of_in_one_line_with_a_hint(database, change, said):
    with pytest.raises(StoreUnusable) as caught:
        PostgresStore(change(database))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value).partition("\nhint")[0]
    assert caught.value.hints
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_no_password_is_shown(database):
    store = PostgresStore(database.replace("postgres@", "postgres:hunter2@"))
    assert "hunter2" not in repr(store)
    assert "postgres@127.0.0.1" in repr(store)


def test_tables_of_something_else_are_left_alone(database):
    with connected(database) as other:
        other.execute("CREATE SCHEMA graphrun")
        other.execute("CREATE TABLE graphrun.runs (x INT)")
        other.execute("CREATE TABLE public.runs (x INT)")
        with pytest.raises(StoreUnusable, match="something else"):
            PostgresStore(database)
        assert PostgresStore(database, schema="mine").run_ids() == ()
        tables = other.execute("SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'runs'").fetchall()
        assert sorted(tables) == [("graphrun", "runs"), ("mine", "runs"), ("public", "runs")]
        assert other.execute(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'graphrun'"
        ).fetchone() == (1,)


def test_a_store_of_a_later_version_is_refused(database, store):
    with connected(database) as other:
        other.execute("UPDATE graphrun.store SET version = %s", [VERSION + 1])
        with pytest.raises(StoreUnusable, match=f"version {VERSION + 1}") as caught:
            PostgresStore(database)
    assert "upgrade" in caught.value.hints[0]


async def test_a_store_of_version_2_is_read_and_told_of_alike(database, store):
    await run_async(stepping_graph(3), {"effects": os.devnull}, store=store, run_id="r")
    RUNS.clear()
    assert store.outlines()["r"].status == "DONE"
    rows = list_runs(store=store)
    with connected(database) as other:
        other.execute("SET search_path = graphrun")
        for statement in TO_2:
            other.execute(statement)
        other.execute("UPDATE graphrun.store SET version = 2")
    again = PostgresStore(database)
    assert again.outlines() == {"r": None}
    assert list_runs(store=again) == rows
    again.close()


@pytest.mark.parametrize("schema", ['"; DROP SCHEMA public; --', "Graph", "pg.x", "", "a" * 60, "1a"])
def test_a_schema_that_cannot_be_one_is_refused(database, schema):
    with pytest.raises(StoreUnusable, match="schema"):
        PostgresStore(database, schema=schema)


def test_stores_of_one_schema_are_the_same_place(database, store):
    assert PostgresStore(database) == store
    assert PostgresStore(database.replace("127.0.0.1", "localhost")) == store
    assert PostgresStore(database, schema="other") != store
    assert MemoryStore() != store


def test_many_processes_may_make_it_at_once(database):
    code = "import sys; from graphrun_nb import PostgresStore; PostgresStore(sys.argv[1])"
    made = [subprocess.Popen([sys.executable, "-c", code, database]) for _ in range(4)]
    assert [each.wait(60) for each in made] == [0] * 4


def test_without_the_driver_it_says_what_to_install():
    code = (
        "import sys\nsys.modules['psycopg'] = None\nfrom graphrun_nb.errors import StoreUnusable\n"
        "from graphrun_nb.stores import opened\n"
        "try: opened('postgresql://x')\nexcept StoreUnusable as error: print(error, error.hints)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "needs psycopg 3" in told
    assert "graphrun-nb[postgres]" in told


def test_an_address_of_something_else_is_refused():
    with pytest.raises(StoreUnusable, match="'mysql'"):
        as_store("mysql://host/db")


async def test_the_command_line_reaches_a_server(database, capsys, tmp_path):
    store = PostgresStore(database)
    future = run(gate, {"amount": 5}, run_id="r", store=store)
    await until(lambda: future.waits)

    async def told(*words):
        assert await asyncio.to_thread(main, ["--store", database, *words]) == 0
        return capsys.readouterr().out

    assert "waiting" in await told("runs")
    shown = await told("show", "r")
    assert f"driven by process {os.getpid()} on {socket.gethostname()}" in shown
    assert "approve asks (approval): Pay?" in shown
    found = await told("doctor")
    assert "PostgreSQL 1" in found
    assert "1, with 1 values, all as they were written" in found
    code = [sys.executable, "-m", "graphrun_nb", "--store", database, "resume", "r", "approve", "true"]
    await asyncio.to_thread(subprocess.run, code, check=True)
    assert await future == {"ok": True}
    assert "done" in await told("runs")
    await told("export", "r", str(tmp_path / "r.json"))
    assert main(["--store", database, "backup", str(tmp_path / "copy.db")]) == WRONG
    assert "pg_dump" in capsys.readouterr().err
    assert main(["salvage", database, str(tmp_path / "copy.db")]) == WRONG
    assert "pg_dump" in capsys.readouterr().err
    assert await told("prune", "--older-than", "0") == "r\n"
    assert PostgresStore(database).run_ids() == ()
    store.close()


async def test_letters_to_a_run_that_nobody_drives_are_used_when_it_goes_on(database, children):
    child = children.start("tests.stores.programs:hold_gate", database, os.devnull)
    store = PostgresStore(database)
    await until(lambda: any(type(each.event) is WaitOpened for each in store.read("gate")))
    child.kill()
    child.wait()
    assert open_run("gate", store=store).status is RunStatus.INTERRUPTED
    open_run("gate", store=store).resume("approve", True)
    RUNS.clear()
    assert await run_async(gate, {"amount": 5}, run_id="gate", store=store) == {"ok": True}
    assert sum(type(each.event) is WaitResolved for each in store.read("gate")) == 1
    store.close()
