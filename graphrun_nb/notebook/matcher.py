"""How IPython asks `completion`: the same for a kernel's ``complete_request`` and for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.getipython import get_ipython

from graphrun_nb.notebook.completion import offers

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

FIRST = 100
"""Above all of IPython's own matchers, so that those which evaluate code do not run where ours knows the answer."""


@context_matcher(identifier="graphrun", priority=FIRST)  # type: ignore[untyped-decorator] # IPython's has no types
def graphrun_matcher(context: CompletionContext) -> SimpleMatcherResult:
    """Complete lines of ``%graphrun``, and the first line of ``%%graphrun``."""
    line = context.text_until_cursor
    shell = get_ipython()
    belongs_to_body = context.cursor_line > 0 and line.lstrip().startswith("%%")
    found = offers(line, shell.user_ns) if shell is not None and not belongs_to_body else None
    if found is None:
        return {"completions": [], "suppress": False}
    fragment, words = found
    return {
        "completions": [SimpleCompletion(text=text, type=kind) for text, kind in words],
        "matched_fragment": fragment,
        "suppress": True,
        "ordered": True,
    }


def attach(shell: Any) -> None:
    """Let the shell's Tab ask here; calling it again is harmless."""
    if graphrun_matcher not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(graphrun_matcher)


def detach(shell: Any) -> None:
    """Take back what `attach` did."""
    if graphrun_matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(graphrun_matcher)
