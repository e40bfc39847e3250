"""Values and runs as plain text: bounded, one line where one line is meant, and never an exception."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import OrderedDict
from pathlib import Path

import pytest

from graphrun_nb.core import codec
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    ErrorInfo,
    NodeInfo,
    RunStarted,
    SpecAccepted,
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.core.state import RunState, apply, fold
from graphrun_nb.view.text import MAX_PREVIEW, duration, headline, preview, table

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize(
    "value", [None, True, 42, -1.5, 1e400, "text", b"raw", [], [1, "a"], (1,), (), {}, {"b": 1, "a": [2]}, {3}]
)
def test_an_ordinary_value_shows_as_python_shows_it(value):
    assert preview(value) == repr(value)


class Hostile:
    """Its repr does what `act` does."""

    def __init__(self, act):
        self.act = act

    def __repr__(self):
        return self.act(self)


class NamelessType(type):
    @property
    def __name__(cls):
        raise LookupError("no name")


class Nameless(metaclass=NamelessType):
    def __repr__(self):
        raise ValueError("no repr")


class Lying(str):
    __slots__ = ()

    def __len__(self):
        return 0

    def encode(self, *_):
        raise ValueError("no bytes")


class Unmeasured(str):
    __slots__ = ()

    def __len__(self):
        raise ValueError("no length")


class NotReallyADict(dict):
    def items(self):
        raise ValueError("no items")


def raising(error):
    def act(_):
        raise error

    return act


def deep(n):
    nested: list = []
    for _ in range(n):
        nested = [nested]
    return nested


def endless():
    ring: list = []
    ring.append(ring)
    return ring


HOSTILE = {
    "raises": Hostile(raising(ValueError("mine"))),
    "exits": Hostile(raising(SystemExit(3))),
    "recurses": Hostile(lambda self: f"<{self!r}>"),
    "returns no text": Hostile(lambda _: 3),
    "returns half a character": Hostile(lambda _: "\ud800 half"),
    "returns a text that lies": Hostile(lambda _: Lying("x" * 100_000)),
    "returns a text without length": Hostile(lambda _: Unmeasured("x")),
    "returns very much": Hostile(lambda _: "x" * 1_000_000),
    "has a type without a name": Nameless(),
    "is no real dict": NotReallyADict(a=1),
    "is called dict": type("dict", (), {})(),
    "is called str": type("str", (), {})(),
    "is very long": "x" * 10_000_000,
    "is many bytes": b"\0" * 10_000_000,
    "is a huge number": 10**5000,
    "is a long list": list(range(1_000_000)),
    "is a long dict": dict.fromkeys(range(1_000_000)),
    "is very deep": deep(50_000),
    "is very deep inside another": OrderedDict(x=deep(50_000)),
    "contains itself": endless(),
    "is broad and deep": [[["word" * 200] * 50] * 50] * 50,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value, 1], lambda value: {"k": value}])
def test_no_value_makes_a_preview_raise_or_grow(name, wrap):
    text = preview(wrap(HOSTILE[name]))
    assert type(text) is str
    assert 0 < len(text) <= MAX_PREVIEW
    assert json.loads(json.dumps(text, ensure_ascii=False).encode()) == text


def test_a_repr_that_raises_is_said_in_its_place_beside_the_others():
    assert preview([1, Hostile(raising(KeyError("mine"))), 2]) == "[1, <Hostile: its repr raised KeyError>, 2]"
    assert preview({"n": 10**5000, "m": 1}) == "{'n': <int: its repr raised ValueError>, 'm': 1}"


def test_a_stop_during_a_repr_is_not_swallowed():
    over = threading.Event()

    def stopped(_self):
        os.kill(os.getpid(), signal.SIGINT)
        over.wait()

    try:
        with pytest.raises(KeyboardInterrupt):
            preview(Hostile(stopped))
    finally:
        over.set()


def test_a_repr_that_does_not_return_is_left_behind():
    over = threading.Event()
    try:
        assert preview([1, Hostile(lambda _: over.wait()), 2]) == "[1, <Hostile: its repr does not return>, 2]"
    finally:
        over.set()


def test_what_is_left_out_is_marked():
    assert preview("x" * 1000).startswith("'xxx")
    assert "..." in preview("x" * 1000)
    assert preview(list(range(30))).endswith("18, 19, ...]")
    assert preview({i: i for i in range(30)}).endswith("19: 19, ...}")
    assert preview(Hostile(lambda _: "x" * 5000)) == "x" * (MAX_PREVIEW - 1) + "…"
    assert preview([[[[[1]]]]]) == "[[[[[...]]]]]"
    assert preview({1: {2: {3: {4: {5: 6}, 7: {}}}}}) == "{1: {2: {3: {4: {...}, 7: {}}}}}"


def test_a_dict_keeps_its_order():
    assert preview({"z": 1, "a": 2}) == "{'z': 1, 'a': 2}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "<1 ms"),
        (-0.2, "<1 ms"),
        (0.0004, "<1 ms"),
        (0.0031, "3 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (60, "1 min 00 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_a_duration_never_shows_a_unit_that_is_full(seconds, text):
    assert duration(seconds) == text


def golden(name):
    return fold("golden", codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()))


def test_the_headline_counts_the_nodes_of_each_status():
    assert headline(golden("failure")) == "golden graph: failed (1 done, 1 failed, 3 skipped)"
    assert headline(RunState("empty")) == ": pending (no nodes)"


def test_a_table_has_a_row_a_node_with_time_attempts_and_reason():
    assert table(golden("failure")).splitlines() == [
        "golden graph: failed (1 done, 1 failed, 3 skipped)",
        "node    status   attempts  time",
        "bad     failed   1         250 ms  ValueError: bad value: -1",
        "good    done     1         500 ms",
        "below   skipped                    because of bad",
        "deeper  skipped                    because of bad",
        "never   skipped",
    ]


def test_attempts_are_counted_against_the_budget_where_there_is_one():
    (row,) = [line for line in table(golden("retry")).splitlines() if line.startswith("flaky")]
    assert row.split()[:3] == ["flaky", "done", "3/3"]


@pytest.mark.parametrize("text", ["Line one\nline two", "one\r\ntwo", "one\u2028two", "x" * 500, "", "\n"])
def test_a_row_stays_one_line_whatever_a_prompt_or_an_error_says(text):
    state = RunState("r")
    nodes = (NodeInfo("ask", "ask"), NodeInfo("bad", "bad"))
    error = ErrorInfo(types=("m.Error",), message=text)
    for event in (
        RunStarted("g"),
        SpecAccepted("f", nodes),
        AttemptStarted("ask", 1),
        AttemptStarted("bad", 1),
        WaitOpened("ask", 1, WaitInfo(0, "text", prompt=text)),
        AttemptFailed("bad", 1, error),
    ):
        apply(state, event, 1.0)
    lines = table(state).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) < 150
    first = text.splitlines()[0][:90] if text else ""
    assert lines[2].rstrip().endswith(first)
    assert first in lines[3]


def test_a_table_names_every_node_that_failed_also_elements_of_a_mapped_one():
    state = fold("golden", codec.load_lines((GOLDEN / "mapped.jsonl").read_bytes()))
    rows = [line.split() for line in table(state).splitlines()[2:]]
    assert [row[:2] for row in rows] == [
        ["items", "done"],
        ["work", "failed"],
        ["work[1]", "failed"],
        ["below", "skipped"],
    ]
    assert rows[1][-4:] == ["3/4", "done,", "1", "failed"]
    assert " ".join(rows[2]).endswith("ValueError: bad value: -1")


def test_of_hundreds_of_nodes_a_table_has_those_that_failed_or_wait_and_counts_the_rest():
    names = [f"n{i}" for i in range(900)]
    state = RunState("r")
    apply(state, RunStarted("wide"), 1.0)
    apply(state, SpecAccepted("f", tuple(NodeInfo(name, name) for name in names)), 1.0)
    for name in names[5:500]:
        apply(state, AttemptStarted(name, 1), 2.0)
    apply(state, AttemptFailed("n7", 1, ErrorInfo(("builtins.ValueError",), "no")), 3.0)
    apply(state, WaitOpened("n400", 1, WaitInfo(no=0, kind="text", prompt="Which?")), 3.0)
    head, _, *rows, rest = table(state).splitlines()
    assert head == headline(state)
    assert [row.split()[0] for row in rows] == ["n7", "n400"]
    assert rest == "and 898 more nodes"
