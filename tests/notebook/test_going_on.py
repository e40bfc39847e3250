"""``%graphrun retry``, ``attach`` and ``--replace``, exports to files, and Tab, in real kernels."""

from __future__ import annotations

import pytest

from tests.notebook.kernels import of
from tests.notebook.test_magic import Cell, kernel, python, shared  # noqa: F401 (fixtures)

MENDED = """
from graphrun_nb import graphify, run, tool
from graphrun_nb.tools import ask_approval
is_mended = False

@tool(outputs=["x"])
def flaky():
    if not is_mended:
        raise ValueError("not yet")
    return 1

@graphify("mended", outputs=["x"])
def mended():
    return {"x": flaky(_id="flaky").x}
"""

LEFT = """
import asyncio, threading
def begin(run_id):
    async def main():
        global left
        left = run(gate, {"amount": 5}, run_id=run_id)
        await asks(left)
    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()
"""

OTHER = """
@graphify("gate", inputs={"amount": 5}, outputs=["ok"])
def other(amount):
    return {"ok": ask_approval(prompt="Pay?", _id="ask again").approved}
"""


def test_retry_goes_on_with_a_failed_run_and_shows_it(kernel):  # noqa: F811
    kernel.run(f"{MENDED}\nf = run(mended, run_id='to-retry')\ntry: await f\nexcept Exception: pass\nis_mended = True")
    cell = Cell(kernel, "g = %graphrun retry to-ret")
    assert cell.shows_one_run()
    assert kernel.run("(await g, g.run_id)").text == "({'x': 1}, 'to-retry')"


def test_retry_from_a_node_runs_it_again_although_it_is_done(kernel):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1})\nawait f\ng = %graphrun retry f --from second")
    assert kernel.run("await g, g.node('first').attempts, g.node('second').attempts").text == "({'y': 12}, 1, 2)"


def test_fork_begins_a_new_run_where_another_one_stood_and_shows_it(kernel):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1}, run_id='to-fork')\nawait f\nten = 10")
    cell = Cell(kernel, "g = %graphrun fork to-for x=ten*2")
    assert cell.shows_one_run()
    assert kernel.run("(await g, g.forked_from[0])").text == "({'y': 31}, 'to-fork')"
    kernel.run("h = %graphrun fork f --at 4 --run-id forked")
    assert kernel.run("(await h, h.run_id, h.forked_from)").text == "({'y': 12}, 'forked', ('to-fork', 4))"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("fork f --at 999", "cannot be forked at 999", "from 2 to"),
        ("fork f --at x", "--at takes the number of an event", "%graphrun fork"),
        ("fork f y=1", "'y'", "x"),
        ("fork f g", "fork takes one run", "%graphrun fork RUN"),
        ("retry f", "all nodes of run", "from_"),
        ("retry f --from nowhere", "has no node 'nowhere'", "it has: first, second"),
        ("retry f --form first", "there is no option '--form' here", "did you mean '--from'?"),
        ("attach f --with nothing", "there is no 'nothing' in this notebook", ""),
        ("atach f", "there is no 'atach' in this notebook", "did you mean 'attach'?"),
        ("retri f", "there is no 'retri' in this notebook", "did you mean 'retry'?"),
    ],
)
def test_a_verb_that_cannot_be_done_is_told_in_two_lines(kernel, line, message, hint):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1})\nawait f")
    lines = kernel.run(f"%graphrun {line}").stdout.splitlines()
    assert len(lines) == 2
    assert message in lines[0]
    assert hint in lines[1]


def test_attach_goes_on_with_an_interrupted_run_whose_graph_is_defined(kernel):  # noqa: F811
    kernel.run(f"{LEFT}\nbegin('left-1')")
    assert kernel.run("str(left.status)").text == "'INTERRUPTED'"
    assert Cell(kernel, "f = %graphrun attach left-1").shows_one_run()
    assert kernel.run("await asks(f)\nf.resume('approve', True)\nawait f").text == "{'ok': True}"


def test_attach_only_shows_an_interrupted_run_whose_graph_is_not_defined(kernel):  # noqa: F811
    kernel.run(f"{LEFT}\nbegin('left-2')\ndel gate")
    cell = Cell(kernel, "f = %graphrun attach left-2")
    assert cell.shows_one_run()
    first, second = cell.reply.stdout.splitlines()
    assert "run 'left-2' is only shown: no graph 'gate'" in first
    assert second.startswith("hint: run the cell that defines 'gate'")
    assert kernel.run("str(f.status)").text == "'INTERRUPTED'"


def test_attach_with_another_graph_is_refused_with_the_nodes_named(kernel):  # noqa: F811
    kernel.run(f"{LEFT}\n{OTHER}\nbegin('left-3')")
    assert "'ask again'" in kernel.run("%graphrun attach left-3 --with other").stdout.splitlines()[0]
    assert kernel.run("str(left.status)").text == "'INTERRUPTED'"


def test_attach_to_a_run_that_ended_starts_nothing(kernel):  # noqa: F811
    kernel.run("f = run(fails, run_id='ended-1')\ntry: await f\nexcept Exception: pass")
    assert Cell(kernel, "g = %graphrun attach ended-1").shows_one_run()
    assert kernel.run("str(g.status), g.node('bad').attempts").text == "('FAILED', 1)"


def test_a_run_that_nobody_holds_any_more_is_found_in_the_store(kernel):  # noqa: F811
    kernel.run("import gc\nprint(run(sums, {'x': 1}, run_id='unheld-1').result())")
    kernel.run("gc.collect()")
    assert Cell(kernel, "f = %graphrun show unheld-").shows_one_run()
    assert kernel.run("f.run_id, f.result()").text == "('unheld-1', {'y': 12})"


def test_replace_with_a_mistake_cancels_nothing(kernel):  # noqa: F811
    kernel.run("f = %graphrun gate")
    for mistake in ("nothing=1", "--max-concurrency 0"):
        assert kernel.run(f"%graphrun gate --replace {mistake}").stdout.startswith("graphrun: ")
    assert kernel.run("await asks(f)\nstr(f.status)").text == "'WAITING'"
    kernel.run("f.cancel()")


def test_replace_waits_until_the_earlier_run_has_ended(kernel):  # noqa: F811
    kernel.run("""
        cleaned = []

        @tool(outputs=["y"])
        async def cleans():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                cleaned.append(True)

        @graphify("cleaning", outputs=["y"])
        def cleaning():
            return {"y": cleans().y}
    """)
    kernel.run("f = first = run(cleaning)\n%graphrun show f\nawait asyncio.sleep(0)")
    kernel.run("g = %graphrun cleaning --replace\nsaid = (cleaned == [True], str(first.status))")
    assert kernel.run("said, str(g.status)").text == "((True, 'CANCELLED'), 'RUNNING')"
    kernel.run("g.cancel()")


def test_an_export_is_not_written_over_a_file_unless_it_is_forced(kernel, tmp_path):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1})\nawait f")
    path = tmp_path / "my run.svg"
    path.write_text("mine")
    lines = kernel.run(f"%graphrun export f '{path}'").stdout.splitlines()
    assert "is there already" in lines[0]
    assert path.read_text() == "mine"
    assert kernel.run(f"%graphrun export f '{path}' --force").stdout.startswith("wrote run ")
    assert path.read_text().startswith("<svg")


def test_an_exported_page_has_the_outputs_of_a_run_that_ended_well(kernel, tmp_path):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1})\nawait f\ng = run(fails)\ntry: await g\nexcept Exception: pass")
    for name in ("f", "g"):
        kernel.run(f"%graphrun export {name} {tmp_path}/{name}.html")
    assert '<th scope="row">y</th><td>12</td>' in (tmp_path / "f.html").read_text()
    assert "<h2>Outputs</h2>" not in (tmp_path / "g.html").read_text()


@pytest.mark.parametrize(
    ("line", "message"),
    [("f run.dot", "no .svg"), ("f {tmp}/no/run.svg", "cannot be written"), ("", "takes a run and a file")],
)
def test_an_export_that_cannot_be_written_is_told(kernel, tmp_path, line, message):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1})\nawait f")
    lines = kernel.run(f"%graphrun export {line.format(tmp=tmp_path)}").stdout.splitlines()
    assert len(lines) == 2
    assert message in lines[0]


@pytest.mark.parametrize("uses_jedi", [True, False])
@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("%graphrun su", {"sums"}),
        ("%graphrun at", {"attach"}),
        ("%graphrun run ga", {"gate"}),
        ("f = %graphrun sums ", {"x="}),
        ("%%graphrun sums --max", {"--max-concurrency"}),
        ("%graphrun sums --on-wait ", {"block", "raise", "return"}),
        ("%graphrun sums --durability=p", {"power", "process"}),
        ("%graphrun retry tab-run --from s", {"second"}),
        ("%graphrun fork tab-run ", {"x="}),
        ("%graphrun fork tab-run --a", {"--at"}),
        ("%graphrun fork tab-run --at ", {"4"}),
        ("%graphrun attach tab-run --w", {"--with"}),
        ("%graphrun pr", {"prune"}),
        ("%graphrun prune --", {"--older-than", "--keep", "--dry-run"}),
        ("%graphrun attach tab-run --with su", {"sums"}),
        ("%graphrun export tab-run x.svg --f", {"--force"}),
    ],
)
def test_tab_offers_what_may_stand_there(kernel, code, wanted, uses_jedi):  # noqa: F811
    kernel.run(f"%config IPCompleter.use_jedi = {uses_jedi}\nheld = run(sums, {{'x': 1}}, run_id='tab-run')")
    content = kernel._reply(kernel.client.complete(code, len(code)))["content"]
    begun = code[content["cursor_start"] :]
    assert wanted <= set(content["matches"]), content["matches"]
    assert all(each.startswith(begun) for each in content["matches"])


def test_tab_leaves_the_body_of_a_cell_to_python(kernel):  # noqa: F811
    code = "%%graphrun sums\nnumb"
    content = kernel._reply(kernel.client.complete(code, len(code)))["content"]
    assert "number" in content["matches"]


def test_tab_runs_nothing_of_the_users(kernel):  # noqa: F811
    kernel.run("""
        class Trap:
            def __getattribute__(self, name):
                sprung.append(name)
                return object.__getattribute__(self, name)
        sprung, trap = [], Trap()
        @graphify("counted", inputs=["x"], outputs=[])
        def counted(x):
            sprung.append("built")
            return {}
    """)
    kernel.run("sprung.clear()")
    for code in ("%graphrun ", "%graphrun counted ", "%graphrun show ", "%graphrun attach f --with "):
        kernel._reply(kernel.client.complete(code, len(code)))
    assert kernel.run("'built' in sprung, len(sprung)").text == "(False, 0)"


def test_the_help_lists_every_verb_and_option(kernel):  # noqa: F811
    cell = kernel.client.execute("%graphrun?")
    text = kernel._reply(cell)["content"]["payload"][0]["data"]["text/plain"]
    kernel.wait(lambda m: of(m, cell) and m["content"].get("execution_state") == "idle", "idle")
    listed = "from graphrun_nb.notebook import line, verbs\n[*line.OPTIONS, *line.FLAGS, *verbs.VERBS]"
    for word in kernel.run(listed).text.strip("[]").replace("'", "").replace("\n", "").split(", "):
        assert f"{word.strip()} " in text, word


def test_prune_says_which_runs_it_would_delete_and_then_deletes_them(kernel):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1}, run_id='to-prune')\nawait f")
    said = kernel.run("%graphrun prune --older-than 0 --dry-run").stdout.splitlines()
    assert "to-prune" in said
    assert said[-1].endswith(" would be deleted")
    kept = kernel.run("%graphrun prune --older-than 0 --keep 1").stdout.splitlines()
    assert "to-prune" not in kept
    assert "to-prune" in kernel.run("%graphrun prune --older-than 0d").stdout.splitlines()
    assert kernel.run("%graphrun prune --older-than 0").stdout == "0 runs deleted\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--older-than soon", "takes a number, at least 0, not 'soon'"),
        ("--keep -1", "takes a number, at least 0, not '-1'"),
        ("to-prune", "prune takes no runs"),
        ("--older", "there is no option '--older' here"),
    ],
)
def test_a_mistake_in_prune_is_told_and_deletes_nothing(kernel, line, message):  # noqa: F811
    first, second = kernel.run(f"%graphrun prune {line}").stdout.splitlines()
    assert message in first
    assert second.startswith("hint: ")


def test_doctor_reads_the_store_as_the_command_line_does(kernel):  # noqa: F811
    kernel.run("f = run(sums, {'x': 1}, run_id='examined')\nawait f")
    lines = [line.split()[:2] for line in kernel.run("%graphrun doctor").stdout.splitlines()]
    for what in ("sqlite", "store", "room", "owners", "runs"):
        assert [what, "ok"] in lines or [what, "warn"] in lines
    assert ["file", "system"] in lines
