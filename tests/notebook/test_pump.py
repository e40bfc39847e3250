"""A loop that is turned from inside itself."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import os
import signal
import threading

import pytest

from graphrun_nb.notebook.loop import drive

Future = concurrent.futures.Future


async def test_drive_turns_the_loop_until_a_task_has_made_the_result():
    future = Future()

    async def work():
        await asyncio.sleep(0.001)
        future.set_result(7)

    task = asyncio.create_task(work())
    drive(asyncio.get_running_loop(), future)

    assert future.result() == 7
    await task


async def test_a_done_future_costs_no_turn():
    turned = []
    loop = asyncio.get_running_loop()
    future = Future()
    future.set_exception(ValueError("kept for result()"))
    loop.call_soon(turned.append, 1)

    drive(loop, future)

    assert not turned
    assert isinstance(future.exception(), ValueError)


async def test_the_outer_turn_finds_as_many_handles_as_it_counted():
    loop = asyncio.get_running_loop()
    errors, order = [], []
    future = Future()

    def blocked():
        drive(loop, future)
        order.append("driven")

    for callback in (blocked, *[lambda i=i: order.append(i) for i in range(5)], lambda: future.set_result(None)):
        loop.call_soon(callback)
    loop.set_exception_handler(lambda _, context: errors.append(context))
    await asyncio.sleep(0.001)

    assert order == [0, 1, 2, 3, 4, "driven"]
    assert not errors


async def test_the_current_task_is_itself_again():
    loop, future = asyncio.get_running_loop(), Future()
    me = asyncio.current_task()
    seen = []
    loop.call_soon(lambda: (seen.append(asyncio.current_task()), future.set_result(None)))

    drive(loop, future)

    assert seen == [None]
    assert asyncio.current_task() is me


async def test_a_task_in_an_entered_context_is_held_back_and_not_lost():
    loop, future = asyncio.get_running_loop(), Future()
    shared = contextvars.copy_context()
    ran = []

    async def late(name):
        ran.append(name)

    async def cell():
        loop.call_later(0.001, future.set_result, None)
        tasks = [loop.create_task(late(name), context=shared) for name in "abc"]
        drive(loop, future)
        assert not ran
        await asyncio.gather(*tasks)

    await loop.create_task(cell(), context=shared)

    assert ran == ["a", "b", "c"]


async def test_what_a_nested_drive_held_back_runs_under_the_outer_one():
    loop, outer, inner = asyncio.get_running_loop(), Future(), Future()
    shared = contextvars.copy_context()

    async def late():
        outer.set_result("late")

    async def nested():
        tasks.append(loop.create_task(late(), context=shared))
        loop.call_later(0.001, inner.set_result, None)
        drive(loop, inner)

    tasks = [loop.create_task(nested(), context=shared)]
    for _ in range(5):
        loop.call_soon(int)
    drive(loop, outer, 5)

    assert outer.result() == "late"
    await asyncio.gather(*tasks)


async def test_what_a_nested_drive_held_back_is_not_lost_in_the_outer_ones_turn():
    loop, outer, inner = asyncio.get_running_loop(), Future(), Future()
    shared = contextvars.copy_context()
    tasks, ran = [], []

    async def late():
        ran.append("late")

    def nested():
        tasks.append(loop.create_task(late(), context=shared))
        loop.call_later(0.001, inner.set_result, None)
        drive(loop, inner)

    async def cell():
        loop.call_soon(nested)
        for _ in range(5):
            loop.call_soon(int)
        loop.call_later(0.002, outer.set_result, None)
        drive(loop, outer)
        assert not ran
        await asyncio.wait_for(tasks[0], 5)

    await loop.create_task(cell(), context=shared)

    assert ran == ["late"]


async def test_nested_drives_end_in_last_in_first_out_order():
    loop, outer, inner = asyncio.get_running_loop(), Future(), Future()
    ended = []

    def nested():
        outer.set_result(None)
        loop.call_later(0.001, inner.set_result, None)
        drive(loop, inner)
        ended.append("inner")

    loop.call_soon(nested)
    drive(loop, outer)
    ended.append("outer")

    assert ended == ["inner", "outer"]


async def test_a_result_from_another_thread_wakes_the_loop():
    future = Future()
    thread = threading.Timer(0.01, future.set_result, ["from afar"])
    thread.start()

    drive(asyncio.get_running_loop(), future)

    assert future.result() == "from afar"
    thread.join()


async def test_a_timeout_leaves_the_future_as_it_is_and_a_second_drive_goes_on():
    loop, future = asyncio.get_running_loop(), Future()

    with pytest.raises(TimeoutError):
        drive(loop, future, 0.001)
    assert not future.done()
    loop.call_soon(future.set_result, 1)
    drive(loop, future, 5)

    assert future.result() == 1


async def test_polling_with_no_time_at_all_lets_the_loop_get_on():
    loop, future = asyncio.get_running_loop(), Future()

    async def work():
        for _ in range(3):
            await asyncio.sleep(0)
        future.set_result("done")

    task = asyncio.create_task(work())
    for _ in range(10):
        with contextlib.suppress(TimeoutError):
            drive(loop, future, 0)

    assert future.result() == "done"
    assert len(future._done_callbacks) == 1
    await task


async def test_drive_is_refused_where_its_loop_does_not_run():
    with pytest.raises(RuntimeError, match="does not run"):
        await asyncio.to_thread(drive, asyncio.get_running_loop(), Future())


def test_a_stopped_loop_ends_the_wait():
    loop = asyncio.new_event_loop()
    caught = []

    def blocked():
        loop.call_later(0.001, loop.stop)
        with pytest.raises(RuntimeError, match="stopped") as info:
            drive(loop, Future())
        caught.append(info)

    loop.call_soon(blocked)
    loop.run_forever()
    loop.close()

    assert caught


def test_an_interrupt_wakes_an_idle_loop_and_leaves_the_future_and_the_handler_as_they_were():
    loop, future = asyncio.new_event_loop(), Future()
    timer = threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGINT])
    late = []

    async def cell():
        loop.call_soon(timer.start)
        loop.call_later(10, late.append, "woken by its timer")
        with pytest.raises(KeyboardInterrupt):
            drive(loop, future)
        assert not late
        assert not future.done()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        loop.call_soon(future.set_result, "second")
        drive(loop, future, 10)

    loop.run_until_complete(cell())
    timer.join()
    loop.close()

    assert future.result() == "second"


async def test_an_interrupt_that_is_not_meant_for_us_is_left_to_its_handler():
    loop, future = asyncio.get_running_loop(), Future()
    meant_for_another = []
    previous = signal.signal(signal.SIGINT, lambda *_: meant_for_another.append(1))
    loop.call_soon(signal.raise_signal, signal.SIGINT)
    loop.call_later(0.001, future.set_result, None)

    drive(loop, future)
    handler = signal.signal(signal.SIGINT, previous)

    assert meant_for_another == [1]
    assert handler is not previous
