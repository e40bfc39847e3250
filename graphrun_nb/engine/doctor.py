"""Is everything in order here? What is installed, which SQLite, where runs live and where they are kept.

It needs no IPython; the notebook adds what only a kernel knows.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sqlite3
import stat
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from graphrun_nb.core.state import fold
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.env import default_store
from graphrun_nb.errors import GraphRunError
from graphrun_nb.stores.durable import DurableStore
from graphrun_nb.stores.memory import MemoryStore
from graphrun_nb.view.text import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.protocols import RunStore

_OURS = "graphrun-nb"
_SHOWN = ("ipykernel", "ipython", "ipywidgets", "anywidget", "nest-asyncio2")
_FRONT_END = "jupyterlab"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)")
_NETWORKS = frozenset(
    {"cifs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "vboxsf", "ncpfs", "davfs"}
)
_LITTLE = 200_000_000
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""From and up to which SQLite a checkpoint that meets a write of another connection can lose pages."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, whether that is well, and what to do if it is not."""

    what: str
    found: str
    ok: bool = True
    hint: str = ""


def findings() -> list[Finding]:
    """Return what can be said of this process without a notebook."""
    return [
        Finding("graphrun_nb", _installed(_OURS) or "not installed: imported from its sources"),
        Finding("python", f"{platform.python_version()} on {platform.system()}"),
        *(package(name) for name in _SHOWN),
        package(_FRONT_END, required=False),
        sqlite(sqlite3.sqlite_version),
        loop(),
        store(),
    ]


def table(rows: Iterable[Finding]) -> str:
    """Return findings as text: a line for each, and a line below for what to do."""
    found = list(rows)
    lines = aligned([(each.what, "ok" if each.ok else "warn", each.found) for each in found]).splitlines()
    hints = [f"\n    hint: {each.hint}" if each.hint else "" for each in found]
    return "".join(f"{line}{hint}\n" for line, hint in zip(lines, hints, strict=True))


def package(name: str, *, required: bool = True) -> Finding:
    """Tell which version of a package is installed, and whether it is new enough."""
    version = _installed(name)
    least = _least().get(name, "")
    if not version:
        hint = f"%pip install '{name}>={least}'" if required else "the notebook's server may be another environment"
        return Finding(name, "not in this environment", ok=not required, hint=hint)
    if least and _numbers(version) < _numbers(least):
        return Finding(name, version, ok=False, hint=f"{least} or newer is needed: %pip install -U {name}")
    return Finding(name, version)


def sqlite(version: str) -> Finding:
    """Tell whether the SQLite that Python is linked to is one that can damage a database in WAL mode."""
    first, last = WAL_RESET_BUG
    if first <= _numbers(version) <= last:
        hint = "before 3.51.3, another program that writes to a store's file can damage it; graphrun_nb itself does not"
        return Finding("sqlite", version, ok=False, hint=hint)
    return Finding("sqlite", version)


def loop() -> Finding:
    """Tell on which event loop a run that is started here would live."""
    running = running_loop()
    if running is None:
        return Finding("event loop", "none on this thread: runs live on one in the background")
    return Finding("event loop", f"{type(running).__name__}, running: runs live on it")


def store() -> Finding:
    """Tell where runs are kept that name no store, and whether that can be written."""
    try:
        kept = default_store()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is to be told)
        return Finding(
            "store", f"{type(error).__name__}: {error}", ok=False, hint="runs that name no store cannot start"
        )
    if isinstance(kept, MemoryStore):
        return Finding("store", "in memory: runs end with this process")
    path = getattr(kept, "path", None)
    return _file(kept, Path(path)) if isinstance(path, (str, Path)) else _elsewhere(kept)


def sound(kept: RunStore) -> list[Finding]:
    """Tell whether every run of a store, and every value that it refers to, is what was written. Reads all of it."""
    damaged = []
    n_values = 0
    run_ids = kept.run_ids()
    for run_id in run_ids:
        keeper = kept.keeper(run_id, lasting=True)
        try:
            state = fold(run_id, kept.read(run_id))
            refs = [ref for node in state.nodes.values() for ref in node.values if ref.codec == "json"]
            n_values += len(refs)
            for ref in refs:
                with contextlib.suppress(LookupError):
                    keeper.get(ref)
        except GraphRunError as error:
            damaged.append(str(error))
    path = getattr(kept, "path", None)
    around = _around(kept, path) if isinstance(path, Path) else [_elsewhere(kept), _owners(kept)]
    if not damaged:
        return [*around, Finding("runs", f"{len(run_ids)}, with {n_values} values, all as they were written")]
    hint = "a copy of what is whole: python -m graphrun_nb salvage OLD NEW"
    return [*around, *(Finding("runs", each, ok=False, hint=hint) for each in damaged)]


def _elsewhere(kept: RunStore) -> Finding:
    """Tell what a store that is no file says of itself."""
    about = getattr(kept, "about", None)
    return Finding("store", f"{kept!r}: {about()}" if callable(about) else type(kept).__name__)


def _around(kept: RunStore, path: Path) -> list[Finding]:
    return [_file(kept, path), _file_system(path), _room(path), _owners(kept)]


def _file_system(path: Path) -> Finding:
    """Tell on what the file lies: on a network, other machines' locks do not count."""
    place = str(path.resolve())
    mounts = [each for each in psutil.disk_partitions(all=True) if Path(place).is_relative_to(each.mountpoint)]
    kind = max(mounts, key=lambda each: len(each.mountpoint)).fstype if mounts else "unknown"
    if kind.lower() in _NETWORKS or kind.lower().startswith(("nfs", "smb", "fuse.sshfs")):
        hint = "SQLite cannot share a file over a network: keep the store on a disk of this machine (GRAPHRUN_STORE)"
        return Finding("file system", kind, ok=False, hint=hint)
    return Finding("file system", kind)


def _room(path: Path) -> Finding:
    free = shutil.disk_usage(path.absolute().parent).free
    size = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*") if each.is_file())
    found = f"{free / 1e9:.1f} GB free, the store has {size / 1e6:.1f} MB"
    return Finding("room", found, ok=free > _LITTLE, hint="" if free > _LITTLE else "make room: runs stop when it ends")


def _owners(kept: RunStore) -> Finding:
    """Tell which runs are driven just now, and which a process left that is gone."""
    owners = [(run_id, kept.owner(run_id)) for run_id in kept.run_ids()]
    driven = [f"{run_id} by {owner}" for run_id, owner in owners if owner is not None]
    stale = kept.stale() if isinstance(kept, DurableStore) else []
    gone = f"; left by processes that are gone: {', '.join(stale[:8])}" if stale else ""
    return Finding("owners", f"{', '.join(driven[:8]) or 'nothing is under way'}{gone}")


def _file(kept: RunStore, path: Path) -> Finding:
    folder = path.absolute().parent
    place = path if path.exists() else folder
    if not os.access(place, os.W_OK):
        return Finding("store", f"{path}: not writable", ok=False, hint=f"let this user write to {place}")
    mode = stat.S_IMODE(place.stat().st_mode)
    found = f"{type(kept).__name__} {path} (mode {mode:o})"
    if os.name == "posix" and path.exists() and mode & 0o077:
        what = "change" if mode & 0o022 else "read"
        return Finding("store", found, ok=False, hint=f"others can {what} your runs: chmod 600 {path}")
    return Finding("store", found)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _least() -> dict[str, str]:
    """Return the oldest version of each requirement that will do, as the package itself declares them."""
    try:
        declared = metadata.requires(_OURS) or ()
    except metadata.PackageNotFoundError:
        return {}
    found = (_REQUIREMENT.match(line) for line in declared if "extra ==" not in line)
    return {each[1].lower(): each[2] for each in found if each is not None}


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version; ``7.4.0.dev1`` gives (7, 4, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found is not None else ()
