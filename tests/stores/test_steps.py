"""At every step of a store its process may be killed, its disk full, or stand still: nothing is lost, little repeated.

The steps and how often each is come by are counted first; each fails at the first, second, middle and last time.
"""

# ruff: noqa: T201 (it prints its figures)

import json
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphrun_nb import SqliteStore, graph, run_async
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded
from graphrun_nb.stores import failpoint
from tests.stores.programs import RUN_ID, quick
from tests.stores.zygote import zygote

SLOTS = 4
N_AT_ONCE = 4
PROGRAM = "tests.stores.programs:run_all_points"
IS_LONG = bool(os.environ.get("GRAPHRUN_ALL_STEPS"))
SAID = {
    "kill": (),
    "oserror": ("errors.StoreFull",),
    "sqlite": ("errors.StoreFull",),
    "stall": ("StoreBusy", "RunOwnedElsewhere"),
}
"""What a process says that does not end well."""


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


def times(n, how):
    """The first, second, middle and last time; in short, the middle one, or for a kill all of them."""
    middle = (n + 1) // 2
    return sorted({1, min(2, n), middle, n}) if IS_LONG or how == "kill" else [middle]


def fail_once(children, folder, step, nth, how):
    """Let a process fail, let another one go on, and return how the first one ended and how many nodes ran again."""
    folder.mkdir()
    path, effects = folder / "runs.db", folder / "effects.txt"
    where = f"{step}:{nth}:{how}"
    child = children.start(PROGRAM, str(path), str(effects), failpoint=where)
    others = [child]
    if how == "stall":
        while "stalled" not in child.text() and not child.has_ended:
            time.sleep(0.01)
        others.append(children.start(PROGRAM, str(path), str(effects)))
        end_of(others[1], where, how)
        child.kill()
    status = end_of(child, where, how)
    again = children.start(PROGRAM, str(path), str(effects))
    assert again.wait() == 0, (where, again.text())
    assert (folder / "effects.txt.outputs").read_text().splitlines()[-1:] == ["{'x': 1}"], where
    log = SqliteStore(path).read(RUN_ID)
    started = Counter(each.event.node_id for each in log if type(each.event) is AttemptStarted)
    succeeded = Counter(each.event.node_id for each in log if type(each.event) is AttemptSucceeded)
    ran = Counter(line.split()[0] for line in effects.read_text().splitlines())
    assert set(succeeded.values()) == {1}, where
    assert all(ran[node_id] <= started[node_id] for node_id in ran), (where, "a node ran that the log knows nothing of")
    assert all(ran[node_id] for node_id in succeeded if node_id != "approve"), (where, "a finished node never ran")
    n_again = sum(n - 1 for n in ran.values())
    assert n_again <= SLOTS * len(others), where
    return status, n_again


def end_of(child, where, how):
    """Return how a process ended; if not well, it was killed or has said what is wrong."""
    status = child.wait()
    assert status in (0, 1, -signal.SIGKILL), (where, child.text())
    assert status != 1 or any(said in child.text() for said in SAID[how]), (where, child.text())
    return status


@pytest.mark.parametrize("how", SAID)
@pytest.mark.timeout(400)
def test_a_run_that_fails_at_any_step_of_its_store_goes_on_from_there(children, steps, tmp_path, how):
    chosen = [(step, nth, how) for step, n in sorted(steps.items()) for nth in times(n, how)]
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        ended = list(pool.map(lambda case: fail_once(children, tmp_path / f"{case[0]}-{case[1]}", *case), chosen))
    statuses = Counter(status for status, _ in ended)
    n_again = sum(n for _, n in ended)
    print(f"{how}: {len(steps)} steps, {len(ended)} times, ends {dict(statuses)}, {n_again} nodes ran again")
    assert statuses[-signal.SIGKILL if how in {"kill", "stall"} else 1] >= len(steps) // 2


async def test_a_process_that_stalled_at_a_step_goes_on(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(failpoint, "STALL_S", 0.01)
    failpoint.arm("append.begun:1:stall")
    try:
        with graph(name="short") as g:
            g.expose("x", quick(str(tmp_path / "effects"), "n", _id="n").x)
        assert await run_async(g.build(), store=SqliteStore(tmp_path / "runs.db"), run_id="r") == {"x": 1}
    finally:
        failpoint.arm("")
    assert capfd.readouterr().err == "stalled\n"


@pytest.mark.parametrize("text", ["append.begun", "append.begun:x:kill", "append.begun:1:panic", "a:b:c:d"])
def test_a_failpoint_that_says_nothing_sensible_is_refused(text):
    with pytest.raises(ValueError, match="is name:nth:kill"):
        failpoint.arm(text)
