"""A call as bytes for another process, and what to say where that cannot be."""

from __future__ import annotations

import inspect
import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrun_nb.executors.worker import dumps, fits

if TYPE_CHECKING:
    from graphrun_nb.protocols import Call


def packed(call: Call) -> bytes:
    """Return a call's function and arguments as bytes.

    Raises
    ------
    TypeError
        Something cannot be pickled; the message names the argument, or what the function holds.
    """
    arguments = dict(call.arguments)
    facts = arguments.pop(call.context).detached() if call.context else None
    try:
        return dumps((call.function, arguments, call.node_id, call.context, facts, _source(call.function)))
    except Exception as error:
        culprit = next((name for name, value in arguments.items() if not fits(value)), None)
        if culprit is not None:
            what = f"the argument {culprit!r} of node {call.node_id!r}"
        else:
            what = f"the function of node {call.node_id!r}{_what_it_holds(call.function)}"
        unfit = TypeError(f"{what} cannot be sent to another process: {error}")
        unfit.add_note('hint: make such things inside the function, or keep the node here: _executor="thread"')
        raise unfit from error


def _source(function: Any) -> dict[str, Any]:
    """Return what linecache knows of a notebook cell, for tracebacks that are printed in the other process."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    file = "" if code is None else code.co_filename
    return {file: linecache.cache[file]} if file in linecache.cache and not Path(file).exists() else {}


def _what_it_holds(function: Any) -> str:
    try:
        outside = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return ""
    held = {**outside.globals, **outside.nonlocals}
    culprit = next((name for name, value in held.items() if not fits(value)), None)
    return "" if culprit is None else f", which uses {culprit!r} from outside of it,"
