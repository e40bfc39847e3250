"""Part 2 of the contract, *run in a notebook*, a test a sentence; in a real kernel wherever it speaks of one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import subprocess
import sys
import threading

from graphrun_nb import RunStatus, graph, run, tool
from tests.contract.conftest import gate, sums, until
from tests.notebook.kernels import of

VIEW = "application/vnd.jupyter.widget-view+json"


def test_run_schedules_on_the_existing_loop_of_a_kernel_and_returns_at_once(kernel):
    kernel.run("""
        @tool(outputs=["loop"])
        async def where():
            return asyncio.get_running_loop()

        @graphify("place", outputs=["loop"])
        def place():
            return {"loop": where().loop}
    """)
    assert kernel.run("f = run(place)\nf.done()").text == "False"
    assert kernel.run("(await f)['loop'] is asyncio.get_running_loop()").text == "True"


async def test_the_returned_future_is_a_real_concurrent_future():
    future = run(sums, {"x": 1})
    told = []
    future.add_done_callback(told.append)
    assert isinstance(future, concurrent.futures.Future)
    assert await asyncio.wrap_future(future) == {"y": 12}
    assert told == [future]
    done, _ = await asyncio.to_thread(concurrent.futures.wait, [run(sums, {"x": n}) for n in range(3)], 10)
    assert sorted(each.result()["y"] for each in done) == [11, 12, 13]


async def test_the_future_carries_run_id(store):
    future = run(sums, {"x": 1}, run_id="mine", store=store)
    assert future.run_id == "mine"
    await future


async def test_cancel_cancels_the_run(begin):
    held = (await begin(gate, {"amount": 5})).future
    assert held.cancel() is True
    await until(held.done)
    assert held.cancelled()
    assert held.status is RunStatus.CANCELLED


def test_the_future_displays_itself_as_the_live_inspector_as_a_cells_last_expression(kernel):
    cell = kernel.submit("run(sums, {'x': 1})")
    assert kernel.reply(cell).status == "ok"
    shown = [m["content"]["data"] for m in kernel.published if of(m, cell) and m["msg_type"] == "display_data"]
    assert [VIEW in data for data in shown].count(True) == 1


def test_result_on_the_loops_own_thread_does_not_deadlock_and_keeps_the_loop_turning(kernel):
    reply = kernel.run("""
        turns = []
        async def tick():
            while True:
                turns.append(1)
                await asyncio.sleep(0.001)

        @tool(outputs=["x"])
        async def slow():
            while len(turns) < 6:
                await asyncio.sleep(0.001)
            return 1

        @graphify("slowly", outputs=["x"])
        def slowly():
            return {"x": slow().x}

        ticking = asyncio.create_task(tick())
        outputs = run(slowly).result()
        ticking.cancel()
        outputs
    """)
    assert reply.text == "{'x': 1}"


def test_an_interrupt_raises_keyboard_interrupt_and_leaves_the_run_alive_and_a_second_result_goes_on(kernel):
    kernel.run("f = run(gate, {'amount': 5})")
    cell = kernel.submit("print('waits', flush=True)\nf.result()")
    kernel.wait(lambda m: of(m, cell) and m["msg_type"] == "stream", "waits")
    kernel.interrupt()
    assert kernel.reply(cell).error == "KeyboardInterrupt"
    assert kernel.run("f.done(), str(f.status), [w.node_id for w in f.waits]").text == "(False, 'WAITING', ['approve'])"
    assert kernel.run("str(f.node('approve').status)").text == "'WAITING'"
    kernel.run("asyncio.get_running_loop().call_later(0.05, f.resume, 'approve', True)")
    assert kernel.run("f.result()").text == "{'ok': True}"


def test_ctrl_c_in_a_script_raises_keyboard_interrupt_and_leaves_the_run_alive_and_a_second_result_goes_on():
    script = """
import os, signal, threading
from tests.contract.conftest import gate, run
future = run(gate, {"amount": 5})
while not future.waits:
    pass
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    future.result()
except KeyboardInterrupt:
    print("interrupted", future.done(), future.status)
future.resume("approve", True)
print(future.result())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("interrupted False WAITING\n{'ok': True}\n", "")


def test_without_a_running_loop_one_background_loop_thread_is_started_and_shared():
    @tool(outputs=["loop", "thread"])
    async def where():
        return {"loop": asyncio.get_running_loop(), "thread": threading.current_thread()}

    with graph(name="place") as g:
        loop, thread = where()
        g.expose("loop", loop)
        g.expose("thread", thread)
    first, second = run(g).result(10), run(g).result(10)
    assert first == second
    assert first["thread"] is not threading.main_thread()


def test_a_plain_script_ends_by_itself_although_the_loop_thread_is_there():
    script = """
from tests.contract.conftest import run, sums
print(run(sums, {"x": 1}).result())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{'y': 12}\n", "")


async def test_the_returned_future_is_running_until_it_is_done():
    future = run(gate, {"amount": 5})
    assert future.running()
    assert not future.done()
    future.resume("approve", True)
    await future
    assert not future.running()
