"""``python -m graphrun_nb``: runs of a store seen and answered from a terminal."""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from graphrun_nb import SqliteStore, graph, graphify, open_run, run, run_async, tool
from graphrun_nb.__main__ import WRONG, main
from graphrun_nb.core.events import WaitResolved
from graphrun_nb.engine.live import RUNS
from graphrun_nb.tools import ask_approval, ask_text
from tests.stores.zygote import zygote


@tool(outputs=["x"])
async def one(a: int = 1) -> int:
    return a + 1


@graphify("gate", inputs=["amount"], outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve", _after=one(amount, _id="one")).approved}


@pytest.fixture
def place(tmp_path):
    """A store with a run that is done and one that was interrupted at its question."""
    path = tmp_path / "runs.db"
    store = SqliteStore(path)

    async def make():
        with graph(name="done") as g:
            g.expose("x", one(_id="one").x)
        await run_async(g.build(), store=store, run_id="finished")
        future = run(gate, {"amount": 5}, store=store, run_id="open")
        while not future.waits:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)
        return future.waits[0].token

    path.with_name("token").write_text(asyncio.run(make()))
    RUNS.clear()
    return path


def told(capsys, place, *words, status=0):
    assert main(["--store", str(place), *words]) == status
    said = capsys.readouterr()
    return said.out if status == 0 else said.err


def test_runs_lists_them_newest_first(capsys, place):
    lines = told(capsys, place, "runs").splitlines()
    assert lines[0].split() == ["run", "graph", "status", "nodes", "started", "took"]
    assert lines[1].startswith("open")
    assert "interrupted" in lines[1]
    assert lines[2].startswith("finished")
    rows = [json.loads(line) for line in told(capsys, place, "runs", "--json").splitlines()]
    assert [(row["run_id"], row["status"]) for row in rows] == [("open", "INTERRUPTED"), ("finished", "DONE")]


def test_show_tells_nodes_and_questions(capsys, place):
    text = told(capsys, place, "show", "open")
    assert "approve asks (approval): Pay?" in text
    assert "one" in text


@pytest.mark.parametrize("words", [["true"], ["approved=true"], ["Approve"]])
def test_resume_leaves_an_answer_for_a_run_that_nobody_drives(capsys, place, words):
    assert "has its answer" in told(capsys, place, "resume", "open", "approve", *words)
    assert asyncio.run(run_async(gate, {"amount": 5}, run_id="open", store=SqliteStore(place))) == {"ok": True}
    last = [each.event for each in SqliteStore(place).read("open") if type(each.event) is WaitResolved]
    assert [each.by for each in last] == ["terminal"]


def test_resume_by_token_and_a_second_time(capsys, place):
    token = place.with_name("token").read_text()
    assert "has its answer" in told(capsys, place, "resume", "--token", token, "false")
    assert "has its answer, from terminal" in told(capsys, place, "resume", "--token", token, "true", status=WRONG)


def test_tokens_that_open_nothing_are_refused_alike_and_change_no_byte(capsys, place):
    SqliteStore(place)
    before = [each.read_bytes() for each in sorted(place.parent.glob("runs.db*")) if each.suffix != ".db-shm"]
    errors = {told(capsys, place, "resume", "--token", token, "true", status=WRONG) for token in ("x", "a" * 32, "-")}
    assert len(errors) == 1
    assert "opens no wait" in errors.pop()
    assert before == [each.read_bytes() for each in sorted(place.parent.glob("runs.db*")) if each.suffix != ".db-shm"]


def test_cancel_ends_a_run_that_nobody_drives(capsys, place):
    assert "cancelled" in told(capsys, place, "cancel", "open")
    assert open_run("open", store=SqliteStore(place)).status == "CANCELLED"
    assert "ended already" in told(capsys, place, "cancel", "open", status=WRONG)


def test_cancel_reaches_the_process_that_drives_a_run(capsys, place, tmp_path):
    with zygote(tmp_path) as children:
        owner = children.start("tests.stores.programs:hold_gate", str(place), str(tmp_path / "told"))
        while not (tmp_path / "told").exists():
            time.sleep(0.01)
        assert "being cancelled" in told(capsys, place, "cancel", "gate")
        assert owner.wait() == 1
        assert "CancelledError" in owner.text()


def test_an_answer_reaches_the_process_that_drives_a_run(capsys, place, tmp_path):
    with zygote(tmp_path) as children:
        owner = children.start("tests.stores.programs:hold_gate", str(place), str(tmp_path / "told"))
        while not (tmp_path / "told").exists():
            time.sleep(0.01)
        assert "driven by process" in told(capsys, place, "show", "gate")
        told(capsys, place, "resume", "gate", "approve", "true")
        assert owner.wait() == 0, owner.text()
        assert "{'ok': True}" in owner.text()


def test_export_writes_a_file_and_does_not_replace_one_unasked(capsys, place, tmp_path):
    for suffix in ("svg", "html", "json"):
        assert "wrote" in told(capsys, place, "export", "open", str(tmp_path / f"x.{suffix}"))
    assert "there already" in told(capsys, place, "export", "open", str(tmp_path / "x.svg"), status=WRONG)


def test_doctor_reads_everything(capsys, place):
    assert "2, with" in told(capsys, place, "doctor")


def test_prune_deletes_what_ended_long_ago_and_nothing_else(capsys, place):
    assert told(capsys, place, "prune", "--older-than", "1d") == ""
    assert told(capsys, place, "prune", "--older-than", "0", "--dry-run") == "finished\n"
    assert told(capsys, place, "prune", "--older-than", "0") == "finished\n"
    assert SqliteStore(place).run_ids() == ("open",)


def test_salvage_copies_what_is_whole(capsys, place, tmp_path):
    new = tmp_path / "new.db"
    assert f"2 runs are in {new}" in told(capsys, place, "salvage", str(place), str(new))
    assert SqliteStore(new).read("open") == SqliteStore(place).read("open")
    assert "there already" in told(capsys, place, "salvage", str(place), str(new), status=WRONG)


def test_a_mistake_is_one_line_and_a_hint(capsys, place, tmp_path):
    for words in (["show", "nope"], ["resume", "nope", "x", "1"], ["cancel", "../x"], ["resume", "open"]):
        lines = told(capsys, place, *words, status=WRONG).splitlines()
        assert lines[0].startswith("error: ")
        assert len(lines) <= 2
    assert "there is no store" in told(capsys, tmp_path / "none.db", "runs", status=WRONG)
    assert not (tmp_path / "none.db").exists()


def test_it_is_a_program(place):
    command = [sys.executable, "-m", "graphrun_nb", "--store", str(place), "runs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout


def test_a_question_without_an_answer_is_told(capsys, place):
    assert "there is no answer" in told(capsys, place, "resume", "open", "approve", status=WRONG)


def test_text_answers_are_text(capsys, tmp_path):
    store = SqliteStore(tmp_path / "runs.db")

    async def make():
        with graph(name="texts") as g:
            g.expose("text", ask_text(prompt="?", _id="ask").text)
        future = run(g.build(), store=store, run_id="t")
        while not future.waits:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)
        return g

    made = asyncio.run(make())
    RUNS.clear()
    told(capsys, tmp_path / "runs.db", "resume", "t", "ask", "__import__('os')", "and", "more")
    outputs = asyncio.run(run_async(made.build(), store=store, run_id="t"))
    assert outputs == {"text": "__import__('os') and more"}


def test_a_backup_is_the_whole_store_in_a_new_file(capsys, place, tmp_path):
    copy = tmp_path / "copy.db"
    assert f"2 runs are in {copy}" in told(capsys, place, "backup", str(copy))
    assert SqliteStore(copy).read("open") == SqliteStore(place).read("open")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "there already" in told(capsys, place, "backup", str(copy), status=WRONG)


def test_prune_keeps_as_many_as_it_is_told_to(capsys, place):
    assert told(capsys, place, "prune", "--older-than", "0", "--keep", "1") == ""
    assert SqliteStore(place).run_ids() == ("finished", "open")


@pytest.mark.parametrize("words", [["prune", "--older-than", "x"], ["prune", "--keep", "-1"], ["nonsense"], []])
def test_a_line_that_cannot_be_read_is_told_in_one_line_and_a_hint(capsys, place, words):
    with pytest.raises(SystemExit) as ended:
        main(["--store", str(place), *words])
    assert ended.value.code == WRONG
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]


def test_doctor_tells_of_the_place_and_of_others_who_can_read_it(capsys, place):
    text = told(capsys, place, "doctor")
    assert "file system" in text
    assert "GB free" in text
    assert "nothing is under way" in text
    place.chmod(0o644)
    assert "others can read your runs" in told(capsys, place, "doctor")


def test_runs_prune_is_prune(capsys, place):
    assert told(capsys, place, "runs", "prune", "--older-than", "0", "--dry-run") == "finished\n"
    assert told(capsys, place, "runs", "prune", "--older-than", "0") == "finished\n"
    assert SqliteStore(place).run_ids() == ("open",)
