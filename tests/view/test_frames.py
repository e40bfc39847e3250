"""What travels to the views: a snapshot is the state, events carry no secret, a layout speaks in indexes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from graphrun_nb.core import codec
from graphrun_nb.core.events import (
    Event,
    NodeAdded,
    NodeInfo,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.core.state import NodeState, RunState, apply, fold
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.protocols import Signal
from graphrun_nb.view.frames import (
    STATUS_CODES,
    EventsFrame,
    Frame,
    Reply,
    SignalsFrame,
    encode,
    events_frame,
    history_piece,
    layout_frame,
    public_event,
    snapshot_frame,
    to_builtins,
)
from graphrun_nb.view.layout import Layout, layout

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.jsonl"))
STATUS_OF = {code: status for status, code in STATUS_CODES.items()}
SECRET = "0" * 64


def golden(name):
    return list(codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()))


def prefixes(name):
    log = golden(name)
    return [fold("golden", log[:n]) for n in range(1, len(log) + 1)]


def unpacked(frame, infos):
    """Make the state again from what a view gets: all of it that a view shows."""

    def at(ms):
        return frame.started_at + ms / 1000 if ms >= 0 else 0.0

    nodes = {}
    for i, info in enumerate(frame.nodes or infos):
        nodes[info.node_id] = NodeState(
            info,
            status=STATUS_OF[frame.status[i]],
            attempt=frame.attempt[i],
            failures=frame.failures[i],
            lost=frame.lost[i],
            error=frame.errors.get(i),
            waits=frame.waits.get(i, ()),
            started_at=at(frame.started_ms[i]),
            ended_at=at(frame.ended_ms[i]),
            due=frame.due.get(i, 0.0),
            because=frame.because.get(i, ""),
        )
    return RunState(
        "golden",
        seq=frame.seq,
        graph=frame.graph,
        max_concurrency=frame.max_concurrency,
        started_at=frame.started_at,
        ended_at=frame.ended_at,
        cancelled_by=frame.cancelled_by,
        finished=frame.finished,
        nodes=nodes,
    )


def shown(state):
    """The state without what no snapshot carries, or only in part."""
    for node in state.nodes.values():
        node.values = ()
        node.due = node.due if node.status is NodeStatus.RETRYING else 0.0
        node.waits = tuple(
            msgspec.structs.replace(each, wait=msgspec.structs.replace(each.wait, token_digest=""))
            for each in node.waits
        )
    state.fingerprint = state.session_id = ""
    state.inputs, state.parent = (), None
    return state


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_unpacks_to_the_state_after_every_event(name):
    for state in prefixes(name):
        frame = msgspec.json.decode(encode(snapshot_frame(state)), type=Frame)
        again = unpacked(frame, ())
        assert again.digest() == state.digest()
        assert again == shown(state)


@pytest.mark.parametrize("name", NAMES)
def test_a_view_that_knows_the_nodes_is_not_sent_them_again(name):
    for state in prefixes(name):
        infos = tuple(node.info for node in state.nodes.values())
        frame = snapshot_frame(state, known_nodes=len(infos))
        assert frame.nodes == ()
        assert unpacked(frame, infos).digest() == state.digest()
        assert snapshot_frame(state, known_nodes=len(infos) + 1).nodes == infos


def test_no_frame_carries_the_fingerprint_of_a_node():
    info = NodeInfo("a", "a", fingerprint="5eed" * 8)
    batch = [(1.0, RunStarted("g")), (1.0, SpecAccepted("f", (info,))), (1.0, NodeAdded(replace(info, node_id="b")))]
    state = RunState("r")
    for at, event in batch:
        apply(state, event, at)
    for frame in (events_frame(1, batch), snapshot_frame(state)):
        assert b'"b"' in encode(frame)
        assert b"5eed" not in encode(frame)


def test_every_status_has_a_letter_of_its_own():
    assert STATUS_CODES.keys() == set(NodeStatus)
    assert len(STATUS_OF) == len(NodeStatus)
    assert all(len(code) == 1 for code in STATUS_OF)


def test_an_instant_at_the_very_start_is_not_taken_for_none():
    state = RunState("r", started_at=50.0, nodes={"a": NodeState(NodeInfo("a", "a"), started_at=50.0)})
    frame = snapshot_frame(state)
    assert (frame.started_ms, frame.ended_ms) == ((0,), (-1,))


@pytest.mark.parametrize("name", NAMES)
def test_folding_an_events_frame_gives_the_state(name):
    log = golden(name)
    for cut in range(len(log)):
        state = fold("golden", log[:cut])
        batch = [(envelope.at, envelope.event) for envelope in log[cut:]]
        frame = msgspec.json.decode(encode(events_frame(cut + 1, batch)), type=Frame)
        assert isinstance(frame, EventsFrame)
        assert frame.first == state.seq + 1
        for at, event in zip(frame.at, frame.events, strict=True):
            apply(state, event, at)
        assert state.digest() == fold("golden", log).digest()


@pytest.mark.parametrize("name", NAMES)
def test_no_frame_carries_the_digest_of_a_token(name):
    log = golden(name)
    batch = [(envelope.at, envelope.event) for envelope in log]
    sent = [encode(events_frame(1, batch)), *(encode(snapshot_frame(state)) for state in prefixes(name))]
    assert not any(SECRET.encode() in frame for frame in sent)
    assert not any(b"token_digest" in frame for frame in sent)


def test_the_golden_logs_have_a_digest_to_blank():
    assert sum(SECRET.encode() in (GOLDEN / f"{name}.jsonl").read_bytes() for name in NAMES) >= 2


def test_blanking_leaves_the_rest_of_a_wait_and_the_log_itself_as_they_are():
    wait = WaitInfo(
        2,
        "approval",
        prompt="Pay?",
        schema={"type": "object"},
        options=("Yes", "No"),
        token_digest=SECRET,
        deadline=60.0,
        on_deadline="default",
        default=ValueRef(preview="1"),
    )
    opened = WaitOpened("ask", 3, wait)
    public = public_event(opened)
    assert public == WaitOpened("ask", 3, msgspec.structs.replace(wait, token_digest=""))
    assert opened.wait.token_digest == SECRET


@pytest.mark.parametrize("name", NAMES)
def test_other_events_pass_as_they_are(name):
    for envelope in golden(name):
        if not isinstance(envelope.event, WaitOpened):
            assert public_event(envelope.event) is envelope.event


def test_a_layout_speaks_in_indexes_and_whole_pixels():
    drawn = Layout(
        position={"b": (10.4, 20.6), "a": (0.5, 1.5), "c": (300.0, 40.0)},
        bends={("b", "c"): ((100.2, 30.7), (200.0, 30.0))},
        size=(310.2, 50.5),
    )
    frame = layout_frame(drawn, ["a", "b", "c"])
    assert (frame.inside, frame.x, frame.y) == ("", (0, 10, 300), (2, 21, 40))
    assert frame.bends == ((1, 2, 100, 31, 200, 30),)
    assert (frame.width, frame.height) == (310, 50)


def test_a_layout_frame_places_every_node_of_a_drawing():
    order = ["load", "left", "right", "join"]
    edges = [("load", "left"), ("load", "right"), ("left", "join"), ("right", "join"), ("load", "join")]
    drawn = layout(order, edges)
    frame = layout_frame(drawn, order)
    assert {node: (x, y) for node, x, y in zip(order, frame.x, frame.y, strict=True)} == {
        node: (round(x), round(y)) for node, (x, y) in drawn.position.items()
    }
    assert [(order[each[0]], order[each[1]]) for each in frame.bends] == list(drawn.bends)
    assert all(len(each) >= 4 and len(each) % 2 == 0 for each in frame.bends)


def test_frames_are_told_apart_by_their_kind_and_both_encodings_agree():
    state = fold("golden", golden("approval")[:6])
    order = list(state.nodes)
    sent = [
        events_frame(1, [(envelope.at, envelope.event) for envelope in golden("approval")]),
        snapshot_frame(state),
        layout_frame(layout(order, []), order),
        SignalsFrame((Signal("a", 1, "stdout", "text", 1.0),)),
        Reply(3, error="no", hint="yes"),
    ]
    plain = [to_builtins(frame) for frame in sent]
    assert [frame["kind"] for frame in plain] == ["events", "snapshot", "layout", "signals", "reply"]
    assert json.loads(json.dumps(plain)) == [msgspec.json.decode(encode(frame)) for frame in sent]


def test_a_reply_that_went_well_carries_neither_error_nor_hint():
    assert to_builtins(Reply(7, data={"seq": 1})) == {"kind": "reply", "id": 7, "data": {"seq": 1}}


def test_every_event_can_travel():
    kinds = {each.__name__ for each in Event.__args__}
    travelled = {type(envelope.event).__name__ for name in NAMES for envelope in golden(name)}
    assert travelled == kinds


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_bytes", [1, 700, 10**9])
def test_a_history_comes_in_pieces_of_a_size_and_is_whole(name, max_bytes):
    batch = [(envelope.at, envelope.event) for envelope in golden(name)]
    state = RunState("golden")
    while state.seq < len(batch):
        piece = history_piece(state.seq + 1, batch[state.seq :], max_bytes)
        assert piece.first == state.seq + 1
        assert len(piece.events) == 1 or len(encode(piece)) <= max_bytes + 100
        for at, event in zip(piece.at, piece.events, strict=True):
            apply(state, event, at)
    assert state.digest() == fold("golden", golden(name)).digest()
