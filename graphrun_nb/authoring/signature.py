"""What a function takes and how its source is recognised."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from graphrun_nb.authoring.syntax import parsed
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphValidationError, Misuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType

CONTEXT = "context"
_LAST_WORD = re.compile(r"\w+")
MAX_PARSED = 1000
_PARSED: dict[int, tuple[CodeType, bytes]] = {}


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a tool, as far as building a graph needs them.

    Attributes
    ----------
    names
        All parameters in order, without the injected context.
    required
        Those without a default.
    open_ended
        The function takes any further keyword.
    context
        Name of the parameter that gets the NodeContext, or empty.
    """

    names: tuple[str, ...]
    required: frozenset[str]
    open_ended: bool
    context: str

    def bind(self, tool: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name.

        Raises
        ------
        GraphValidationError
            An argument is missing, unknown, surplus or given twice.
        """
        bound = self.named(tool, args, kwargs)
        for name in bound:
            if name not in self.names and not self.open_ended:
                hint = closest(name, self.names) or f"its arguments are: {', '.join(self.names) or 'none'}"
                raise GraphValidationError(
                    f"{tool}() has no argument {name!r}", code="tool_unknown_argument", hints=(hint,)
                )
        if not bound.keys() >= self.required:
            missing = [name for name in self.names if name in self.required and name not in bound]
            raise GraphValidationError(
                f"{tool}() needs {', '.join(map(repr, missing))}",
                code="tool_missing_argument",
                hints=(f"pass {', '.join(f'{name}=…' for name in missing)}",),
            )
        return bound

    def named(self, tool: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, whether or not they fit; raises GraphValidationError where they have none."""
        if len(args) > len(self.names):
            raise GraphValidationError(
                f"{tool}() takes {len(self.names)} arguments, and {len(args)} were given",
                code="tool_too_many_arguments",
                hints=(f"its arguments are: {', '.join(self.names) or 'none'}",),
            )
        bound: dict[str, Any] = dict(zip(self.names, args, strict=False))
        for name, value in kwargs.items():
            if name in bound:
                raise GraphValidationError(
                    f"{tool}() got {name!r} twice",
                    code="tool_argument_twice",
                    hints=(f"argument {self.names.index(name) + 1} is {name!r} already; pass it once",),
                )
            bound[name] = value
        return bound


def signature_of(function: Callable[..., Any], inputs: Sequence[str] | None) -> Signature:
    """Read the parameters of `function`; `inputs` names them where the function itself does not.

    Raises
    ------
    TypeError
        The function takes ``*args`` or positional-only parameters and `inputs` is not given, or a parameter's name is
        reserved for node controls.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        called = getattr(function, "__name__", "…")
        raise Misuse(
            f"tool {function!r}: nobody knows its parameters",
            code="tool_without_signature",
            hints=(f"wrap it: lambda x: {called}(x)",),
        ) from None
    context = next((each.name for each in parameters if _wants_context(each)), "")
    rest = [each for each in parameters if each.name != context]
    name = getattr(function, "__name__", repr(function))
    if inputs is not None:
        return Signature(tuple(inputs), frozenset(inputs), open_ended=False, context=context)
    for each in rest:
        if each.kind is each.VAR_POSITIONAL:
            is_open = rest[-1].kind is each.VAR_KEYWORD
            raise Misuse(
                f"tool {name!r}: arguments are passed by name, and {each} has none",
                code="tool_unnamed_argument",
                hints=("name what it takes: @tool(inputs=[...])" if is_open else f"take a list: {each.name}",),
            )
        if each.name.startswith("_"):
            raise Misuse(
                f"tool {name!r}: names that begin with _ are node controls, and it takes {each.name!r}",
                code="tool_argument_like_control",
                hints=(f"call the parameter {each.name.lstrip('_') or 'value'!r}",),
            )
    named = [each for each in rest if each.kind is not each.VAR_KEYWORD]
    return Signature(
        names=tuple(each.name for each in named),
        required=frozenset(each.name for each in named if each.default is each.empty),
        open_ended=len(named) != len(rest),
        context=context,
    )


def refuse_generator(function: Callable[..., Any], kind: str) -> None:
    """Raise Misuse for what gives its values one by one."""
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if any(map(inspect.isgeneratorfunction, (function, called))) or any(
        map(inspect.isasyncgenfunction, (function, called))
    ):
        raise Misuse(
            f"{kind} {getattr(function, '__name__', repr(function))!r} is a generator function",
            code="tool_is_generator",
            hints=("return a list of what it would yield",),
        )


class ByName:
    """A function that takes arguments by position alone, as one that takes them by name."""

    def __init__(self, function: Callable[..., Any], parameters: Sequence[inspect.Parameter]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._first = [(each.name, each.default) for each in parameters if each.kind is each.POSITIONAL_ONLY]

    def __call__(self, **arguments: Any) -> Any:
        """Call it."""
        given = [arguments.pop(name, default) for name, default in self._first]
        return self._function(*given, **arguments)


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` as it can be called with all arguments by name."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return function
    is_positional = any(each.kind is each.POSITIONAL_ONLY for each in parameters)
    return ByName(function, parameters) if is_positional else function


def code_fingerprint(function: Callable[..., Any], version: str) -> str:
    """Return 16 hex digits for what `function` does: its source without comments and layout, or else its bytecode."""
    digest = hashlib.sha256(version.encode())
    digest.update(_normal_source(function) or b"")
    return digest.hexdigest()[:16]


def source_of(function: Callable[..., Any]) -> tuple[str, str, int]:
    """Return dedented source, file and first line of `function`; empty text where there is none."""
    target = inspect.unwrap(function)
    try:
        lines, first = inspect.getsourcelines(target)
        return textwrap.dedent("".join(lines)), inspect.getsourcefile(target) or "", first
    except (OSError, TypeError):
        return "", "", 0


def _normal_source(function: Callable[..., Any]) -> bytes:
    """Return the source of `function`, without comments and layout; parsed once for all closures over one code."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return _parsed_source(function)
    known = _PARSED.get(id(code))
    if known is None or known[0] is not code:
        if len(_PARSED) >= MAX_PARSED:
            _PARSED.clear()
        known = _PARSED[id(code)] = (code, _parsed_source(function))
    return known[1]


def _parsed_source(function: Callable[..., Any]) -> bytes:
    source, _, _ = source_of(function)
    try:
        return ast.unparse(parsed(source)).encode() if source else _code_bytes(inspect.unwrap(function))
    except SyntaxError:
        return _code_bytes(inspect.unwrap(function))


def _code_bytes(function: Any) -> bytes:
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return _flat(code) if code is not None else type(function).__qualname__.encode()


def _flat(code: CodeType) -> bytes:
    parts = [code.co_code, " ".join((*code.co_names, *code.co_varnames)).encode()]
    parts += [_flat(each) if inspect.iscode(each) else repr(each).encode() for each in code.co_consts]
    return b"\0".join(parts)


def _wants_context(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    parts = annotation.split("|") if isinstance(annotation, str) else (annotation, *get_args(annotation))
    names = [each if isinstance(each, str) else getattr(each, "__name__", "") for each in parts]
    return parameter.name == CONTEXT or any(_LAST_WORD.findall(each)[-1:] == ["NodeContext"] for each in names)
