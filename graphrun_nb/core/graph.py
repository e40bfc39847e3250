"""Plain graph questions over ids: order, dependents, cycles. No recursion, so depth does not matter."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def find_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one cycle as a closed path, in the direction in which values flow, or an empty list. O(nodes + edges).

    Parameters
    ----------
    needs
        For each node the nodes that come before it.
    """
    before = {node: [each for each in upstream if each in needs] for node, upstream in needs.items()}
    done: set[str] = set()
    for root, first in before.items():
        if root in done:
            continue
        path: list[str] = [root]
        on_path = {root}
        todo = [iter(first)]
        while todo:
            for upstream in todo[-1]:
                if upstream in on_path:
                    return [upstream, *reversed(path[path.index(upstream) :])]
                if upstream not in done:
                    path.append(upstream)
                    on_path.add(upstream)
                    todo.append(iter(before[upstream]))
                    break
            else:
                todo.pop()
                node = path.pop()
                on_path.discard(node)
                done.add(node)
    return []


def dependents(needs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return for each node those that come right after it, in order of definition. O(nodes + edges)."""
    after: dict[str, list[str]] = {node: [] for node in needs}
    for node, upstream in needs.items():
        for each in dict.fromkeys(upstream):
            after[each].append(node)
    return after


def reach(start: Iterable[str], step: Mapping[str, Iterable[str]]) -> list[str]:
    """Return all that can be reached from `start` by `step`, without `start` itself, breadth first."""
    queue = list(dict.fromkeys(start))
    seen = set(queue)
    n_start = len(queue)
    for node in queue:
        for each in step.get(node, ()):
            if each not in seen:
                seen.add(each)
                queue.append(each)
    return queue[n_start:]


def topological_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the ids so that each comes after all it needs; otherwise in order of definition. O(n log n + edges).

    The graph must have no cycle.
    """
    rank = {node: index for index, node in enumerate(needs)}
    names = list(needs)
    left = {node: len(set(upstream)) for node, upstream in needs.items()}
    after = dependents(needs)
    ready = [rank[node] for node, n in left.items() if not n]
    order: list[str] = []
    while ready:
        node = names[heapq.heappop(ready)]
        order.append(node)
        for each in after[node]:
            left[each] -= 1
            if not left[each]:
                heapq.heappush(ready, rank[each])
    return order
