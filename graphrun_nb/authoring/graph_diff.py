"""How one definition of a graph differs from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from graphrun_nb.authoring.edges import order_of
from graphrun_nb.core.spec import Arg, Binding, Condition, Literal, Many, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphrun_nb.core.spec import GraphSpec, NodeSpec

    Nodes = Mapping[str, NodeSpec]

_PLAIN = {
    "kind": "kind",
    "code": "code",
    "outputs": "outputs",
    "over": "over",
    "retry": "retry",
    "timeout_s": "timeout",
    "executor": "executor",
    "labels": "labels",
    "group": "group",
}
"""Fields of a node that are compared as they are, and what people call them."""


@dataclass(frozen=True, slots=True)
class GraphDiff:
    """What leads from one graph to another; false if nothing does.

    Attributes
    ----------
    added, removed
        Ids of nodes that only the other, or only this graph has; without those that are renamed.
    changed
        Ids of nodes that both have, each with the parts that differ: ``kind``, ``code``, ``inputs``, ``after``,
        ``condition``, ``outputs``, ``results``, ``parent``, ``over``, ``retry``, ``timeout``, ``executor``, ``labels``,
        ``group``, ``name``.
    renamed
        Pairs of ids, here and there, of nodes that compute the same. What follows from a new id alone, for example in
        the inputs of a node below, is no change.
    graph
        What differs of the graph itself: ``name``, ``version``, ``inputs``, ``outputs``, ``order`` (of definition).
    cosmetic
        There are differences, and none that counts: both graphs have the same fingerprint, so a run of one can be
        continued with the other.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    graph: tuple[str, ...] = ()
    cosmetic: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed or self.graph)

    def __repr__(self) -> str:
        """Name every difference, one a line."""
        if not self:
            return "<no difference>"
        lines = [f"the graph itself: {', '.join(self.graph)}"] if self.graph else []
        lines += [f"+ {node_id}" for node_id in self.added]
        lines += [f"- {node_id}" for node_id in self.removed]
        lines += [f"~ {before} is now called {now}" for before, now in self.renamed]
        lines += [f"~ {node_id}: {', '.join(what)}" for node_id, what in self.changed]
        if self.cosmetic:
            lines.append("(computes the same)")
        return "\n".join(lines)


def diff(here: GraphSpec, there: GraphSpec) -> GraphDiff:
    """Return what leads from `here` to `there`. O(n log n + edges)."""
    ours = {node.node_id: node for node in here.nodes}
    theirs = {node.node_id: node for node in there.nodes}
    now = _renamed(ours, theirs)
    old = set(now.values())
    changed = []
    for before, node in ours.items():
        other = theirs.get(now.get(before, before))
        what = _differing(node, other, now) if other is not None else ()
        if what:
            changed.append((before, what))
    found = GraphDiff(
        added=tuple(each for each in theirs if each not in ours and each not in old),
        removed=tuple(each for each in ours if each not in theirs and each not in now),
        changed=tuple(changed),
        renamed=tuple(now.items()),
        graph=_graph_differing(here, there, now),
    )
    return replace(found, cosmetic=bool(found) and here.fingerprint() == there.fingerprint())


def _renamed(ours: Nodes, theirs: Nodes) -> dict[str, str]:
    """Return the nodes that have gone and come back under another id, old id to new."""
    waiting: dict[str, list[str]] = {}
    for node_id, key in _contents(theirs, ours).items():
        waiting.setdefault(key, []).append(node_id)
    found = {}
    for node_id, key in _contents(ours, theirs).items():
        if waiting.get(key):
            found[node_id] = waiting[key].pop(0)
    return found


def _contents(nodes: Nodes, others: Nodes) -> dict[str, str]:
    """Return, for each node that `others` lack, what it computes, told without ids that `others` do not know."""
    contents: dict[str, str] = {}
    for node_id in order_of(nodes):
        if node_id in others:
            continue
        node = nodes[node_id]

        def known(each: str, *, own: str = node_id) -> Any:
            return ("part", each.removeprefix(own)) if each.startswith(f"{own}/") else contents.get(each, each)

        told = [getattr(node, field) for field in ("kind", "code", "outputs", "over")]
        told += [_meaning(value, known) for _, value in _bound(node)]
        contents[node_id] = hashlib.sha256(repr(told).encode()).hexdigest()
    return contents


def _differing(node: NodeSpec, other: NodeSpec, now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the parts in which a node differs from what it has become."""

    def known(each: str) -> str:
        return now.get(each, each)

    found = [
        what
        for (what, mine), (_, its) in zip(_bound(node), _bound(other), strict=True)
        if _meaning(mine, known) != _meaning(its, str)
    ]
    found += [what for field, what in _PLAIN.items() if getattr(node, field) != getattr(other, field)]
    if _own_name(node) != _own_name(other):
        found.append("name")
    return tuple(found)


def _bound(node: NodeSpec) -> list[tuple[str, Any]]:
    """Return the parts of a node that refer to others."""
    return [
        ("inputs", node.inputs),
        ("after", tuple(("", Ref(each, "")) for each in node.after)),
        ("condition", (("", node.condition),) if node.condition is not None else ()),
        ("results", node.results),
        ("parent", (("", Ref(node.parent, "")),) if node.parent else ()),
    ]


def _graph_differing(here: GraphSpec, there: GraphSpec, now: Mapping[str, str]) -> tuple[str, ...]:
    def known(each: str) -> str:
        return now.get(each, each)

    def inputs(spec: GraphSpec) -> list[Any]:
        return [(each.name, each.required, each.default_digest) for each in spec.inputs]

    theirs = {node.node_id for node in there.nodes}
    ours = [known(node.node_id) for node in here.nodes]
    both = set(ours) & theirs
    differs = {
        "name": here.name != there.name,
        "version": here.version != there.version,
        "inputs": inputs(here) != inputs(there),
        "outputs": _meaning(here.outputs, known) != _meaning(there.outputs, str),
        "order": [each for each in ours if each in both]
        != [node.node_id for node in there.nodes if node.node_id in both],
    }
    return tuple(what for what, yes in differs.items() if yes)


def _meaning(pairs: Iterable[tuple[Any, Binding | Condition]], known: Callable[[str], Any]) -> list[Any]:
    """Return named bindings as plain data, with node ids as `known` gives them."""

    def meant(value: Binding | Condition) -> Any:
        match value:
            case Ref():
                return ("ref", known(value.node_id), value.output)
            case Arg():
                return ("input", value.name)
            case Literal():
                return ("literal", value.digest)
            case Many():
                return (value.shape, _meaning(value.items, known))
            case Condition():
                return (value.op, [meant(each) for each in value.args])
            case _:
                assert_never(value)

    return [(repr(name), meant(value)) for name, value in pairs]


def _own_name(node: NodeSpec) -> str:
    return "" if node.name == node.node_id else node.name
