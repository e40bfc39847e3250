"""A graph in the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.authoring.edges import EdgeKind, edges_of, parts_of, without_elements
from graphrun_nb.core.status import NODE_STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphrun_nb.core.spec import NodeSpec
    from graphrun_nb.core.state import RunState

_FILLS = {
    "idle": "#ffffff",
    "active": "#dbe8ff",
    "attention": "#fdefc8",
    "caution": "#ffe3d3",
    "good": "#d9f2e1",
    "bad": "#fbdcdd",
    "muted": "#eceef1",
}
_STYLES: dict[EdgeKind, str] = {"value": "", "condition": "dashed", "order": "dotted", "part": "dotted"}


def dot(name: str, nodes: Mapping[str, NodeSpec], state: RunState) -> str:
    """Return the graph as Graphviz text; see `TaskGraph.to_dot`."""
    ran = bool(state.seq)
    nodes, _ = without_elements(nodes)
    lines = [f"digraph {_quoted(name)} {{", '  rankdir="LR"', '  node [shape="box", style="rounded,filled"]']
    if not ran:
        lines.append('  node [fillcolor="#ffffff"]')
    parts = parts_of(nodes)
    tops = [node for node in nodes.values() if not node.parent]
    groups = dict.fromkeys(node.group for node in tops if node.group)
    number = iter(range(len(nodes) + len(groups)))

    def drawn(members: Iterable[NodeSpec], indent: str) -> Iterator[str]:
        for node in members:
            if node.node_id in parts:
                yield f"{indent}subgraph cluster_{next(number)} {{"
                yield f"{indent}  label={_label(node.node_id)}"
                yield f"{indent}  {_node(node, state if ran else None)}"
                yield from drawn([nodes[each] for each in parts[node.node_id]], f"{indent}  ")
                yield f"{indent}}}"
            else:
                yield f"{indent}{_node(node, state if ran else None)}"

    for group in groups:
        lines += [f"  subgraph cluster_{next(number)} {{", f"    label={_label(group)}"]
        lines += [*drawn([node for node in tops if node.group == group], "    "), "  }"]
    lines += drawn([node for node in tops if not node.group], "  ")
    for (earlier, later), kind in edges_of(nodes).items():
        style = f" [style={_quoted(_STYLES[kind])}]" if _STYLES[kind] else ""
        lines.append(f"  {_quoted(earlier)} -> {_quoted(later)}{style}")
    return "\n".join([*lines, "}", ""])


def _node(node: NodeSpec, state: RunState | None) -> str:
    """Return a node's line: its id is its label, as text; with a status, its word and colour."""
    label = node.node_id
    fill = ""
    if state is not None:
        row = NODE_STATUS[state.nodes[node.node_id].status]
        label = f"{label}\n{row.word}"
        fill = f", fillcolor={_quoted(_FILLS[row.colour])}"
    return f"{_quoted(node.node_id)} [label={_label(label)}{fill}]"


def _quoted(text: str) -> str:
    """Return `text` as a quoted id, in which only the quote and the backslash before it or the end have a meaning."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(text: str) -> str:
    r"""Return `text` as a label, in which ``\n`` and the like, and HTML's entities, have a meaning."""
    return _quoted(text.replace("&", "&amp;")).replace("\n", "\\n")
