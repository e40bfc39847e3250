from __future__ import annotations

from graphrun_nb.core.events import NodeInfo
from graphrun_nb.core.state import NodeState, RunState
from graphrun_nb.view.parts import parts_of


def state_of(*infos: NodeInfo) -> RunState:
    state = RunState("r")
    state.nodes = {info.node_id: NodeState(info) for info in infos}
    return state


NESTED = state_of(
    NodeInfo("load", "load"),
    NodeInfo("sub", "sub", kind="graph", needs=("load",)),
    NodeInfo("sub/a", "a", parent="sub", needs=("load",)),
    NodeInfo("sub/b", "b", parent="sub", after=("sub/a",)),
    NodeInfo("last", "last", needs=("sub/b", "sub/a", "load")),
)


def test_the_run_itself_has_containers_as_single_nodes():
    edges = {("load", "sub"): True, ("sub", "last"): True, ("load", "last"): True}
    assert parts_of(NESTED) == (["load", "sub", "last"], edges)


def test_inside_of_a_container_what_comes_from_outside_is_left_out():
    assert parts_of(NESTED, "sub") == (["sub/a", "sub/b"], {("sub/a", "sub/b"): False})


def test_a_node_without_parts_is_empty_inside():
    assert parts_of(NESTED, "load") == ([], {})
