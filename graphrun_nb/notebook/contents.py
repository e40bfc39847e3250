"""What the file of an export holds, for each kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from graphrun_nb.core.state import fold
from graphrun_nb.core.status import RunStatus
from graphrun_nb.engine.result import result_of
from graphrun_nb.notebook.recorder import details_of, places_of
from graphrun_nb.view.export import to_json, to_png, to_svg
from graphrun_nb.view.page import Player, page
from graphrun_nb.view.picture import drawn
from graphrun_nb.view.recording import packed, record
from graphrun_nb.view.trace import to_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.engine.run import Run

STATIC = Path(__file__).parent / "static"
MAX_DETAILS = 5_000
MAX_DETAIL_BYTES = 30_000_000

KINDS = {
    "trace.json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html",
    "json": "application/json",
}
"""Endings of files, and their mime types; the first that fits counts."""


def kind_of(name: str) -> str:
    """Return the kind of file that `name` ends with, or an empty text."""
    return next((kind for kind in KINDS if name.lower().endswith(f".{kind}")), "")


def contents(run: Run, kind: str) -> Callable[[], bytes]:
    """Return what makes the bytes of a file of this kind, of the run as it stands now.

    This belongs on the run's own thread; what it returns may be called in any, takes seconds for thousands of nodes,
    and raises GraphRunError if a library is missing.
    """
    events = tuple(run.log)
    state = fold(run.run_id, events)  # of exactly these events, though the run goes on
    if kind == "trace.json":
        return lambda: to_trace(events)
    if kind in ("svg", "png"):
        convert: Callable[[str], bytes] = to_png if kind == "png" else str.encode
        return lambda: convert(to_svg(state))
    data = to_json(run.spec, state, events, run.secrets.preview)
    if kind == "json":
        return lambda: msgspec.json.format(data, indent=1)
    outputs = result_of(run) if state.finished is RunStatus.DONE and run.keeper.outputs is not None else {}
    told = [(name, run.secrets.preview(value, name)) for name, value in outputs.items()]
    details = details_of(run, most=MAX_DETAILS, n_bytes=MAX_DETAIL_BYTES)
    now = run.clock.time()

    def make() -> bytes:
        recording = record(state, events, places_of(state), details, saved_at=now)
        return page(state, drawn(state), data, told, _player(packed(recording))).encode()

    return make


def _player(recording: str) -> Player:
    return Player((STATIC / "page.js").read_text("utf-8"), (STATIC / "widget.css").read_text("utf-8"), recording)
