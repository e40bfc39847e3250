"""Part 3 of the contract, *In IPython*: completion and the verbs but for those of ``test_part3_magic.py``.

Part 4: `attach` (21), `--replace` (36).
"""

from __future__ import annotations

import importlib.util
import json
import textwrap

import pytest

from tests.notebook.kernels import of

PNG = b"\x89PNG\r\n"


@pytest.fixture
def shell(kernel):
    kernel.run("from tests.contract.conftest import *\nf = g = None")
    yield kernel
    kernel.run("for each in (f, g):\n    if hasattr(each, 'cancel'): each.cancel()\ndel f, g")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("%graphrun su", "sums"),
        ("%graphrun sums ", "x="),
        ("%graphrun res", "resume"),
        ("%graphrun cancel complete-", "complete-me"),
        ("%graphrun resume f ap", "approve"),
    ],
)
def test_tab_completes_targets_inputs_verbs_runs_and_nodes(shell, code, wanted):
    shell.run("f = run(gate, {'amount': 5}, run_id='complete-me')\nwhile not f.waits: await asyncio.sleep(0)")
    content = shell._reply(shell.client.complete(code, len(code)))["content"]
    assert [each for each in content["matches"] if wanted in each]
    assert content["cursor_end"] == len(code)
    shell.run("f.cancel()\ntry: await f\nexcept asyncio.CancelledError: pass")


FIXED = """
    @tool(outputs=["y"])
    def mended(x):
        calls.append("mended")
        if x < 3:
            raise ValueError("too small")
        return x
"""

CHAIN = """
    @tool(outputs=["y"])
    def begins(x):
        calls.append("begins")
        return x

    @graphify("to mend", inputs=["x"], outputs=["y"])
    def to_mend(x):
        return {"y": mended(x=begins(x=x, _id="begins").y, _id="mended").y}
"""


def test_retry_goes_on_with_what_failed_or_from_a_node(shell):
    shell.run(f"calls = []\n{textwrap.dedent(FIXED)}\n{textwrap.dedent(CHAIN)}")
    shell.run("f = run(to_mend, {'x': 1})\ntry: await f\nexcept Exception: pass")
    shell.run(textwrap.dedent(FIXED).replace("x < 3", "x < 1"))
    assert shell.run("g = %graphrun retry f\nawait g").text == "{'y': 1}"
    assert shell.run("calls").text == "['begins', 'mended', 'mended']"
    assert shell.run("g = %graphrun retry f --from begins\nawait g").text == "{'y': 1}"
    assert shell.run("calls[3:]").text == "['begins', 'mended']"
    assert "are done" in shell.run("%graphrun retry f").stdout


LEAVE = """
    import gc, threading
    from graphrun_nb import run_async
    leave = lambda: asyncio.run(run_async(gate, {"amount": 5}, on_wait="return", run_id="left"))
    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    gc.collect()
"""


def test_21_attach_shows_a_run_and_goes_on_with_it_when_its_graph_is_in_the_namespace(shell):
    shell.run(LEAVE)
    assert "interrupted" in shell.run("%graphrun").stdout
    cell = shell.submit("f = %graphrun attach left")
    assert shell.reply(cell).stdout == ""
    assert [m for m in shell.published if of(m, cell) and m["msg_type"] == "display_data"]
    shell.run("f.resume('approve', True)")
    assert shell.run("await f").text == "{'ok': True}"


def test_21_otherwise_the_view_is_read_only_and_says_which_definition_is_missing(shell):
    shell.run(LEAVE.replace('"left"', '"left-too"'))
    shell.run("hidden = [gate]\ndel gate")
    assert "'gate'" in shell.run("f = %graphrun attach left-too").stdout
    assert shell.run("str(f.status)").text == "'INTERRUPTED'"
    shell.run("named = hidden[0]")
    assert shell.run("f = %graphrun attach left-too --with named\nstr(f.status)").text in ("'WAITING'", "'RUNNING'")
    shell.run("f.resume('approve', False)")
    assert shell.run("await f").text == "{'ok': False}"


def test_21_a_graph_of_the_same_name_that_is_another_one_does_not_go_on_with_it(shell):
    shell.run(LEAVE.replace('"left"', '"left-changed"'))
    shell.run("""
        hidden = named = None

        @graphify(name="gate", inputs=["amount"], outputs=["ok"])
        def gate(amount):
            return {"ok": ask_approval(prompt="Pay twice?", _id="approve").approved}
    """)
    assert "no graph 'gate' as it began with" in shell.run("f = %graphrun attach left-changed").stdout
    assert shell.run("str(f.status)").text == "'INTERRUPTED'"


def test_debug_opens_the_debugger_where_the_node_failed(shell):
    shell.run("""
        @tool(outputs=["y"])
        def breaks(x):
            local = x * 2
            raise ValueError("broken")

        @graphify("breaking", inputs=["x"], outputs=["y"])
        def breaking(x):
            return {"y": breaks(x=x, _id="bad").y}

        f = run(breaking, {"x": 21}, run_id="to-debug")
        try: await f
        except Exception: pass
    """)
    for line in ("%graphrun debug", "%graphrun debug f", "%graphrun debug f bad"):
        cell = shell.client.execute(line, allow_stdin=True)
        asked = shell.client.get_stdin_msg(timeout=20)
        assert asked["msg_type"] == "input_request"
        shell.client.input("p local")
        shell.client.get_stdin_msg(timeout=20)
        shell.client.input("q")
        assert "42" in shell.reply(cell).stdout


def test_diff_shows_what_differs_between_two_runs(shell):
    shell.run("f = run(sums, {'x': 1})\ng = run(sums, {'x': 2})\nawait f, await g")
    cell = shell.submit("%graphrun diff f g")
    assert shell.reply(cell).status == "ok"
    (shown,) = [m["content"]["data"] for m in shell.published if of(m, cell) and m["msg_type"] == "display_data"]
    assert "x" in shown["text/plain"]
    assert "first" in shown["text/plain"]


def test_left_out_it_is_the_latest_run_for_every_verb_that_takes_one(shell, tmp_path):
    shell.run("f = run(sums, {'x': 1}, run_id='old-one')\nawait f\ng = run(gate, {'amount': 5}, run_id='the-latest')")
    assert shell.run("shown = %graphrun show\nshown.run_id").text == "'the-latest'"
    assert shell.run("shown = %graphrun attach\nshown.run_id").text == "'the-latest'"
    cell = shell.submit("%graphrun diff old-one")
    shell.reply(cell)
    (shown,) = [m["content"]["data"] for m in shell.published if of(m, cell) and m["msg_type"] == "display_data"]
    assert "the-latest" in shown["text/plain"]
    assert shell.run(f"%graphrun export {tmp_path}/latest.json").stdout.startswith("wrote run the-latest")
    shell.run("%graphrun cancel\ntry: await g\nexcept asyncio.CancelledError: pass")
    assert shell.run("g = %graphrun retry\ng.run_id").text == "'the-latest'"
    assert shell.run("%graphrun resume approve approved=True").stdout == ""
    assert shell.run("await g").text == "{'ok': True}"


def test_export_writes_svg_html_and_json(shell, tmp_path):
    shell.run("f = run(sums, {'x': 1})\nawait f")
    for ending in ("svg", "html", "json"):
        assert shell.run(f"%graphrun export f {tmp_path}/run.{ending}").stdout.startswith("wrote run")
    assert (tmp_path / "run.svg").read_text().startswith("<svg")
    assert "<html" in (tmp_path / "run.html").read_text()
    assert list(json.loads((tmp_path / "run.json").read_text())["state"]["nodes"]) == ["first", "second"]


def test_export_writes_png_or_says_which_package_it_needs(shell, tmp_path):
    shell.run("f = run(sums, {'x': 1})\nawait f")
    said = shell.run(f"%graphrun export f {tmp_path}/run.png").stdout
    if importlib.util.find_spec("resvg_py") is None:
        assert "needs the package resvg-py" in said
    else:
        assert (tmp_path / "run.png").read_bytes().startswith(PNG)


def test_doctor_tells_what_is_in_order(shell):
    reply = shell.run("%graphrun doctor")
    assert reply.status == "ok"
    assert "python" in reply.stdout.lower()


def test_36_replace_cancels_the_run_of_the_same_cell_first(shell):
    shell.run("f = %graphrun gate amount=5\nfirst = f")
    shell.run("g = %graphrun gate amount=5 --replace")
    assert shell.run("str(first.status), str(g.status)").text == "('CANCELLED', 'WAITING')"
