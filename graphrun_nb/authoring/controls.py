"""Node controls: the arguments of a call that begin with ``_``, read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.bindings import check_owner
from graphrun_nb.authoring.conditions import condition_of
from graphrun_nb.authoring.handles import Handle, NodeHandle
from graphrun_nb.authoring.names import checked_name, checked_names
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import Arg, Ref, closest
from graphrun_nb.errors import GraphValidationError, Misuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.authoring.handles import Owner

CONTROLS = ("_id", "_name", "_labels", "_after", "_condition", "_retry", "_timeout", "_executor", "_group")


def settings_of(tool: str, controls: Mapping[str, Any], owner: Owner | None = None) -> dict[str, Any]:
    """Return node controls, apart from ``_id`` and ``_name``, as fields of a NodeSpec.

    Parameters
    ----------
    tool
        The name that was called.
    owner
        The graph that handles among them must belong to.

    Raises
    ------
    GraphValidationError
        A control is unknown, or its value cannot be meant.
    """
    if not controls:
        return {}
    unknown = controls.keys() - set(CONTROLS)
    if unknown:
        control = min(unknown)
        raise GraphValidationError(
            f"{tool}() has no node control {control!r}",
            code="tool_unknown_control",
            hints=(closest(control, CONTROLS) or f"the controls are: {', '.join(CONTROLS)}",),
        )
    given = {name: value for name, value in controls.items() if value is not None}
    return {
        "after": _after(tool, given.get("_after", ()), owner),
        "condition": condition_of(given["_condition"], owner) if "_condition" in given else None,
        "retry": _retry(tool, given.get("_retry")),
        "timeout_s": _timeout(tool, given.get("_timeout")),
        "executor": checked_name(given["_executor"], f"{tool}(_executor=…)") if "_executor" in given else "",
        "labels": _labels(tool, given.get("_labels", ())),
        "group": checked_name(given["_group"], f"{tool}(_group=…)") if "_group" in given else "",
    }


def stray_control(tool: str, control: str) -> Misuse:
    """Return the error for a control of a call that makes no node."""
    return Misuse(
        f"{tool}({control}=…) is a node control, and no graph is being built here",
        code="tool_stray_control",
        hints=("leave it out",),
    )


def _retry(tool: str, retry: Any) -> RetryPolicy | None:
    if retry is None or isinstance(retry, RetryPolicy):
        return retry
    if isinstance(retry, int) and not isinstance(retry, bool) and retry >= 1:
        return RetryPolicy(max_attempts=retry)
    raise _bad(
        f"{tool}(_retry=…) takes a RetryPolicy or a number of attempts, not {retry!r}",
        "write _retry=3 for three attempts in all",
    )


def _timeout(tool: str, timeout: Any) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, (int, float)) and not isinstance(timeout, bool) and timeout > 0:
        return float(timeout)
    raise _bad(f"{tool}(_timeout=…) takes seconds > 0, not {timeout!r}", "write _timeout=30 for half a minute")


def _labels(tool: str, labels: Any) -> tuple[str, ...]:
    if isinstance(labels, str):
        labels = [labels]
    if not isinstance(labels, (list, tuple)):
        raise _bad(f"{tool}(_labels=…) takes a text or a list of texts, not {labels!r}", 'write _labels=["daily"]')
    return checked_names(dict.fromkeys(labels), f"{tool}(_labels=…)")


def _after(tool: str, after: Any, owner: Owner | None) -> tuple[str, ...]:
    items = after if isinstance(after, (list, tuple)) else [after]
    return tuple(dict.fromkeys(_node_id(tool, item, owner) for item in items))


def _node_id(tool: str, item: Any, owner: Owner | None) -> str:
    match item:
        case NodeHandle():
            check_owner(item, owner)
            return item.node_id
        case Handle(binding=Arg(name=name)):
            raise _bad(f"{tool}(_after=…): {item!r} is there from the start", f"leave {name} out of _after")
        case Handle(binding=Ref(node_id=node_id)):
            check_owner(item, owner)
            return node_id
        case str():
            return item
    raise _bad(
        f"{tool}(_after=…) takes handles or node ids, alone or in a list, not {item!r}",
        'write _after=node, or _after=["its id"]',
    )


def _bad(message: str, hint: str) -> GraphValidationError:
    return GraphValidationError(message, code="tool_bad_control", hints=(hint,))
