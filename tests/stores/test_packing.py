"""Rows are small, and give back the events that they are made of."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.codec import load_lines
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    ErrorInfo,
    NodeInfo,
    NodeSkipped,
    RunStarted,
    SpecAccepted,
    ValueRef,
)
from graphrun_nb.errors import StoreCorrupt
from graphrun_nb.stores.packing import packed, unpacked
from graphrun_nb.stores.pieces import MAX_ROW, cut, joined, named
from graphrun_nb.stores.rows import envelopes, rows_of, seed
from tests.golden.make import HERE

REFS = st.builds(
    ValueRef, st.sampled_from(["json", "memory"]), st.text(), st.integers(0, 2**40), st.sampled_from(["", "x"])
)
EVENTS = st.one_of(
    st.builds(AttemptStarted, st.text(), st.integers(1, 3)),
    st.builds(AttemptSucceeded, st.text(), st.integers(1, 3), st.lists(REFS, max_size=2).map(tuple)),
    st.builds(AttemptFailed, st.text(), st.integers(0, 3), st.just(ErrorInfo(("a.B",), "no"))),
    st.builds(NodeSkipped, st.text(), st.text()),
)


@given(st.lists(EVENTS, max_size=30))
def test_events_come_back_as_they_were(events):
    assert unpacked(packed(events)) == events


@pytest.mark.parametrize("path", sorted(HERE.glob("*.jsonl")), ids=lambda path: path.stem)
def test_golden_logs_come_back_as_they_were(path):
    events = [each.event for each in load_lines(path.read_bytes())]
    assert unpacked(packed(events)) == events


def test_rows_that_were_written_plainly_are_read():
    events = [AttemptStarted("a", 1), AttemptSucceeded("a", 1, (ValueRef("json", "ab", 2),))]
    assert unpacked(msgspec.json.encode(events)) == events


def test_what_happens_to_most_nodes_takes_few_bytes():
    done = [AttemptSucceeded(f"node_{i}", 1, (ValueRef("json", "0" * 32, 4),)) for i in range(100)]
    started = [AttemptStarted(f"node_{i}", 1) for i in range(100)]
    assert len(packed([*done, *started])) < 70 * 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[[]]",
        b'[["other", "a"]]',
        b'[["started", 1]]',
        b'[["started", null]]',
        b'[["done", "a"]]',
        b'[["done", "a", "b", "c"]]',
        b'[["done", "a", 1, 2]]',
        b'[["done", "a", "b", true]]',
        b'[[["done"], "a"]]',
        b"[1]",
        b'[{"kind": "Nothing"}]',
        b'[["started", "a"]',
    ],
)
def test_what_is_no_row_is_refused(body):
    with pytest.raises((msgspec.MsgspecError, ValueError, TypeError)):
        unpacked(body)


def test_a_long_batch_is_rows_of_64_kb_and_its_largest_event_lies_in_pieces_beside_them():
    nodes = tuple(NodeInfo(f"node {i}", "n") for i in range(5_000))
    events = [RunStarted("g"), SpecAccepted("f", nodes), *(AttemptStarted(f"node {i}", 2) for i in range(5_000))]
    rows, pieces = rows_of(Batch(1.0, events), 0, seed("r"))
    assert [row.n for row in rows[:2]] == [1, 1]
    assert all(len(row.body) <= MAX_ROW for row in rows)
    assert all(len(piece) <= MAX_ROW for piece in pieces.values())
    assert [len(named(row.body)) for row in rows[:3]] == [0, len(pieces), 0]
    assert [each.event for each in envelopes("r", rows, len(events), rows[-1].chain, pieces=pieces)] == events


@pytest.mark.parametrize("spoilt", ["missing", "changed", "swapped"])
def test_a_piece_that_is_not_what_was_kept_is_damage(spoilt):
    nodes = tuple(NodeInfo(f"node {i}", "n") for i in range(5_000))
    rows, pieces = rows_of(Batch(1.0, [SpecAccepted("f", nodes)]), 0, seed("r"))
    first, second = list(pieces)[:2]
    other = {"missing": None, "changed": pieces[first][:-1] + b" ", "swapped": pieces[second]}[spoilt]
    broken = {**pieces, first: other} if other else {second: pieces[second]}
    with pytest.raises(StoreCorrupt, match="'r' is damaged"):
        envelopes("r", rows, 1, rows[-1].chain, pieces=broken)


@pytest.mark.parametrize("size", [0, 1, MAX_ROW, MAX_ROW + 1, 3 * MAX_ROW, 3 * MAX_ROW + 1])
def test_what_was_cut_is_joined(size):
    body = (b"0123456789" * (size // 10 + 1))[:size]
    stub, pieces = cut(body)
    assert joined(stub, pieces) == body
    assert len(stub) <= MAX_ROW
