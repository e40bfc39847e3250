"""Nodes that are made of other nodes: a nested graph, mapped elements, a body whose calls are nodes.

A container holds no slot. It ends when all of its parts have ended, and fails if one of them did and nobody caught it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from graphrun_nb.core.events import NodeAdded
from graphrun_nb.core.spec import Literal, resolve
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.engine.limit import limited
from graphrun_nb.errors import PartsFailed
from graphrun_nb.protocols import Call, Error, Lost

if TYPE_CHECKING:
    from graphrun_nb.authoring.plan import Plan
    from graphrun_nb.engine.attempt import Attempt
    from graphrun_nb.engine.run import Run

_ADDED_AT_ONCE = 256


async def run_container(run: Run, attempt: Attempt, plan: Plan, arguments: dict[str, Any]) -> Any:
    """Carry a container to its end and return its value.

    Raises
    ------
    PartsFailed
        A part of a nested graph, or an element, failed; chained from the first one's own exception.
    TimeoutError
        It did not end within its time; its parts are cancelled.
    """
    act = {"graph": _nested, "map": _mapped, "body": _called}[plan.spec.kind]
    limit_s = plan.spec.timeout_s if plan.spec.kind != "map" else None
    return await limited(run, attempt, limit_s, act(run, attempt, plan, arguments))


async def _nested(run: Run, attempt: Attempt, plan: Plan, arguments: dict[str, Any]) -> dict[str, Any]:
    del arguments  # its parts take them from where they come from
    await run.scheduler.parts_ended(attempt.node_id)
    _require_parts(run, attempt.node_id, run.log.frontier.children(attempt.node_id))
    return {name: resolve(binding, run.values, run.inputs) for name, binding in plan.spec.results}


async def _mapped(run: Run, attempt: Attempt, plan: Plan, arguments: dict[str, Any]) -> dict[str, Any]:
    node_id = attempt.node_id
    spec = plan.spec
    lists = {name: _elements(node_id, name, arguments[name]) for name in spec.over}
    lengths = {name: len(elements) for name, elements in lists.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        error = ValueError(f"node {node_id!r} maps over lists of different lengths: {shown}")
        error.add_note(
            "hint: several lists are gone through side by side; mark one alone with each(...), or even them out"
        )
        raise error
    n = next(iter(lengths.values()))
    parts = [f"{node_id}[{i}]" for i in range(n)]
    known = run.state.nodes
    added: list[NodeAdded] = []
    for i, part_id in enumerate(parts):
        values = {**arguments, **{name: elements[i] for name, elements in lists.items()}}
        part = msgspec.structs.replace(
            spec,
            node_id=part_id,
            name=f"{spec.name}[{i}]",
            kind=plan.function.kind,
            inputs=tuple((name, Literal(value, "")) for name, value in values.items()),
            after=(),
            condition=None,
            labels=(),
            group="",
            over=(),
            parent=node_id,
        )
        run.graph.grow(part, plan.function)
        if part_id not in known:
            added.append(NodeAdded(part.info(run.env.retry, fingerprint="")))
        if len(added) == _ADDED_AT_ONCE:
            run.scheduler.tell(*added)
            added = []
            await asyncio.sleep(0)
    if added:
        run.scheduler.tell(*added)
    for each in run.log.frontier.children(node_id)[n:]:
        run.scheduler.give_up(each, node_id)  # the list was longer when the run began
    await run.scheduler.parts_ended(node_id)
    _require_parts(run, node_id, parts)
    return {output: [run.values[part_id][output] for part_id in parts] for output in spec.outputs}


async def _called(run: Run, attempt: Attempt, plan: Plan, arguments: dict[str, Any]) -> Any:
    if plan.function.is_async:
        value = await plan.call(**arguments)
    else:
        call = Call(run.run_id, attempt.node_id, attempt.attempt, plan.call, arguments)
        outcome = await run.launcher.executor("thread").submit(call)
        match outcome:
            case Error():
                raise outcome.exception
            case Lost():
                raise AssertionError(outcome.reason)
        value = outcome.value
    await run.scheduler.parts_ended(attempt.node_id)
    if plan.outputs:
        return value
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else {"result": value}


def _require_parts(run: Run, node_id: str, parts: Sequence[str]) -> None:
    nodes = run.state.nodes
    failed = [each for each in parts if nodes[each].status in (NodeStatus.FAILED, NodeStatus.CANCELLED)]
    if failed:
        shown = ", ".join(failed[:3]) + (", …" if len(failed) > 3 else "")
        raise PartsFailed(f"{len(failed)} of {len(parts)} parts of {node_id!r} failed: {shown}") from (
            run.exceptions.get(failed[0])
        )


def _elements(node_id: str, name: str, value: Any) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        error = TypeError(f"node {node_id!r} maps over {name!r}, which takes a list, and got a {type(value).__name__}")
        error.add_note("hint: the first argument is the list, unless others are marked: x=each(...)")
        raise error
    return list(value)
