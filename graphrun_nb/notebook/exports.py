"""Files for a view: made in a thread, and sent in pieces, since a server drops messages that are too much at once."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.contents import KINDS, contents
from graphrun_nb.notebook.keepsake import WORKER

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from graphrun_nb.engine.run import Run

PIECE = 500_000
"""Characters; a server passes on 3 MB in 3 s."""


class Exports:
    """The files that the views of one run have asked for: the latest is kept until its last piece has been sent."""

    def __init__(self) -> None:
        self._kind = ""
        self._pieces: list[str] = []

    def part(self, run: Run, kind: str, part: int) -> dict[str, Any] | Future[dict[str, Any]]:
        """Return piece `part` of a file, base64 of gzip; with the first one the file is made.

        Raises
        ------
        GraphRunError
            There is no such piece.
        """
        if part == 0:
            make = contents(run, kind)
            return WORKER.submit(lambda: self._begin(kind, make, f"{run.run_id}.{kind}"))
        if kind != self._kind or part >= len(self._pieces):
            raise GraphRunError("this file has been replaced by another one", hints=("export it again",))
        told = {"part": part, "parts": len(self._pieces), "text": self._pieces[part]}
        if part == len(self._pieces) - 1:
            self._pieces = []
        return told

    def _begin(self, kind: str, make: Callable[[], bytes], name: str) -> dict[str, Any]:
        text = base64.b64encode(gzip.compress(make(), 6, mtime=0)).decode()
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        self._kind, self._pieces = kind, pieces if len(pieces) > 1 else []
        return {"part": 0, "parts": len(pieces), "text": pieces[0], "name": name, "mime": KINDS[kind]}
