"""A recorded run: what is in it, what is not, and what goes first when it is too large."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from graphrun_nb.core import codec
from graphrun_nb.core.state import fold
from graphrun_nb.view.frames import LayoutFrame, NodeDetail
from graphrun_nb.view.recording import bounded, packed, record

GOLDEN = Path(__file__).parent.parent / "golden"
PLACES = LayoutFrame((0, 1), (0, 1), (), 10, 10)


def opened(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.fixture
def log():
    return tuple(codec.load_lines((GOLDEN / "approval.jsonl").read_bytes()))


def test_a_recording_has_the_whole_log_the_layout_and_the_details(log):
    state = fold("golden", log)
    told = opened(packed(record(state, log, [PLACES], [NodeDetail("a", source="def a")], saved_at=5.0)))
    assert (told["version"], told["run_id"], told["saved_at"]) == (1, "golden", 5.0)
    assert len(told["events"]["events"]) == len(told["events"]["at"]) == len(log)
    assert told["layouts"][0]["x"] == [0, 1]
    assert told["details"] == [{"node_id": "a", "source": "def a"}]
    assert "snapshot" not in told


def test_a_recording_does_not_help_to_answer_a_wait(log):
    digests = [each.event.wait.token_digest for each in log if type(each.event).__name__ == "WaitOpened"]
    assert all(digests)
    text = json.dumps(opened(packed(record(fold("golden", log), log, (), saved_at=5.0))))
    assert not [each for each in digests if each in text]


def test_the_same_run_is_packed_alike(log):
    state = fold("golden", log)
    assert packed(record(state, log, (), saved_at=5.0)) == packed(record(state, log, (), saved_at=5.0))


def test_what_is_too_large_loses_its_details_then_its_history_and_then_all(log):
    state = fold("golden", log)
    noise = "".join(chr(33 + (i * i * 7919 + i) % 90) for i in range(4000))
    full = record(state, log, [PLACES], [NodeDetail("a", source=noise)], saved_at=5.0)
    bare = packed(record(state, log, [PLACES], saved_at=5.0))
    still = packed(record(state, (), [PLACES], saved_at=5.0))
    assert len(still) < len(bare) < len(packed(full))
    assert bounded(full, state) == packed(full)
    assert bounded(full, state, len(packed(full)) - 1) == bare
    assert bounded(full, state, len(bare) - 1) == still
    assert opened(still)["snapshot"]["seq"] == len(log)
    assert bounded(full, state, len(still) - 1) == ""
