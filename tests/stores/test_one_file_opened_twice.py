"""A file that a process opens more than once is still that process's own, as others see it."""

from graphrun_nb import SqliteStore, run_async
from tests.stores.test_lines import saying
from tests.stores.zygote import zygote


async def test_another_process_that_leaves_takes_no_turns_with_it(tmp_path):
    path = tmp_path / "runs.db"
    store = SqliteStore(path)
    await run_async(saying, store=store, run_id="one")
    assert path.with_name("runs.db-wal").stat().st_size > 0
    SqliteStore(path).close()
    with zygote(tmp_path) as children:
        child = children.start("tests.stores.programs:look_and_leave", str(path), str(tmp_path / "told.txt"))
        assert child.wait() == 0, child.text()
    assert (tmp_path / "told.txt").read_text().split() == ["one"]
    assert path.with_name("runs.db-wal").exists(), "somebody still has it open"
    await run_async(saying, store=store, run_id="two")
    assert list(SqliteStore(path).run_ids()) == ["one", "two"]
    assert len(store.read("two")) == store.n_events("two")
