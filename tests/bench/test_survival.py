import importlib

import pytest

from tests.bench import table
from tests.bench.answers import Verdict, contend, judge
from tests.bench.kills import Tally, kill_again_and_again, tally
from tests.bench.survival import answered, killed, report
from tests.bench.survivors import MODULES, survivor, work
from tests.stores.zygote import zygote

NODES = [work.Node("a", "quick", ()), work.Node("b", "flaky", ("a", "a")), work.Node("c", "quick", ("b", "b"))]


def lives(*texts):
    return [[line.strip() for line in text.split(",")] for text in texts]


def test_a_node_that_runs_again_is_finished_if_one_that_needs_it_had_begun_and_else_was_in_flight():
    written = lives(
        "began a, ended a, began b", "began a, ended a, began b, ended b", "began b, ended b, began c, ended c"
    )

    assert tally(written, NODES, is_right=True) == Tally(True, 0, (1, 0), (1, 1))


def test_a_node_that_failed_and_was_tried_again_has_not_run_again():
    written = lives("began a, ended a, began b, failed b, began b, ended b", "began c, ended c")

    assert tally(written, NODES, is_right=True) == Tally(True, 0, (0,), (0,))


def test_a_node_that_never_ended_is_lost():
    assert tally(lives("began a, ended a, began b"), NODES, is_right=False).n_lost == 2


def test_a_node_that_runs_twice_though_nothing_was_killed_is_found_out():
    with pytest.raises(ValueError, match="though nothing was killed"):
        tally(lives("began a, ended a, began b, began a"), NODES, is_right=True)


def test_a_round_is_judged_by_what_both_were_told_and_by_what_was_done():
    told = ["0 left yes", "0 right AlreadyResumed", "1 left yes", "1 right yes", "2 right yes", "2 left yes"]
    acted = ["0 left", "1 left", "1 left", "2 left", "2 right"]

    assert judge(4, told, acted) == Verdict(4, 1, 2, 1, 1, {"AlreadyResumed": 1})


@pytest.mark.parametrize("shape", work.KINDS)
def test_a_graph_has_layers_whose_nodes_need_two_of_the_one_above(shape):
    layers = work.layers(shape)
    names = [{each.name for each in layer} for layer in layers]

    assert len(layers) == work.DEPTH
    assert all(len(each) == work.WIDTH for each in names)
    assert all(set(node.needs) <= above for above, layer in zip(names, layers[1:], strict=False) for node in layer)
    assert all(len(set(node.needs)) == 2 for layer in layers[1:] for node in layer)


@pytest.mark.parametrize("module", MODULES)
def test_an_engine_that_is_installed_ends_right_after_kills_and_hears_every_answer(module, tmp_path):
    try:
        n = len(importlib.import_module(f"tests.bench.survivors.{module}").SURVIVORS)
    except ModuleNotFoundError:
        pytest.skip(f"{module} is not installed")

    with zygote(tmp_path, f"tests.bench.survivors.{module}") as children:
        for no in range(n):
            folder = tmp_path / f"{no}"
            folder.mkdir()
            came_of_it = kill_again_and_again(children, (module, no), folder, "mixed", 0)
            verdict = contend(children, (module, no), folder, 3)

            assert came_of_it.is_right
            assert came_of_it.n_kills
            assert came_of_it.n_lost == 0
            assert (verdict.n, verdict.none_acted) == (3, 0)
            if module == "graphrun":
                assert set(came_of_it.finished_again) == {0}
                assert max(came_of_it.in_flight_again) <= work.WIDTH
                assert (verdict.one_told, verdict.both_acted, verdict.refusals) == (3, 0, {"AlreadyResumed": 3})


def test_rows_tell_what_was_counted_and_go_between_marks_of_their_own(tmp_path):
    tallies = [Tally(True, 0, (0, 3), (2, 1)), Tally(False, 1, (), ())]
    verdict = Verdict(5, 2, 3, 1, 0, {"AlreadyResumed": 2})
    document = tmp_path / "DESIGN.md"
    document.write_text("<!-- bench -->\nold\n<!-- /bench -->\n<!-- survival -->\n<!-- /survival -->\n")

    assert killed("one", tallies) == "| one | 1 of 2 | 2 | 1 | 3, at most 3 a kill | 1.5 a kill, at most 2 |"
    assert killed("one", tallies[1:]) == "| one | 0 of 1 | 0 | 1 | 0 | 0.0 a kill, at most 0 |"
    assert answered("one", verdict) == "| one | 5 | 2 (`AlreadyResumed`) | 3 | 1 |"
    told = report([(survivor("graphrun", 0), {"mixed": tallies}, verdict)], ["dbos"], "--runs 2")
    assert table.put(document, told, "survival")
    assert "<!-- bench -->\nold\n<!-- /bench -->" in document.read_text()
    assert "| graphrun_nb, mixed | 1 of 2 |" in document.read_text()
    assert "| dbos | not installed | |" in document.read_text()
