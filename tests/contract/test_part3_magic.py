"""Part 3 of the contract, *In IPython*, and items 20 and 36 of part 4, in a real kernel.

Elsewhere: completion and the newer verbs, in ``test_part3_magic_verbs.py``; ``runs prune`` in ``tests/test_cli.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.notebook.kernels import of
from tests.notebook.matrix import ROOT

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shell(kernel):
    """Give the kernel with a fresh namespace; each test ends its runs."""
    kernel.run("from tests.contract.conftest import *\nfrom graphrun_nb import RunFuture\nf = g = None")
    yield kernel
    kernel.run("for each in (f, g):\n    if isinstance(each, RunFuture): each.cancel()\ndel f, g")


def views(kernel, code):
    """Run a cell and give how many views it shows."""
    cell = kernel.submit(code)
    assert kernel.reply(cell).status == "ok"
    shown = [m["content"]["data"] for m in kernel.published if of(m, cell) and m["msg_type"] == "display_data"]
    return sum(VIEW in data for data in shown)


def test_load_ext_registers_the_magic(shell):
    assert shell.run("'graphrun' in get_ipython().magics_manager.magics['line']").text == "True"
    assert shell.run("'graphrun' in get_ipython().magics_manager.magics['cell']").text == "True"


@pytest.mark.parametrize("code", ["%graphrun sums x=1", "f = %graphrun sums x=1"])
def test_20_it_launches_a_target_from_the_namespace_and_shows_exactly_one_view(shell, code):
    assert views(shell, code) == 1


def test_its_value_is_a_run_future(shell):
    assert shell.run("f = %graphrun sums x=1\nisinstance(f, RunFuture)").text == "True"
    assert shell.run("await f").text == "{'y': 12}"


def test_it_takes_every_option_of_the_example(shell):
    options = "--max-concurrency 8 --retry 3 --run-id r1 --timeout 60 --on-wait raise --executor process"
    assert shell.run(f"f = %graphrun sums x=1 {options}\nawait f").text == "{'y': 12}"
    env = "f.run.env.max_concurrency, f.run.env.retry.max_attempts, f.run.env.timeout, f.run.env.on_wait"
    assert shell.run(f"f.run_id, f.run.env.executor, {env}").text == "('r1', 'process', 8, 3, 60.0, 'raise')"


def test_the_cells_body_is_python_and_the_names_it_assigns_that_are_inputs_become_the_inputs(shell):
    reply = shell.run("%%graphrun sums --max-concurrency 8\nother = [1, 2, 3]\nx = len(other)")
    assert reply.status == "ok"
    assert shell.run("x, other, await _").text == "(3, [1, 2, 3], {'y': 14})"


@pytest.mark.parametrize(
    "body",
    [
        "import math as x",
        "from math import pi as x",
        "def x(): pass",
        "class x: pass",
        "import asyncio\nx = await asyncio.sleep(0, 3)",
        "(x := 3)",
        "for x in range(4): pass",
    ],
)
def test_the_body_may_assign_in_any_way_that_python_has_and_may_await(shell, body):
    shell.run("@graphify(name='kept', inputs=['x'], outputs=['y'])\ndef kept(x): return {'y': 1}")
    assert "{'y': 1}" in shell.run(f"%%graphrun kept --wait\n{body}").text


def test_a_name_that_the_body_would_assign_elsewhere_is_no_input(shell):
    shell.run("del x")
    said = shell.run("%%graphrun sums\nif False:\n    x = 1").stdout
    assert said.splitlines() == [
        "graphrun: [build:input_bind:graph_inputs_missing_required] graph 'sums' needs 'x'",
        "hint: pass x=…; its inputs are: x",
    ]


def test_on_wait_raise_raises_where_the_outcome_is_asked_for_and_the_run_can_be_resumed(shell):
    shell.run("f = %graphrun gate amount=5 --on-wait raise")
    assert shell.run("await f").error == "GraphHasPendingWaits"
    assert shell.run("str(f.status)").text == "'WAITING'"
    assert shell.run("%graphrun resume f approve approved=True").stdout == ""
    assert shell.run("f = %graphrun attach f\nawait f").text == "{'ok': True}"


def test_the_kernels_default_store_is_beside_the_notebook_and_36_git_ignores_it(shell):
    shell.run("f = %graphrun sums x=1 --run-id beside --wait\nfrom pathlib import Path\nfrom graphrun_nb import *")
    kept = "[row.run_id for row in list_runs(store=SqliteStore('.graphrun/runs.db'))]"
    assert shell.run(f"'beside' in {kept}").text == "True"
    assert shell.run("Path('.graphrun/.gitignore').read_text()").text == r"'*\n'"


def test_store_and_graphrun_store_override_the_default_store(shell):
    shell.run("import os\nfrom graphrun_nb import MemoryStore, list_runs, run\nhere = MemoryStore()")
    shell.run("await run(sums, {'x': 1}, store=here, run_id='given')\nos.environ['GRAPHRUN_STORE'] = 'named.db'")
    shell.run("%graphrun sums x=1 --run-id named --wait")
    names = "['given' in [r.run_id for r in list_runs(store=s)] for s in (here, None)]"
    assert shell.run(names).text == "[True, False]"
    assert shell.run("[r.run_id for r in list_runs(store='named.db')]").text == "['named']"
    assert shell.run("del os.environ['GRAPHRUN_STORE']\n'named' in [r.run_id for r in list_runs()]").text == "False"


def test_without_the_extension_the_default_store_is_in_memory(tmp_path):
    script = """
from graphrun_nb import MemoryStore, RuntimeEnv, run
from tests.contract.conftest import sums
run(sums, {"x": 1}).result()
print(type(RuntimeEnv().store) is MemoryStore)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("GRAPHRUN_STORE", None)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "True\n"
    assert list(tmp_path.iterdir()) == []


def test_alone_it_is_the_runs_of_this_store_newest_first_as_a_table(shell):
    shell.run("f = %graphrun sums x=1 --run-id table-old --wait\ng = %graphrun gate amount=5 --run-id table-new")
    first, second, third, *_ = shell.run("%graphrun").stdout.splitlines()
    assert "run" in first
    assert (second.split()[:3], third.split()[:3]) == (["table-new", "gate", "waiting"], ["table-old", "sums", "done"])


def test_show_shows_a_run(shell):
    shell.run("f = run(sums, {'x': 1}, run_id='show-me')\nawait f")
    assert views(shell, "%graphrun show show-me") == 1


def test_cancel_cancels_a_run(shell):
    shell.run("f = %graphrun gate amount=5")
    shell.run("%graphrun cancel f")
    assert shell.run("try: await f\nexcept asyncio.CancelledError: pass\nstr(f.status)").text == "'CANCELLED'"


def test_resume_answers_a_node_with_key_value(shell):
    shell.run("f = %graphrun gate amount=5")
    shell.run("yes = True")
    assert shell.run("%graphrun resume f approve approved=yes").stdout == ""
    assert shell.run("await f").text == "{'ok': True}"


def test_values_are_python_expressions_evaluated_in_the_users_namespace(shell):
    shell.run("table = [1, 2, 3]")
    assert shell.run("%graphrun sums x=sum(table)*len('a b') --wait").text == "{'y': 29}"


@pytest.mark.parametrize("run", ["choose-me-1", "choose-me", "f", ""])
def test_a_run_is_an_id_a_unique_prefix_a_variable_or_the_latest_if_left_out(shell, run):
    shell.run("f = run(gate, {'amount': 5}, run_id='choose-me-1')")
    assert views(shell, f"g = %graphrun show {run}") == 1
    assert shell.run("g.run_id").text == "'choose-me-1'"
    shell.run(f"%graphrun cancel {run}")
    shell.run("try: await f\nexcept asyncio.CancelledError: pass")


def test_a_prefix_that_is_not_unique_is_a_mistake_that_names_what_it_may_be(shell):
    shell.run("f = run(gate, {'amount': 5}, run_id='twin-1')\ng = run(gate, {'amount': 5}, run_id='twin-2')")
    line, hint = shell.run("%graphrun show twin").stdout.splitlines()
    assert line == "graphrun: 2 runs begin with 'twin'"
    assert "twin-1" in hint or "twin-2" in hint


def test_a_first_word_that_is_a_verb_is_the_verb_and_run_name_launches_a_target_of_that_name(shell):
    shell.run("show = sums")
    assert "no run 'x=1'" in shell.run("%graphrun show x=1").stdout
    assert shell.run("f = %graphrun run show x=1\nawait f").text == "{'y': 12}"
    shell.run("del show")


def test_with_a_question_mark_it_is_a_help_text_with_examples(shell):
    cell = shell.client.execute("%graphrun?")
    payload = shell._reply(cell)["content"]["payload"]
    text = payload[0]["data"]["text/plain"]
    assert "Examples" in text
    assert "%graphrun sums x=1" in text


@pytest.mark.parametrize("line", ["smus x=1", "sums z=1", "sums x=1/0", "sums x=1 --wiat", "show nobody", "resume"])
def test_20_a_mistake_prints_one_line_and_at_most_one_hint_line_and_no_traceback(shell, line):
    cell = shell.submit(f"%graphrun {line}")
    reply = shell.reply(cell)
    assert reply.status == "ok"
    assert 1 <= len(reply.stdout.splitlines()) <= 2
    assert reply.stdout.startswith("graphrun: ")
    assert "Traceback" not in reply.stdout


def test_20_wait_keeps_the_cell_until_the_end_and_gives_the_outputs(shell):
    assert shell.run("f = %graphrun sums x=1 --wait\nf").text == "{'y': 12}"


def test_20_interrupting_await_future_does_not_cancel_the_run(shell):
    shell.run("f = %graphrun gate amount=5")
    cell = shell.submit("print('waits', flush=True)\nawait f")
    shell.wait(lambda m: of(m, cell) and m["msg_type"] == "stream", "waits")
    shell.interrupt()
    assert shell.reply(cell).error in ("KeyboardInterrupt", "CancelledError")
    assert shell.run("f.done(), str(f.status)").text == "(False, 'WAITING')"
    shell.run("f.resume('approve', True)")
    assert shell.run("await f").text == "{'ok': True}"


def test_36_the_notebooks_we_ship_answer_their_own_questions_in_a_tagged_cell():
    import json

    from tests.notebook.matrix import ROOT

    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if any("ask_" in "".join(cell["source"]) for cell in cells):
            assert any("answer" in cell["metadata"].get("tags", ()) for cell in cells), path.name
