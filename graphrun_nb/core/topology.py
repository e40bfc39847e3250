"""Who comes before whom, by position: made once for a graph and shared by all of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.events import CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import NodeInfo


class Topology:
    """The order among `infos`. Whoever shares it does not change it; `copy` first.

    Attributes
    ----------
    names, rank
        Node ids in order of definition, and the position of each.
    after
        For each position the positions right after it, by value or order.
    n_before
        For each position how much has to happen first: nodes that end, and the start of its parent.
    roots
        Positions of the nodes that nothing comes before, of those it was made with.
    is_plain
        For each position whether its node starts as soon as it can: it has no condition and is no container.
    parent, children
        Position of a node's parent, for those that have one; and the other way round.
    """

    __slots__ = ("after", "children", "infos", "is_plain", "n_before", "names", "parent", "rank", "roots")

    def __init__(self, infos: Sequence[NodeInfo] = ()) -> None:
        self.infos = infos
        self.names = [info.node_id for info in infos]
        self.rank = {name: i for i, name in enumerate(self.names)}
        self.after: list[list[int]] = [[] for _ in infos]
        self.n_before = [0] * len(self.names)
        self.is_plain = [not info.conditional and info.kind not in CONTAINERS for info in infos]
        self.parent: dict[int, int] = {}
        self.children: dict[int, list[int]] = {}
        for i, info in enumerate(infos):
            self._connect(i, info)
        self.roots = [i for i, n in enumerate(self.n_before) if not n]

    def copy(self) -> Topology:
        """Return one that may grow. O(nodes + edges)."""
        twin = Topology()
        twin.names = self.names.copy()
        twin.rank = self.rank.copy()
        twin.after = [each.copy() for each in self.after]
        twin.n_before = self.n_before.copy()
        twin.is_plain = self.is_plain.copy()
        twin.parent = self.parent.copy()
        twin.children = {parent: each.copy() for parent, each in self.children.items()}
        return twin

    def add(self, info: NodeInfo) -> int:
        """Append a node, and return its position."""
        i = len(self.names)
        self.names.append(info.node_id)
        self.rank[info.node_id] = i
        self.after.append([])
        self.n_before.append(0)
        self.is_plain.append(not info.conditional and info.kind not in CONTAINERS)
        self._connect(i, info)
        return i

    def before(self, info: NodeInfo) -> list[int]:
        """Return the positions of the nodes that must end before `info` may start."""
        rank = self.rank
        if info.after:
            return [rank[each] for each in dict.fromkeys((*info.needs, *info.after))]
        return [rank[each] for each in info.needs]

    def _connect(self, i: int, info: NodeInfo) -> None:
        after = self.after
        before = self.before(info)
        for each in before:
            after[each].append(i)
        self.n_before[i] = len(before)
        if info.parent:
            parent = self.parent[i] = self.rank[info.parent]
            self.children.setdefault(parent, []).append(i)
            self.n_before[i] += 1
