"""The grammar of ``%graphrun``: words, ``key=expression`` and ``--options``, taken apart without running anything."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.spec import closest
from graphrun_nb.errors import GraphRunError

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--max-concurrency": ("max_concurrency", int),
    "--retry": ("retry", int),
    "--timeout": ("timeout", float),
    "--run-id": ("run_id", str),
    "--on-changed": ("on_changed", str),
    "--on-unsaved": ("on_unsaved", str),
    "--resume-from": ("resume_from_run_id", str),
    "--session-id": ("session_id", str),
    "--agent-id": ("agent_id", str),
    "--app-id": ("app_id", str),
    "--on-wait": ("on_wait", str),
    "--executor": ("executor", str),
    "--durability": ("durability", str),
}
FLAGS = {"--fail-fast": "fail_fast", "--replace": "replace", "--wait": "wait"}


class UsageError(GraphRunError):
    """The line cannot be understood."""


@dataclass(slots=True)
class Line:
    """A line taken apart: the target's name, inputs as source text, and overrides of the run.

    Attributes
    ----------
    wait
        The cell is to stay until the run's end.
    replace
        The run of the same cell that is still alive is to be cancelled first.
    """

    target: str
    inputs: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    wait: bool = False
    replace: bool = False


def read_line(text: str) -> Line:
    """Take `text` apart.

    Raises
    ------
    UsageError
        A word makes no sense; a hint says what would.
    """
    words = split(text)
    if words[:1] == ["run"]:
        words = words[1:]
    if not words:
        raise UsageError("which graph?", hints=("%graphrun NAME key=value … ; %graphrun? explains",))
    name = words.pop(0)
    if not name.isidentifier():
        raise UsageError(f"{name!r} is no graph's name", hints=("%graphrun NAME key=value … ; %graphrun? explains",))
    line = Line(name)
    while words:
        _take(words, line)
    return line


def split(text: str) -> list[str]:
    """Split at blanks that stand outside of quotes and brackets.

    Examples
    --------
    >>> split("sums x=[1, 2] name='a b' --wait")
    ['sums', 'x=[1, 2]', "name='a b'", '--wait']
    """
    words: list[str] = []
    start, depth, quote, escaped = None, 0, "", False
    for i, char in enumerate(text):
        if start is None:
            if char.isspace():
                continue
            start = i
        if quote:
            if char == quote and not escaped:
                quote = ""
            escaped = char == "\\" and not escaped
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char.isspace() and depth <= 0:
            words.append(text[start:i])
            start = None
    if quote or depth > 0:
        raise UsageError("a quote or bracket is not closed")
    return words if start is None else [*words, text[start:]]


def unquoted(word: str) -> str:
    """Return the text that a word means: a Python string in quotes, or the word itself.

    Examples
    --------
    >>> unquoted("'my node'"), unquoted("fit")
    ('my node', 'fit')
    """
    if word[:1] in ("'", '"'):
        try:
            meant = ast.literal_eval(word)
        except (SyntaxError, ValueError):
            return word
        return meant if isinstance(meant, str) else word
    return word


def quoted(text: str) -> str:
    """Return the word that means `text`: itself, or a Python string where it has blanks, quotes or the like.

    Examples
    --------
    >>> quoted("fit"), quoted("my node")
    ('fit', "'my node'")
    """
    try:
        plain = split(text) == [text] and text[:1] not in ("'", '"', "-")
    except UsageError:
        plain = False
    return text if plain else repr(text)


def take_options(
    words: list[str], *, valued: tuple[str, ...] = (), flags: tuple[str, ...] = ()
) -> tuple[list[str], dict[str, str]]:
    """Part a verb's `words` into those that are no options, and its options with their values; a flag's is its name.

    Raises
    ------
    UsageError
        There is no such option, or it needs a value.

    Examples
    --------
    >>> take_options(["f", "--from", "fit", "--force"], valued=("--from",), flags=("--force",))
    (['f'], {'--from': 'fit', '--force': '--force'})
    """
    rest: list[str] = []
    found: dict[str, str] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        option, equals, value = word.partition("=")
        if not word.startswith("--"):
            rest.append(word)
        elif option in flags and not equals:
            found[option] = option
        elif option in valued:
            if not equals and waiting and not waiting[0].startswith("--"):
                value = waiting.pop(0)
            if not value:
                raise UsageError(f"{option} needs a value")
            found[option] = unquoted(value)
        else:
            known = (*valued, *flags)
            raise UsageError(
                f"there is no option {word!r} here",
                hints=(closest(option, known) or (f"there is: {', '.join(known)}" if known else "it takes none"),),
            )
    return rest, found


def _take(words: list[str], line: Line) -> None:
    word = words.pop(0)
    if word.startswith("--"):
        _take_option(word, words, line)
        return
    name, equals, source = word.partition("=")
    if not equals or not name.isidentifier() or not source:
        raise UsageError(
            f"{word!r} is neither key=value nor an option", hints=("write key=value, without blanks around =",)
        )
    if name in line.inputs:
        raise UsageError(f"{name!r} is given twice")
    line.inputs[name] = source


def _take_option(word: str, words: list[str], line: Line) -> None:
    option, equals, value = word.partition("=")
    if option in FLAGS and equals:
        raise UsageError(f"{option} takes no value, not {value!r}")
    if option in ("--wait", "--replace"):
        setattr(line, FLAGS[option], True)
    elif option in FLAGS:
        line.overrides[FLAGS[option]] = True
    elif option in OPTIONS:
        name, convert = OPTIONS[option]
        if not equals and words and not words[0].startswith("--"):
            value = words.pop(0)
        if not value:
            raise UsageError(f"{option} needs a value")
        try:
            line.overrides[name] = convert(value)
        except ValueError as error:
            raise UsageError(f"{option} takes a number, not {value!r}") from error
    else:
        known = [*OPTIONS, *FLAGS]
        raise UsageError(
            f"there is no option {option!r}", hints=(closest(option, known) or f"the options are: {', '.join(known)}",)
        )
