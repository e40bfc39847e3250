"""Tab completion of ``%graphrun`` lines: from the text before the cursor and the user's names to what may stand there.

Nothing of the user's is run: values are told by their types alone, and no graph is built.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from graphrun_nb.authoring.builder import GraphBuilder
from graphrun_nb.authoring.graph_fn import GraphFunction
from graphrun_nb.authoring.graphify import Graphified
from graphrun_nb.authoring.task_graph import TaskGraph
from graphrun_nb.core.events import AttemptFailed, AttemptSucceeded, WaitOpened
from graphrun_nb.engine.env import Durability, OnChanged, OnUnsaved, OnWait, default_store
from graphrun_nb.engine.future import RunFuture
from graphrun_nb.engine.live import RUNS, find_run
from graphrun_nb.errors import GraphRunError
from graphrun_nb.executors import EXECUTORS
from graphrun_nb.notebook.line import FLAGS, OPTIONS, UsageError, quoted, split, take_options
from graphrun_nb.notebook.post_mortem import failed_nodes, latest_failed
from graphrun_nb.notebook.scope import GRAPHS
from graphrun_nb.notebook.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphrun_nb.engine.run import Run

    Source = Callable[[list[str], Mapping[str, Any]], "list[Offer]"]

MAX_RUNS = 100
_MAGIC = re.compile(r"\s*(?:(?:[^=%'\"]+=\s*)?%|%%|(?=graphrun\b))graphrun\s+(?P<rest>.*)", re.DOTALL)
_OPEN_QUOTE = re.compile(r"(?P<words>.*\s)(?P<fragment>['\"][^'\"]*)", re.DOTALL)
_WORDS = {"--on-wait": OnWait, "--on-changed": OnChanged, "--on-unsaved": OnUnsaved, "--durability": Durability}
_TURNS = (AttemptSucceeded, AttemptFailed, WaitOpened)
_FIELDS = {"approval": ("approved", "choice"), "text": ("text",), "choice": ("choice",), "files": ("files",)}


class Offer(NamedTuple):
    """A word that may stand at the cursor, and what it is, in one word."""

    text: str
    kind: str


def offers(line: str, namespace: Mapping[str, Any]) -> tuple[str, list[Offer]] | None:
    """Return the fragment before the cursor and the words that may take its place; None where it is not ours to say.

    Parameters
    ----------
    line
        The line up to the cursor, with the magic's name; the first line of the cell, if it is a cell magic.
    namespace
        The user's names.
    """
    found = _MAGIC.fullmatch(line)
    if found is None:
        return None
    try:
        words, fragment = _split(found["rest"])
    except UsageError:
        return None
    is_cell = line.lstrip().startswith("%%")
    if words[:1] == ["run"]:
        fragment, may = _launch(words[1:], fragment, namespace)
    elif words and words[0] in VERBS and not is_cell:
        may = _of_verb(words[0], words[1:], fragment, namespace)
    else:
        fragment, may = _launch(words, fragment, namespace)
        if not words and not is_cell:
            may += [Offer(verb, "verb") for verb in (*VERBS, "run")]
    bare = fragment.lstrip("'\"")
    fitting = [each for each in may if each.text.startswith(fragment) or each.text.lstrip("'\"").startswith(bare)]
    return (fragment, fitting) if fitting else None


def _split(rest: str) -> tuple[list[str], str]:
    """Part the line into the words before the one that is being written, and that one; raises as `split`."""
    try:
        words = split(rest)
    except UsageError:
        unclosed = _OPEN_QUOTE.fullmatch(f" {rest}")
        if unclosed is None:
            raise
        return split(unclosed["words"]), unclosed["fragment"]
    return (words, "") if not words or rest[-1].isspace() else (words[:-1], words[-1])


def _launch(words: list[str], fragment: str, namespace: Mapping[str, Any]) -> tuple[str, list[Offer]]:
    if not words:
        return fragment, _graphs(words, namespace)
    if fragment.startswith("--") and "=" in fragment:
        option, _, fragment = fragment.partition("=")
        return fragment, _values(option)
    if words[-1] in OPTIONS:
        return fragment, _values(words[-1])
    given = {word.partition("=")[0] for word in words}
    inputs = [Offer(f"{name}=", "input") for name in input_names(namespace.get(words[0])) if name not in given]
    return fragment, inputs + [Offer(each, "option") for each in (*OPTIONS, *FLAGS) if each not in given]


def input_names(target: Any) -> tuple[str, ...]:
    """Return the names of a graph's inputs, without building it; none if it is no graph."""
    kind = type(target)
    if issubclass(kind, Graphified):
        declared = target.io()["inputs"]
        return (*declared["required"], *declared["optional"])
    if issubclass(kind, GraphFunction):
        return tuple(each.name for each in target.inputs)
    if issubclass(kind, TaskGraph):
        return tuple(each.name for each in target.spec.inputs)
    return target.input_names if issubclass(kind, GraphBuilder) else ()


def _of_verb(verb: str, words: list[str], fragment: str, namespace: Mapping[str, Any]) -> list[Offer]:
    options = _VERB_OPTIONS.get(verb, {})
    if fragment.startswith("-"):
        return [Offer(option, "option") for option in options if option not in words]
    valued = tuple(option for option, source in options.items() if source is not None)
    if words and words[-1] in valued:
        *words, option = words
        source = options[option]
    else:
        source = None
    with contextlib.suppress(UsageError):
        words, _ = take_options(words, valued=valued, flags=tuple(options))
    places = _PLACES.get(verb, ())
    if source is None and len(words) < len(places):
        source = places[len(words)]
    return source(words, namespace) if source is not None else []


def _values(option: str) -> list[Offer]:
    if option in _WORDS:
        return [Offer(word, "value") for word in get_args(_WORDS[option])]
    if option == "--executor":
        return [Offer(name, "value") for name in EXECUTORS]
    if option in ("--run-id", "--resume-from"):
        return [Offer(run_id, "run") for run_id in _run_ids()]
    return []


def _graphs(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    del words
    return [Offer(name, "graph") for name in _holding(GRAPHS, namespace)]


def _runs(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    del words
    return [Offer(name, "run") for name in (*_holding((RunFuture,), namespace), *_run_ids())]


def _nodes(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    run = _run(words, namespace)
    return _named(run.state.nodes) if run is not None else []


def _inputs(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    """Return the inputs of a run that are not given yet."""
    run = _run(words, namespace)
    given = {word.partition("=")[0] for word in words[1:]}
    names = [name for name, _ in run.state.inputs if name not in given] if run is not None else []
    return [Offer(f"{name}=", "input") for name in names]


def _seqs(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    """Return the numbers of the events of a run after which a node had ended or asked, latest first."""
    run = _run(words, namespace)
    log = [] if run is None else list(enumerate(run.log.since(0), start=1))
    told = [Offer(str(seq), type(event).__name__) for seq, (_, event) in log if isinstance(event, _TURNS)]
    return told[:-MAX_RUNS:-1]


def _nothing(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    """Return nothing: any word will do."""
    del words, namespace
    return []


def _waiting_nodes(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    run = _run(words, namespace)
    return _named(node_id for node_id, node in run.state.nodes.items() if node.waits) if run is not None else []


def _answers(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    """Return the fields of what the node asks that are not given yet."""
    run = _run(words, namespace)
    node = run.state.nodes.get(words[1]) if run is not None else None
    if node is None or not node.waits:
        return []
    wait = node.waits[0].wait
    fields: Iterable[str] = (wait.schema or {}).get("properties", ()) or _FIELDS.get(wait.kind, ())
    given = {word.partition("=")[0] for word in words[2:]}
    return [Offer(f"{name}=", "input") for name in fields if name.isidentifier() and name not in given]


def _failed_nodes(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    run = _run(words, namespace)
    return _named(failed_nodes(run)) if run is not None else []


def _runs_and_failed_nodes(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    latest = latest_failed()
    return _runs(words, namespace) + (_named(failed_nodes(latest)) if latest is not None else [])


def _numbers(words: list[str], namespace: Mapping[str, Any]) -> list[Offer]:
    """Return nothing: a number is the user's to say."""
    del words, namespace
    return []


_PLACES: dict[str, tuple[Source, ...]] = {
    "show": (_runs,),
    "cancel": (_runs,),
    "resume": (_runs, _waiting_nodes, *[_answers] * 20),
    "debug": (_runs_and_failed_nodes, _failed_nodes),
    "diff": (_runs, _runs),
    "export": (_runs,),
    "retry": (_runs,),
    "fork": (_runs, *[_inputs] * 20),
    "attach": (_runs,),
}
"""What may stand at each place after a verb."""

_VERB_OPTIONS: dict[str, dict[str, Source | None]] = {
    "export": {"--force": None},
    "retry": {"--from": _nodes, "--on-changed": lambda _words, _namespace: _values("--on-changed")},
    "fork": {"--at": _seqs, "--run-id": _nothing},
    "attach": {"--with": _graphs},
    "prune": {"--older-than": _numbers, "--keep": _numbers, "--dry-run": None},
}


def _holding(kinds: tuple[type, ...], namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of the user's values of these kinds; `isinstance` would ask the value for its class."""
    return [name for name, value in list(namespace.items()) if name[:1] != "_" and issubclass(type(value), kinds)]


def _named(node_ids: Iterable[str]) -> list[Offer]:
    return [Offer(quoted(node_id), "node") for node_id in node_ids]


def _run_ids() -> list[str]:
    """Return the ids of the latest runs, newest first."""
    here = sorted(RUNS.values(), key=lambda run: -run.state.started_at)
    stored: list[str] = []
    with contextlib.suppress(GraphRunError, OSError):
        stored = list(reversed(default_store().run_ids()))
    return list(dict.fromkeys([*(run.run_id for run in here), *stored]))[:MAX_RUNS]


def _run(words: list[str], namespace: Mapping[str, Any]) -> Run | None:
    """Return the run of this process that the first word names, if there is one."""
    word = words[0] if words else ""
    held = namespace.get(word)
    if issubclass(type(held), RunFuture):
        return cast("RunFuture", held).run
    with contextlib.suppress(GraphRunError):
        return find_run(word)
    return None
