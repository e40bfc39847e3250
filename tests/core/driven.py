"""A run that is driven by `decide` alone."""

from __future__ import annotations

from graphrun_nb.core.decide import Rules, decide
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    ErrorInfo,
    NodeInfo,
    NodeReset,
    RunStarted,
    SpecAccepted,
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.policy import LOST_LIMIT, RetryPolicy
from graphrun_nb.core.state import RunState, apply

START = 1_700_000_000.0


ERROR = ErrorInfo(types=("builtins.ValueError", "builtins.Exception", "builtins.BaseException"), message="bad")


BAD_CONDITION = ErrorInfo(types=("builtins.TypeError", "builtins.Exception", "builtins.BaseException"))


def node(node_id, *needs, **rest):
    return NodeInfo(node_id=node_id, name=node_id, needs=needs, **rest)


class Driven:
    """A run of the core alone: what happens is told, what follows is recorded and given back."""

    def __init__(self, *nodes, slots=4, retry=None, holds=None, fail_fast=False):
        self.now = START
        self.slots = slots
        self.state = RunState("run")
        self.frontier = Frontier(self.state)
        self.rules = Rules(
            retry=lambda _: retry or RetryPolicy(),
            holds=lambda node_id: (holds or {}).get(node_id, True),
            fail_fast=fail_fast,
        )
        self.first = self.turn(RunStarted("g"), SpecAccepted("f", nodes))

    def turn(self, *causes, after_s=0.0):
        self.now += after_s
        for event in causes:
            self._record(event)
        self.free = self.slots - len(self.having("RUNNING"))
        events = decide(self.state, self.frontier, self.rules, self.now, self.free)
        for event in events:
            self._record(event)
        return events

    def done(self, *node_ids):
        return self.turn(*(AttemptSucceeded(each, self.state.nodes[each].attempt) for each in node_ids))

    def fail(self, *node_ids, error=ERROR):
        return self.turn(*(AttemptFailed(each, self.state.nodes[each].attempt, error) for each in node_ids))

    def lose(self, node_id):
        return self.turn(AttemptLost(node_id, self.state.nodes[node_id].attempt, "process died"))

    def ask(self, node_id, **wait):
        return self.turn(WaitOpened(node_id, self.state.nodes[node_id].attempt, WaitInfo(kind="text", **wait)))

    def having(self, *statuses):
        return [node_id for node_id, each in self.state.nodes.items() if each.status in statuses]

    def status(self, node_id):
        return self.state.nodes[node_id].status

    def _record(self, event):
        apply(self.state, event, self.now)
        if isinstance(event, (SpecAccepted, NodeReset)):
            self.frontier = Frontier(self.state)
        else:
            self.frontier.advance(event)


def started(events):
    return [event.node_id for event in events if isinstance(event, AttemptStarted)]


def poison(run):
    for _ in range(LOST_LIMIT - 1):
        assert started(run.lose("poison")) == ["poison"]
    return run.lose("poison")
