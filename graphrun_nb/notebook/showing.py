"""Values of a node as people may see them: at first glance, as they show themselves, and whole; without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphrun_nb.core.secrets import MASK, is_secret
from graphrun_nb.errors import GraphRunError
from graphrun_nb.view.frames import ValueLook, ValueText, ValueView
from graphrun_nb.view.look import ArrayLook, TableLook, scrubbed
from graphrun_nb.view.preview import MAX_FULL, full_text, look, size
from graphrun_nb.view.rich import is_rich, rich
from graphrun_nb.view.text import MAX_PREVIEW, clipped

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run

PIECE = 100_000
"""Characters of a value in one reply."""

_TYPE_NAME = type.__dict__["__name__"].__get__


class Shown(NamedTuple):
    """A value of a node, the name that it has there, and whether it is hidden."""

    name: str
    value: Any
    is_hidden: bool


def values_of(run: Run, node_id: str, side: str) -> list[Shown]:
    """Return a node's ``inputs`` or ``outputs``, as far as they are here."""
    hidden = run.secrets.outputs.get(node_id, ()) if side == "outputs" else ()
    values = run.inputs_of(node_id) if side == "inputs" else run.outputs_of(node_id)
    return [Shown(name, value, name in hidden or is_secret(name)) for name, value in values.items()]


def value_of(run: Run, node_id: str, side: str, name: str) -> Shown:
    """Return one of them; raises GraphRunError if it is not here, or not to be seen."""
    found = next((each for each in values_of(run, node_id, side) if each.name == name), None)
    if found is None:
        raise GraphRunError(f"node {node_id!r} has no value {name!r} among its {side} here")
    if found.is_hidden:
        raise GraphRunError(f"{name!r} must stay hidden")
    return found


def view_of(run: Run, shown: Shown) -> ValueView:
    """Return a value at first glance. This runs users' code, unless `is_known`."""
    name, value, is_hidden = shown
    kind = _TYPE_NAME(type(value))
    if is_hidden:
        return ValueView(name, kind, MASK)
    run.secrets.find(value)
    try:
        text = run.secrets.preview(value, name)
    except KeyboardInterrupt:  # somebody stops it, or its repr says so: either way this is all there is to it
        return not_shown(shown, "showing it was interrupted")
    try:
        found = look(value)
        how_large = size(value, found)
    except BaseException:  # noqa: BLE001 (a data frame of the user's own kind may raise anything: text is left)
        found, how_large = None, ""
    return ValueView(
        name,
        kind,
        text,
        truncated=len(text) >= MAX_PREVIEW or "..." in text,
        size=how_large,
        look=None if found is None else scrubbed(found, run.secrets.scrub),
        is_rich=not isinstance(found, TableLook | ArrayLook) and is_rich(value),
    )


def not_shown(shown: Shown, why: str) -> ValueView:
    """Return what stands for a value that could not be looked at."""
    kind = _TYPE_NAME(type(shown.value))
    return ValueView(shown.name, kind, f"<{kind}: {why}>")


def look_of(run: Run, shown: Shown) -> ValueLook:
    """Return the picture or HTML that a value makes of itself. This runs users' code."""
    found = rich(shown.value)
    if found is None:
        return ValueLook(problem="it shows itself as text alone, or is too large to be shown")
    return ValueLook(scrubbed(found, run.secrets.scrub))


class Texts:
    """Whole texts of values, in pieces; the last one is kept, so that its pieces belong together."""

    def __init__(self) -> None:
        self._of: Any = None
        self._text = ""
        self._is_cut = False

    def piece(self, run: Run, shown: Shown, start: int) -> ValueText:
        """Return the piece that begins at `start` characters. This runs users' code at the first one."""
        if start == 0 or self._of is not shown.value:
            whole = full_text(shown.value)
            self._of = shown.value
            self._is_cut = len(whole) > MAX_FULL
            self._text = clipped(run.secrets.scrub(whole), MAX_FULL)
        return ValueText(self._text[start : start + PIECE], start, len(self._text), self._is_cut)
