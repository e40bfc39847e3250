"""Every error a user can meet.

::

    GraphRunError
    ├── GraphBuildError(code, stage)            before anything ran
    │   ├── GraphValidationError                the graph itself is wrong
    │   │   ├── GraphOperationError             (TypeError)  a body looked at a value that is not there yet
    │   │   └── GraphAttributeError             (AttributeError) a handle has no such output or attribute
    │   ├── GraphMaterializationError           (TypeError)  the target is no graph
    │   ├── GraphInputBindError                 (ValueError) the inputs do not fit the graph
    │   └── Misuse                              (TypeError)  a tool or graph is defined or called wrongly
    ├── BadOption                               (TypeError, ValueError) an option is unknown, or cannot be meant
    ├── UnknownNode                             (KeyError)   no node has this id, name or label
    ├── BadSelection                            (ValueError) a selection of nodes cannot be read
    ├── IllegalTransition                       an event that the node's story does not allow
    ├── PartsFailed                             parts of a nested graph, or mapped elements, failed
    ├── NodeOutputError                         (TypeError)  a node returned something else than it declared
    ├── NodeLost                                the process that ran a node went down with it
    ├── GraphRunFailed                          nodes failed; chained from the first one's own exception
    ├── GraphHasPendingWaits                    only waits are left, and the caller did not want to block
    ├── BadWait                                 (ValueError) a node asks something that cannot be asked
    ├── WaitExpired                             (TimeoutError) nobody answered before the deadline
    ├── AlreadyResumed                          somebody else's answer won
    ├── InvalidToken                            wrong, expired, malformed or foreign
    ├── PayloadRejected                         (ValueError) the answer does not fit the wait's schema
    ├── ResultInsideNode                        (RuntimeError) .result() would wait for itself
    ├── RunOwnedElsewhere                       another process drives this run
    ├── SpecChanged                             the graph is not the one that the run began with
    ├── StoreBusy                               (TimeoutError) another process holds the store
    ├── StoreFull                               (OSError) the store cannot be written; nothing of the turn is kept
    ├── StoreUnusable                           no store of this version is there; it was left as it is
    └── StoreCorrupt                            the store's bytes are not what was written

Each carries hints, attached as notes, so that a notebook shows them below the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Stage = Literal["validation", "materialization", "input_bind", "resume_guard", "resume_prepare"]


class GraphRunError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message
        What happened, in the caller's words.
    hints
        What to do about it; each becomes a note of the exception.
    """

    def __init__(self, message: str, *, hints: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.hints: tuple[str, ...] = tuple(hints)
        for hint in self.hints:
            self.add_note(f"hint: {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and other processes have it as it is: its constructor takes more than its `args`."""
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[GraphRunError], args: tuple[Any, ...]) -> GraphRunError:
    return kind.__new__(kind, *args)


class GraphBuildError(GraphRunError):
    """A graph, its target or its inputs were refused before anything ran.

    Attributes
    ----------
    code : str
        Stable name of the mistake, for example ``graph_cycle``.
    stage : str
        ``validation``, ``materialization``, ``input_bind``, ``resume_guard`` or ``resume_prepare``.
    reason : str
        The message alone.
    place : str
        The line of the user's source at which it happened, as part of the message; empty if it is not known.
    """

    stage_default: Stage = "validation"

    def __init__(self, message: str, *, code: str, stage: Stage | None = None, hints: Iterable[str] = ()) -> None:
        self.code = code
        self.stage: Stage = stage or self.stage_default
        self.reason = message
        self.place = ""
        super().__init__(f"[build:{self.stage}:{code}] {message}", hints=hints)

    def locate(self, place: str) -> None:
        """Name the user's line in the message, unless one is named already."""
        if not self.place:
            self.place = place
            self.args = (f"[build:{self.stage}:{self.code}] {place}: {self.reason}",)


class GraphValidationError(GraphBuildError):
    """The graph itself is wrong: a cycle, a dangling reference, an id used twice."""


class GraphOperationError(GraphValidationError, TypeError):
    """A body looked at a value that is not there before the graph runs."""


class GraphAttributeError(GraphValidationError, AttributeError):
    """A handle has no such output, or stands for a value whose attributes are not there yet."""


class GraphMaterializationError(GraphBuildError, TypeError):
    """The target is not a graph and does not build one."""

    stage_default: Stage = "materialization"


class GraphInputBindError(GraphBuildError, ValueError):
    """The inputs do not fit what the graph declares."""

    stage_default: Stage = "input_bind"


class Misuse(GraphBuildError, TypeError):
    """A tool or graph is defined, or called outside a graph, in a way that makes no sense."""


class BadOption(GraphRunError, TypeError, ValueError):
    """An option of a run is unknown, of the wrong type, or has a value that makes no sense."""


class UnknownNode(GraphRunError, KeyError):
    """No node has this id, name or label."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes


class BadSelection(GraphRunError, ValueError):
    """A selection of nodes cannot be read."""


class IllegalTransition(GraphRunError):
    """An event was refused because the run or node is not in a state that allows it."""


class NodeOutputError(GraphRunError, TypeError):
    """A node returned something else than its declared outputs."""


class PartsFailed(GraphRunError):
    """Parts of a nested graph, or elements of a mapped node, failed; chained from the first one's own exception."""


class NodeLost(GraphRunError):
    """The process or machine that ran a node went down with it; it is run again, 3 times in all."""


class GraphRunFailed(GraphRunError):
    """One or more nodes failed for good.

    Attributes
    ----------
    run_id : str
    failed_nodes : tuple of str
        Ids in order of definition. The exception is chained from the first one's own exception.
    """

    def __init__(self, message: str, *, run_id: str, failed_nodes: Sequence[str], hints: Iterable[str] = ()) -> None:
        super().__init__(message, hints=hints)
        self.run_id = run_id
        self.failed_nodes = tuple(failed_nodes)


class GraphHasPendingWaits(GraphRunError):
    """Only waits are left and ``on_wait="raise"`` was asked for; the run stays resumable.

    Attributes
    ----------
    waiting_nodes : tuple of str
    continuations : tuple of Continuation
    """

    def __init__(self, message: str, *, waiting_nodes: Sequence[str], continuations: Sequence[Any]) -> None:
        super().__init__(message, hints=("answer with resume(token, payload) or future.resume(node_id, payload)",))
        self.waiting_nodes = tuple(waiting_nodes)
        self.continuations = tuple(continuations)


class BadWait(GraphRunError, ValueError):
    """A wait was not opened: its schema, options, deadline or default makes no sense."""


class WaitExpired(GraphRunError, TimeoutError):
    """Nobody answered a wait before its deadline, and ``on_deadline="fail"`` was declared."""


class AlreadyResumed(GraphRunError):
    """Another answer was accepted first.

    Attributes
    ----------
    by : str
        Where the winning answer came from.
    at : float
        When, in Unix seconds (UTC).
    """

    def __init__(self, message: str, *, by: str, at: float, hints: Iterable[str] = ()) -> None:
        super().__init__(message, hints=("the recorded answer stands; read it from the node's outputs", *hints))
        self.by = by
        self.at = at


class InvalidToken(GraphRunError):
    """The token opens no wait here; wrong, expired, malformed and foreign ones all look the same."""

    def __init__(self) -> None:
        super().__init__("this token opens no wait", hints=("ask the run for its open waits: future.waits",))


class Misfit(NamedTuple):
    """One thing that does not fit in an answer.

    Attributes
    ----------
    path
        Inside the payload, like ``items.0.price``; empty for the whole.
    message
    """

    path: str
    message: str


class PayloadRejected(GraphRunError, ValueError):
    """An answer does not fit its wait's schema; the wait stays open.

    Attributes
    ----------
    errors : tuple of Misfit
        What does not fit, and where.
    """

    def __init__(self, message: str, *, errors: Iterable[tuple[str, str]], hints: Iterable[str] = ()) -> None:
        super().__init__(message, hints=hints)
        self.errors = tuple(Misfit(path, text) for path, text in errors)


class ResultInsideNode(GraphRunError, RuntimeError):
    """``.result()`` was called inside a node on the loop that would have to produce it."""


class RunOwnedElsewhere(GraphRunError):
    """Another process drives this run; nothing was written."""


class SpecChanged(GraphRunError):
    """The graph differs from the one that the run began with.

    Attributes
    ----------
    changed_nodes : tuple of str
    """

    def __init__(self, message: str, *, changed_nodes: Sequence[str], hints: Iterable[str] = ()) -> None:
        super().__init__(message, hints=hints)
        self.changed_nodes = tuple(changed_nodes)


class StoreBusy(GraphRunError, TimeoutError):
    """Another process holds the store."""


class StoreFull(GraphRunError, OSError):
    """The store cannot be written: there is no room, or the disk refuses. What was to be written is not kept."""


class StoreUnusable(GraphRunError):
    """The file is no store, one of a later version, or cannot be opened; it was left as it is."""


class StoreCorrupt(GraphRunError):
    """The store's bytes are not what was written; nothing was changed."""
