"""Of two processes that want a run one has it; the one that was paused, and replaced, writes nothing more."""

# ruff: noqa: T201 (it prints its figures)

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from graphrun_nb import SqliteStore
from tests.stores.zygote import zygote

N_PAUSES = int(os.environ.get("GRAPHRUN_PAUSES", "200"))
N_PAIRS = 5
"""Pairs of processes that are paused at the same time, each with a store of its own."""

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


def contest(children, folder, n_pauses):
    """Have two processes contend for a run, one of them paused again and again; return what came of it."""
    folder.mkdir()
    path, lost, stop = folder / "runs.db", folder / "lost.txt", folder / "stop"
    store = SqliteStore(path)
    made = [children.start("tests.stores.programs:write_on", str(path), str(lost), str(stop)) for _ in range(2)]
    writers = {each.pid: each for each in made}
    n_replaced = n_paused = 0
    while n_replaced < n_pauses:
        n_replaced += pause(store, writers, lost)
        n_paused += 1
    stop.touch()
    assert [each.wait() for each in made] == [0, 0], [each.text() for each in made]
    claims = [int(each.event.node_id) for each in store.read("contested")]
    assert n_lines(lost) >= n_replaced
    stale = sum(later < earlier for earlier, later in pairwise(claims))
    return Counter(pauses=n_paused, takeovers=n_replaced, claims=len(set(claims)), rows=len(claims), stale=stale)


@pytest.mark.timeout(60 + N_PAUSES)
def test_an_owner_that_is_paused_and_replaced_again_and_again_writes_nothing_in_between(children, tmp_path):
    with ThreadPoolExecutor(N_PAIRS) as pool:
        pairs = [pool.submit(contest, children, tmp_path / f"{i}", -(-N_PAUSES // N_PAIRS)) for i in range(N_PAIRS)]
        seen = Counter()
        for each in pairs:
            seen.update(each.result())
    print(", ".join(f"{n} {what}" for what, n in seen.items()))
    assert seen["takeovers"] >= N_PAUSES
    assert not seen["stale"]
