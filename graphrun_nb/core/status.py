"""The one table of statuses: what each means to the engine and how a person sees it.

The TypeScript table is generated from here. ``allows`` names the node events that may arrive in a status; every other
one is an illegal transition.

::

    PENDING ──AttemptStarted──► RUNNING ──AttemptSucceeded──► DONE
       ▲                        │ ▲  │
       │            WaitOpened  ▼ │  └─AttemptFailed─► FAILED ──RetryScheduled──► RETRYING ──AttemptStarted──► RUNNING
       │                      WAITING (WaitResolved, WaitExpired lead back)
       └──NodeReset── from every end          AttemptLost leads back to PENDING
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeStatus(StrEnum):
    """Where a node stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    RETRYING = "RETRYING"
    DONE = "DONE"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class RunStatus(StrEnum):
    """Where a run stands; INTERRUPTED is derived from a dead owner's lease and never recorded."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """What the engine and the view need to know of one node status.

    Attributes
    ----------
    terminal
        Nothing more happens to the node unless it is reset.
    glyph
        One character, told apart without colour.
    colour
        Name of the colour token; light and dark values live in the style sheets.
    allows
        Names of the node events that may arrive in this status.
    """

    status: NodeStatus
    terminal: bool
    glyph: str
    colour: str
    allows: tuple[str, ...]

    @property
    def word(self) -> str:
        """The status word that people and screen readers see."""
        return self.status.value.lower()


_ENDED = ("NodeReset",)

NODE_STATUS: dict[NodeStatus, StatusRow] = {
    row.status: row
    for row in (
        StatusRow(
            NodeStatus.PENDING,
            terminal=False,
            glyph="○",
            colour="idle",
            allows=("AttemptStarted", "AttemptFailed", "NodeSkipped", "NodeCancelled", "OutputPinned", "AnswerKept"),
        ),
        StatusRow(
            NodeStatus.RUNNING,
            terminal=False,
            glyph="▶",
            colour="active",
            allows=(
                "AttemptSucceeded",
                "AttemptFailed",
                "AttemptLost",
                "WaitOpened",
                "AnswerKept",
                "NodeCancelled",
            ),
        ),
        StatusRow(
            NodeStatus.WAITING,
            terminal=False,
            glyph="?",
            colour="attention",
            allows=(
                "WaitOpened",
                "WaitResolved",
                "WaitExpired",
                "AnswerKept",
                "AttemptSucceeded",
                "AttemptFailed",
                "AttemptLost",
                "NodeCancelled",
            ),
        ),
        StatusRow(
            NodeStatus.RETRYING,
            terminal=False,
            glyph="↻",
            colour="caution",
            allows=("AttemptStarted", "NodeCancelled", "AnswerKept"),
        ),
        StatusRow(NodeStatus.DONE, terminal=True, glyph="✓", colour="good", allows=_ENDED),
        StatusRow(NodeStatus.FAILED, terminal=True, glyph="✗", colour="bad", allows=(*_ENDED, "RetryScheduled")),
        StatusRow(NodeStatus.SKIPPED, terminal=True, glyph="»", colour="muted", allows=_ENDED),
        StatusRow(NodeStatus.CANCELLED, terminal=True, glyph="⊘", colour="muted", allows=_ENDED),
    )
}

TERMINAL: frozenset[NodeStatus] = frozenset(row.status for row in NODE_STATUS.values() if row.terminal)
UNDER_WAY = (NodeStatus.RUNNING, NodeStatus.WAITING)
"""Those of a node one of whose attempts has started and not ended."""


def statuses_allowing(event_name: str) -> frozenset[NodeStatus]:
    """Return the statuses in which the node event called `event_name` may arrive."""
    return frozenset(row.status for row in NODE_STATUS.values() if event_name in row.allows)
