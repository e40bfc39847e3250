"""Where the nodes of a run stand, container by container: what is placed stays as the run grows, until it is tidied.

Layouts are made off the loop when they are large, and only of what a view has asked for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from graphrun_nb.engine.background import running_loop
from graphrun_nb.view.parts import groups_of, parts_of

if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Callable, Mapping, Sequence

    from graphrun_nb.core.state import RunState
    from graphrun_nb.view.drawing import Layout

    Tell = Callable[[str, Layout, Sequence[str]], None]

INLINE_LAYOUT = 300


@dataclass(slots=True)
class _Inside:
    """What is placed inside one container."""

    layout: Layout | None = None
    parts: Sequence[str] = ()
    busy: bool = False
    afresh: bool = False


class Places:
    """The layouts of one run.

    Parameters
    ----------
    state
        Returns the run's.
    tell
        Is given a container's id, its layout and its parts, in order of definition, when there is a new layout.
    context
        In which `tell` is called when a layout was made on a thread.
    """

    def __init__(self, state: Callable[[], RunState], tell: Tell, context: contextvars.Context) -> None:
        self._state = state
        self._tell = tell
        self._context = context
        self._insides: dict[str, _Inside] = {}
        self._n_seen = 0

    def show(self, container: str = "", *, afresh: bool = False) -> None:
        """Tell where the parts of `container` stand; what was placed stays, unless `afresh`."""
        inside = self._insides.setdefault(container, _Inside())
        inside.afresh |= afresh
        if inside.busy:
            return
        parts, edges = parts_of(self._state(), container)
        if inside.layout is not None and not inside.afresh and len(parts) == len(inside.parts):
            self._tell(container, inside.layout, inside.parts)
        elif parts:
            before = None if inside.afresh else inside.layout
            inside.parts, inside.afresh = parts, False
            groups = groups_of(self._state(), parts)
            loop = running_loop()
            if loop is None or (len(parts) <= INLINE_LAYOUT and _is_warm()):
                self._placed(container, _layout(parts, list(edges), before, groups))
            else:
                inside.busy = True
                made = loop.run_in_executor(None, _layout, parts, list(edges), before, groups)
                made.add_done_callback(partial(self._made, container), context=self._context.copy())

    def follow(self) -> None:
        """Place what has come since, where a view is looking. O(1) if nothing has."""
        if self._n_seen == len(self._state().nodes):
            return
        self._n_seen = len(self._state().nodes)
        for container, inside in self._insides.items():
            parts, _ = parts_of(self._state(), container)
            if len(parts) != len(inside.parts):
                self.show(container)

    def _made(self, container: str, made: asyncio.Future[Layout]) -> None:
        inside = self._insides[container]
        inside.busy = False
        self._placed(container, made.result())
        if inside.afresh or len(parts_of(self._state(), container)[0]) != len(inside.parts):
            self.show(container)

    def _placed(self, container: str, layout: Layout) -> None:
        inside = self._insides[container]
        inside.layout = layout
        self._tell(container, layout, inside.parts)


def _is_warm() -> bool:
    """Tell whether a layout can begin at once, without the loop waiting for networkx and numpy to be imported."""
    return hasattr(sys.modules.get("graphrun_nb.view.layout"), "layout")


def _layout(
    order: Sequence[str], edges: Sequence[tuple[str, str]], grown_from: Layout | None, groups: Mapping[str, str]
) -> Layout:
    from graphrun_nb.view.layout import layout  # noqa: PLC0415 (brings networkx and numpy)

    return layout(order, edges, grown_from=grown_from, groups=groups)
