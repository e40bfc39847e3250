"""A call as bytes for another process, and what to say where that cannot be."""

from __future__ import annotations

import inspect
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphrun_nb.protocols import Call


def packed(call: Call) -> bytes:
    """Return a call's function and arguments as bytes.

    Raises
    ------
    TypeError
        Something cannot be pickled; the message names the argument, or what the function holds.
    """
    import cloudpickle  # noqa: PLC0415 (only where processes are used)

    arguments = dict(call.arguments)
    facts = arguments.pop(call.context).detached() if call.context else None
    try:
        payload: bytes = cloudpickle.dumps((call.function, arguments, call.context, facts), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        culprit = next((name for name, value in arguments.items() if not _fits(value)), None)
        if culprit is not None:
            what = f"the argument {culprit!r} of node {call.node_id!r}"
        else:
            what = f"the function of node {call.node_id!r}{_what_it_holds(call.function)}"
        unfit = TypeError(f"{what} cannot be sent to another process: {error}")
        unfit.add_note('hint: make such things inside the function, or keep the node here: _executor="thread"')
        raise unfit from error
    return payload


def _fits(value: Any) -> bool:
    import cloudpickle  # noqa: PLC0415 (only where processes are used)

    try:
        cloudpickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 (pickling runs user code)
        return False
    return True


def _what_it_holds(function: Any) -> str:
    try:
        outside = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return ""
    held = {**outside.globals, **outside.nonlocals}
    culprit = next((name for name, value in held.items() if not _fits(value)), None)
    return "" if culprit is None else f", which uses {culprit!r} from outside of it,"
