"""What differs between two runs."""

from __future__ import annotations

import contextlib

import msgspec
import pytest

from graphrun_nb import GraphRunFailed, graphify, run, tool
from graphrun_nb.view.run_diff import MAX_CELL, MAX_ROWS, Side, compare


@tool(outputs=["y"])
async def half(x):
    return {"y": 1 / x}


@graphify("halves", inputs=["x"], outputs=["z"])
def halves(x):
    return {"z": half(half(x, _id="first").y, _id="second").y}


async def state(x, run_id):
    future = run(halves, {"x": x}, run_id=run_id)
    with contextlib.suppress(GraphRunFailed):
        await future
    return future.run.state


async def test_two_runs_that_did_the_same_differ_in_nothing_else_than_their_time():
    shown = compare(Side(await state(1, "diff-a")), Side(await state(1, "diff-b")))
    assert shown.heading == ("", "diff-a", "diff-b")
    assert [what for what, _, _ in shown.rows] == ["status", "took"]
    assert repr(shown).endswith("nothing else differs")


async def test_inputs_stories_and_outputs_that_differ_are_rows():
    here = Side(await state(1, "diff-c"), {"": {"z": "1.0"}, "first": {"y": "1.0"}})
    shown = compare(here, Side(await state(0, "diff-d")))
    rows = {what: (a, b) for what, a, b in shown.rows}
    assert rows["input x"] == ("1", "0")
    assert rows["output z"] == ("1.0", "not there")
    assert rows["first"][0].startswith("done")
    assert "ZeroDivisionError" in rows["first"][1]
    assert rows["second"][1] == "skipped, because of first"
    assert "first.y" not in rows


async def test_outputs_of_nodes_that_are_done_in_both_are_compared():
    one = await state(1, "diff-e")
    shown = compare(Side(one, {"first": {"y": "1.0"}}), Side(one, {"first": {"y": "2.0"}}))
    assert ("first.y", "1.0", "2.0") in shown.rows


@pytest.mark.parametrize(("took", "longer", "is_told"), [(0.1, 0.05, False), (0.1, 0.3, True), (10, 0.3, False)])
async def test_a_node_is_slower_if_it_took_half_as_long_again_and_a_tenth_of_a_second_more(took, longer, is_told):
    one = await state(1, f"diff-f{took}{longer}".replace(".", "_"))

    def lasting(seconds):
        node = msgspec.structs.replace(one.nodes["first"], ended_at=one.nodes["first"].started_at + seconds)
        return Side(msgspec.structs.replace(one, nodes={**one.nodes, "first": node}))

    shown = compare(lasting(took), lasting(took + longer))
    assert ("first" in [what for what, _, _ in shown.rows]) is is_told


async def test_a_long_table_is_cut_and_says_so():
    one = await state(1, "diff-g")
    shown = compare(Side(one), Side(one), [f"line {i}" for i in range(MAX_ROWS + 5)])
    assert len(shown.rows) == MAX_ROWS + 2
    assert shown.note == "and 5 more differences"


async def test_cells_are_one_short_line_and_nothing_in_them_is_markup():
    one = await state(1, "diff-h")
    shown = compare(Side(one), Side(one), ["<b>\n" + "x" * 500])
    cell = shown.rows[-1][2]
    assert (len(cell), cell[-1], "\n" in cell) == (MAX_CELL, "…", False)
    assert "<b>" not in shown._repr_html_()
    assert "&lt;b&gt;" in shown._repr_html_()
