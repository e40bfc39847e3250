"""Of two processes that want a run one has it; the one that was paused, and replaced, writes nothing more."""

# ruff: noqa: T201 (it prints its figures)

import os
import signal
import time
from itertools import pairwise

import pytest

from graphrun_nb import SqliteStore
from tests.stores.zygote import zygote

N_PAUSES = int(os.environ.get("GRAPHRUN_PAUSES", "10"))
GIVEN_UP_S = 1.0
"""Who is paused in the middle of a transaction is not replaced, and is let go on then."""


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


def driver(store):
    """Return the pid of who drives the run, or 0."""
    owner = store.owner("contested")
    return 0 if owner is None else owner.pid


def pause(store, writers, lost):
    """Pause who drives the run, until another one does; return whether that was so."""
    while driver(store) not in writers:
        time.sleep(0.01)
    pid = driver(store)
    n_lost = n_lines(lost)
    writers[pid].kill(signal.SIGSTOP)
    until = time.monotonic() + GIVEN_UP_S
    while driver(store) in {0, pid} and time.monotonic() < until:
        time.sleep(0.01)
    is_replaced = driver(store) not in {0, pid}
    writers[pid].kill(signal.SIGCONT)
    while is_replaced and n_lines(lost) == n_lost:
        assert not writers[pid].has_ended, writers[pid].text()
        time.sleep(0.005)
    return is_replaced


def n_lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.timeout(60 + 3 * N_PAUSES)
def test_an_owner_that_is_paused_and_replaced_again_and_again_writes_nothing_in_between(children, tmp_path):
    path, lost, stop = tmp_path / "runs.db", tmp_path / "lost.txt", tmp_path / "stop"
    store = SqliteStore(path)
    made = [children.start("tests.stores.programs:write_on", str(path), str(lost), str(stop)) for _ in range(2)]
    writers = {each.pid: each for each in made}
    n_replaced = n_paused = 0
    while n_replaced < N_PAUSES:
        n_replaced += pause(store, writers, lost)
        n_paused += 1
    stop.touch()
    assert [each.wait() for each in made] == [0, 0], [each.text() for each in made]
    claims = [int(each.event.node_id) for each in store.read("contested")]
    n_stale = sum(later < earlier for earlier, later in pairwise(claims))
    n_claims = len(set(claims))
    print(f"{n_paused} pauses, {n_replaced} takeovers, {n_claims} claims, {len(claims)} rows: {n_stale} stale")
    assert not n_stale
    assert n_claims >= n_replaced
