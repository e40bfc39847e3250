"""Part 4 of the contract, items 21 to 29, as far as they can be seen without a browser.

Elsewhere: 21 in ``test_part3_magic_verbs.py``; 22, 23 and the sandbox of 25 in ``tests/browser``; going on after a
timeout (27) with run identity.
"""

from __future__ import annotations

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphRunFailed,
    InvalidToken,
    graph,
    list_runs,
    resume,
    run,
    run_async,
    send_event,
    tool,
)
from graphrun_nb.testing import ManualClock
from graphrun_nb.tools import ask_text, wait_event, wait_until
from tests.contract.conftest import add_async, gate, sums, until


@tool(outputs=["x"])
async def fails():
    raise ValueError("no")


async def test_22_descendants_of_a_failed_node_are_skipped():
    with graph(name="g") as g:
        add_async(a=add_async(a=fails().x, b=1, _id="child").total, b=1, _id="grandchild")
    future = run(g)
    with pytest.raises(GraphRunFailed):
        await future
    assert [str(node.status) for node in future.graph.nodes] == ["FAILED", "SKIPPED", "SKIPPED"]


async def test_22_descendants_of_a_cancelled_node_are_cancelled(begin):
    with graph(name="g") as g:
        text = ask_text(prompt="?", _id="ask").text
        add_async(a=text, b=1, _id="child")
    held = await begin(g)
    held.future.cancel()
    await until(held.future.done)
    assert [str(node.status) for node in held.future.graph.nodes] == ["CANCELLED", "CANCELLED"]


@pytest.mark.parametrize(
    "name", ["x", "größer ≥ 3", "a b/c[0]", "<script>alert(1)</script>", "n" * 200, "'; DROP TABLE"]
)
async def test_24_node_ids_names_and_graph_names_are_any_text_of_1_to_200_characters(name):
    with graph(name=name) as g:
        add_async(a=1, b=2, _id=name, _name=name)
    future = run(g)
    await future
    assert (future.graph.name, future.node(name).name) == (name, name)


@pytest.mark.parametrize("name", ["", "n" * 201, "tab\there", "line\nbreak", "nul\0", 3])
def test_24_control_characters_and_other_lengths_are_refused(name):
    with pytest.raises(GraphBuildError):
        graph(name=name)
    for control in ("_id", "_name"):
        with graph(name="g"), pytest.raises(GraphBuildError):
            add_async(a=1, b=2, **{control: name})


@pytest.mark.parametrize(
    ("run_id", "fits"),
    [("a-Z_0", True), ("r" * 64, True), ("r" * 65, False), ("a b", False), ("a/b", False), ("é", False)],
)
async def test_24_run_id_matches_its_pattern(store, run_id, fits):
    if fits:
        assert await run_async(sums, {"x": 1}, run_id=run_id, store=store) == {"y": 12}
    else:
        with pytest.raises(ValueError, match="run_id"):
            run(sums, {"x": 1}, run_id=run_id, store=store)


async def test_25_node_logs_is_a_tuple_of_lines_with_stream_text_and_at():
    @tool(outputs=["x"])
    async def says():
        print("one\ntwo")  # noqa: T201 (what a node prints is its log)

    with graph(name="g") as g:
        says()
    clock = ManualClock()
    future = run(g, clock=clock)
    await future
    logs = future.node("says").logs
    assert type(logs) is tuple
    assert [(line.stream, line.text) for line in logs] == [("stdout", "one"), ("stdout", "two")]
    assert all(clock.now <= line.at < clock.now + 1 for line in logs)


@pytest.mark.parametrize("later", ["f.result()", "import time; time.sleep(0.3)\nawait f", "1 + 1"])
def test_26_the_final_picture_is_there_after_nbclient(later):
    import nbformat
    from nbclient import NotebookClient

    setup = "%load_ext graphrun_nb\nfrom tests.contract.conftest import *"
    cells = [setup, "f = %graphrun sums x=1", "await asyncio.sleep(0.2)" if later == "1 + 1" else "", later]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = [output.data.get("text/html", "") for cell in notebook.cells for output in cell.outputs if "data" in output]
    (picture,) = [html for html in shown if 'src="data:image/svg+xml' in html]
    assert "sums: done (2 done)" in picture


async def test_27_tokens_of_a_cancelled_runs_waits_are_invalid(begin, store):
    held = await begin(gate, {"amount": 5})
    token = held.future.waits[0].token
    held.future.cancel()
    await until(held.future.done)
    with pytest.raises(InvalidToken):
        resume(token, True, store=store)


async def test_27_on_deadline_default_without_default_is_an_error_when_the_wait_opens(begin):
    with graph(name="g") as g:
        pause = wait_until(60, _id="pause")
        ask_text(prompt="?", deadline=5, on_deadline="default", _id="ask", _after=pause)
    held = await begin(g)
    assert not held.future.done()
    await held.clock.advance(61)
    with pytest.raises(GraphRunFailed, match="default"):
        await held.future


async def test_28_a_bare_handle_stands_for_its_output_when_it_has_one():
    with graph(name="g") as g:
        first = add_async(a=1, b=2)
        g.expose("y", [add_async(a=first, b=1), first])
    assert await run_async(g) == {"y": [4, 3]}


def test_28_with_several_outputs_it_is_an_error_that_names_them():
    @tool(outputs=["low", "high"])
    def bounds():
        return {"low": 1, "high": 2}

    with graph(name="g"):
        handle = bounds()
        with pytest.raises(GraphBuildError) as refused:
            add_async(a=handle, b=1)
    assert "low" in " ".join(refused.value.hints)
    assert "high" in " ".join(refused.value.hints)


async def test_28_future_parent_is_run_id_and_node_id_or_none_and_rows_carry_it(store):
    seen = []

    @tool(outputs=["x"])
    async def outer():
        future = run(sums, {"x": 1}, store=store)
        seen.append(future.parent)
        await future

    with graph(name="g") as g:
        outer(_id="outer")
    future = run(g, store=store, run_id="r1")
    await future
    assert (future.parent, seen) == (None, [("r1", "outer")])
    assert {row.graph: row.parent for row in list_runs(store=store)} == {"g": None, "sums": ("r1", "outer")}


def events_graph():
    with graph(name="events") as g:
        pause = wait_until(60, _id="pause")
        g.expose("early", wait_event("paid", _id="a").payload)
        g.expose("late", wait_event("paid", _id="b", _after=pause).payload)
    return g.build()


async def test_29_an_event_is_sent_before_or_after_the_wait_opens_by_the_future_or_the_function(begin, store):
    held = await begin(events_graph())
    held.future.send_event("paid", 1, key=None)
    send_event(held.future.run_id, "paid", 2, store=store)
    await held.clock.advance(61)
    assert await held.future == {"early": 1, "late": 2}


async def test_29_the_same_key_twice_counts_once(begin):
    held = await begin(events_graph())
    for _ in range(2):
        held.future.send_event("paid", 1, key="k")
    await held.clock.advance(61)
    assert [wait.node_id for wait in held.future.waits] == ["b"]
    send_event(held.future.run_id, "paid", 2, key="other")
    assert await held.future == {"early": 1, "late": 2}
