"""A small file beside a database: how many events each run has at least, so that a lost log is noticed.

SQLite keeps the latest turns in the file ``-wal``. Where that is deleted, or left behind when a store is copied, the
rest is a whole database of an earlier moment, and nothing in it tells.
"""

from __future__ import annotations

import contextlib
import os
import weakref
import zlib
from typing import TYPE_CHECKING

from graphrun_nb.stores.identity import this_process

if TYPE_CHECKING:
    from pathlib import Path

_SLOT = 256
_N_FIELDS = 4
_LASTING, _FLEETING = 0, 1
"""What survives a power cut is noted apart: other notes may get to the disk before what they tell of."""


class Latest:
    """The file `path`; made when something is noted first. Notes are written once what they tell of is committed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._boot = this_process().boot
        self._handle: int | None = None

    def note(self, run_id: str, n_events: int, *, lasting: bool) -> None:
        """Say that `n_events` of a run are there. One that cannot be written is left out: it only helps to notice."""
        text = f"{run_id} {n_events} {self._boot}".encode()
        slot = b"%b %08x" % (text, zlib.crc32(text))
        try:
            os.pwrite(self._opened(), slot.ljust(_SLOT), _SLOT * (_LASTING if lasting else _FLEETING))
        except OSError:
            return

    def expected(self) -> list[tuple[str, int]]:
        """Return runs, and how many events of them there are at least."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return []
        found = []
        for slot in (_LASTING, _FLEETING):
            text, _, check = data[_SLOT * slot :][:_SLOT].decode(errors="replace").strip().rpartition(" ")
            words = text.split(" ")
            if check != f"{zlib.crc32(text.encode()):08x}" or len(words) != _N_FIELDS - 1:
                continue
            run_id, n_events, boot = words
            if slot == _LASTING or boot == this_process().boot:
                found.append((run_id, int(n_events)))
        return found

    def clear(self) -> None:
        """Expect nothing any more."""
        with contextlib.suppress(OSError):
            os.truncate(self.path, 0)

    def _opened(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            weakref.finalize(self, os.close, self._handle)
        return self._handle
