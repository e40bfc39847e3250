"""What cannot be done with a value that is not there yet: the message, and what to write instead."""

from __future__ import annotations

import ast
import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

from graphrun_nb.authoring.frames import between_our_frames, is_ours, users_frame
from graphrun_nb.authoring.place import Place, place_of, place_of_raise, short
from graphrun_nb.authoring.rewriting import Loop, as_condition, as_map
from graphrun_nb.errors import GraphAttributeError, GraphOperationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.errors import GraphBuildError

CONTROL_FLOW = "graphify_control_flow_non_deterministic"
CONDITION = "graphify_unsupported_condition_expr"
OPERATION = "graphify_operation_on_ref"

_HANDLE = re.compile(r"\b(?:Node)?Handle\b")
_INSIDE = "do it inside a tool, where the value is there"
_ANYTHING = "branch with _condition=..., loop with tool.map(...), or do it inside a tool"

_BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
_NUMBERS = "neg pos abs invert int float complex index round trunc floor ceil"
_GROUPS = {
    "truth": "bool",
    "comparison": "eq ne lt le gt ge",
    "membership": "contains",
    "length": "len",
    "loop": "iter next reversed aiter anext",
    "arithmetic": f"{_BINARY} {' '.join(f'r{name}' for name in _BINARY.split())} {_NUMBERS}",
    "item": "getitem setitem delitem",
    "call": "call",
    "text": "str format bytes fspath",
    "await": "await",
    "with": "enter exit aenter aexit",
    "array": "array array_ufunc array_function",
}
OPERATIONS: dict[str, str] = {f"__{name}__": group for group, names in _GROUPS.items() for name in names.split()}
"""The special methods that are refused, and what a person calls them all."""


class Advice(NamedTuple):
    """What is wrong with an operation: `what` goes before the handle's name, `hint` says what to write instead."""

    code: str
    what: str
    hint: str


def refusal(handle: object, operation: str) -> GraphOperationError:
    """Return the error for looking at `handle` by a special method, in the words of the line that did it."""
    place = place_of(users_frame())
    group = OPERATIONS[operation]
    code, what, hint = _ALWAYS[group] if group in _ALWAYS else _ADVICE[group](place)
    error = GraphOperationError(_message(handle, what), code=code, hints=(hint,))
    error.locate(str(place))
    return error


def attribute_refusal(handle: object, name: str) -> GraphAttributeError:
    """Return the error for reading an attribute of a value that is not there yet."""
    place = place_of(users_frame())
    code, what, hint = _operation(place, f"attribute {name!r} of")
    error = GraphAttributeError(_message(handle, what), code=code, hints=(hint,))
    error.locate(str(place))
    return error


def blind_test_refusal(handle: object, place: Place) -> GraphOperationError:
    """Return the error for a test that Python answers without asking the handle; see `blind_tests`."""
    call = _function(place)
    code, what, hint = _test(place, f"{call}() of" if call else "a comparison of")
    error = GraphOperationError(_message(handle, what), code=code, hints=(hint,))
    error.locate(str(place))
    return error


def explain(error: GraphBuildError) -> None:
    """Let a mistake end at the user's line: its message names it, and its traceback shows no frame of ours below it."""
    trace = between_our_frames(error.__traceback__)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None and not is_ours(trace.tb_frame.f_code.co_filename):
        error.locate(str(place_of_raise(trace)))


def explain_foreign(error: Exception) -> None:
    """Let an error of another library that met a handle say what that is."""
    with contextlib.suppress(Exception):  # whatever its text is made by
        if _HANDLE.search(str(error)):
            error.add_note(f"hint: a handle stands for a value that is not there before the graph runs: {_INSIDE}")


def shows_only(place: Place) -> bool:
    """Tell whether the text of a handle is wanted for people alone: by ``print(...)``."""
    return _function(place) == "print"


def _message(handle: object, what: str) -> str:
    return f"{what} {handle!r}, whose value is not known before the graph runs"


def _test(place: Place, what: str) -> Advice:
    """Advise on something that asks for a yes or no."""
    condition = _condition(place)
    if condition is not None:
        return Advice(CONDITION, what, f"write _condition={as_condition(condition)}")
    match _branch(place):
        case ast.If(test=test) | ast.IfExp(test=test):
            hint = f"give the calls of the branch _condition={as_condition(test)}, or branch inside a tool"
        case ast.While():
            hint = "loop inside a tool, or over a list with tool.map(...)"
        case ast.Assert():
            hint = "check it inside a tool: an exception there fails the node"
        case ast.comprehension():
            hint = "filter inside a tool, and map over what it returns"
        case None if place.path and isinstance(place.path[0], ast.Compare | ast.BoolOp | ast.UnaryOp):
            hint = f"{_INSIDE}; as a condition, write _condition={as_condition(place.path[0])}"
        case _:
            hint = _ANYTHING
    return Advice(CONTROL_FLOW, what, hint)


def _comparison(place: Place) -> Advice:
    return _test(place, f"{_function(place)}() of" if _function(place) else "a comparison of")


def _truth(place: Place) -> Advice:
    match _branch(place), place.path[:1]:
        case ast.While(), _:
            what = "a while loop on"
        case ast.Assert(), _:
            what = "an assertion on"
        case ast.comprehension(), _:
            what = "a filter on"
        case None, (ast.BoolOp(op=ast.And()),):
            what = "`and` with"
        case None, (ast.BoolOp(),):
            what = "`or` with"
        case None, (ast.UnaryOp(),):
            what = "`not` of"
        case None, (ast.Call(),):
            what = f"{_function(place)}() of"
        case _:
            what = "a branch on"
    return _test(place, what)


def _loop(place: Place) -> Advice:
    loop = next((each for each in place.path if isinstance(each, Loop)), None)
    match place.path[:1]:
        case (ast.Tuple() | ast.List(),):
            hint = "declare what the tool gives one by one: @tool(outputs=[...]), and unpack its node"
            return Advice(CONTROL_FLOW, "unpacking", hint)
        case (ast.Call(),):
            return Advice(CONTROL_FLOW, f"{_function(place)}() over", _INSIDE)
    mapped = as_map(loop) if loop is not None else ""
    hint = f"call the tool once for each element: {mapped or 'tool.map(...)'}, or loop inside a tool"
    return Advice(CONTROL_FLOW, "a loop over", hint)


def _number(place: Place) -> Advice:
    match place.path[:1]:
        case (ast.Call(),):
            what = f"{_function(place)}() of"
        case (ast.Subscript(),):
            what = "an element at position"
        case _:
            what = "arithmetic with"
    if _function(place) == "range":
        return Advice(CONTROL_FLOW, what, "make the list in a tool, and map over it: tool.map(x=numbers.out)")
    return _operation(place, what)


def _item(place: Place) -> Advice:
    return _operation(place, "an element of")


def _call(place: Place) -> Advice:
    return _operation(place, "a call of")


def _array(place: Place) -> Advice:
    return _operation(place, f"{_function(place)}() of" if _function(place) else "arithmetic with")


def _operation(place: Place, what: str) -> Advice:
    """Advise on something that needs the value itself."""
    if _condition(place) is not None:
        return Advice(CONDITION, what, "compute it in a tool, and let _condition compare what that gives")
    return Advice(OPERATION, what, f"{_INSIDE}: {_quoted(place)}" if _quoted(place) else _INSIDE)


def _quoted(place: Place) -> str:
    """Quote the expression: the whole call for a method, nothing for a statement that is more than one."""
    match place.path[:2]:
        case (ast.Attribute() as method, ast.Call(func=function) as call) if function is method:
            return f"`{short(ast.unparse(call))}`"
        case (ast.expr() | ast.AugAssign() as expression, *_):
            return f"`{short(ast.unparse(expression))}`"
    return ""


_ALWAYS = {
    "length": Advice(
        CONTROL_FLOW, "len() of", "take the length inside a tool; for one call an element, use tool.map(...)"
    ),
    "text": Advice(
        OPERATION, "text made of", "make the text in a tool, and use its output; repr() shows the handle itself"
    ),
    "await": Advice(OPERATION, "await of", "leave out the await: nodes wait for what they need when the graph runs"),
    "with": Advice(OPERATION, "a with block over", "open and close it inside one tool"),
}
_ADVICE: dict[str, Callable[[Place], Advice]] = {
    "truth": _truth,
    "comparison": _comparison,
    "membership": lambda place: _test(place, "a search in"),
    "loop": _loop,
    "arithmetic": _number,
    "item": _item,
    "call": _call,
    "array": _array,
}


def no_attribute(graph: object, name: str) -> AttributeError:
    """Return what says that a graph has no such attribute; that a graph is mapped as tools are is a usual guess."""
    error = AttributeError(f"{type(graph).__name__!r} object has no attribute {name!r}", name=name, obj=graph)
    if name == "map":
        error.add_note("hint: map a tool that runs the graph: await context.run_and_wait(graph, {...})")
    return error


def _condition(place: Place) -> ast.expr | None:
    """Return what was written as ``_condition=``, if the expression stands in it."""
    return next((each.value for each in place.path if isinstance(each, ast.keyword) and each.arg == "_condition"), None)


def _branch(place: Place) -> ast.AST | None:
    """Return what decides by the expression, alone or as a part of its test."""
    for inner, node in zip((None, *place.path), place.path, strict=False):
        match node:
            case ast.If() | ast.IfExp() | ast.While() | ast.Assert():
                return node if inner is None or inner is node.test else None
            case ast.comprehension():
                return node if inner in node.ifs else None
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp() if inner is None:
                return next((each for each in node.generators if each.ifs), None)
            case ast.Call() if inner is None:
                continue
            case ast.stmt() | ast.Call() | ast.Lambda():
                return None
    return None


def _function(place: Place) -> str:
    """Return the name of the function whose arguments the expression is, if it is a call."""
    match place.path[:1]:
        case (ast.Call(func=function),):
            return ast.unparse(function)
    return ""
