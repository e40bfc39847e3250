"""Reading a store runs nothing, whatever is in it; ids cannot leave its folder, and are never made into SQL."""

import asyncio
import json
import pickle
import sqlite3
import subprocess
import sys

import pytest

from graphrun_nb import GraphRunError, SqliteStore, StoreCorrupt, graph, open_run, run_async, send_event, tool
from graphrun_nb.__main__ import WRONG, main
from graphrun_nb.core.events import ValueRef
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.stores.bundle import MARK, tied
from graphrun_nb.stores.kept import digest_of
from graphrun_nb.stores.rows import Row, seed
from graphrun_nb.stores.salvage import salvage

READER = """
import json, pathlib, sys

from graphrun_nb import SqliteStore, list_runs, open_run
from graphrun_nb.core.state import fold

path, run_ids = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
store = SqliteStore(path)

def read(run_id):
    for act in (lambda: store.read(run_id), lambda: store.owner(run_id), lambda: store.letters(run_id),
                lambda: open_run(run_id, store=store).waits, lambda: values(run_id)):
        try:
            act()
        except Exception as error:
            refused.append(type(error).__name__)

def values(run_id):
    keeper = store.keeper(run_id, lasting=True)
    for node in fold(run_id, store.read(run_id)).nodes.values():
        for ref in node.values:
            keeper.get(ref)

refused = []
read("good")   # what is imported when it is first needed has been imported now
read("nothing")
for run_id in run_ids[:1]:
    read(run_id)   # and so has what words its refusal
heard, refused = [], []
watched = ("import", "exec", "compile", "open", "socket", "subprocess", "os.", "ctypes", "pickle", "marshal", "shutil")
hears = True

def hear(event, arguments):
    if hears and event.startswith(watched):
        inside = event == "open" and str(arguments[0]).startswith(str(path.parent))
        if not inside:
            heard.append((event, repr(arguments)[:200]))

sys.addaudithook(hear)
for run_id in run_ids:
    read(run_id)
hears = False
print(json.dumps({"heard": heard, "n_refused": len(refused)}))
"""


class Evil:
    def __reduce__(self):
        return (exec, ("import os; os.system('touch /tmp/owned')",))


BODIES = [
    pickle.dumps(Evil()),
    b"__import__('os').system('id')",
    b'[{"type": "__import__", "name": "os"}]',
    b'[{"type": "AttemptSucceeded", "node_id": "one", "attempt": 1, "values": [{"codec": "pickle"}]}]',
    b'[{"py/object": "os.system"}]',
    b'{"$type": "builtins.eval"}',
    b"[" * 5_000,
    b"\xff\xfe\x00",
    b"!!python/object/apply:os.system ['id']",
    b'["' + b"a" * 100_000 + b'"]',
]
BAD_RUNS = [(f"bad{i}", body, i >= len(BODIES)) for i, body in enumerate([*BODIES, *BODIES])]
"""Runs, and whether it is their last turns, in their own row, that are hostile."""


@tool(outputs=["x"])
async def one() -> int:
    return 1


@pytest.fixture
def path(tmp_path):
    """A store with a run, and the same once for each hostile row, whose chain was made to fit."""
    path = tmp_path / "runs.db"
    store = SqliteStore(path)
    with graph(name="good") as g:
        g.expose("x", one(_id="one").x)
    asyncio.run(run_async(g.build(), store=store, run_id="good"))
    from graphrun_nb.stores.rows import _chained
    from graphrun_nb.stores.sealing import _seal

    with store.database.writing() as cursor:
        for run_id, body, is_tail in BAD_RUNS:
            row = Row(1, 1, 1.0, body, _chained(seed(run_id), 1, 1, 1.0, body))
            cursor.execute(
                "INSERT INTO runs VALUES (?, 1.0, 1, ?, 1, ?, 9e12, ?, ?)",
                (
                    run_id,
                    row.chain,
                    body.decode("latin"),
                    _seal(body, row.chain) + body,
                    MARK + tied(1, 1.0, body) if is_tail else None,
                ),
            )
            if not is_tail:
                cursor.execute(
                    "INSERT INTO turns (seq, n, at, body, chain, run_id) VALUES (?, ?, ?, ?, ?, ?)", (*row, run_id)
                )
            cursor.execute("INSERT INTO letters (run_id, key, at, fact) VALUES (?, 'k', 1.0, ?)", (run_id, body))
    store.close()
    return path


def test_reading_hostile_rows_runs_nothing(path):
    run_ids = [run_id for run_id, _, _ in BAD_RUNS]
    command = [sys.executable, "-c", READER, str(path), json.dumps(run_ids)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["heard"] == []
    assert told["n_refused"] >= 3 * len(BAD_RUNS)


def test_hostile_outlines_say_nothing(path):
    told = SqliteStore(path).outlines()
    assert told.pop("good").graph == "good"
    assert told == {run_id: None for run_id, _, _ in BAD_RUNS}


def test_hostile_rows_are_refused_as_damage(path):
    store = SqliteStore(path)
    for i in range(len(BODIES)):
        for act in (store.read, store.owner, store.letters):
            with pytest.raises(StoreCorrupt):
                act(f"bad{i}")


def test_salvage_leaves_hostile_rows_behind(path, tmp_path):
    salvage(path, tmp_path / "new.db")
    assert SqliteStore(tmp_path / "new.db").run_ids() == ("good",)


HOSTILE = [
    "../../etc/passwd",
    "..",
    "/etc/passwd",
    "a/../../b",
    "..\\..\\x",
    "good' OR '1'='1",
    "good'; DROP TABLE runs; --",
    'good" UNION SELECT * FROM runs --',
    "%",
    "_",
    "good\x00.db",
    "file:good?mode=rwc",
    "é" * 100,
    "a" * 10_000,
    "\ud800",
]


def names(folder):
    """Return the files of a folder, without those that SQLite itself makes and deletes."""
    return {each.name for each in folder.rglob("*") if not each.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_find_nothing_and_change_nothing(path, tmp_path, text):
    store = SqliteStore(path)
    before_names = names(tmp_path)
    with sqlite3.connect(path) as connection:
        before = "\n".join(connection.iterdump())
    for act in (
        lambda: open_run(text, store=store),
        lambda: send_event(text, "x", 1, store=store),
        lambda: RuntimeEnv.from_overrides({"run_id": text if text != "_" else "../_", "store": store}),
    ):
        with pytest.raises((GraphRunError, ValueError, TypeError)):
            act()
    if "\x00" not in text:
        assert main(["--store", str(path), "show", text]) == WRONG
    for digest in ("../../../etc/passwd", "a" * 32):
        assert store.database.fetch("good", digest) is None
        assert store.database.fetch(text, digest) is None
        assert store.database.fetch("good", text) is None
    with sqlite3.connect(path) as connection:
        assert "\n".join(connection.iterdump()) == before
    connection.close()
    assert names(tmp_path) == before_names


def test_a_log_that_names_files_of_others_reads_none_of_them(path, tmp_path):
    secret = tmp_path / ("a" * 32)
    secret.write_text('"secret"')
    keeper = SqliteStore(path).keeper("good", lasting=True)
    for digest in (f"../../{secret.name}", str(secret), digest_of(b'"secret"')):
        with pytest.raises(StoreCorrupt):
            keeper.get(ValueRef("json", digest, 8, ""))
