"""The facts of a run, in the past tense. The union is closed; `apply` in state.py is the only reader that acts on it.

Telemetry (progress, output lines) is no fact and never stands here.
"""

from __future__ import annotations

from typing import Any, final

from msgspec import Struct

from graphrun_nb.core.status import RunStatus


class ValueRef(Struct, frozen=True, gc=False, omit_defaults=True):
    """A value that lives outside the log.

    Attributes
    ----------
    codec
        How its bytes were written; ``memory`` means that it was not kept and lives in this process alone.
    digest
        First half of the sha256 of the bytes, hex; of what lives in a process, the number that it has there; empty if
        it cannot be had.
    size
        Bytes.
    preview
        At most 4 kB of text for people.
    """

    codec: str = "memory"
    digest: str = ""
    size: int = 0
    preview: str = ""


class FrameInfo(Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of a traceback; `user` tells the caller's code from ours and the standard library's."""

    file: str
    line: int
    function: str
    source: str = ""
    user: bool = False


class ErrorInfo(Struct, frozen=True, gc=False, omit_defaults=True):
    """An exception as data.

    Attributes
    ----------
    types
        Qualified names of the exception's type and its bases, most special first.
    frames
        Outermost first, as Python prints them; frames of this package are left out.
    notes
        Notes and hints attached to the exception.
    cause
        The text of the chained exceptions, innermost last.
    """

    types: tuple[str, ...]
    message: str = ""
    frames: tuple[FrameInfo, ...] = ()
    notes: tuple[str, ...] = ()
    cause: str = ""

    @property
    def type_name(self) -> str:
        """The exception's own type name, without its module."""
        return self.types[0].rpartition(".")[2]

    def __str__(self) -> str:
        """Return it as Python prints a traceback; of frames, the user's own, if there are any."""
        users = [each for each in self.frames if each.user] or self.frames
        where = [f"{each.file}, line {each.line}, in {each.function}\n    {each.source.strip()}" for each in users]
        return "\n".join([*where, f"{self.type_name}: {self.message}", *self.notes])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))


CONTAINERS = frozenset({"map", "graph", "body"})
"""Kinds of nodes that are made of others: mapped elements, a nested graph, the calls of a running function.

They hold no slot, and are never tried again themselves: their parts are.
"""


class NodeInfo(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a view and a later resume need to know of a node's definition.

    Attributes
    ----------
    needs, after
        Ids of the nodes that feed it, and of those that only have to end before it.
    kind
        ``tool`` or ``wait``; or one of `CONTAINERS`.
    parent
        Id of the container that this node is a part of, or empty.
    fingerprint
        Of what it computes: function source, bindings, condition.
    """

    node_id: str
    name: str
    kind: str = "tool"
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    group: str = ""
    parent: str = ""
    max_attempts: int = 1
    conditional: bool = False
    fingerprint: str = ""


class WaitInfo(Struct, frozen=True, omit_defaults=True):
    """An open question.

    Attributes
    ----------
    no
        Position among the waits of this attempt, from 0; names the wait together with run, node and attempt.
    kind
        ``approval``, ``text``, ``choice``, ``form``, ``files``, ``until``, ``event`` or the user's own word.
    schema
        JSON schema that an answer must satisfy, or None for anything.
    token_digest
        sha256 of the secret token, hex.
    deadline
        Unix seconds (UTC), or None.
    on_deadline
        ``fail`` or ``default``.
    default
        What then counts as the answer.
    name
        Of the event that answers it, or empty.
    """

    no: int
    kind: str
    prompt: str = ""
    schema: dict[str, Any] | None = None
    options: tuple[str, ...] = ()
    token_digest: str = ""
    deadline: float | None = None
    on_deadline: str = "fail"
    default: ValueRef | None = None
    name: str = ""


class _Event(Struct, frozen=True, tag_field="kind", tag=True, gc=False, omit_defaults=True):
    """Base of all events; on the wire ``kind`` holds the class name."""


class RunStarted(_Event, frozen=True):
    """A run came to be. `inputs` is in order of declaration, `parent` is (run, node) of the run that spawned it."""

    graph: str
    inputs: tuple[tuple[str, ValueRef], ...] = ()
    max_concurrency: int = 4
    session_id: str = ""
    agent_id: str = ""
    app_id: str = ""
    parent: tuple[str, str] | None = None


class RunResumed(_Event, frozen=True):
    """A run, finished or not, was resumed; `reason` says why, `inputs` are new ones, if there are any."""

    reason: str
    inputs: tuple[tuple[str, ValueRef], ...] = ()


class RunForked(_Event, frozen=True):
    """A run began as a copy of another one's first `at_seq` events."""

    source_run_id: str
    at_seq: int


class SpecAccepted(_Event, frozen=True):
    """The graph that the run follows from here on; nodes in order of definition."""

    fingerprint: str
    nodes: tuple[NodeInfo, ...]


class NodeAdded(_Event, frozen=True):
    """A node appeared while the run was under way."""

    node: NodeInfo


class NodeReset(_Event, frozen=True):
    """A node that had ended will run again."""

    node_id: str
    reason: str


class OutputPinned(_Event, frozen=True):
    """A node's outputs were taken over from elsewhere, without running it."""

    node_id: str
    values: tuple[ValueRef, ...]
    source: str


@final
class AttemptStarted(_Event, frozen=True):
    """From here on the node's function may have side effects."""

    node_id: str
    attempt: int


@final
class AttemptSucceeded(_Event, frozen=True):
    """The node is done; one value per declared output, or none where values are not kept."""

    node_id: str
    attempt: int
    values: tuple[ValueRef, ...] = ()


class AttemptFailed(_Event, frozen=True):
    """The attempt ended in an error; attempt 0 means that none could be started."""

    node_id: str
    attempt: int
    error: ErrorInfo


class AttemptLost(_Event, frozen=True):
    """The attempt's process died; it does not count against the retry budget."""

    node_id: str
    attempt: int
    reason: str


class RetryScheduled(_Event, frozen=True):
    """The failed node will be tried again at `due` (Unix seconds, UTC)."""

    node_id: str
    attempt: int
    due: float


class WaitOpened(_Event, frozen=True):
    """The node asks something and holds no slot until it is answered."""

    node_id: str
    attempt: int
    wait: WaitInfo


class AnswerKept(_Event, frozen=True):
    """An answer came before its wait opened; or, with an empty `node_id`, the event `name` came, with its `key`.

    `letter` is the number of the letter that brought it from elsewhere, if one did.
    """

    node_id: str
    answer: ValueRef
    name: str = ""
    key: str = ""
    by: str = ""
    letter: int = 0


class WaitResolved(_Event, frozen=True):
    """The one answer that counts. `by` says where it came from."""

    node_id: str
    attempt: int
    no: int
    answer: ValueRef
    by: str


class WaitExpired(_Event, frozen=True):
    """The deadline passed, and what had been declared happens: ``fail`` or ``default``; or its node ``dropped`` it."""

    node_id: str
    attempt: int
    no: int
    outcome: str


class NodeSkipped(_Event, frozen=True):
    """The node will not run: `because` names the node upstream, or is empty when its own condition did not hold."""

    node_id: str
    because: str = ""


class NodeCancelled(_Event, frozen=True):
    """The node ended because the run, or a node above it, was cancelled."""

    node_id: str
    because: str = ""


class CancelRequested(_Event, frozen=True):
    """Somebody wants the run to end. `by` is ``user``, ``timeout``, ``fail_fast`` or a caller's word."""

    by: str


class RunFinished(_Event, frozen=True):
    """All nodes have ended. `outputs` are those of the run, where values are kept."""

    status: RunStatus
    outputs: tuple[tuple[str, ValueRef], ...] = ()


Event = (
    RunStarted
    | RunResumed
    | RunForked
    | SpecAccepted
    | NodeAdded
    | NodeReset
    | OutputPinned
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | RetryScheduled
    | WaitOpened
    | AnswerKept
    | WaitResolved
    | WaitExpired
    | NodeSkipped
    | NodeCancelled
    | CancelRequested
    | RunFinished
)


class Envelope(Struct, frozen=True, gc=False):
    """An event with its place: `seq` counts from 1 without gaps within a run, `at` is Unix seconds (UTC)."""

    run_id: str
    seq: int
    at: float
    event: Event

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        words = [f"<event {self.seq}: {type(self.event).__name__}"]
        words += [str(getattr(self.event, name)) for name in ("node_id", "attempt") if hasattr(self.event, name)]
        printer.text(f"{' '.join(words)}>")
