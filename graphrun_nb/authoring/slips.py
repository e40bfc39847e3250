"""Common slips in nodes and running bodies, recognised by the error that Python raises, and what to write instead."""

from __future__ import annotations

import re

_AWAIT = "what an async tool, a question or a graph function gives has to be awaited: (await NAME(...))[...]"
_NO_AWAIT = "a sync tool is called without await; to keep the loop free, in a thread: await NAME.aio(...)"
_BY_KEY = "here a call gives a dict of outputs: write [{0!r}] instead of .{0}"
_SLIPS = (
    (re.compile(r"'coroutine' object (?:is not subscriptable|has no attribute '\w+')"), _AWAIT),
    (re.compile(r"object dict can't be used in 'await' expression|'dict' object can't be awaited"), _NO_AWAIT),
    (re.compile(r"'dict' object has no attribute '(\w+)'.*"), _BY_KEY),
)


_NO_INPUT = "a node asks by ask_text(...), or await context.channel().ask_text(...): input() works while a cell runs"


def hint_for(error: BaseException, kind: str) -> str:
    """Return what to write instead in a node of `kind`, or an empty string where nothing is known."""
    if type(error) is EOFError or type(error).__name__ == "StdinNotImplementedError":
        return _NO_INPUT
    if kind != "body" or type(error) not in (TypeError, AttributeError):
        return ""
    text = str(error)
    for pattern, hint in _SLIPS:
        found = pattern.fullmatch(text)
        if found:
            return hint.format(*found.groups())
    return ""
