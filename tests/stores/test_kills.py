"""Nothing is lost, and nothing finished is done twice, when the process is killed: real processes, real SIGKILL."""

# ruff: noqa: T201 (it prints its figures)

import os
import random
import signal
import time
from collections import Counter

import pytest

from graphrun_nb import SqliteStore
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded
from graphrun_nb.core.state import fold
from tests.stores.programs import RUN_ID, answer_all
from tests.stores.zygote import zygote

SLOTS = 4
N_ASKED = 200
N_ANSWERS = 10
"""To each question: from eight threads here, and one from each of two other processes."""

N_BETWEEN = 12
"""Effects between two kills: a node that is in flight at three of them is given up."""


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    with zygote(tmp_path_factory.mktemp("children")) as made:
        yield made


def effects_of(path):
    return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def wait_for_effects(path, n, child):
    """Return when there are `n` effects, or the child has ended."""
    while effects_of(path).total() < n and not child.has_ended:
        time.sleep(0.001)


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


@pytest.mark.parametrize("seed", range(int(os.environ.get("GRAPHRUN_KILL_SEEDS", "5"))))
def test_a_run_that_is_killed_again_and_again_loses_nothing_and_repeats_only_what_was_in_flight(
    children, tmp_path, seed
):
    rng = random.Random(seed)  # noqa: S311
    path, effects = tmp_path / "runs.db", tmp_path / "effects.txt"
    n_kills = 0
    while True:
        child = children.start("tests.stores.programs:run_mixed", str(path), str(effects))
        if n_kills < 10:
            wait_for_effects(effects, effects_of(effects).total() + N_BETWEEN, child)
            time.sleep(rng.uniform(0, 0.03))
            child.kill()
        status = child.wait()
        if status == 0:
            break
        assert status == -signal.SIGKILL, child.text()
        n_kills += 1
    assert n_kills >= 5
    n_again = check(SqliteStore(path), effects, n_kills)
    print(f"{n_kills} kills, {n_again} nodes ran again")


def test_of_many_processes_one_drives_a_run(children, tmp_path):
    SqliteStore(tmp_path / "runs.db")
    told = tmp_path / "told.txt"
    arguments = ("tests.stores.programs:claim_once", str(tmp_path / "runs.db"), str(tmp_path / "gate"), str(told))
    contenders = [children.start(*arguments) for _ in range(6)]
    (tmp_path / "gate").touch()
    for each in contenders:
        assert each.wait() == 0, each.text()
    assert Counter(told.read_text().split()) == {"granted": 1, "RunOwnedElsewhere": 5}


def test_an_owner_that_was_stopped_and_replaced_writes_nothing_more(children, tmp_path):
    path, effects = tmp_path / "runs.db", tmp_path / "effects.txt"
    store = SqliteStore(path, lease_s=0.2)
    first = children.start("tests.stores.programs:stepping", str(path), str(effects))
    while store.n_events("steps") < 40:
        time.sleep(0.01)
    first.kill(signal.SIGSTOP)
    time.sleep(0.4)
    second = children.start("tests.stores.programs:stepping", str(path), str(effects))
    before = store.n_events("steps")
    while store.n_events("steps") < before + 40:
        time.sleep(0.01)
    first.kill(signal.SIGCONT)
    assert first.wait() == 1
    assert "RunOwnedElsewhere" in first.text()
    assert second.wait() == 0, second.text()
    log = store.read("steps")
    succeeded = Counter(each.event.node_id for each in log if type(each.event) is AttemptSucceeded)
    assert set(succeeded.values()) == {1}
    assert len(succeeded) == 400
    assert sum(n - 1 for n in effects_of(effects).values()) <= 2


@pytest.mark.parametrize("_round", range(int(os.environ.get("GRAPHRUN_ANSWER_ROUNDS", "1"))))
def test_of_answers_from_threads_and_processes_one_wins_and_is_used(children, tmp_path, _round):
    path, tokens, told = tmp_path / "runs.db", tmp_path / "tokens.txt", tmp_path / "told.txt"
    owner = children.start("tests.stores.programs:ask_many", str(path), str(tokens), N_ASKED)
    while not tokens.exists():
        assert not owner.has_ended, owner.text()
        time.sleep(0.01)
    answering = [
        children.start("tests.stores.programs:answer_all", str(path), str(tokens), str(told), name, 1) for name in "ab"
    ]
    answer_all(str(path), str(tokens), str(told), "c", 8)
    for each in answering:
        assert each.wait() == 0, each.text()
    assert owner.wait() == 0, owner.text()
    winners = dict(line.split() for line in told.read_text().splitlines())
    late = [tuple(line.split()) for line in (tmp_path / "told.txt.late").read_text().splitlines()]
    n_won = len(told.read_text().splitlines())
    print(f"{N_ASKED} questions, {n_won + len(late)} answers: {n_won} won, {len(late)} were told who had")
    assert n_won == N_ASKED == len(winners)
    assert len(late) == N_ASKED * (N_ANSWERS - 1)
    assert set(late) <= winners.items()
    used = dict(line.split() for line in owner.text().splitlines())
    assert list(used.values()) == [winners[token] for token in tokens.read_text().split()]


@pytest.mark.parametrize("how", ["oserror", "sqlite"])
@pytest.mark.parametrize(
    "point", ["append.begun", "append.rows", "append.fenced", "stow.written", "stow.synced", "claim.row"]
)
def test_a_disk_that_is_full_stops_the_run_clearly_and_it_goes_on_when_there_is_room(children, tmp_path, point, how):
    path, effects = tmp_path / "runs.db", tmp_path / "effects.txt"
    arguments = ("tests.stores.programs:run_all_points", str(path), str(effects))
    nth = 1 if point.startswith(("stow", "claim", "append.rows")) else 3
    child = children.start(*arguments, failpoint=f"{point}:{nth}:{how}")
    assert child.wait() == 1
    assert "StoreFull" in child.text()
    assert "hint: make room" in child.text()
    child = children.start(*arguments)
    assert child.wait() == 0, child.text()
    assert sum(n - 1 for n in effects_of(effects).values()) <= SLOTS
