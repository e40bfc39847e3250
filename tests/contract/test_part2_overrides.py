"""Part 2 of the contract, *Overrides*, a test a sentence.

`on_wait` has a file of its own; `on_changed`, `on_unsaved`, `resume_from_run_id`, `resume_mode` are with run
identity.
"""

from __future__ import annotations

import asyncio
import threading

import pytest

from graphrun_nb import (
    GraphRunFailed,
    MemoryStore,
    NodeStatus,
    RunStatus,
    RuntimeEnv,
    graph,
    list_runs,
    open_run,
    resume,
    run,
    run_async,
    send_event,
    tool,
)
from tests.contract.conftest import add, gate, sums


async def test_timeout_is_seconds_for_the_whole_run_and_raises_timeout_error(begin):
    run = await begin(gate, {"amount": 5}, timeout=60)
    await run.clock.advance(59)
    assert not run.future.done()
    await run.clock.advance(2)
    with pytest.raises(TimeoutError):
        await run.future


async def test_a_run_that_timed_out_is_cancelled_and_persisted_as_such(store):
    with pytest.raises(TimeoutError):
        await run_async(gate, {"amount": 5}, timeout=0.01, store=store)
    assert [row.status for row in list_runs(store=store)] == [RunStatus.CANCELLED]
    assert store.read(list_runs(store=store)[0].run_id)[-1].event.status is RunStatus.CANCELLED


async def test_store_is_where_the_run_is_kept():
    one, other = MemoryStore(), MemoryStore()
    await run_async(sums, {"x": 1}, store=one)
    assert (len(list_runs(store=one)), len(list_runs(store=other))) == (1, 0)


async def test_executor_is_where_sync_tools_run():
    @tool(outputs=["thread"])
    def where():
        return threading.get_ident()

    with graph(name="place") as g:
        g.expose("thread", where().thread)
    assert await run_async(g, executor="loop") == {"thread": threading.get_ident()}
    assert await run_async(g, executor="thread") != {"thread": threading.get_ident()}


async def test_observers_are_told_every_event():
    class Watcher:
        def __init__(self):
            self.seen = []

        def on_events(self, batch, state):
            self.seen += [type(event).__name__ for _, event in batch]

        def on_signal(self, signal): ...

    watcher = Watcher()
    future = run(sums, {"x": 1}, observers=[watcher])
    await future
    assert watcher.seen == [type(each.event).__name__ for each in future.events]
    assert watcher.seen[-1] == "RunFinished"


@pytest.mark.parametrize(("fail_fast", "status"), [(False, NodeStatus.DONE), (True, NodeStatus.CANCELLED)])
async def test_fail_fast_is_an_override(fail_fast, status):
    @tool(outputs=["x"])
    async def fails():
        raise ValueError

    @tool(outputs=["x"])
    async def other():
        await asyncio.sleep(0.02)

    with graph(name="two") as g:
        fails(_id="fails")
        other(_id="other")
    future = run(g, fail_fast=fail_fast)
    with pytest.raises(GraphRunFailed):
        await future
    assert future.node("other").status is status


@pytest.mark.parametrize(
    "given",
    [
        {"store": MemoryStore()},
        {"executor": "loop"},
        {"observers": []},
        *({"on_wait": each} for each in ("block", "raise", "return")),
        *({"on_changed": each} for each in ("raise", "rerun", "keep")),
        *({"on_unsaved": each} for each in ("raise", "rerun")),
        {"fail_fast": True},
        *({"durability": each} for each in ("process", "power", "off")),
        {"resume_mode": "failed_nodes"},
        {"timeout": 10},
        {"retry": 3, "max_concurrency": 2, "session_id": "s", "agent_id": "a", "app_id": "p"},
    ],
    ids=" ".join,
)
async def test_the_overrides_are_known_and_take_these_words(given):
    assert await run_async(sums, {"x": 1}, **given) == {"y": 12}


@pytest.mark.parametrize("option", ["on_wait", "on_changed", "on_unsaved", "durability", "resume_mode", "executor"])
def test_another_word_is_refused(option):
    with pytest.raises(ValueError, match=f"{option} is one of"):
        run(sums, {"x": 1}, **{option: "otherwise"})


@pytest.mark.parametrize("option", ["max_concurency", "colour", "store_"])
def test_an_unknown_override_is_a_type_error_that_lists_the_known_ones(option):
    with pytest.raises(TypeError, match=repr(option)) as refused:
        run(sums, {"x": 1}, **{option: 1})
    said = "\n".join([str(refused.value), *refused.value.__notes__])
    for known in (
        "run_id",
        "max_concurrency",
        "retry",
        "timeout",
        "store",
        "executor",
        "observers",
        "on_wait",
        "fail_fast",
    ):
        assert known in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("store", 12),
        ("store", MemoryStore),
        ("observers", [print]),
        ("observers", object()),
        ("timeout", "10"),
        ("timeout", True),
        ("clock", object()),
        ("session_id", 12),
        ("retry", {"max_attempts": 2}),
    ],
)
def test_an_override_of_the_wrong_type_is_a_type_error_that_names_it(option, value):
    with pytest.raises(TypeError, match=option):
        run(sums, {"x": 1}, **{option: value})


@pytest.mark.parametrize("wrong", [12, MemoryStore], ids=str)
def test_what_is_no_store_is_refused_wherever_one_can_be_named(wrong):
    for ask in (
        lambda: list_runs(store=wrong),
        lambda: open_run("r", store=wrong),
        lambda: resume("token", True, store=wrong),
        lambda: send_event("r", "paid", 1, store=wrong),
    ):
        with pytest.raises(TypeError, match="takes a store, or a path or address") as refused:
            ask()
        assert refused.value.hints


async def test_overrides_hold_for_their_run_only_and_change_nothing_global(store):
    before = (RuntimeEnv().max_concurrency, RuntimeEnv().executor, RuntimeEnv().store)
    special = run(sums, {"x": 1}, max_concurrency=1, executor="loop", store=store, timeout=9)
    plain = run(sums, {"x": 1})
    assert (plain.run.env.max_concurrency, plain.run.env.executor, plain.run.env.timeout) == (4, "thread", None)
    await special
    await plain
    assert (RuntimeEnv().max_concurrency, RuntimeEnv().executor, RuntimeEnv().store) == before
    assert add(a=1, b=2) == {"total": 3}


@pytest.mark.parametrize("wrong", [{"run_id": ""}, {"resume_from_run_id": ""}, {"fail_fast": "no"}, {"fail_fast": 1}])
def test_an_override_that_cannot_be_meant_does_not_pass_silently(wrong):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        run(sums, {"x": 1}, **wrong)


@pytest.mark.parametrize("method", ["on_events", "on_signal"])
def test_an_observer_that_could_not_be_called_is_refused(method):
    class Wrong:
        def on_events(self, batch, state): ...

        def on_signal(self, signal): ...

    setattr(Wrong, method, lambda self: None)
    with pytest.raises(TypeError, match=method):
        run(sums, {"x": 1}, observers=[Wrong()])
