"""What a view may ask for: one model a command, and the table of what each does. Everything else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from graphrun_nb.engine.future import started
from graphrun_nb.engine.preparing import anew
from graphrun_nb.errors import GraphRunError, PayloadRejected
from graphrun_nb.notebook import inputs
from graphrun_nb.notebook.detail import detail_aside, detail_of, is_quick
from graphrun_nb.notebook.showing import look_of, value_of
from graphrun_nb.view.aside import aside
from graphrun_nb.view.frames import Reply, ValueLook, ValueText
from graphrun_nb.view.text import clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from graphrun_nb.notebook.inspector import Inspector

Data = dict[str, Any]

MAX_ID = 2**53 - 1
"""Of a command: what a browser can count."""

MAX_NODE_ID = 4_000
"""An id has 200 characters at most; a part's id has those of its containers before it."""

MAX_REFUSAL = 1_000
MAX_WHERE = 100
MAX_ERRORS = 50
LOOK_S = 3.0
VALUE_S = 5.0


class Command(BaseModel):
    """Base of all commands; `id` comes back in the reply."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    id: int = Field(ge=0, le=MAX_ID)


class Sync(Command):
    """Send what is missing after event `have`; the view knows `nodes` definitions."""

    kind: Literal["sync"]
    have: int = Field(ge=0)
    nodes: int = Field(default=0, ge=0)


class History(Command):
    """Send the events `first` to `until`, which the view has only as part of a packed state."""

    kind: Literal["history"]
    first: int = Field(ge=1)
    until: int = Field(ge=1)


class Cancel(Command):
    """End the run."""

    kind: Literal["cancel"]


class Retry(Command):
    """Go on with what failed or was cancelled, or from a node, with all below it."""

    kind: Literal["retry"]
    node_id: str = Field(default="", max_length=MAX_NODE_ID)


class Inputs(Command):
    """Send the run's inputs as fields, to begin it again with others."""

    kind: Literal["inputs"]


class Again(Command):
    """Begin a new run of the graph as it is defined now, and show that; `values` are those of the fields."""

    kind: Literal["again"]
    values: dict[str, Any]


class Fork(Command):
    """Begin a new run where this one stood after event `at`, and show it."""

    kind: Literal["fork"]
    at: int = Field(ge=1, le=MAX_ID)


class Show(Command):
    """Show another run of those that this view has begun."""

    kind: Literal["show"]
    run_id: str = Field(max_length=MAX_NODE_ID)


class Resume(Command):
    """Answer wait `no` of a node's attempt."""

    kind: Literal["resume"]
    node_id: str = Field(max_length=MAX_NODE_ID)
    attempt: int
    no: int
    payload: Any


class Detail(Command):
    """Send what the log does not say of a node."""

    kind: Literal["detail"]
    node_id: str = Field(max_length=MAX_NODE_ID)


class Look(Command):
    """Send the picture or HTML that a value of a node makes of itself."""

    kind: Literal["look"]
    node_id: str = Field(max_length=MAX_NODE_ID)
    side: Literal["inputs", "outputs"]
    name: str = Field(max_length=MAX_NODE_ID)


class Value(Command):
    """Send a piece of a value's whole text, from character `start`."""

    kind: Literal["value"]
    node_id: str = Field(max_length=MAX_NODE_ID)
    side: Literal["inputs", "outputs"]
    name: str = Field(max_length=MAX_NODE_ID)
    start: int = Field(ge=0, le=MAX_ID)


class Place(Command):
    """Send where the parts of a container stand, and go on doing so as it grows."""

    kind: Literal["place"]
    inside: str = Field(max_length=MAX_NODE_ID)


class Tidy(Command):
    """Place the parts of a container, or of the run, afresh."""

    kind: Literal["tidy"]
    inside: str = Field(default="", max_length=MAX_NODE_ID)


class Export(Command):
    """Send a piece of the run as a file; the first one, `part` 0, is of the run as it stands now."""

    kind: Literal["export"]
    format: Literal["svg", "png", "json", "html", "trace.json"]
    part: int = Field(default=0, ge=0)


class Digest(Command):
    """Send the checksum of the state."""

    kind: Literal["digest"]


_COMMANDS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Sync
        | History
        | Cancel
        | Retry
        | Inputs
        | Again
        | Fork
        | Show
        | Resume
        | Detail
        | Look
        | Value
        | Place
        | Tidy
        | Export
        | Digest,
        Field(discriminator="kind"),
    ]
)


def read_command(content: Any) -> Command | Reply:
    """Return the command in a message, or the reply that refuses it."""
    given = content.get("id") if isinstance(content, dict) else None
    reply_to = given if type(given) is int and abs(given) <= MAX_ID else 0
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        return refusal(reply_to, "refused: a message is an object whose kind is a text")
    try:
        command: Command = _COMMANDS.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return refusal(reply_to, f"refused: {clipped(where, MAX_WHERE)}: {first['msg']}")
    return command


def refusal(command_id: int, error: str, hints: Iterable[str] = ()) -> Reply:
    """Return the reply that says why a command was not carried out, in 1,000 characters and a hint of as many."""
    return Reply(command_id, error=clipped(error, MAX_REFUSAL), hint=clipped(" ".join(hints), MAX_REFUSAL))


def refused(command: Command, error: GraphRunError) -> Reply:
    """Return the reply to a command that `error` stands in the way of, with what is wrong where in an answer."""
    errors = error.errors[:MAX_ERRORS] if isinstance(error, PayloadRejected) else ()
    reply = refusal(command.id, str(error), error.hints)
    told = tuple((clipped(path, MAX_REFUSAL), clipped(text, MAX_REFUSAL)) for path, text in errors)
    return msgspec.structs.replace(reply, errors=told)


def carry_out(command: Command, inspector: Inspector) -> Data | Future[Data]:
    """Do what `command` says and return the data of its reply, or a future of that, which may raise the same.

    Raises
    ------
    GraphRunError
        It cannot be done; nothing has changed.
    """
    return _TABLE[type(command)](command, inspector)


def _cancel(_command: Cancel, inspector: Inspector) -> dict[str, Any]:
    return {"cancelled": inspector.future.run.cancel(by="user")}


def _retry(command: Retry, inspector: Inspector) -> Data:
    inspector.future = inspector.future.retry(command.node_id or None)
    return {}


def _inputs(_command: Inputs, inspector: Inspector) -> Data:
    return inputs.Inputs(inspector.future.run).told()


def _again(command: Again, inspector: Inspector) -> Data:
    run = inspector.future.run
    begun = started(anew(run, inputs.Inputs(run).read(command.values)), loop=run.loop)
    inspector.turn_to(begun)
    return {"run_id": begun.run_id}


def _fork(command: Fork, inspector: Inspector) -> Data:
    begun = inspector.future.fork(at=command.at)
    inspector.turn_to(begun)
    return {"run_id": begun.run_id}


def _show(command: Show, inspector: Inspector) -> Data:
    known = inspector.shown.get(command.run_id)
    if known is None:
        raise GraphRunError(f"this view has not begun the run {clipped(repr(command.run_id), MAX_WHERE)}")
    inspector.turn_to(known)
    return {}


def _resume(command: Resume, inspector: Inspector) -> dict[str, Any]:
    answering = inspector.future.run.answering
    receipt = answering.answer(command.node_id, command.payload, by="view", attempt=command.attempt, no=command.no)
    return {"at": receipt.at}


def _detail(command: Detail, inspector: Inspector) -> Data | Future[Data]:
    run = inspector.future.run
    if command.node_id in run.state.nodes and not is_quick(run, command.node_id):
        return detail_aside(run, command.node_id)
    return _plain(detail_of(run, command.node_id))


def _look(command: Look, inspector: Inspector) -> Future[Data]:
    run = inspector.future.run
    shown = value_of(run, command.node_id, command.side, command.name)
    return aside(
        lambda: _plain(look_of(run, shown)), lambda why: _plain(ValueLook(problem=_why(why))), deadline_s=LOOK_S
    )


def _value(command: Value, inspector: Inspector) -> Future[Data]:
    run = inspector.future.run
    shown = value_of(run, command.node_id, command.side, command.name)
    return aside(
        lambda: _plain(inspector.texts.piece(run, shown, command.start)),
        lambda why: _plain(ValueText(f"<{_why(why)}>", 0, 0)),
        deadline_s=VALUE_S,
    )


def _plain(answer: msgspec.Struct) -> Data:
    plain: Data = msgspec.to_builtins(answer)
    return plain


def _why(error: BaseException | None) -> str:
    if error is None:
        return "it did not show itself in time"
    return f"showing it raised {type(error).__name__}"


def _place(command: Place, inspector: Inspector) -> dict[str, Any]:
    inspector.places.show(_container(command.inside, inspector))
    return {}


def _tidy(command: Tidy, inspector: Inspector) -> dict[str, Any]:
    inspector.places.show(_container(command.inside, inspector), afresh=True)
    return {}


def _container(node_id: str, inspector: Inspector) -> str:
    if node_id and node_id not in inspector.future.run.state.nodes:
        raise GraphRunError(f"there is no node {clipped(repr(node_id), MAX_WHERE)}")
    return node_id


def _export(command: Export, inspector: Inspector) -> Data | Future[Data]:
    return inspector.exports.part(inspector.future.run, command.format, command.part)


def _digest(_command: Digest, inspector: Inspector) -> dict[str, Any]:
    state = inspector.future.run.state
    return {"seq": state.seq, "digest": state.digest()}


def _sync(command: Sync, inspector: Inspector) -> dict[str, Any]:
    return inspector.sync(command.have, command.nodes)


def _history(command: History, inspector: Inspector) -> dict[str, Any]:
    inspector.send_history(command.first, command.until)
    return {}


_TABLE: dict[type[Command], Callable[[Any, Inspector], Data | Future[Data]]] = {
    Again: _again,
    Cancel: _cancel,
    Detail: _detail,
    Digest: _digest,
    Export: _export,
    Fork: _fork,
    History: _history,
    Inputs: _inputs,
    Look: _look,
    Place: _place,
    Resume: _resume,
    Retry: _retry,
    Show: _show,
    Sync: _sync,
    Tidy: _tidy,
    Value: _value,
}
