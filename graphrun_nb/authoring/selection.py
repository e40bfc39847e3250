r"""Nodes by what people write: ``@name #label /regex/ id``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.core.spec import args, closest, refs
from graphrun_nb.errors import BadSelection, UnknownNode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from graphrun_nb.core.spec import Binding, Condition, GraphSpec, NodeSpec

_TERM = re.compile(
    r"""(?P<sign>[@#]?)"(?P<quoted>[^"]*)"(?=\s|$)"""
    r"""|/(?P<regex>(?:[^\\]|\\.)+?)/(?=\s|$)"""
    r"""|(?P<plain_sign>[@#]?)(?P<plain>\S+)"""
)


def selected(nodes: Mapping[str, NodeSpec], text: str, graph: str) -> list[str]:
    """Return the ids that `text` names, in order of definition; `graph` is its name, for messages.

    Raises
    ------
    UnknownNode
        A term names no node at all.
    BadSelection
        A regular expression cannot be read.
    """
    if text in nodes:
        return [text]
    chosen: set[str] = set()
    terms = list(_TERM.finditer(text))
    if not terms:
        raise BadSelection(
            f"{text!r} selects nothing", hints=("write ids, @name, #label or /regex/, with blanks between",)
        )
    for term in terms:
        found = _found(nodes, term)
        if not found:
            raise UnknownNode(f"graph {graph!r} has no {_kind(term)} {term[0]!r}", hints=_hints(nodes, term))
        chosen.update(found)
    return [each for each in nodes if each in chosen]


def restricted(spec: GraphSpec, kept: Collection[str]) -> GraphSpec:
    """Return `spec` with the nodes in `kept` alone, which need no others; with what can be given, and what is used."""
    nodes = tuple(node for node in spec.nodes if node.node_id in kept)
    outputs = tuple(
        (name, binding) for name, binding in spec.outputs if all(ref.node_id in kept for ref in refs(binding))
    )
    bound: list[Binding | Condition] = [binding for node in nodes for _, binding in (*node.inputs, *node.results)]
    bound += [node.condition for node in nodes if node.condition is not None]
    used = {each.name for binding in (*bound, *(binding for _, binding in outputs)) for each in args(binding)}
    return msgspec.structs.replace(
        spec,
        inputs=tuple(each for each in spec.inputs if each.name in used),
        outputs=outputs,
        nodes=nodes,
        body=spec.body if spec.body in kept else "",
    )


def _found(nodes: Mapping[str, NodeSpec], term: re.Match[str]) -> list[str]:
    if term["regex"] is not None and term[0] not in nodes:
        pattern = _compiled(term["regex"])
        return [each for each in nodes if pattern.search(each)]
    sign, word = _sign_and_word(term)
    is_meant: Callable[[NodeSpec], bool] = {
        "": lambda node: node.node_id == word,
        "@": lambda node: word in (node.name, node.node_id),
        "#": lambda node: word in node.labels,
    }[sign]
    return [each for each, node in nodes.items() if is_meant(node)]


def _sign_and_word(term: re.Match[str]) -> tuple[str, str]:
    if term["regex"] is not None:
        return "", term[0]
    if term["quoted"] is not None:
        return term["sign"], term["quoted"]
    return term["plain_sign"], term["plain"]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise BadSelection(
            f"/{pattern}/ is no regular expression: {error.msg}{at}",
            hints=(f"put a backslash before a sign that stands for itself: /{re.escape(pattern)}/",),
        ) from None


def _kind(term: re.Match[str]) -> str:
    if term["regex"] is not None:
        return "node whose id matches"
    return {"": "node", "@": "node called", "#": "label"}[_sign_and_word(term)[0]]


def _hints(nodes: Mapping[str, NodeSpec], term: re.Match[str]) -> tuple[str, ...]:
    if term["regex"] is not None:
        return (f"its nodes are: {_some(nodes)}",)
    sign, word = _sign_and_word(term)
    if word.startswith("/"):
        return ("a regular expression stands between two slashes: /^load/",)
    known: dict[str, None] = {}
    for node in nodes.values():
        known.update(dict.fromkeys({"": (node.node_id,), "@": (node.name, node.node_id), "#": node.labels}[sign]))
    guess = closest(word, list(known))
    if guess:
        return (guess,)
    return (f"its labels are: {_some(known)}" if sign == "#" else f"its nodes are: {_some(known)}",)


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "") or "none"
