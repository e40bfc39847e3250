"""``%graphrun export``: a run as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.contents import contents, kind_of
from graphrun_nb.notebook.line import UsageError, take_options, unquoted

if TYPE_CHECKING:
    from graphrun_nb.engine.run import Run
    from graphrun_nb.notebook.scope import Scope

_USAGE = "%graphrun export RUN FILE.(svg|png|html|json|trace.json) --force"


def export(words: list[str], scope: Scope) -> None:
    """Write ``[RUN] FILE``; what is written is said by the file's ending. A file that is there needs ``--force``.

    Raises
    ------
    GraphRunError
        The file cannot be written; the message says why.
    """
    rest, options = take_options(words, flags=("--force",))
    if not 1 <= len(rest) <= 2:
        raise UsageError("export takes a run and a file", hints=(_USAGE,))
    path = Path(unquoted(rest[-1])).expanduser()
    _check_ending(path)
    run = scope.run(rest[0] if len(rest) == 2 else "")
    sys.stdout.write(write(run, path, force="--force" in options))


def write(run: Run, path: Path, *, force: bool) -> str:
    """Write a run to a file, and return a line that says so.

    Raises
    ------
    GraphRunError
        The file cannot be written, is there already, or its ending says nothing; the message says which.
    """
    _check_ending(path)
    if path.exists() and not force:
        raise _is_there(path)
    content = contents(run, kind_of(path.name))()
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError as error:
        hint = f"its folder is to be there: {path.parent}" if not path.parent.is_dir() else "choose another file"
        raise GraphRunError(f"{path} cannot be written: {error.strerror}", hints=(hint,)) from error
    return f"wrote run {run.run_id} to {path} ({_size(len(content))})\n"


def _check_ending(path: Path) -> None:
    if not kind_of(path.name):
        raise UsageError(f"{path.name!r} is no .svg, .png, .html, .json or .trace.json", hints=(_USAGE,))


def _is_there(path: Path) -> GraphRunError:
    return GraphRunError(f"{path} is there already", hints=("--force overwrites it",))


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1000:.0f} kB" if n_bytes >= 1000 else f"{n_bytes} bytes"
