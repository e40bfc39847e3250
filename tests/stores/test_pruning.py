"""Only runs that ended are deleted, with all that was kept of them."""

import asyncio

from graphrun_nb import SqliteStore, graph, run_async, tool


@tool(outputs=["x"])
async def large() -> str:
    return "x" * 100_000


class Holder:
    is_alive = True

    def on_mail(self): ...


def done(store, *run_ids):
    for run_id in run_ids:
        with graph(name="some") as g:
            g.expose("x", large(_id="large").x)
        asyncio.run(run_async(g.build(), store=store, run_id=run_id))


def rows_of(store, run_id):
    with store.database.reading() as cursor:
        return sum(
            cursor.execute(f"SELECT count(*) FROM {table} WHERE run_id = ?", (run_id,)).fetchone()[0]  # noqa: S608
            for table in ("runs", "turns", "kept", "waits", "letters")
        )


def test_nothing_is_left_of_a_run_that_was_deleted(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    done(store, "old", "new")
    values = tmp_path / "runs.db.values"
    assert {each.name for each in values.iterdir()} == {"old", "new"}
    assert store.prune(older_than_s=0, keep=1) == ["old"]
    assert rows_of(store, "old") == 0
    assert {each.name for each in values.iterdir()} == {"new"}
    assert store.read("new")


def test_a_run_that_somebody_goes_on_with_meanwhile_stays(tmp_path, monkeypatch):
    store, other = SqliteStore(tmp_path / "runs.db"), SqliteStore(tmp_path / "runs.db")
    done(store, "r")
    has_ended, n_asked, leases = store._has_ended, [], []

    def and_then_it_is_claimed(run_id, before):
        answer = has_ended(run_id, before)
        n_asked.append(run_id)
        if len(n_asked) == 3:
            leases.append(other.claim(run_id, Holder()))
        return answer

    monkeypatch.setattr(store, "_has_ended", and_then_it_is_claimed)
    assert store.prune(older_than_s=0) == []
    assert store.read("r")
    assert (tmp_path / "runs.db.values" / "r").is_dir()
    leases[0].release()


def test_a_run_that_did_not_end_stays(tmp_path):
    store = SqliteStore(tmp_path / "runs.db")
    done(store, "r")
    lease = store.claim("begun", Holder())
    lease.release()
    assert store.prune(older_than_s=0) == ["r"]
    assert rows_of(store, "begun") == 1
