"""Makes the golden logs: scripted runs of the pure core, with the digest of the state after every event.

Each `NAME.jsonl` is a log; `NAME.digests.json` lists what `RunState.digest()` says after each of its events. Python and
TypeScript replay both. Run it after a deliberate change of the core: ``python tests/golden/make.py``.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from graphrun_nb.core import codec  # noqa: E402
from graphrun_nb.core.decide import Rules, decide  # noqa: E402
from graphrun_nb.core.events import (  # noqa: E402
    CONTAINERS,
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Envelope,
    ErrorInfo,
    Event,
    FrameInfo,
    NodeAdded,
    NodeCancelled,
    NodeInfo,
    NodeReset,
    OutputPinned,
    RunForked,
    RunResumed,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.frontier import Frontier  # noqa: E402
from graphrun_nb.core.policy import RetryPolicy  # noqa: E402
from graphrun_nb.core.state import RunState, apply, fold  # noqa: E402

START = 1_700_000_000.0
ERROR = ErrorInfo(
    types=("builtins.ValueError", "builtins.Exception"),
    message="bad value: -1",
    frames=(FrameInfo("<ipython-input-3>", 4, "fit", "    raise ValueError(f'bad value: {x}')", user=True),),
)


class Script:
    """A run of the pure core whose outcomes are written down."""

    def __init__(self, nodes: tuple[NodeInfo, ...], *, retry: RetryPolicy | None = None, slots: int = 2) -> None:
        self.log: list[Envelope] = []
        self.now = START
        self.slots = slots
        self.state = RunState("golden")
        self.frontier = Frontier(self.state)
        self.rules = Rules(
            retry=lambda _: retry or RetryPolicy(), holds=lambda node_id: not node_id.startswith("never")
        )
        self.turn(RunStarted("golden graph", (("x", ValueRef(preview="1")),)), SpecAccepted("f1", nodes))

    def record(self, event: Event) -> None:
        apply(self.state, event, self.now)
        if isinstance(event, (SpecAccepted, NodeReset)):
            self.frontier = Frontier(self.state)
        else:
            self.frontier.advance(event)
        self.log.append(Envelope("golden", self.state.seq, self.now, event))

    def turn(self, *causes: Event, after_s: float = 0.25) -> None:
        self.now += after_s
        for event in causes:
            self.record(event)
        running = sum(
            node.status == "RUNNING" and node.info.kind not in CONTAINERS for node in self.state.nodes.values()
        )
        for event in decide(self.state, self.frontier, self.rules, self.now, self.slots - running):
            self.record(event)

    def done(self, *node_ids: str) -> None:
        self.turn(
            *(
                AttemptSucceeded(each, self.state.nodes[each].attempt, (ValueRef("json", "ab12", 2, "42"),))
                for each in node_ids
            )
        )

    def fail(self, node_id: str) -> None:
        self.turn(AttemptFailed(node_id, self.state.nodes[node_id].attempt, ERROR))

    def ask(self, node_id: str, wait: WaitInfo) -> None:
        self.turn(WaitOpened(node_id, self.state.nodes[node_id].attempt, wait))


def node(node_id: str, *needs: str, **rest: object) -> NodeInfo:
    return NodeInfo(node_id=node_id, name=node_id, needs=needs, outputs=("out",), **rest)  # type: ignore[arg-type]


APPROVAL = WaitInfo(
    no=0,
    kind="approval",
    prompt="Publish?",
    schema={"type": "object", "properties": {"approved": {"type": "boolean"}}},
    options=("Approve", "Reject"),
    token_digest="0" * 64,
)


def diamond() -> Script:
    script = Script((node("load"), node("left", "load"), node("right", "load"), node("join", "left", "right")))
    for ids in (("load",), ("left", "right"), ("join",)):
        script.done(*ids)
    return script


def retry() -> Script:
    nodes = (node("flaky", max_attempts=3), node("after", "flaky"), node("aside"))
    script = Script(nodes, retry=RetryPolicy(max_attempts=3, backoff_first_s=2.0))
    script.fail("flaky")
    script.done("aside")
    script.turn(after_s=2.0)
    script.fail("flaky")
    script.turn(after_s=4.0)
    script.done("flaky")
    script.done("after")
    return script


def failure() -> Script:
    script = Script(
        (
            node("bad"),
            node("good"),
            node("below", "bad"),
            node("deeper", "below"),
            node("never", "good", conditional=True),
        )
    )
    script.fail("bad")
    script.done("good")
    return script


def approval() -> Script:
    script = Script((node("prepare"), node("approve", "prepare", kind="wait"), node("publish", "approve")))
    script.done("prepare")
    script.ask("approve", APPROVAL)
    script.turn(WaitResolved("approve", 1, 0, ValueRef("json", "", 4, "true"), "view"), after_s=30)
    script.done("approve")
    script.done("publish")
    return script


def deadline() -> Script:
    script = Script((node("ask", kind="wait"), node("then", "ask")))
    script.ask("ask", WaitInfo(no=0, kind="text", prompt="Name?", deadline=START + 60, on_deadline="default"))
    script.ask("ask", WaitInfo(no=1, kind="text", prompt="City?"))
    script.turn(after_s=60)
    script.turn(AnswerKept("ask", ValueRef(preview="'Ulm'"), by="cell"))
    script.turn(WaitResolved("ask", 1, 1, ValueRef(preview="'Ulm'"), "cell"))
    script.done("ask")
    script.done("then")
    return script


def events() -> Script:
    script = Script((node("hears", kind="wait"), node("sleeps", "hears", kind="wait"), node("last", "sleeps")))
    script.turn(AnswerKept("", ValueRef(preview="{'n': 1}"), name="came early", key="k1", by="event"))
    script.turn(
        WaitOpened("hears", 1, WaitInfo(no=0, kind="event", prompt="came early", name="came early")),
        WaitResolved("hears", 1, 0, ValueRef(preview="{'n': 1}"), "event"),
    )
    script.ask("hears", WaitInfo(no=1, kind="event", prompt="ünd später", name="ünd später", deadline=START + 90))
    came = AnswerKept("", ValueRef(preview="2"), name="ünd später", by="event")
    script.turn(came, WaitResolved("hears", 1, 1, ValueRef(preview="2"), "event"))
    script.done("hears")
    script.ask("sleeps", WaitInfo(no=0, kind="until", deadline=START + 120, on_deadline="default"))
    script.turn(after_s=120)
    script.done("sleeps")
    script.turn(AnswerKept("", ValueRef(preview="3"), name="nobody hears", by="event"))
    script.done("last")
    return script


def cancel() -> Script:
    script = Script((node("first"), node("second", "first"), node("third", "second"), node("gate", kind="wait")))
    script.ask("gate", APPROVAL)
    script.turn(CancelRequested("user"))
    script.turn(NodeCancelled("first"))
    return script


def lost() -> Script:
    script = Script((node("poison"), node("below", "poison"), node("fine")))
    script.done("fine")
    for _ in range(3):
        script.turn(AttemptLost("poison", script.state.nodes["poison"].attempt, "process died"))
    script.turn(RunResumed("failed_nodes"), NodeReset("poison", "failed"), NodeReset("below", "failed"))
    script.done("poison")
    script.done("below")
    return script


def growing() -> Script:
    script = Script((node("agent", kind="body"),))
    script.turn(NodeAdded(node("call 1", parent="agent")))
    script.done("call 1")
    script.turn(
        NodeAdded(node("ungewöhnlich ✓ 🎈", parent="agent", after=("call 1",), kind="wait", labels=("a",), group="g"))
    )
    script.turn()
    script.done("ungewöhnlich ✓ 🎈")
    script.done("agent")
    return script


def mapped() -> Script:
    script = Script((node("items"), node("work", "items", kind="map"), node("below", "work")), slots=3)
    script.done("items")
    script.turn(*(NodeAdded(node(f"work[{i}]", parent="work")) for i in range(4)))
    script.done("work[0]", "work[2]")
    script.fail("work[1]")
    script.done("work[3]")
    script.fail("work")
    return script


def nested() -> Script:
    script = Script(
        (
            node("outer", kind="graph"),
            node("outer/a", parent="outer"),
            node("outer/b", "outer/a", parent="outer"),
            node("last", "outer"),
        )
    )
    script.turn()
    for node_id in ("outer/a", "outer/b", "outer", "last"):
        script.done(node_id)
    return script


def pinned() -> Script:
    script = Script((node("kept"), node("again", "kept")), slots=0)
    script.slots = 2
    script.turn(RunForked("other-run", 7), OutputPinned("kept", (ValueRef("json", "cd34", 3, "[1]"),), "other-run"))
    script.done("again")
    return script


def forked() -> Script:
    nodes = (node("kept"), node("outer", "kept", kind="graph"), node("outer/asks", parent="outer", kind="wait"))
    script = Script((*nodes, node("below", "outer")), slots=0)
    script.slots = 2
    script.turn(
        RunForked("other-run", 9),
        OutputPinned("kept", (ValueRef("json", "cd34", 3, "[1]"),), "other-run"),
        AttemptStarted("outer", 1),
        AttemptStarted("outer/asks", 1),
        WaitOpened("outer/asks", 1, WaitInfo(no=0, kind="text", prompt="Name?", token_digest="1" * 64)),
        WaitResolved("outer/asks", 1, 0, ValueRef("json", "ef56", 5, "'Ulm'"), "cell"),
        WaitOpened("outer/asks", 1, WaitInfo(no=1, kind="text", prompt="City?", token_digest="2" * 64)),
        AnswerKept("", ValueRef(preview="3"), name="came early", by="event"),
    )
    script.turn(WaitResolved("outer/asks", 1, 1, ValueRef("json", "", 5, "'Bonn'"), "view"))
    script.done("outer/asks")
    script.done("outer")
    script.done("below")
    return script


SCRIPTS: tuple[Callable[[], Script], ...] = (
    diamond,
    retry,
    failure,
    approval,
    deadline,
    events,
    cancel,
    lost,
    growing,
    mapped,
    nested,
    pinned,
    forked,
)


def logs() -> Iterator[tuple[str, list[Envelope]]]:
    for script in SCRIPTS:
        yield script.__name__, script().log


def digests(log: list[Envelope]) -> list[str]:
    return [fold("golden", log[: n + 1]).digest() for n in range(len(log))]


if __name__ == "__main__":
    for name, log in logs():
        (HERE / f"{name}.jsonl").write_bytes(codec.dump_lines(log))
        (HERE / f"{name}.digests.json").write_text(json.dumps(digests(log), indent=1) + "\n")
        print(name, len(log), "events,", fold("golden", log).status)  # noqa: T201
