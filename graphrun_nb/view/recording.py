"""A run that was recorded for views without a kernel: its log, where the nodes stand, and what is told of each. Pure.

`packed` makes text of it, for the state of a widget and for an exported page; ``js/src/replay.ts`` plays it.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from graphrun_nb.view.frames import EventsFrame, LayoutFrame, NodeDetail, SnapshotFrame, events_frame, snapshot_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.core.events import Envelope
    from graphrun_nb.core.state import RunState

RECORDING = 1
"""Rises when an older view could not play what is recorded."""

MAX_PACKED = 1_000_000
"""Characters in the state of a widget: a server passes on 3 MB in 3 s, and drops what is more."""


class Recording(Struct, frozen=True, omit_defaults=True):
    """A run as it stood at `saved_at` (Unix seconds).

    Attributes
    ----------
    events
        The whole log, or None where that would be too much.
    snapshot
        The state instead of it.
    layouts
        Where the nodes stand.
    details
        Of as many nodes as there is room for.
    """

    version: int
    run_id: str
    graph: str
    saved_at: float
    events: EventsFrame | None = None
    snapshot: SnapshotFrame | None = None
    layouts: tuple[LayoutFrame, ...] = ()
    details: tuple[NodeDetail, ...] = ()


def record(
    state: RunState,
    log: Sequence[Envelope],
    layouts: Sequence[LayoutFrame],
    details: Sequence[NodeDetail] = (),
    *,
    saved_at: float,
) -> Recording:
    """Return the recording of a run with its whole `log`, or with `state` alone if that is empty. O(events)."""
    batch = [(each.at, each.event) for each in log]
    return Recording(
        RECORDING,
        state.run_id,
        state.graph,
        saved_at,
        events=events_frame(1, batch) if batch else None,
        snapshot=None if batch else snapshot_frame(state),
        layouts=tuple(layouts),
        details=tuple(details),
    )


def packed(recording: Recording) -> str:
    """Return a recording as text: JSON, gzip, base64; the same for the same run."""
    return base64.b64encode(gzip.compress(msgspec.json.encode(recording), 6, mtime=0)).decode()


def bounded(recording: Recording, state: RunState, most: int = MAX_PACKED) -> str:
    """Return `packed`, or as much of the recording as fits into `most` characters; empty if nothing does.

    First the details go, then the history; what is left is how the run ended.
    """
    bare = msgspec.structs.replace(recording, details=())
    still = record(state, (), recording.layouts, saved_at=recording.saved_at)
    return next((text for text in map(packed, (recording, bare, still)) if len(text) <= most), "")
