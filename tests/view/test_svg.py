import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from graphrun_nb.core.codec import load_lines
from graphrun_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Envelope,
    ErrorInfo,
    NodeInfo,
    RetryScheduled,
    RunStarted,
    SpecAccepted,
)
from graphrun_nb.core.state import RunState, fold
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view.layout import layout
from graphrun_nb.view.svg import _ICONS, _TINTS, COLOURS, WIDTH, _path, draw

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.jsonl"))
SVG = "{http://www.w3.org/2000/svg}"


def parsed(state):
    return ET.fromstring(draw(state, layout(state.drawn(), state.edges())))  # noqa: S314 (our own drawing)


def run_of(*infos, events=(), graph="graph"):
    known = (RunStarted(graph), SpecAccepted("f", infos), *events)
    return fold("run", [Envelope("run", i, float(i), event) for i, event in enumerate(known, 1)])


def cards(drawing):
    return {g.find(f"{SVG}title").text: g for g in drawing.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None}


def texts(element):
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_run_is_drawn_at_every_moment_of_its_log_one_card_a_node(path):
    log = list(load_lines(path.read_bytes()))
    for n in range(len(log) + 1):
        state = fold("golden", log[:n])
        drawn = cards(parsed(state))
        nodes = {node_id: state.nodes[node_id] for node_id in state.drawn()}
        assert list(drawn) == [f"{node_id}: {node.status.lower()}" for node_id, node in nodes.items()]
        for node, card in zip(nodes.values(), drawn.values(), strict=True):
            assert node.info.kind == "map" or texts(card)[1].startswith(node.status.lower())


def test_a_run_of_less_than_a_millisecond_is_well_formed():
    state = run_of(NodeInfo("a", "a"))
    state.ended_at = state.started_at + 0.0001
    assert "<1 ms" in texts(parsed(state))[0]


def test_a_mapped_node_is_one_card_with_the_counts_of_its_elements():
    state = fold("golden", load_lines((ROOT / "tests" / "golden" / "mapped.jsonl").read_bytes()))
    drawn = cards(parsed(state))
    assert list(drawn) == ["items: done", "work: failed", "below: skipped"]
    assert texts(drawn["work: failed"])[1] == "3/4 done, 1 failed"


def test_a_graph_without_nodes_is_a_heading():
    assert texts(parsed(RunState("run", graph="nothing"))) == ["nothingpending · 0 nodes"]


def test_the_heading_names_the_run_and_counts_what_differs():
    state = run_of(NodeInfo("a", "a"), NodeInfo("b", "b"), graph="sums", events=[AttemptStarted("a", 1)])
    assert texts(parsed(state))[0] == "sumsrunning · 1 pending · 1 running"


@pytest.mark.parametrize("name", ["</text><script/>", "a & b", "'\"", "\ufffe", "名前", "\u202eabc"])
def test_any_name_is_shown_as_text_and_nothing_else(name):
    drawing = parsed(run_of(NodeInfo(name, name), graph=name))
    assert {element.tag.removeprefix(SVG) for element in drawing.iter()} <= {
        *("svg", "title", "rect", "text", "tspan", "g", "path")
    }
    assert texts(drawing)[1] == name.replace("\ufffe", "\ufffd")


def test_a_long_name_is_cut_on_the_card_and_whole_in_its_title():
    name = "a_name_that_goes_on_and_on_and_on"
    (title, card), *_ = cards(parsed(run_of(NodeInfo(name, name)))).items()
    shown = texts(card)[0]
    assert title == f"{name}: pending"
    assert shown.endswith("…")
    assert name.startswith(shown[:-1])
    assert len(shown) > 12


@pytest.mark.parametrize("name", ["score_boosting", "evaluate_logistic", "load_customers"])
def test_names_of_usual_length_are_not_cut(name):
    assert texts(parsed(run_of(NodeInfo(name, name))))[1] == name


def test_a_node_that_was_tried_again_says_how_often():
    error = ErrorInfo(("builtins.ConnectionRefusedError",))
    events = [
        AttemptStarted("a", 1),
        AttemptFailed("a", 1, error),
        RetryScheduled("a", 2, 9.0),
        AttemptStarted("a", 2),
        AttemptSucceeded("a", 2),
    ]
    info = NodeInfo("a", "a", max_attempts=4)
    assert texts(parsed(run_of(info, events=events)))[-1] == "2/4"
    assert texts(parsed(run_of(info, events=events[:1])))[-1] == "running"


def test_a_failed_node_names_its_error():
    events = [AttemptStarted("a", 1), AttemptFailed("a", 1, ErrorInfo(("builtins.ValueError",)))]
    assert texts(parsed(run_of(NodeInfo("a", "a"), events=events)))[2] == "failed · ValueError"


def test_mere_order_is_dashed_and_values_are_solid():
    state = run_of(NodeInfo("a", "a"), NodeInfo("b", "b", needs=("a",)), NodeInfo("c", "c", after=("a", "b")))
    lines = [path for path in parsed(state).findall(f"{SVG}path") if path.get("stroke")]
    assert [line.get("stroke-dasharray") for line in lines] == [None, "4 4"]
    assert [line.get("d").count("M") for line in lines] == [1, 2]


def test_a_long_line_runs_level_past_the_cards_of_the_ranks_between():
    drawn = layout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    middle, _ = drawn.position["b"]
    ((_, level),) = drawn.bends["a", "c"]
    stretch = re.search(rf" (\S+) {level:.1f}H(\S+?)C", _path(drawn, "a", "c"))
    assert float(stretch[1]) <= middle - WIDTH / 2
    assert float(stretch[2]) >= middle + WIDTH / 2


def test_icons_and_colours_are_those_of_the_live_view():
    icons = (ROOT / "js" / "src" / "icons.ts").read_text()
    for status, (_, mark, solid) in _ICONS.items():
        assert re.search(rf'{status}: {{ body: \S+ mark: "{re.escape(mark)}", solid: {str(solid).lower()} }}', icons)
    styles = "".join(path.read_text() for path in (ROOT / "js" / "src").rglob("*.css"))
    tints = {f"{token}-tint" for token in COLOURS}
    assert {name for name in COLOURS if f"--gr-{name}: {COLOURS[name]};" in styles} == set(COLOURS)
    for tint in _TINTS.values():
        assert any(f"--gr-{name}: {tint};" in styles for name in tints)


def test_every_status_has_a_sign_of_its_own():
    assert len({icon.mark for icon in _ICONS.values()}) == len(NodeStatus)
