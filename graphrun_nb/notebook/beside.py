"""The store beside the notebook: ``.graphrun/runs.db`` in the kernel's folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb.errors import GraphRunError
from graphrun_nb.stores.memory import MemoryStore

if TYPE_CHECKING:
    from graphrun_nb.protocols import RunStore

FOLDER = ".graphrun"
_OPENED: dict[Path, RunStore] = {}


def store_beside() -> RunStore:
    """Return the store of this kernel's folder, made when it is first needed; one in memory where none can be made."""
    folder = Path.cwd() / FOLDER
    if folder not in _OPENED:
        _OPENED[folder] = _made(folder)
    return _OPENED[folder]


def _made(folder: Path) -> RunStore:
    from graphrun_nb.stores.sqlite import SqliteStore  # noqa: PLC0415 (when the first run is launched)

    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignored = folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
        return SqliteStore(folder / "runs.db")
    except (OSError, GraphRunError) as error:
        sys.stderr.write(f"runs are kept in memory alone: {error}\nhint: GRAPHRUN_STORE names another place for them\n")
        return MemoryStore()
