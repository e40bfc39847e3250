"""Where logs are kept. All stores pass one conformance suite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb.errors import BadOption, StoreUnusable
from graphrun_nb.stores.memory import MemoryStore

if TYPE_CHECKING:
    from graphrun_nb.protocols import RunStore

_METHODS = ("claim", "read", "run_ids", "keeper")
_OPENED: dict[str, RunStore] = {}


def as_store(given: RunStore | str | Path) -> RunStore:
    """Return a store as it is, and that which a text or path names; raises as `check_store` and `opened`."""
    if isinstance(given, str | Path):
        return opened(os.fspath(given))
    check_store(given)
    return given


def check_store(given: object) -> None:
    """Raise BadOption if `given` is not a store; a hint says what it lacks."""
    lacks = [name for name in _METHODS if not callable(getattr(given, name, None))]
    if isinstance(given, type) or lacks:
        hint = f"store={given.__name__}()" if isinstance(given, type) else f"it lacks {lacks[0]}()"
        raise BadOption(f"store=... takes a store, or a path or address, not {given!r}", hints=(hint,))


def opened(text: str) -> RunStore:
    """Return the store that a path, ``sqlite:///path``, ``postgresql://…`` or ``memory`` names; the same one each time.

    Raises
    ------
    StoreUnusable
        It cannot be used; nothing was changed.
    """
    if text not in _OPENED:
        _OPENED[text] = _open(text)
    return _OPENED[text]


def _open(text: str) -> RunStore:
    if text == "memory":
        return MemoryStore()
    if text.startswith(("postgresql://", "postgres://")):
        from graphrun_nb.stores.postgres import PostgresStore  # noqa: PLC0415 (an extra)

        return PostgresStore(text)
    scheme, _, path = text.rpartition("://")
    if scheme and (scheme != "sqlite" or not path.startswith("/")):
        raise StoreUnusable(
            f"there is no store of the kind {scheme!r}",
            hints=("a path, sqlite:///path, postgresql://user@host/database, or memory",),
        )
    from graphrun_nb.stores.sqlite import SqliteStore  # noqa: PLC0415 (for those alone who store)

    return SqliteStore(text.removeprefix("sqlite:///"))
