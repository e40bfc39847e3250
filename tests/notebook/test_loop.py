"""The kernel's loop in real kernels: cells that wait, clicks that come meanwhile, and stops."""

import concurrent.futures
import contextlib
from types import SimpleNamespace

import pytest

from graphrun_nb.notebook.loop import LoopSupport, install, uninstall
from tests.notebook import kernels, matrix

Future = concurrent.futures.Future


@pytest.mark.parametrize("ip", [None, SimpleNamespace()])
def test_without_a_kernel_install_does_nothing_and_says_so(ip):
    support = install(ip)
    uninstall()

    assert support == LoopSupport(kernel=False, comms=False, reason=support.reason)
    assert "no Jupyter kernel" in support.reason


def test_a_kernel_with_another_inside_is_left_as_it_is():
    stream = SimpleNamespace(_recv_callback=print)

    support = install(SimpleNamespace(kernel=SimpleNamespace(shell_stream=stream)))

    assert support.kernel
    assert not support.comms
    assert "_main_asyncio_lock" in support.reason
    assert stream._recv_callback is print


SETUP = """
import asyncio, concurrent.futures, signal, threading, time
import comm
from graphrun_nb.notebook import comms, pump
from graphrun_nb.notebook.loop import drive, install, uninstall
loop = asyncio.get_running_loop()
support = install(get_ipython())
clicks, threads = [], []

def run(coroutine):
    future = concurrent.futures.Future()
    def finish(task):
        future.set_exception(task.exception()) if task.exception() else future.set_result(task.result())
    loop.create_task(coroutine).add_done_callback(finish)
    return future

def result(future, timeout=None):
    drive(loop, future, timeout)
    return future.result()

def clicked(message):
    threads.append(threading.current_thread() is threading.main_thread())
    loop.call_soon_threadsafe(click, message["content"]["data"])

def click(data):
    clicks.append(data)
    if not wanted.done():
        wanted.set_result(data)

def opened(channel, message):
    channel.on_msg(clicked)
    channel.on_close(lambda message: loop.call_soon_threadsafe(click, "closed"))

def turning(text):
    loop.call_soon(lambda: print(text, flush=True))

def wait_for_click():
    global wanted
    wanted = concurrent.futures.Future()
    return wanted

comm.get_comm_manager().register_target("clicks", opened)
wait_for_click()
"""


@pytest.fixture(scope="module", params=matrix.versions())
def shared(request, tmp_path_factory):
    """Give a box with a kernel of one version, started anew if a test has spoilt it."""
    python = matrix.python(request.param)
    if python is None:
        pytest.skip(f"not there: python tests/notebook/matrix.py prepare {request.param}")
    with contextlib.ExitStack() as stack:
        yield SimpleNamespace(
            kernel=None,
            start=lambda: stack.enter_context(kernels.started(python, tmp_path_factory.mktemp("kernel"))),
        )


@pytest.fixture
def kernel(shared):
    if shared.kernel is None:
        shared.kernel = shared.start()
    ready = shared.kernel.run(SETUP)
    assert ready.status == "ok", ready
    shared.kernel.published.clear()
    yield shared.kernel
    if not shared.kernel.is_well():
        shared.kernel = None


def test_install_lets_comms_through_and_is_idempotent(kernel):
    assert kernel.run("support").text == "LoopSupport(kernel=True, comms=True, reason='')"
    assert kernel.run("install(get_ipython()) == support").text == "True"


def test_result_returns_what_a_task_made(kernel):
    kernel.run("async def work():\n    await asyncio.sleep(0.01)\n    return 'made'")

    assert kernel.run("result(run(work()))").text == "'made'"
    assert kernel.run("later = run(work())").status == "ok"
    assert kernel.run("result(later)").text == "'made'"
    assert kernel.run("await asyncio.sleep(0); result(run(work()))").text == "'made'"


def test_result_raises_what_the_task_raised(kernel):
    kernel.run("async def fails():\n    await asyncio.sleep(0)\n    raise LookupError('mine')")

    reply = kernel.run("result(run(fails()))")

    assert (reply.status, reply.error) == ("error", "LookupError")


def test_result_times_out_and_can_be_asked_again(kernel):
    assert kernel.run("result(wanted, 0.01)").error == "TimeoutError"
    assert kernel.run("loop.call_later(0.01, wanted.set_result, 5); result(wanted, 5)").text == "5"


@pytest.mark.parametrize(
    "waiting",
    ["result(wanted)", "await asyncio.wrap_future(wanted)", "(await asyncio.sleep(0), result(wanted))[1]"],
    ids=["blocked", "awaiting", "blocked in an async cell"],
)
def test_a_click_arrives_while_a_cell_waits(kernel, waiting):
    channel = kernel.comm_open("clicks")

    cell = kernel.submit(f"turning('waits'); clicked = {waiting}; print('after', flush=True); clicked")
    kernel.wait_for_text("waits")
    kernel.comm_send(channel, "yes")

    assert kernel.reply(cell).text == "'yes'"
    assert kernel.reply(cell).stdout == "waits\nafter\n"
    assert kernel.run("threads").text == "[True]"


def test_a_click_handler_that_waits_for_the_next_click_gets_it(kernel):
    kernel.run("""
        def greedy(message):
            first, second = message["content"]["data"], wait_for_click()
            channel.on_msg(clicked)
            turning("wants more")
            ended.set_result((first, result(second)))

        def opened_greedily(new, message):
            global channel
            channel = new
            channel.on_msg(greedy)

        ended = concurrent.futures.Future()
        comm.get_comm_manager().register_target("greedy", opened_greedily)
    """)
    channel = kernel.comm_open("greedy")

    cell = kernel.submit("turning('waits'); result(ended)")
    kernel.wait_for_text("waits")
    kernel.comm_send(channel, 1)
    kernel.comm_send(channel, 2)

    assert kernel.reply(cell).text == "(1, 2)"


def test_what_a_click_prints_is_its_own_and_the_cell_keeps_the_rest(kernel):
    kernel.run("""
        def loud(message):
            print("from the click")
            clicked(message)

        comm.get_comm_manager().register_target("loud", lambda channel, message: channel.on_msg(loud))
    """)
    channel = kernel.comm_open("loud")

    cell = kernel.submit("print('before', end=''); turning(' waits'); result(wanted); print('after')")
    kernel.wait_for_text("waits")
    click = kernel.comm_send(channel, 1)

    assert kernel.reply(cell).stdout == "before waits\nafter\n"
    assert kernels.of(kernel.wait_for_text("from the click"), click)


def test_a_click_is_told_busy_and_idle_and_the_cell_stays_busy(kernel):
    channel = kernel.comm_open("clicks")

    cell = kernel.submit("turning('waits'); result(wanted)")
    kernel.wait_for_text("waits")
    click = kernel.comm_send(channel, 1)
    kernel.reply(cell)

    states = [
        ("click" if kernels.of(m, click) else "cell", m["content"]["execution_state"])
        for m in kernel.published
        if m["msg_type"] == "status" and (kernels.of(m, click) or kernels.of(m, cell))
    ]
    assert states == [("cell", "busy"), ("click", "busy"), ("click", "idle"), ("cell", "busy"), ("cell", "idle")]


def test_opening_and_closing_a_comm_gets_through_too(kernel):
    cell = kernel.submit("turning('waits'); result(wanted)")
    kernel.wait_for_text("waits")
    channel = kernel.comm_open("clicks")
    kernel.comm_close(channel)

    assert kernel.reply(cell).text == "'closed'"


def test_a_click_overtakes_queued_cells_and_they_run_in_order(kernel):
    channel = kernel.comm_open("clicks")

    first = kernel.submit("turning('waits'); order = [result(wanted)]")
    kernel.wait_for_text("waits")
    queued = [kernel.submit(f"order.append({i})") for i in range(5)]
    kernel.comm_send(channel, "click")

    assert [kernel.reply(cell).status for cell in (first, *queued)] == ["ok"] * 6
    assert kernel.run("order").text == "['click', 0, 1, 2, 3, 4]"
    assert [cell for cell in kernel.replied() if cell in queued] == queued


def test_a_click_right_behind_its_cell_gets_through(kernel):
    channel = kernel.comm_open("clicks")
    kernel.run("wanted")

    cell = kernel.submit("result(wanted)")
    kernel.comm_send(channel, "early")

    assert kernel.reply(cell).text == "'early'"


def test_a_message_to_a_comm_that_a_queued_cell_makes_waits_for_it(kernel):
    channel = kernel.comm_open("clicks")

    cell = kernel.submit("turning('waits'); result(wanted)")
    kernel.wait_for_text("waits")
    queued = kernel.submit("comm.get_comm_manager().register_target('new', opened)")
    new = kernel.comm_open("new")
    kernel.comm_send(new, "second")
    kernel.comm_send(channel, "first")

    assert kernel.reply(cell).text == "'first'"
    assert kernel.reply(queued).status == "ok"
    kernel.run("comm.get_comm_manager().unregister_target('new', opened)")
    assert kernel.run("clicks").text == "['first', 'second']"


def test_a_click_on_a_subshell_ends_a_wait(kernel):
    subshell = kernel.create_subshell()
    if subshell is None:
        pytest.skip("this ipykernel has no subshells")
    channel = kernel.comm_open("clicks")

    cell = kernel.submit("turning('waits'); result(wanted)")
    kernel.wait_for_text("waits")
    kernel.comm_send(channel, "beside", subshell=subshell)

    assert kernel.reply(cell).text == "'beside'"
    assert kernel.run("threads").text == "[False]"


def test_without_install_no_queued_cell_is_lost(kernel):
    cell = kernel.submit("""
        uninstall()
        def see(frames):
            clicks.append("seen")
            if len(clicks) == 3:
                loop.call_later(0.01, wanted.set_result, "done")
            return plain(frames)
        stream = comms._main_stream(get_ipython().kernel)
        plain = stream._recv_callback
        stream.on_recv(see, copy=False)
        turning("waits")
        result(wanted)
        stream.on_recv(plain, copy=False)
        clicks.clear()
    """)
    kernel.wait_for_text("waits")
    queued = [kernel.submit(f"clicks.append({i})") for i in range(3)]

    assert kernel.reply(cell).status == "ok"
    assert [kernel.reply(other).status for other in queued] == ["ok"] * 3
    assert kernel.run("clicks").text == "[0, 1, 2]"


def test_uninstall_gives_the_kernel_its_callback_back(kernel):
    wrapped = "getattr(comms._main_stream(get_ipython().kernel)._recv_callback, '__func__', None)"

    assert kernel.run(f"{wrapped} is comms.CommTap.receive").text == "True"
    assert kernel.run(f"uninstall(); uninstall(); {wrapped} is comms.CommTap.receive").text == "False"
    assert kernel.run(f"install(get_ipython()); {wrapped} is comms.CommTap.receive").text == "True"


def test_stop_ends_the_wait_and_not_what_is_waited_for(kernel):
    kernel.run("""
        async def work():
            await asyncio.wrap_future(wanted)
            return "went on"
        later = run(work())
    """)

    cell = kernel.submit("turning('waits'); result(later)")
    kernel.wait_for_text("waits")
    kernel.interrupt()

    assert kernel.reply(cell).error == "KeyboardInterrupt"
    assert kernel.run("later.done()").text == "False"
    channel = kernel.comm_open("clicks")
    again = kernel.submit("turning('waits again'); result(later)")
    kernel.wait_for_text("waits again")
    kernel.comm_send(channel, None)
    assert kernel.reply(again).text == "'went on'"


HOG = """
def hog(is_released):
    print("hogs", flush=True)
    while not pump._stack.pumps[-1].interrupted:
        time.sleep(0.001)
    try:
        print("stop noted", flush=True)
        while not is_released:
            time.sleep(0.001)
    except BaseException as error:
        clicks.append(type(error).__name__)
        raise

async def node(is_released):
    hog(is_released)
    return "ran to its end"
"""


def test_a_stop_waits_for_the_end_of_synchronous_code(kernel):
    kernel.run(HOG)

    cell = kernel.submit("later = run(node(True)); result(later)")
    kernel.wait_for_text("hogs")
    kernel.interrupt()

    assert kernel.reply(cell).error == "KeyboardInterrupt"
    assert kernel.run("result(later)").text == "'ran to its end'"


def test_a_second_stop_breaks_into_synchronous_code_and_the_kernel_lives(kernel):
    kernel.run(HOG)

    cell = kernel.submit("later = run(node(False)); result(later)")
    kernel.wait_for_text("hogs")
    kernel.interrupt()
    kernel.wait_for_text("stop noted")
    kernel.interrupt()

    assert kernel.reply(cell).error == "KeyboardInterrupt"
    assert kernel.run("clicks").text == "['Interrupted']"
    assert kernel.run("type(later.exception()).__name__").text == "'Interrupted'"
    assert kernel.run("result(run(asyncio.sleep(0, 'lives')))").text == "'lives'"


def test_stop_unwinds_nested_waits_from_within(kernel):
    kernel.run("""
        def nested():
            turning("nested")
            try:
                result(wanted)
            except BaseException as error:
                clicks.append(type(error).__name__)
    """)

    cell = kernel.submit("loop.call_soon(nested); result(wanted)")
    kernel.wait_for_text("nested")
    kernel.interrupt()

    assert kernel.reply(cell).error == "KeyboardInterrupt"
    assert kernel.run("clicks").text == "['Interrupted']"


def test_stop_of_an_awaiting_cell_still_works_after_a_click(kernel):
    channel = kernel.comm_open("clicks")

    cell = kernel.submit("turning('waits'); await asyncio.sleep(60)")
    kernel.wait_for_text("waits")
    kernel.comm_send(channel, "click")
    kernel.wait(lambda m: m["parent_header"].get("msg_type") == "comm_msg", "idle after the click")
    kernel.interrupt()

    assert kernel.reply(cell).error == "CancelledError"
    kernel.interrupt()
    assert kernel.run("clicks").text == "['click']"


def test_stop_of_an_awaiting_cell_is_not_for_a_callback_that_waits(kernel):
    cell = kernel.submit("""
        def waits():
            turning("waits")
            clicks.append(result(wanted))
        loop.call_soon(waits)
        await asyncio.sleep(60)
    """)
    kernel.wait_for_text("waits")
    kernel.interrupt()

    assert kernel.reply(cell).error == "CancelledError"
    assert kernel.run("wanted.set_result('went on'); await asyncio.sleep(0.01); clicks").text == "['went on']"


def test_interrupted_waits_leave_no_handler_behind(kernel):
    kernel.run("before = signal.getsignal(signal.SIGINT)")
    cell = kernel.submit("turning('waits'); result(wanted)")
    kernel.wait_for_text("waits")
    kernel.interrupt()
    kernel.reply(cell)

    assert kernel.run("signal.getsignal(signal.SIGINT) is before is signal.default_int_handler").text == "True"


@pytest.fixture
def own_kernel(tmp_path):
    with kernels.started(matrix.python(matrix.INSTALLED), tmp_path) as kernel:
        assert kernel.run(SETUP).status == "ok"
        yield kernel


def test_a_kernel_shuts_down_while_a_cell_waits(own_kernel):
    own_kernel.submit("turning('waits'); result(wanted)")
    own_kernel.wait_for_text("waits")

    own_kernel.client.shutdown()

    own_kernel.wait_for_exit()


def test_a_loop_that_nest_asyncio_patched_can_be_driven(own_kernel):
    channel = own_kernel.comm_open("clicks")
    own_kernel.run("import nest_asyncio2; nest_asyncio2.apply()")

    cell = own_kernel.submit("turning('waits'); result(wanted)")
    own_kernel.wait_for_text("waits")
    queued = own_kernel.submit("'queued'")
    own_kernel.comm_send(channel, "yes")

    assert own_kernel.reply(cell).text == "'yes'"
    assert own_kernel.reply(queued).text == "'queued'"
