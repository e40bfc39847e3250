"""The golden logs: what the core makes of them must not change unnoticed. TypeScript replays the same files."""

import json
from pathlib import Path

import pytest

from graphrun_nb.core import codec
from graphrun_nb.core.events import NodeReset, RunForked, SpecAccepted
from graphrun_nb.core.frontier import Frontier
from graphrun_nb.core.state import RunState, apply, fold
from graphrun_nb.errors import IllegalTransition, StoreCorrupt
from tests.golden.make import logs

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_replaying_a_golden_log_gives_the_recorded_digest_after_every_event(name):
    state = RunState("golden")
    expected = json.loads((GOLDEN / f"{name}.digests.json").read_text())
    for envelope, digest in zip(codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()), expected, strict=True):
        apply(state, envelope.event, envelope.at)
        assert state.digest() == digest


def test_the_scripts_still_make_the_golden_logs_byte_for_byte():
    made = dict(logs())
    assert sorted(made) == NAMES
    for name, log in made.items():
        assert codec.dump_lines(log) == (GOLDEN / f"{name}.jsonl").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_frontier_built_from_any_prefix_agrees_with_one_kept_by_advance(name):
    state = RunState("golden")
    kept = Frontier(state)
    for envelope in codec.load_lines((GOLDEN / f"{name}.jsonl").read_bytes()):
        apply(state, envelope.event, envelope.at)
        rebuilt = Frontier(state)
        if isinstance(envelope.event, (SpecAccepted, NodeReset, RunForked)):
            kept = rebuilt
            continue
        kept.advance(envelope.event)
        assert kept.n_open == rebuilt.n_open
        assert kept.next_due() == rebuilt.next_due()


def test_an_event_that_does_not_fit_names_the_node_and_its_story():
    log = list(codec.load_lines((GOLDEN / "diamond.jsonl").read_bytes()))
    state = fold("golden", log)
    with pytest.raises(
        IllegalTransition, match=r"AttemptStarted does not fit .* node 'load' is DONE, attempt 1"
    ) as caught:
        apply(state, log[2].event, 0.0)
    assert "allows: NodeReset" in caught.value.hints[0]
    assert state.digest() == fold("golden", log).digest()


def test_a_log_with_a_gap_is_refused():
    log = list(codec.load_lines((GOLDEN / "diamond.jsonl").read_bytes()))
    with pytest.raises(IllegalTransition, match="event 4 of run 'golden' cannot follow event 2"):
        fold("golden", [*log[:2], *log[3:]])


def test_a_damaged_line_is_store_corrupt():
    with pytest.raises(StoreCorrupt, match="not an event of this version"):
        codec.decode(b'{"run_id":"golden","seq":1,"at":0,"event":{"kind":"Nonsense"}}')
