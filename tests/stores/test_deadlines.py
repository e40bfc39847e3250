"""Deadlines outlive their process and clocks that jump: each comes once, and not before its time."""

# ruff: noqa: T201 (it prints its figures)

import asyncio

import pytest

from graphrun_nb import NodeContext, SqliteStore, graph, run, tool
from graphrun_nb.core.events import WaitExpired
from graphrun_nb.engine.live import RUNS
from graphrun_nb.testing import ManualClock, settle
from graphrun_nb.tools import wait_until

HOURS_2 = 7200.0
BEGAN = 1_000_000.0
DUE_S = 60.0


@tool(outputs=["answer"])
async def ask(context: NodeContext) -> dict:
    return {"answer": await context.wait("q", deadline=DUE_S, on_deadline="default", default="nobody")}


def late():
    """Build a question that nobody answers, and an instant."""
    with graph(name="late") as g:
        g.expose("answer", ask(_id="ask").answer)
        wait_until(DUE_S, _id="until")
    return g.build()


class Kernel:
    """Stands for one process after the other, each with the clock as that is then."""

    def __init__(self, path):
        self.path = path

    def begin(self, now):
        self.clock = ManualClock(now)
        self.store = SqliteStore(self.path)
        self.future = run(late(), store=self.store, run_id="r", clock=self.clock)

    def die(self):
        self.future.run.scheduler._halt()
        self.future.run._on_left()
        RUNS.clear()

    def expired(self):
        return [each.event.node_id for each in self.store.read("r") if type(each.event) is WaitExpired]


@pytest.fixture
async def kernel(tmp_path):
    made = Kernel(tmp_path / "runs.db")
    made.begin(BEGAN)
    while len(made.future.waits) < 2:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.005)
    return made


async def ended(kernel):
    assert (await asyncio.wait_for(kernel.future, 10))["answer"] == "nobody"
    assert sorted(kernel.expired()) == ["ask", "until"]


async def test_a_deadline_that_passed_while_no_process_was_there_comes_at_once(kernel):
    kernel.die()
    kernel.begin(BEGAN + HOURS_2)
    await ended(kernel)


async def test_a_deadline_is_not_before_its_time_although_the_clock_was_set_back(kernel):
    kernel.die()
    kernel.begin(BEGAN - HOURS_2)
    await kernel.clock.advance(DUE_S + 1)
    await settle()
    assert kernel.expired() == []
    assert len(kernel.future.waits) == 2
    await kernel.clock.advance(HOURS_2)
    await ended(kernel)


async def test_a_deadline_that_came_does_not_come_again_when_the_clock_is_set_back(kernel):
    await kernel.clock.advance(DUE_S + 1)
    await ended(kernel)
    kernel.die()
    kernel.begin(BEGAN - HOURS_2)
    await ended(kernel)


async def test_a_deadline_outlives_many_processes_and_jumps_and_comes_once(kernel):
    jumps = [-HOURS_2, DUE_S - 1, -1.0, 0.0, DUE_S / 2, -HOURS_2]
    for jump in jumps:
        kernel.die()
        kernel.begin(BEGAN + jump)
        await settle()
        assert kernel.expired() == []
    kernel.die()
    kernel.begin(BEGAN + HOURS_2)
    await ended(kernel)
    print(f"{len(jumps) + 2} processes, {len(jumps) + 1} jumps, {len(kernel.expired())} of 2 deadlines came")
