"""Exceptions that were raised in another process: the same type, and a traceback that points at the same lines."""

from __future__ import annotations

import ast
import builtins
import pickle
import sys
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from graphrun_nb.executors.worker import rebuilt

if TYPE_CHECKING:
    from graphrun_nb.executors.worker import Fault


class StandIn(Exception):
    """Mixed into the type that stands for an exception's own type where that cannot be brought here."""

    text = ""

    def __str__(self) -> str:
        return self.text


def raised_elsewhere(packed: bytes) -> BaseException:
    """Return the exception that `worker.packed_fault` packed, with its notes, its traceback and what it came from."""
    fault: Fault = pickle.loads(packed)  # noqa: S301 (from our own worker)
    return _exception(fault)


def _exception(fault: Fault) -> BaseException:
    error = _of_its_own_type(fault)
    error.__traceback__ = _traceback(fault["frames"])
    if fault["cause"] is not None:
        error.__cause__ = _exception(fault["cause"])
    if fault["context"] is not None:
        error.__context__ = _exception(fault["context"])
    error.__suppress_context__ = fault["suppress_context"]
    return error


def _of_its_own_type(fault: Fault) -> BaseException:
    if fault["pickled"]:
        try:
            return rebuilt(fault["pickled"])
        except Exception as error:  # noqa: BLE001 (loading runs user code)
            return _stand_in(fault, str(error))
    return _stand_in(fault, "it cannot be pickled")


def _stand_in(fault: Fault, why: str) -> BaseException:
    """Return one with the same name, and of the nearest built-in type, so that it is caught and retried alike."""
    module, name = fault["lineage"][0]
    nearest = next(builtin for where, builtin in fault["lineage"] if where == "builtins")
    base: type[BaseException] = getattr(builtins, nearest)
    attributes = {"__module__": module, "__qualname__": name, "text": fault["text"]}
    kind: type[BaseException] = type(name.rpartition(".")[2], (StandIn, base), attributes)
    error: BaseException = kind.__new__(kind, fault["text"])
    for note in fault["notes"]:
        error.add_note(note)
    error.add_note(f"hint: this stands for a {module}.{name}, which could not be sent back from its process: {why}")
    return error


def _traceback(frames: list[tuple[str, int | None, str, int | None, int | None, int | None]]) -> TracebackType | None:
    trace: TracebackType | None = None
    for file, line, function, end_line, column, end_column in reversed(frames):
        line_no = max(line or 1, 1)
        place = {
            "lineno": line_no,
            "end_lineno": end_line or line_no,
            "col_offset": column or 0,
            "end_col_offset": end_column or 0,
        }
        frame, instruction = _frame(file, function, place)
        trace = TracebackType(trace, frame, instruction, line_no)
    return trace


def _frame(file: str, function: str, place: dict[str, int]) -> tuple[FrameType, int]:
    """Return a frame that stands at `place`: one that calls something right there."""
    caught: list[tuple[FrameType, int]] = []

    def catch() -> None:
        frame = sys._getframe(1)  # noqa: SLF001 (tracebacks are made of frames)
        caught.append((frame, frame.f_lasti))

    name = ast.Name("catch", ast.Load(), **place)
    call = ast.Call(name, [], [], **place)
    module = ast.Module([ast.Expr(call, **place)], [])
    code = compile(module, file, "exec", dont_inherit=True).replace(co_name=function, co_qualname=function)
    scope: dict[str, Any] = {"catch": catch}
    exec(code, scope)  # noqa: S102 (the code is the three lines above)
    scope.clear()
    return caught.pop()
