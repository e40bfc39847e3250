"""At every step of a store its process may be killed: nothing is lost, and little is repeated.

The steps and how often each is come by are counted first; it is killed at the first, second, middle and last time.
"""

# ruff: noqa: T201 (it prints its figures)

import json
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphrun_nb import SqliteStore
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded
from tests.stores.programs import RUN_ID
from tests.stores.zygote import zygote

SLOTS = 4
N_AT_ONCE = 4
PROGRAM = "tests.stores.programs:run_all_points"


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


@pytest.fixture(scope="module")
def steps(children, tmp_path_factory):
    """How often each step is come by."""
    folder = tmp_path_factory.mktemp("counted")
    child = children.start("tests.stores.programs:count_all_points", str(folder / "runs.db"), str(folder / "effects"))
    assert child.wait() == 0, child.text()
    found = json.loads((folder / "effects.counted").read_text())
    assert len(found) >= 25, sorted(found)
    return found


def times(n):
    return sorted({1, min(2, n), (n + 1) // 2, n})


def kill_once(children, folder, step, nth):
    """Kill a process, let another one go on, and return how the first one ended and how many nodes ran again."""
    folder.mkdir()
    path, effects = folder / "runs.db", folder / "effects.txt"
    where = f"{step}:{nth}:kill"
    child = children.start(PROGRAM, str(path), str(effects), failpoint=where)
    status = child.wait()
    assert status in (0, -signal.SIGKILL), (where, child.text())
    again = children.start(PROGRAM, str(path), str(effects))
    assert again.wait() == 0, (where, again.text())
    assert (folder / "effects.txt.outputs").read_text().splitlines()[-1:] == ["{'x': 1}"], where
    log = SqliteStore(path).read(RUN_ID)
    started = Counter(each.event.node_id for each in log if type(each.event) is AttemptStarted)
    succeeded = Counter(each.event.node_id for each in log if type(each.event) is AttemptSucceeded)
    ran = Counter(line.split()[0] for line in effects.read_text().splitlines())
    assert set(succeeded.values()) == {1}, where
    assert all(ran[node_id] <= started[node_id] for node_id in ran), (where, "a node ran that the log knows nothing of")
    n_again = sum(n - 1 for n in ran.values())
    assert n_again <= SLOTS, where
    return status, n_again


@pytest.mark.timeout(400)
def test_a_run_that_is_killed_at_any_step_of_its_store_goes_on_from_there(children, steps, tmp_path):
    chosen = [(step, nth) for step, n in sorted(steps.items()) for nth in times(n)]
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        ended = list(pool.map(lambda case: kill_once(children, tmp_path / f"{case[0]}-{case[1]}", *case), chosen))
    statuses = Counter(status for status, _ in ended)
    n_again = sum(n for _, n in ended)
    print(f"{len(steps)} steps, {len(ended)} kills, ends {dict(statuses)}, {n_again} nodes ran again")
    assert statuses[-signal.SIGKILL] >= len(steps) // 2
