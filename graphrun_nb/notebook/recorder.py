"""Records a run for views without a kernel: `view.recording`, with what only the run itself can tell of its nodes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.core.status import NodeStatus
from graphrun_nb.notebook.detail import detail_of
from graphrun_nb.view.frames import layout_frame
from graphrun_nb.view.look import ArrayLook
from graphrun_nb.view.parts import groups_of, parts_of

if TYPE_CHECKING:
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.run import Run
    from graphrun_nb.view.frames import LayoutFrame, NodeDetail

MAX_CONTAINERS = 200
_PRESSING = frozenset({NodeStatus.FAILED, NodeStatus.WAITING, NodeStatus.RUNNING, NodeStatus.RETRYING})


def details_of(run: Run, *, most: int, n_bytes: int) -> list[NodeDetail]:
    """Return what is told of at most `most` nodes, in at most `n_bytes` of JSON; those that matter most come first."""
    nodes = run.state.nodes
    told = []
    for node_id in sorted(nodes, key=lambda each: nodes[each].status not in _PRESSING)[:most]:
        detail = detail_of(run, node_id, story=False)
        n_bytes -= len(msgspec.json.encode(detail)) + _n_incompressible(detail)
        if n_bytes < 0:
            break
        told.append(detail)
    return told


def _n_incompressible(detail: NodeDetail) -> int:
    """Return how many characters of a node's detail will take all their room when they are packed: pictures."""
    looks = (each.look for each in (*detail.inputs, *detail.outputs))
    return sum(len(look.pixels) for look in looks if isinstance(look, ArrayLook))


def places_of(state: RunState) -> list[LayoutFrame]:
    """Return where the nodes stand, in the run as a whole and inside of its first containers."""
    from graphrun_nb.view.layout import layout  # noqa: PLC0415 (brings networkx and numpy)

    frames = []
    containers = dict.fromkeys(("", *(node.info.parent for node in state.nodes.values())))
    for container in islice(containers, MAX_CONTAINERS):
        parts, edges = parts_of(state, container)
        frames.append(layout_frame(layout(parts, list(edges), groups=groups_of(state, parts)), parts, inside=container))
    return frames
