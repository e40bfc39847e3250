"""The machine's clock can be set, and stands ahead after a sleep: what is due by it comes then, once."""

import asyncio
from types import SimpleNamespace

import pytest

from graphrun_nb.engine.clock import SystemClock

HOUR = 3600.0


@pytest.fixture
def wall(monkeypatch):
    """A wall clock that is set by hand, and looked at often; `n_looks` says how often."""
    made = SimpleNamespace(now=1_000_000.0, n_looks=0)

    def look():
        made.n_looks += 1
        return made.now

    monkeypatch.setattr("graphrun_nb.engine.clock.time", SimpleNamespace(time=look))
    monkeypatch.setattr("graphrun_nb.engine.clock.LOOK_S", 0.001)
    return made


async def looked(wall, n=3):
    """Return when the clock was looked at `n` times more."""
    until = wall.n_looks + n
    while wall.n_looks < until:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0)


async def test_what_is_due_is_called_once_when_the_clock_was_set_forward(wall):
    rung = []
    SystemClock().call_at(wall.now + 2 * HOUR, lambda: rung.append(wall.now))
    await looked(wall)
    assert rung == []
    wall.now += 2 * HOUR
    await looked(wall, 1)
    await asyncio.sleep(0)
    assert rung == [wall.now]


async def test_what_is_due_waits_when_the_clock_was_set_back(wall):
    rung = []
    timer = SystemClock().call_at(wall.now + 0.002, lambda: rung.append(wall.now))
    wall.now -= 2 * HOUR
    await looked(wall)
    assert rung == []
    wall.now += 2 * HOUR + 1
    await looked(wall, 1)
    await asyncio.sleep(0)
    assert rung == [wall.now]
    timer.cancel()


async def test_a_timer_that_is_cancelled_is_silent(wall):
    rung = []
    timer = SystemClock().call_at(wall.now + 1, lambda: rung.append(1))
    await looked(wall)
    timer.cancel()
    wall.now += 2
    n_looks = wall.n_looks
    for _ in range(50):
        await asyncio.sleep(0)
    assert (rung, wall.n_looks) == ([], n_looks)
