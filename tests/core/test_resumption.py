"""What is recorded when a run is taken up again."""

from __future__ import annotations

import pytest

from graphrun_nb.core.events import AttemptLost, NodeInfo, NodeReset, NodeSkipped
from graphrun_nb.core.resumption import changed_nodes, resumed, with_all_below, with_appeared
from graphrun_nb.core.state import NodeState
from graphrun_nb.core.status import NodeStatus

DONE, FAILED, PENDING, RUNNING = NodeStatus.DONE, NodeStatus.FAILED, NodeStatus.PENDING, NodeStatus.RUNNING
SKIPPED, CANCELLED, WAITING, RETRYING = (
    NodeStatus.SKIPPED,
    NodeStatus.CANCELLED,
    NodeStatus.WAITING,
    NodeStatus.RETRYING,
)


def node(node_id, *needs, status=DONE, because="", **rest):
    return NodeState(NodeInfo(node_id=node_id, name=node_id, needs=needs, **rest), status, attempt=1, because=because)


def events_of(*nodes, again=()):
    by_id = {each.info.node_id: each for each in nodes}
    found = resumed(by_id, [each.info for each in nodes], again, reason="again", lost="gone")
    return [(type(each).__name__, each.node_id) for each in found]


def test_what_is_done_stays_done():
    assert events_of(node("a"), node("b", "a")) == []


@pytest.mark.parametrize("status", [FAILED, CANCELLED])
def test_what_ended_badly_is_reset_and_so_is_what_was_skipped_for_it(status):
    nodes = (node("a"), node("b", "a", status=status), node("c", "b", status=SKIPPED, because="b"))
    assert events_of(*nodes) == [("NodeReset", "b"), ("NodeReset", "c")]


def test_what_a_condition_skipped_stays_skipped_with_all_below_it():
    nodes = (node("a"), node("b", "a", status=SKIPPED), node("c", "b", status=SKIPPED, because="b"))
    assert events_of(*nodes) == []


def test_a_node_skipped_for_a_failure_stays_skipped_if_a_condition_skips_it_too():
    nodes = (
        node("failed", status=FAILED),
        node("off", status=SKIPPED),
        node("both", "failed", "off", status=SKIPPED, because="failed"),
    )
    assert events_of(*nodes) == [("NodeReset", "failed")]


@pytest.mark.parametrize("status", [DONE, CANCELLED])
def test_a_node_that_is_to_run_again_below_a_skipped_one_is_skipped(status):
    nodes = (node("off", status=SKIPPED), node("below", "off", status=status), node("last", "below", status=status))
    assert events_of(*nodes, again={"below", "last"}) == [
        ("NodeReset", "below"),
        ("NodeSkipped", "below"),
        ("NodeReset", "last"),
        ("NodeSkipped", "last"),
    ]


def test_a_new_node_below_a_skipped_one_is_skipped():
    off = node("off", status=SKIPPED)
    new = NodeInfo(node_id="new", name="new", needs=("off",))
    found = resumed({"off": off}, [off.info, new], reason="again", lost="gone")
    assert found == [NodeSkipped("new", "off")]


def test_an_attempt_under_way_is_lost_and_a_waiting_one_is_carried_on():
    assert events_of(node("a", status=RUNNING), node("b", status=WAITING)) == [("AttemptLost", "a")]


def test_a_pause_before_a_retry_goes_on():
    assert events_of(node("a", status=RETRYING)) == []


@pytest.mark.parametrize("status", [RUNNING, WAITING, RETRYING])
def test_a_node_that_has_to_run_again_is_stopped_first(status):
    assert events_of(node("a", status=status), again={"a"}) == [("NodeCancelled", "a"), ("NodeReset", "a")]


@pytest.mark.parametrize("kind", ["map", "graph"])
def test_a_container_under_way_is_carried_on_so_that_restarts_never_poison_it(kind):
    nodes = (node("c", status=RUNNING, kind=kind), node("c/a", status=RUNNING, parent="c"))
    assert events_of(*nodes) == [("AttemptLost", "c/a")]


def test_a_body_begins_again_and_leaves_its_calls_behind():
    nodes = (
        node("body", status=RUNNING, kind="body"),
        node("one", parent="body"),
        node("two", status=RUNNING, parent="body"),
        node("deep", status=RUNNING, parent="two"),
    )
    assert events_of(*nodes) == [
        ("AttemptLost", "body"),
        ("NodeCancelled", "two"),
        ("NodeCancelled", "deep"),
    ]


def test_a_body_whose_calls_only_wait_is_carried_on():
    nodes = (node("body", status=RUNNING, kind="body"), node("ask", status=WAITING, parent="body"))
    assert events_of(*nodes) == [("NodeCancelled", "ask")]


def test_the_reason_is_told():
    nodes = {"a": node("a", status=FAILED), "b": node("b", status=RUNNING)}
    infos = [each.info for each in nodes.values()]
    assert resumed(nodes, infos, reason="why", lost="how") == [NodeReset("a", "why"), AttemptLost("b", 1, "how")]


def test_all_below_a_node_runs_again_with_it():
    infos = [each.info for each in (node("a"), node("b", "a"), node("c", after=("b",)), node("d"))]
    assert with_all_below(infos, ["b"]) == ({"b", "c"}, set())


def test_below_a_container_are_its_parts_and_around_a_part_is_its_container():
    infos = [
        each.info
        for each in (
            node("c", kind="graph"),
            node("c/a", parent="c"),
            node("c/b", "c/a", parent="c"),
            node("later", "c"),
        )
    ]
    assert with_all_below(infos, ["c"]) == ({"c", "c/a", "c/b", "later"}, set())
    assert with_all_below(infos, ["c/b"]) == ({"c/b", "later"}, {"c"})


def test_nodes_that_a_graph_no_longer_has_are_not_below_anything():
    assert with_all_below([node("a").info], ["gone", "a"]) == ({"a"}, set())


def test_changed_nodes_are_those_with_another_fingerprint_new_ones_and_missing_ones():
    nodes = {each.info.node_id: each for each in (node("a", fingerprint="1"), node("b", fingerprint="1"), node("c"))}
    infos = [node("a", fingerprint="1").info, node("b", fingerprint="2").info, node("d").info]
    assert changed_nodes(nodes, infos) == ["b", "d", "c"]


def test_what_appeared_while_the_run_went_is_no_change_and_is_kept():
    mapped = node("m", kind="map", fingerprint="1")
    nodes = {each.info.node_id: each for each in (mapped, node("m[0]", parent="m"), node("m[0]/x", parent="m[0]"))}
    assert changed_nodes(nodes, [mapped.info]) == []
    assert [each.node_id for each in with_appeared(nodes, [mapped.info])] == ["m", "m[0]", "m[0]/x"]
    assert with_appeared(nodes, []) == ()


def test_left_over_calls_that_ended_stay_as_they_are():
    nodes = (node("body", status=FAILED, kind="body"), node("bad", status=FAILED, parent="body"))
    assert events_of(*nodes) == [("NodeReset", "body")]
