"""Nothing is lost, and nothing finished is done twice, when the process is killed: real processes, real SIGKILL."""

import random
import signal
import time
from collections import Counter

import pytest

from graphrun_nb import SqliteStore
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded
from graphrun_nb.core.state import fold
from tests.stores.programs import RUN_ID
from tests.stores.zygote import zygote

SLOTS = 4
N_FLAKY_RUNS = 2


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


def effects_of(path):
    return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def check(store, effects, n_kills):
    """No finished node ran again, and what ran again was in flight at one of the kills."""
    log = store.read(RUN_ID)
    state = fold(RUN_ID, log)
    assert {node.status for node in state.nodes.values()} == {"DONE"}
    started = Counter(each.event.node_id for each in log if type(each.event) is AttemptStarted)
    succeeded = Counter(each.event.node_id for each in log if type(each.event) is AttemptSucceeded)
    assert set(succeeded.values()) == {1}
    ran = effects_of(effects)
    assert all(ran[node_id] <= started[node_id] for node_id in started), "a node ran that the log knows nothing of"
    assert set(ran) == set(started), "a finished node never ran"
    flaky = {node_id for node_id, node in state.nodes.items() if node.info.max_attempts > 1}
    reruns = sum(n - (1 + (node_id in flaky)) for node_id, n in started.items() if n > 1 + (node_id in flaky))
    assert reruns <= SLOTS * n_kills
    return reruns


@pytest.mark.parametrize("seed", range(5))
def test_a_run_that_is_killed_again_and_again_loses_nothing_and_repeats_only_what_was_in_flight(
    children, tmp_path, seed
):
    rng = random.Random(seed)
    path, effects = tmp_path / "runs.db", tmp_path / "effects.txt"
    n_kills = 0
    while True:
        child = children.start("tests.stores.programs:run_mixed", str(path), str(effects))
        if n_kills < 10:
            time.sleep(rng.uniform(0.06, 0.12))
            child.kill()
        status = child.wait()
        if status == 0:
            break
        assert status == -signal.SIGKILL, child.text()
        n_kills += 1
    assert n_kills >= 5
    check(SqliteStore(path), effects, n_kills)
