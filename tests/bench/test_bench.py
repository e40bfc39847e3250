"""The benchmark works; what it measures is looked at, and never tested."""

from __future__ import annotations

import pytest

from tests.bench import measure, table
from tests.bench.__main__ import main
from tests.bench.shapes import SHAPES, layered


def test_the_smallest_size_is_measured_and_told(capsys):
    main(quick=True)
    said = capsys.readouterr().out
    assert "| graphrun_nb, 64 slots |" in said
    assert "B a node" in said


@pytest.mark.parametrize("shape", SHAPES)
def test_every_node_runs_once_in_each_contender(shape):
    contenders = [*measure.FLOORS, *measure.ENGINES]
    found = measure.compare(SHAPES[shape](100), contenders, 1, {})
    assert list(found) == [each.name for each in contenders]


def test_a_node_that_does_not_run_is_noticed():
    with pytest.raises(AssertionError, match="0 of 3 nodes ran"):
        measure.cpu_s(lambda: None, 3)


def test_a_contender_that_takes_too_long_is_left_out():
    slow = measure.ENGINES[0]
    found = measure.compare(layered(100), [*measure.FLOORS, slow], 1, {slow.name: 1e9})
    assert slow.name not in found


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path):
    design = tmp_path / "DESIGN.md"
    design.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.put_into(design, "new")
    assert design.read_text() == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"
    design.write_text("no marks")
    with pytest.raises(ValueError, match="no <!-- bench -->"):
        table.put_into(design, "new")
