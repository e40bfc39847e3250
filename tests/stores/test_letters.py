"""A letter and what it refers to are there together, whoever else of this process is posting at the moment."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphrun_nb import SqliteStore, graph, run
from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import AnswerKept, RunStarted, ValueRef
from graphrun_nb.errors import StoreBusy
from graphrun_nb.stores import durable, lease
from graphrun_nb.tools import ask_text

PATIENCE_S = 30


def post(store, keeper, value, key):
    ref = keeper.put(value, lambda: "")
    return ref, store.post("r", key, AnswerKept("n", ref, by=value), 1.0)


def test_a_letter_has_its_value_though_another_thread_was_about_to_write_that(tmp_path, monkeypatch):
    store, owner = SqliteStore(tmp_path / "runs.db"), SqliteStore(tmp_path / "runs.db")
    keeper = store.keeper("r", lasting=True)
    is_ready, go = threading.Event(), threading.Event()

    def stop_other(name):
        if name == "post.before" and threading.current_thread() is not threading.main_thread():
            is_ready.set()
            assert go.wait(PATIENCE_S)

    monkeypatch.setattr(durable, "failpoint", stop_other)
    mine = keeper.put("mine", lambda: "")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(post, store, keeper, "other", "b")
        assert is_ready.wait(PATIENCE_S)
        store.post("r", "a", AnswerKept("n", mine, by="mine"), 1.0)
        (letter,) = owner.letters("r")
        found = owner.fetch("r", letter.fact.answer.digest)
        go.set()
        ref, earlier = other.result(PATIENCE_S)

    assert found == b'"mine"'
    assert earlier is None
    assert owner.keeper("r", lasting=True).get(ref) == "other"
    assert keeper.pending == {}


def test_a_value_whose_letter_could_not_be_posted_is_written_with_the_next_one(tmp_path, monkeypatch):
    store, other = SqliteStore(tmp_path / "runs.db"), SqliteStore(tmp_path / "runs.db")
    keeper = store.keeper("r", lasting=True)
    monkeypatch.setattr(durable, "CLAIM_WAIT_S", 0.0)
    with other.database.writing(), pytest.raises(StoreBusy):
        post(store, keeper, "first", "a")
    post(store, keeper, "second", "b")

    with store.database.reading() as cursor:
        cursor.execute("SELECT data FROM kept ORDER BY data")
        assert [bytes(data) for (data,) in cursor.fetchall()] == [b'"first"', b'"second"']


def test_threads_that_look_for_a_run_at_once_share_who_keeps_its_values(tmp_path, monkeypatch):
    store = SqliteStore(tmp_path / "runs.db")
    both = threading.Barrier(2)
    made = durable.StoredKeeper

    def slowly(*given):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return made(*given)

    monkeypatch.setattr(durable, "StoredKeeper", slowly)
    with ThreadPoolExecutor(2) as pool:
        keepers = [pool.submit(store.keeper, "r", lasting=True) for _ in range(2)]
        assert keepers[0].result(PATIENCE_S) is keepers[1].result(PATIENCE_S)


class Holder:
    is_alive = True

    def on_mail(self): ...


def begun(store):
    return store.claim("r", Holder()), store.keeper("r", lasting=True)


def test_a_value_is_at_hand_while_its_turn_is_being_written(tmp_path, monkeypatch):
    held, keeper = begun(SqliteStore(tmp_path / "runs.db"))
    ref, found = keeper.put("value", str), []
    monkeypatch.setattr(lease, "failpoint", lambda _name: found.append(keeper.get(ref)))
    held.append(Batch(1.0, [RunStarted("g")]))
    assert set(found) == {"value"}
    assert keeper.pending == {}


def test_a_value_that_came_between_a_commit_that_was_not_heard_of_and_its_repetition_is_written(tmp_path, monkeypatch):
    store = SqliteStore(tmp_path / "runs.db")
    held, keeper = begun(store)
    turn = Batch(1.0, [RunStarted("g")])

    def unheard(name):
        if name == "append.committed":
            raise StoreBusy("nothing was heard")

    with monkeypatch.context() as patched:
        patched.setattr(lease, "failpoint", unheard)
        with pytest.raises(StoreBusy):
            held.append(turn)
    ref = keeper.put("value", str)
    held.append(turn)
    assert store.n_events("r") == 1
    assert store.fetch("r", ref.digest) == b'"value"'


async def test_an_answer_whose_value_is_lost_is_refused_and_its_question_can_be_answered(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    with graph(name="g") as g:
        g.expose("x", ask_text(prompt="?", _id="asks").text)
    future = run(g, run_id="r", store=store)
    await future.opened("asks")
    key = future.run.state.nodes["asks"].waits[0].wait.token_digest
    lost = AnswerKept("asks", ValueRef("json", "0" * 32, 4, '"no"'), by="elsewhere")
    assert SqliteStore(tmp_path / "runs.db").post("r", key, lost, 1.0) is None
    future.run.mail.read()

    future.resume("asks", "yes")
    assert await future == {"x": "yes"}
    assert any("a value of run 'r' is missing" in line.text for line in future.node("asks").logs)
