"""``python -m graphrun_nb``: the runs of a store, from a terminal. Nothing that a store holds is executed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from graphrun_nb.engine.api import open_run, resume
from graphrun_nb.engine.doctor import findings, sound
from graphrun_nb.engine.doctor import table as findings_table
from graphrun_nb.engine.summary import list_runs, runs_table
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.exporting import write
from graphrun_nb.notebook.pruning import DAYS, count, days, pruned
from graphrun_nb.stores import opened
from graphrun_nb.stores.salvage import salvage
from graphrun_nb.stores.sqlite import SqliteStore
from graphrun_nb.view.text import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrun_nb.protocols import RunStore

_DUMP = "pg_dump --schema=graphrun copies a store on a server, and pg_restore brings it back"
BESIDE = Path(".graphrun/runs.db")
WRONG = 2
"""Exit status for what cannot be done as it was asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line says; return its exit status: 0, or 2 with one line that says why not."""
    given = _parser().parse_args(arguments)
    try:
        given.act(given)
    except (GraphRunError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        for hint in getattr(error, "hints", ())[:1]:
            sys.stderr.write(f"hint: {hint}\n")
        return WRONG
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and where help is in another."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end the program."""
        self.exit(WRONG, f"error: {message}\nhint: {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m graphrun_nb", description="The runs of a store.")
    parser.add_argument(
        "--store",
        metavar="PLACE",
        help=f"a path, sqlite:///path or postgresql://…; else GRAPHRUN_STORE, else {BESIDE}",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    runs = verbs.add_parser("runs", help="list all runs, newest first")
    runs.add_argument("--json", action="store_true", help="one JSON object a line")
    runs.set_defaults(act=_runs)

    show = verbs.add_parser("show", help="show one run, with its open questions and errors")
    show.add_argument("run")
    show.set_defaults(act=_show)

    answer = verbs.add_parser("resume", help="answer a question: RUN NODE ANSWER, or --token TOKEN ANSWER")
    answer.add_argument("--token", action="store_true", help="the first word is a token")
    answer.add_argument("words", nargs="+", metavar="WORD", help="an answer is JSON, key=value pairs, or else a text")
    answer.set_defaults(act=_resume)

    cancel = verbs.add_parser("cancel", help="cancel a run, in the process that drives it if one does")
    cancel.add_argument("run")
    cancel.set_defaults(act=_cancel)

    export = verbs.add_parser("export", help="write a run to FILE.(svg|png|html|json|trace.json)")
    export.add_argument("run")
    export.add_argument("file", type=Path)
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    export.set_defaults(act=_export)

    backup = verbs.add_parser("backup", help="copy the whole store to the new file FILE, also while runs are under way")
    backup.add_argument("file", type=Path)
    backup.set_defaults(act=_backup)

    doctor = verbs.add_parser("doctor", help="tell what is in order here, and read every run")
    doctor.set_defaults(act=_doctor)

    rescue = verbs.add_parser("salvage", help="copy what is whole of the damaged store OLD into the new store NEW")
    rescue.add_argument("old", type=Path)
    rescue.add_argument("new", type=Path)
    rescue.set_defaults(act=_salvage)

    _add_prune(verbs)
    _add_prune(runs.add_subparsers(metavar="prune"))
    return parser


def _add_prune(verbs: Any) -> None:
    """Let runs be deleted by ``prune``, and by ``runs prune`` as well."""
    prune = verbs.add_parser("prune", help="delete runs that have ended")
    prune.add_argument("--older-than", type=days, default=DAYS, metavar="DAYS", help="days since their end, 30")
    prune.add_argument(
        "--keep", type=count, default=0, metavar="N", help="of those that have ended, the N that began last stay, 0"
    )
    prune.add_argument("--dry-run", action="store_true", help="only say which")
    prune.set_defaults(act=_prune)


def _store(given: argparse.Namespace) -> RunStore:
    place = given.store or os.environ.get("GRAPHRUN_STORE")
    if place is None:
        if not BESIDE.exists():
            raise GraphRunError(f"there is no store {BESIDE} here", hints=("name one: --store PATH",))
        place = str(BESIDE)
    elif not place.startswith("postgres") and not Path(place.removeprefix("sqlite:///")).exists():
        raise GraphRunError(f"there is no store {place!r}", hints=("a store is a file such as .graphrun/runs.db",))
    return opened(place)


def _runs(given: argparse.Namespace) -> None:
    store = _store(given)
    rows = list_runs(store=store)
    if given.json:
        for row in rows:
            line = {
                "run_id": row.run_id,
                "graph": row.graph,
                "status": row.status,
                "owner": str(store.owner(row.run_id) or ""),
                "counts": {status.lower(): n for status, n in row.counts.items()},
                "started_at": row.started_at,
                "ended_at": row.ended_at,
            }
            print(json.dumps(line))
        return
    print(runs_table(rows) if rows else "no runs")


def _show(given: argparse.Namespace) -> None:
    future = open_run(given.run, store=_store(given))
    print(f"run {future.run_id} of {table(future.run.state)}")
    owner = future.run.store.owner(future.run_id)
    if owner is not None:
        print(f"driven by {owner}")
    for each in future.waits:
        print(f"{each.node_id} asks ({each.kind}): {each.prompt}")
    for node in future.graph.nodes:
        if node.error is not None:
            print(f"{node.node_id} failed: {node.error.type_name}: {node.error.message}")


def _resume(given: argparse.Namespace) -> None:
    store = _store(given)
    if given.token:
        token, *words = given.words
        receipt = resume(token, _answer(words), store=store, by="terminal")
    else:
        run_id, node_id, *words = [*given.words, ""][: max(len(given.words), 2)]
        receipt = open_run(run_id, store=store).resume(node_id, _answer(words), by="terminal")
    print(f"node {receipt.node_id} of run {receipt.run_id} has its answer")


def _answer(words: Sequence[str]) -> Any:
    if not words:
        raise GraphRunError("there is no answer", hints=("resume RUN NODE true, or key=value, or a text",))
    if all("=" in word for word in words):
        return {name: _value(text) for name, _, text in (word.partition("=") for word in words)}
    return _value(" ".join(words))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cancel(given: argparse.Namespace) -> None:
    future = open_run(given.run, store=_store(given))
    if not future.cancel():
        raise GraphRunError(f"run {given.run!r} has ended already: {future.status.lower()}")
    print(f"run {given.run} is {'being ' if future.status != 'CANCELLED' else ''}cancelled")


def _export(given: argparse.Namespace) -> None:
    future = open_run(given.run, store=_store(given))
    print(write(future.run, given.file, force=given.force), end="")


def _backup(given: argparse.Namespace) -> None:
    store = _store(given)
    if not isinstance(store, SqliteStore):
        raise GraphRunError("only a store in a file can be copied to one", hints=(_DUMP,))
    store.back_up(given.file)
    print(f"{len(store.run_ids())} runs are in {given.file}")


def _doctor(given: argparse.Namespace) -> None:
    found = [each for each in findings() if each.what != "store"]
    sys.stdout.write(findings_table([*found, *sound(_store(given))]))


def _salvage(given: argparse.Namespace) -> None:
    if str(given.old).startswith("postgres"):
        raise GraphRunError("a store on a server cannot be salvaged from here", hints=(_DUMP,))
    if not given.old.exists() or given.new.exists():
        what = f"there is no {given.old}" if not given.old.exists() else f"{given.new} is there already"
        raise GraphRunError(what, hints=("salvage OLD NEW copies into a file that is not there yet",))
    if not given.new.absolute().parent.is_dir():
        raise GraphRunError(
            f"there is no folder {given.new.parent}", hints=("make it first, with room for two copies",)
        )
    told = salvage(given.old, given.new)
    print(f"{sum(each.n_events > 0 for each in told.values())} runs are in {given.new}")
    for run_id, each in told.items():
        if each.n_lost or each.n_lost is None:
            print(f"run {run_id} lost {each.n_lost or 'nobody knows how many'} events after event {each.n_events}")
        for digest in each.lost_values:
            print(f"run {run_id} lost a value ({digest[:12]})")


def _prune(given: argparse.Namespace) -> None:
    for run_id in pruned(_store(given), given.older_than, given.keep, dry_run=given.dry_run):
        print(run_id)


if __name__ == "__main__":
    sys.exit(main())
