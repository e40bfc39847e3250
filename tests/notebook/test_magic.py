"""``%graphrun`` and the live view in real kernels: what cells show, what mistakes say, how waits are answered."""

from __future__ import annotations

import contextlib
import re
from types import SimpleNamespace

import pytest

from tests.notebook import kernels, matrix

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
VIEW = "application/vnd.jupyter.widget-view+json"

SETUP = """
import asyncio
from graphrun_nb import RunFuture, graph_fn, graphify, run, run_async, tool
from graphrun_nb.engine.env import RuntimeEnv
from graphrun_nb.errors import Misuse
from graphrun_nb.tools import ask_approval

@tool(outputs=["total"])
def add(a, b):
    return a + b

@graphify("sums", inputs=["x"], outputs=["y"])
def sums(x):
    return {"y": add(a=add(a=x, b=1, _id="first").total, b=10, _id="second").total}

@graphify("gate", inputs={"amount": 5}, outputs=["ok"])
def gate(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="approve").approved}

@graphify("fails", outputs=["y"])
def fails():
    return {"y": add(a=1, b="one", _id="bad").total}

@graphify("wide", outputs=["y"])
def wide():
    for i in range(449):
        add(a=i, b=1)
    return {"y": add(a=0, b=1).total}

@graphify("noisy", outputs=["y"])
def noisy():
    raise Misuse("first line\\nsecond line", code="noisy", hints=("the first note\\nin two lines", "the second note"))

@graphify("clumsy", outputs=["y"])
def clumsy():
    return {"y": add(a=1, b=int("one")).total}

@graphify("broken", outputs=["y"])
def broken():
    return {"y": add(a=1, c=2).total}

def turning(text):
    asyncio.get_running_loop().call_soon(lambda: print(text, flush=True))

def n_runs():
    return len(RuntimeEnv().store.run_ids())

async def asks(future):
    async with asyncio.timeout(10):
        while not future.waits:
            await asyncio.sleep(0)

number = 3
"""


@pytest.fixture(scope="module", params=matrix.versions())
def python(request):
    """Give the interpreter of one version."""
    found = matrix.python(request.param)
    if found is None:
        pytest.skip(f"not there: python tests/notebook/matrix.py prepare {request.param}")
    return found


@pytest.fixture(scope="module")
def shared(python, tmp_path_factory):
    """Give a box with a kernel of one version, started anew if a test has spoilt it."""
    with contextlib.ExitStack() as stack:
        yield SimpleNamespace(
            kernel=None, start=lambda: stack.enter_context(kernels.started(python, tmp_path_factory.mktemp("kernel")))
        )


@pytest.fixture
def kernel(shared):
    """Give a kernel with the extension loaded and some graphs."""
    if shared.kernel is None:
        shared.kernel = shared.start()
    ready = shared.kernel.run(f"%load_ext graphrun_nb\n{SETUP}")
    assert (ready.status, ready.stdout) in [("ok", ""), ("ok", RELOAD)], ready
    shared.kernel.published.clear()
    yield shared.kernel
    if not shared.kernel.is_well():
        shared.kernel = None


RELOAD = "The graphrun_nb extension is already loaded. To reload it, use:\n  %reload_ext graphrun_nb\n"


class Cell:
    """A cell that has ended, and what it shows."""

    def __init__(self, kernel, code):
        self.kernel = kernel
        self.id = kernel.submit(code)
        self.reply = kernel.reply(self.id)

    @property
    def displayed(self):
        return [
            message
            for message in self.kernel.published
            if kernels.of(message, self.id) and message["msg_type"] == "display_data"
        ]

    @property
    def views(self):
        return [
            message["content"]["data"][VIEW]["model_id"]
            for message in self.displayed
            if VIEW in message["content"]["data"]
        ]

    @property
    def slots(self):
        """The places of pictures: their display ids."""
        return [
            message["content"]["transient"]["display_id"]
            for message in self.displayed
            if "data-graphrun-static" in message["content"]["data"].get("text/html", "")
        ]

    def shows_one_run(self):
        return (self.reply.status, len(self.views), len(self.slots), len(self.displayed)) == ("ok", 1, 1, 2)


@pytest.mark.parametrize(
    "code",
    [
        "f = %graphrun sums x=1",
        "%graphrun sums x=1",
        "%graphrun run sums x=1",
        "print('before')\n%graphrun sums x=1",
        "f = %graphrun sums x=1\nf",
        "f = run(sums, {'x': 1})\nf",
        "run(sums, {'x': 1})",
        "f = %graphrun sums x=1\ng = f.result()",
        "f = %graphrun sums x=1 --wait",
        "%graphrun sums x=1 --wait",
    ],
)
def test_a_launch_shows_exactly_one_view_and_one_place_for_its_picture(kernel, code):
    cell = Cell(kernel, code)
    assert cell.shows_one_run(), cell.displayed


def test_a_cell_magic_runs_its_body_and_takes_the_inputs_that_it_assigns(kernel):
    cell = Cell(kernel, "%%graphrun sums --session-id s\nother = 1\nx = other + 1\ndef y(): pass")
    assert cell.shows_one_run(), cell.reply
    assert kernel.run("x, other, _.result(), _.run.state.session_id").text == "(2, 1, {'y': 13}, 's')"
    kernel.run("del x")


def test_a_mistake_in_the_first_line_of_a_cell_magic_runs_nothing_of_its_body(kernel):
    reply = kernel.run("%%graphrun smus\nleft = 1")
    assert "there is no 'smus' in this notebook" in reply.stdout
    assert kernel.run("'left' in globals()").text == "False"


def test_an_error_in_the_body_of_a_cell_magic_is_the_users_own(kernel):
    reply = kernel.run("%%graphrun sums\nx = 1 / 0")
    assert (reply.status, reply.error) == ("error", "ZeroDivisionError")
    assert kernel.run("%%graphrun sums\nx = (").error == "SyntaxError"


def test_the_bare_magic_shows_the_runs_newest_first_as_a_table(kernel):
    Cell(kernel, "f = %graphrun sums x=1 --run-id older --wait\ng = %graphrun fails --run-id newer")
    kernel.run("try: g.result()\nexcept Exception: pass")
    lines = kernel.run("%graphrun").stdout.splitlines()
    assert lines[0].split() == ["run", "graph", "status", "nodes", "started", "took"]
    assert lines[1].split()[:5] == ["newer", "fails", "failed", "1", "failed"]
    assert lines[2].split()[:5] == ["older", "sums", "done", "2", "done"]


def test_show_displays_a_run_again_by_the_beginning_of_its_id_or_a_variable(kernel):
    Cell(kernel, "f = %graphrun sums x=1 --run-id shown-once --wait")
    assert Cell(kernel, "%graphrun show shown-on").shows_one_run()
    Cell(kernel, "held = run(sums, {'x': 1})")
    assert Cell(kernel, "%graphrun show held").shows_one_run()


@pytest.mark.parametrize("answer", ["True", "approved=True", "choice='Approve'"])
def test_resume_answers_a_wait_from_a_cell(kernel, answer):
    Cell(kernel, "f = %graphrun gate\nawait asks(f)")
    assert kernel.run(f"%graphrun resume f approve {answer}").stdout == ""
    assert kernel.run("await f").text == "{'ok': True}"


def test_cancel_ends_the_latest_run_if_none_is_named(kernel):
    Cell(kernel, "f = %graphrun gate\nawait asks(f)")
    assert kernel.run("%graphrun cancel").stdout == ""
    assert kernel.run("try: f.result()\nexcept BaseException: pass\nstr(f.status)").text == "'CANCELLED'"
    assert "is not alive any more: cancelled" in kernel.run("%graphrun cancel").stdout


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("show nobody", "there is no run 'nobody'", "the runs here are"),
        ("show a b", "show takes one run", "%graphrun show RUN"),
        ("resume f", "resume takes a run, a node and an answer", "%graphrun resume RUN NODE"),
        ("resume f first 1 2", "'1' is not key=value", "%graphrun resume RUN NODE"),
        ("resume f nowhere 1", "has no node 'nowhere'", "it has: first, second"),
    ],
)
def test_a_verb_that_cannot_be_done_says_so_in_one_line(kernel, line, message, hint):
    Cell(kernel, "f = %graphrun sums x=1 --wait\nf = run(sums, {'x': 1})\nf.result()")
    lines = kernel.run(f"%graphrun {line}").stdout.splitlines()
    assert len(lines) == 2
    assert message in lines[0]
    assert hint in lines[1]


def test_the_value_of_a_launch_is_a_future(kernel):
    Cell(kernel, "f = %graphrun sums x=number+len('a b')")
    assert kernel.run("type(f).__name__, f.result()").text == "('RunFuture', {'y': 17})"


def test_wait_keeps_the_cell_and_gives_the_outputs(kernel):
    assert kernel.run("%graphrun sums x=1 --wait").text == "{'y': 12}"
    assert kernel.run("f = %graphrun sums x=[1][0] --wait\nf").text == "{'y': 12}"


def test_options_reach_the_run(kernel):
    Cell(kernel, "f = %graphrun sums x=1 --max-concurrency 7 --session-id='s' --run-id options-1")
    assert (
        kernel.run("f.run_id, f.run.state.max_concurrency, f.run.state.session_id").text == "('options-1', 7, \"'s'\")"
    )


def test_two_runs_in_one_cell_are_two_views(kernel):
    cell = Cell(kernel, "f = %graphrun sums x=1\ng = %graphrun sums x=2")
    assert len(set(cell.views)) == len(set(cell.slots)) == 2


def test_a_run_shown_again_in_another_cell_is_the_same_view(kernel):
    first = Cell(kernel, "f = %graphrun sums x=1")
    again = Cell(kernel, "f")
    assert again.views == first.views
    assert again.shows_one_run()


@pytest.mark.parametrize(
    ("line", "complaint", "hint"),
    [
        ("run", "which graph?", "%graphrun NAME"),
        ("smus x=1", "there is no 'smus' in this notebook", "did you mean 'sums'?"),
        ("zzz x=1", "there is no 'zzz' in this notebook", "run the cell that defines it first; the graphs here are: "),
        ("SUMS x=1", "there is no 'SUMS' in this notebook", "did you mean 'sums'?"),
        ("number_ x=1", "there is no 'number_' in this notebook", "run the cell that defines it first"),
        ("sums", "needs 'x'", "pass x=…"),
        ("sums x=1 xx=2", "has no input 'xx'", "did you mean 'x'?"),
        ("sums x=1 x=2", "'x' is given twice", ""),
        ("sums x", "'x' is neither key=value nor an option", "write key=value"),
        ("sums x=nope", "x=nope: NameError: name 'nope' is not defined", "values are Python expressions"),
        ("sums x=1/0", "x=1/0: ZeroDivisionError: division by zero", "values are Python expressions"),
        ("sums x=1+", "x=1+: SyntaxError", "values are Python expressions"),
        ("sums x=int('a\\nb')", "ValueError: invalid literal", "values are Python expressions"),
        ("sums x=(1", "a quote or bracket is not closed", ""),
        ("number", "int 3 cannot be run", "pass a @graphify function"),
        ("add", "cannot be run", "a tool is one node"),
        ("broken", "add() has no argument 'c'", "its arguments are: a, b"),
        ("noisy", "first line second line", "the first note in two lines"),
        ("sums x=1 --max-concurency 8", "there is no option '--max-concurency'", "did you mean '--max-concurrency'?"),
        ("sums x=1 --max-concurrency many", "--max-concurrency takes a number, not 'many'", ""),
        ("sums x=1 --max-concurrency 0", "max_concurrency counts nodes, so at least 1: 0", ""),
        ("sums x=1 --retry 0", "counts all attempts, so at least 1: 0", ""),
        ("sums x=1 --timeout -1", "timeout takes seconds > 0", ""),
        ("sums x=1 --on-wait never", "on_wait is one of block, raise, return, not 'never'", ""),
        ("sums x=1 --executor thraed", "executor is one of", "did you mean 'thread'?"),
        ("sums x=1 --executor moon", "executor is one of", ""),
        ("sums x=1 --run-id", "--run-id needs a value", ""),
        ("sums x=1 --run-id no/slash", "run_id='no/slash': 1 to 64 letters, digits, _ and -", ""),
        ("sums x=1 --wait=no", "--wait takes no value, not 'no'", ""),
    ],
)
def test_a_mistake_is_one_line_and_at_most_one_hint_and_starts_nothing(kernel, line, complaint, hint):
    before = kernel.run("n_runs()").text
    cell = Cell(kernel, f"f = %graphrun {line}" if line else "f = %graphrun")
    assert cell.reply.status == "ok"
    first, *rest = cell.reply.stdout.splitlines()
    assert first.startswith("graphrun: ")
    assert complaint in first
    assert len(rest) == bool(hint)
    assert all(each.startswith(f"hint: {hint}") for each in rest)
    assert cell.displayed == []
    streams = [m["content"]["name"] for m in kernel.published if kernels.of(m, cell.id) and m["msg_type"] == "stream"]
    assert streams == ["stderr"]
    assert kernel.run("f is None, n_runs()").text == f"(True, {before})"


@pytest.mark.parametrize("line", ["clumsy", "run clumsy", "clumsy --wait"])
def test_an_error_in_the_body_of_a_graph_is_the_users_own_and_shows_their_line(kernel, line):
    cell = Cell(kernel, f"%graphrun {line}")
    shown = COLOURS.sub("", cell.reply.traceback)
    assert "ValueError: invalid literal for int() with base 10: 'one'" in shown
    assert 'add(a=1, b=int("one"))' in shown
    assert "graphrun_nb/" not in shown
    assert cell.displayed == []


@pytest.mark.parametrize("line", ["help", "--help", "-h"])
def test_help_prints_what_the_magic_explains(kernel, line):
    assert "--max-concurrency N" in kernel.run(f"%graphrun {line}").stdout


def test_a_run_id_that_is_alive_with_other_inputs_is_a_mistake_too(kernel):
    kernel.run("f = %graphrun gate amount=5 --run-id twice")
    cell = Cell(kernel, "%graphrun gate amount=6 --run-id twice")
    assert cell.displayed == []
    first, second = cell.reply.stdout.splitlines()
    assert "run 'twice' is under way, with another 'amount'" in first
    assert second.startswith("hint: ")
    kernel.run("f.cancel()")


def picture(kernel, slot):
    """Wait for the picture in its place, as a saved notebook keeps it."""
    drawn = kernel.wait(
        lambda m: (
            m["msg_type"] == "update_display_data"
            and m["content"]["transient"]["display_id"] == slot
            and "<img" in m["content"]["data"]["text/html"]
        ),
        "the picture",
    )
    return drawn["content"]["data"]


@pytest.mark.parametrize("ending", ["", "\nf.result()", "\nawait f"], ids=["by itself", "blocked", "awaited"])
def test_a_run_that_has_ended_leaves_its_picture_in_the_notebook(kernel, ending):
    (slot,) = Cell(kernel, f"f = %graphrun sums x=1{ending}").slots
    saved = picture(kernel, slot)
    assert saved["text/plain"] == "sums: done (2 done)"
    alternative = saved["text/html"].partition('<img alt="')[2].partition('"')[0]
    assert alternative.startswith("sums: done (2 done)\nnode")
    assert [line.split()[:2] for line in alternative.splitlines()[2:]] == [["first", "done"], ["second", "done"]]
    assert 'src="data:image/svg+xml;base64,' in saved["text/html"]


@pytest.mark.parametrize("ending", ["", "\nf.result()"], ids=["by itself", "blocked"])
def test_a_run_of_hundreds_of_nodes_leaves_its_picture_from_afar(kernel, ending):
    (slot,) = Cell(kernel, f"f = %graphrun wide{ending}").slots
    saved = picture(kernel, slot)
    assert saved["text/plain"] == "wide: done (450 done)"
    assert 'alt="wide: done (450 done)\nand 450 more nodes"' in saved["text/html"]


def test_the_picture_of_a_run_that_failed_says_why(kernel):
    (slot,) = Cell(kernel, "f = %graphrun fails").slots
    saved = picture(kernel, slot)
    assert saved["text/plain"] == "fails: failed (1 failed)"
    assert "TypeError: unsupported operand" in saved["text/html"]
    assert kernel.run("f.result()").error == "GraphRunFailed"


def test_a_run_that_waits_keeps_no_cell_from_running_or_launching(kernel):
    first = Cell(kernel, "f = %graphrun gate\nawait asks(f)")
    second = Cell(kernel, "g = %graphrun gate amount=6\nawait asks(g)")
    third = Cell(kernel, "h = %graphrun sums x=1 --wait")
    assert [first.shows_one_run(), second.shows_one_run(), third.shows_one_run()] == [True] * 3
    assert kernel.run("str(f.status), str(g.status), h").text == "('WAITING', 'WAITING', {'y': 12})"
    assert kernel.run("f.cancel(), g.cancel()").text == "(True, True)"


class View:
    """The front end's half of a live view, as far as it talks with the kernel."""

    def __init__(self, kernel, model):
        self.kernel = kernel
        self.model = model

    def send(self, kind, *, subshell=None, **rest):
        message = {"method": "custom", "content": {"kind": kind, "id": 7, **rest}}
        self.kernel.comm_send(self.model, message, subshell=subshell)

    def answer(self, payload, *, subshell=None):
        self.send("resume", node_id="approve", attempt=1, no=0, payload=payload, subshell=subshell)

    def frame(self, is_wanted, what):
        """Wait for a frame of this view."""

        def is_it(message):
            content = message["content"]
            if message["msg_type"] != "comm_msg" or content["comm_id"] != self.model:
                return False
            return content["data"]["method"] == "custom" and is_wanted(content["data"]["content"])

        return self.kernel.wait(is_it, what)["content"]["data"]["content"]

    def reply(self):
        return self.frame(lambda frame: frame["kind"] == "reply", "a reply")

    def sees(self, event):
        self.frame(lambda frame: any(each["kind"] == event for each in frame.get("events", ())), event)


@pytest.fixture
def waiting(kernel):
    """Give the view of a run `f` that waits for an answer."""
    (model,) = Cell(kernel, "f = %graphrun gate\nawait asks(f)").views
    yield View(kernel, model)
    kernel.run("f.cancel()")


@pytest.mark.parametrize(
    "code", ["await run_async(gate)", "await run(gate)", "run(gate).result()", "g = run(gate)\ng.result()"]
)
def test_a_run_without_a_view_is_shown_in_the_cell_that_waits_for_it_once_it_asks(kernel, code):
    cell = kernel.submit(code)
    shown = kernel.wait(lambda m: kernels.of(m, cell) and VIEW in m["content"].get("data", ()), "a view")
    View(kernel, shown["content"]["data"][VIEW]["model_id"]).answer(True)
    assert kernel.reply(cell).text == "{'ok': True}"


def test_a_run_without_a_view_that_asks_nobody_is_not_shown(kernel):
    assert Cell(kernel, "run(sums, {'x': 1}).result()").displayed == []
    at_once = "g = run(gate)\nasyncio.get_running_loop().call_soon(g.resume, 'approve', True)\ng.result()"
    assert Cell(kernel, at_once).displayed == []


BY_THE_VIEW = "[each.event.by for each in f.events if type(each.event).__name__ == 'WaitResolved']"


def test_the_view_answers_while_the_kernel_is_idle(kernel, waiting):
    waiting.answer({"approved": True})
    reply = waiting.reply()
    assert (reply["id"], list(reply["data"])) == (7, ["at"])
    assert kernel.run("f.result()").text == "{'ok': True}"
    assert kernel.run(BY_THE_VIEW).text == "['view']"


@pytest.mark.parametrize(
    "code",
    [
        "turning('waits'); outputs = await f; outputs",
        "turning('waits'); outputs = f.result(); outputs",
        "await asyncio.sleep(0); turning('waits'); outputs = f.result(); outputs",
    ],
    ids=["awaits", "blocks", "blocks in an async cell"],
)
def test_the_view_answers_while_a_cell(kernel, waiting, code):
    cell = kernel.submit(code)
    kernel.wait_for_text("waits")
    waiting.answer({"choice": "Reject"})
    assert kernel.reply(cell).text == "{'ok': False}"
    assert "error" not in waiting.reply()
    assert kernel.run(BY_THE_VIEW).text == "['view']"


def test_the_view_answers_a_launch_that_waits_in_its_own_cell(kernel):
    cell = kernel.submit("%graphrun gate --wait")
    shown = kernel.wait(lambda m: VIEW in m["content"].get("data", {}), "the view")
    view = View(kernel, shown["content"]["data"][VIEW]["model_id"])
    view.send("sync", have=0)
    view.sees("WaitOpened")
    view.answer(True)
    assert kernel.reply(cell).text == "{'ok': True}"


def test_the_view_follows_a_run_while_a_cell_blocks(kernel, waiting):
    waiting.send("sync", have=0)
    waiting.sees("WaitOpened")
    cell = kernel.submit("turning('waits'); outputs = f.result(); turning('ended')")
    kernel.wait_for_text("waits")
    waiting.answer(True)
    waiting.sees("RunFinished")
    kernel.reply(cell)


def test_the_view_answers_on_a_subshell(kernel, waiting):
    subshell = kernel.create_subshell()
    if subshell is None:
        pytest.skip("this ipykernel has no subshells")
    cell = kernel.submit("turning('waits'); outputs = f.result(); outputs")
    kernel.wait_for_text("waits")
    waiting.answer(True, subshell=subshell)
    assert kernel.reply(cell).text == "{'ok': True}"


def test_a_second_answer_from_the_view_is_told_that_it_came_late(kernel, waiting):
    waiting.answer(True)
    assert kernel.run("f.result()").text == "{'ok': True}"
    kernel.published.clear()
    waiting.answer(False)
    reply = waiting.reply()
    assert "has its answer, from view" in reply["error"]
    assert reply["hint"]


def test_an_answer_that_does_not_fit_leaves_the_question_open(kernel, waiting):
    waiting.answer("Maybe")
    assert waiting.reply()["error"] == "'Maybe' is no option"
    assert kernel.run("len(f.waits), str(f.status)").text == "(1, 'WAITING')"


def test_the_view_cancels_a_run_that_a_cell_blocks_on(kernel, waiting):
    cell = kernel.submit("turning('waits'); f.result()")
    kernel.wait_for_text("waits")
    waiting.send("cancel")
    assert kernel.reply(cell).error == "CancelledError"
    assert kernel.run("str(f.status)").text == "'CANCELLED'"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("f.result(0.01)", "no result within 0.01 s; run 'gate-"),
        ("f.cancel(); f.result()", "was cancelled by user"),
    ],
)
def test_an_error_instead_of_a_result_ends_in_the_line_of_the_cell(kernel, waiting, code, told):
    shown = COLOURS.sub("", kernel.run(code).traceback)
    assert told in shown
    assert "graphrun_nb/" not in shown


@pytest.mark.parametrize("code", ["f.result()", "await f"])
def test_a_stop_leaves_the_run_alive_and_the_view_answers_it_later(kernel, waiting, code):
    cell = kernel.submit(f"turning('waits'); {code}")
    kernel.wait_for_text("waits")
    kernel.interrupt()
    stopped = kernel.reply(cell)
    assert stopped.error in ("KeyboardInterrupt", "CancelledError")
    assert "goes on" in stopped.traceback
    assert "graphrun_nb/" not in COLOURS.sub("", stopped.traceback)
    assert kernel.run("str(f.status), len(f.waits)").text == "('WAITING', 1)"
    waiting.answer(True)
    assert kernel.run("f.result()").text == "{'ok': True}"


def test_a_message_that_is_no_command_is_refused_and_the_view_lives_on(kernel, waiting):
    waiting.send("eval", code="1/0")
    assert waiting.reply()["error"].startswith("refused: ")
    kernel.published.clear()
    waiting.send("digest")
    assert kernel.run("f.run.state.digest()").text == repr(waiting.reply()["data"]["digest"])


def test_the_magic_explains_itself(kernel):
    shown = kernel._reply(kernel.submit("%graphrun?"))["content"]["payload"][0]["data"]["text/plain"]
    assert "%graphrun sums x=1" in shown
    for option in ("--max-concurrency", "--retry", "--timeout", "--run-id", "--on-wait", "--executor", "--wait"):
        assert option in shown


def test_unload_takes_the_magic_back_and_runs_still_show_themselves(kernel):
    kernel.run("%unload_ext graphrun_nb")
    assert "not found" in kernel.run("%graphrun sums x=1").stdout
    assert kernel.run("from graphrun_nb.protocols import hooks; hooks.presenter is None").text == "True"
    assert Cell(kernel, "run(sums, {'x': 1})").shows_one_run()


@pytest.fixture
def bare(python, tmp_path):
    """Give a new kernel without the extension."""
    with kernels.started(python, tmp_path) as kernel:
        assert kernel.run(SETUP).status == "ok"
        yield kernel


def test_without_the_extension_a_run_shows_itself_and_the_view_answers(bare):
    assert Cell(bare, "run(sums, {'x': 1})").shows_one_run()
    cell = Cell(bare, "f = run(gate)\nawait asks(f)\nf")
    assert cell.shows_one_run()
    blocked = bare.submit("turning('waits'); f.result()")
    bare.wait_for_text("waits")
    View(bare, cell.views[0]).answer(True)
    assert bare.reply(blocked).text == "{'ok': True}"


def test_a_failed_run_says_what_to_do_about_it_and_ends_in_the_line_of_the_cell(kernel):
    failed = kernel.run("future = %graphrun fails\nawait future")
    assert "hint: %graphrun debug" in failed.traceback
    assert "%graphrun retry goes on" in failed.traceback
    assert "future.py" not in failed.traceback


def test_a_failed_graph_function_is_not_told_to_retry_what_cannot_go_on(kernel):
    kernel.run("@graph_fn\nasync def agent():\n    add(a=1, b='one')")
    failed = kernel.run("%graphrun agent --wait")
    assert "hint: %graphrun debug" in failed.traceback
    assert "begin a new run" in failed.traceback
    assert "%graphrun retry" not in failed.traceback
