import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

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
    WaitInfo,
    WaitOpened,
)
from graphrun_nb.core.state import RunState, fold
from graphrun_nb.core.status import NodeStatus
from graphrun_nb.view import ink
from graphrun_nb.view.icons import ICONS
from graphrun_nb.view.layout import layout
from graphrun_nb.view.lines import way
from graphrun_nb.view.marks import LARGEST
from graphrun_nb.view.parts import home, parts_of
from graphrun_nb.view.scene import MAX_LAID_OUT, WIDTH, scene_of
from graphrun_nb.view.svg import draw

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.jsonl"))
SVG = "{http://www.w3.org/2000/svg}"


def parsed(state):
    return ET.fromstring(draw(state, scene_of(state)))  # noqa: S314 (our own drawing)


def afar(state):
    return ET.fromstring(draw(state, scene_of(state), from_afar=True))  # noqa: S314 (our own drawing)


def run_of(*infos, events=(), graph="graph"):
    known = (RunStarted(graph), SpecAccepted("f", infos), *events)
    return fold("run", [Envelope("run", i, float(i), event) for i, event in enumerate(known, 1)])


def cards(drawing):
    return {g.find(f"{SVG}title").text: g for g in drawing.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None}


def classed(drawing, name):
    return [element for element in drawing.iter() if name in element.get("class", "").split()]


def texts(element):
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_run_is_drawn_at_every_moment_of_its_log_one_card_a_node(path):
    log = list(load_lines(path.read_bytes()))
    for n in range(len(log) + 1):
        state = fold("golden", log[:n])
        drawn = cards(parsed(state))
        nodes = {node_id: state.nodes[node_id] for node_id in parts_of(state, home(state))[0]}
        assert list(drawn) == [f"{node_id}: {node.status.lower()}" for node_id, node in nodes.items()]
        parents = {node.info.parent for node in state.nodes.values()}
        for node, card in zip(nodes.values(), drawn.values(), strict=True):
            assert (" done" in texts(card)[1]) if node.info.node_id in parents else True
            assert node.info.node_id in parents or texts(card)[1].startswith(node.status.lower())


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
    assert texts(parsed(state))[0] == "sumsrunning · 1 running · 1 pending"


@pytest.mark.parametrize("name", ["</text><script/>", "a & b", "'\"", "\ufffe", "名前", "\u202eabc"])
def test_any_name_is_shown_as_text_and_nothing_else(name):
    drawing = parsed(run_of(NodeInfo(name, name), graph=name))
    assert {element.tag.removeprefix(SVG) for element in drawing.iter()} <= {
        *("svg", "title", "style", "rect", "text", "tspan", "g", "path")
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
    (card,) = cards(parsed(run_of(NodeInfo("a", "a"), events=events))).values()
    assert texts(card)[1] == "failed · ValueError"


def test_mere_order_is_dashed_and_values_are_solid():
    state = run_of(NodeInfo("a", "a"), NodeInfo("b", "b", needs=("a",)), NodeInfo("c", "c", after=("a", "b")))
    lines = classed(parsed(state), "s-edge")
    assert [line.get("stroke-dasharray") for line in lines] == [None, "4 4"]
    assert [line.get("d").count("M") for line in lines] == [1, 2]


def test_a_long_line_runs_level_past_the_cards_of_the_ranks_between():
    drawn = layout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    middle, _ = drawn.position["b"]
    ((_, level),) = drawn.bends["a", "c"]
    stretch = re.search(rf" (\S+) {level:.1f}H(\S+?)C", way(drawn, "a", "c"))
    assert float(stretch[1]) <= middle - WIDTH / 2
    assert float(stretch[2]) >= middle + WIDTH / 2


def test_what_failed_or_waits_is_named_under_the_heading_also_inside_of_containers():
    error = ErrorInfo(("builtins.ValueError",), "17 missing values\nin 'sales'")
    infos = [NodeInfo("outer", "outer", kind="graph"), NodeInfo("outer/fit", "outer/fit", parent="outer")]
    asks = WaitOpened("ask", 1, WaitInfo(no=0, kind="approval", prompt="Pay?"))
    events = [AttemptStarted("outer", 1), AttemptStarted("outer/fit", 1), AttemptStarted("ask", 1)]
    events += [AttemptFailed("outer/fit", 1, error), AttemptFailed("outer", 1, error), asks]
    drawing = parsed(run_of(*infos, NodeInfo("ask", "ask"), events=events))
    assert texts(drawing)[1:3] == ["outer/fitValueError: 17 missing values", "askPay?"]
    assert texts(cards(drawing)["outer: failed"]) == ["outer", "0/1 done, 1 failed"]


def test_of_many_that_failed_the_first_are_named_and_the_others_counted():
    infos = [NodeInfo(f"n{i}", f"n{i}") for i in range(9)]
    failed = AttemptFailed("", 1, ErrorInfo(("builtins.ValueError",)))
    events = [event for i in range(9) for event in (AttemptStarted(f"n{i}", 1), replace(failed, node_id=f"n{i}"))]
    told = texts(parsed(run_of(*infos, events=events)))[1:5]
    assert [text.partition("ValueError")[0] for text in told] == ["n0", "n1", "n2", "and 6 more"]


def test_a_nested_graph_is_one_card_and_its_parts_are_not_drawn():
    state = fold("golden", load_lines((ROOT / "tests" / "golden" / "nested.jsonl").read_bytes()))
    containers = {node.info.parent for node in state.nodes.values()} - {""}
    assert containers
    drawn = {title.rpartition(": ")[0] for title in cards(parsed(state))}
    assert drawn == {node_id for node_id, node in state.nodes.items() if not node.info.parent}


def test_a_run_that_is_one_body_is_shown_from_inside_by_the_short_names_of_its_calls():
    infos = [NodeInfo("main", "main", kind="body"), NodeInfo("main/call", "main/call", parent="main")]
    drawing = parsed(run_of(*infos))
    assert [texts(card)[0] for card in cards(drawing).values()] == ["call"]
    assert list(cards(drawing)) == ["main/call: pending"]


def test_a_group_has_a_frame_with_its_name_unless_something_else_stands_in_it():
    chain = [("a", "g"), ("b", "g"), ("c", "h"), ("d", ""), ("e", "h")]
    infos = [
        NodeInfo(name, name, group=group, needs=(chain[i - 1][0],) if i else ())
        for i, (name, group) in enumerate(chain)
    ]
    drawing = parsed(run_of(*infos))
    (frame,) = [rect for rect in drawing.findall(f"{SVG}rect") if rect.get("fill-opacity")]
    assert "g" in texts(drawing)
    assert "h" not in texts(drawing)
    left, right = float(frame.get("x")), float(frame.get("x")) + float(frame.get("width"))
    inside = [title for title, card in cards(drawing).items() if left < where(card)[0] < right]
    assert inside == ["a: pending", "b: pending"]


def test_a_frame_is_also_around_the_lines_of_its_members_that_run_below_them():
    pairs = {"a": (), "b": ("a",), "c": ("b",), "d": ("c",), "out": ("a", "d")}
    infos = [NodeInfo(name, name, needs=needs, group="" if name == "out" else "g") for name, needs in pairs.items()]
    scene = scene_of(run_of(*infos))
    box = scene.frames["g"]
    beside = [y for x, y in scene.layout.bends["a", "out"] if box.left < x < box.right]
    assert beside
    assert all(box.top < y < box.bottom for y in beside)


def where(card):
    x, y = re.match(r"translate\((\S+) (\S+)\)", card.get("transform")).groups()
    return float(x), float(y)


def test_from_afar_every_node_is_a_mark_and_what_failed_is_larger():
    infos = [NodeInfo(f"n{i}", f"n{i}", needs=(f"n{i - 90}",) if i >= 90 else ()) for i in range(2700)]
    events = [AttemptStarted("n7", 1), AttemptFailed("n7", 1, ErrorInfo(("builtins.ValueError",)))]
    drawing = afar(run_of(*infos, events=events))
    assert cards(drawing) == {}
    marks = {each.get("class"): each.get("d") for each in drawing.findall(f"{SVG}path") if "f-" in each.get("class")}
    assert marks["f-idle"].count("M") == 2699
    assert marks["f-bad"].count("M") == 1
    assert float(re.search(r"v(\S+?)h", marks["f-bad"])[1]) > float(re.search(r"v(\S+?)h", marks["f-idle"])[1])
    assert int(drawing.get("width")) <= LARGEST[0] + 24
    assert texts(drawing)[0] == "graphrunning · ■ 1 failed · ■ 2,699 pending"


def test_what_is_too_large_to_be_laid_out_stands_on_a_grid_without_lines():
    names = [f"n{i}" for i in range(MAX_LAID_OUT + 1)]
    state = run_of(*(NodeInfo(name, name, needs=names[max(i - 1, 0) : i]) for i, name in enumerate(names)))
    drawing = afar(state)
    assert classed(drawing, "s-edge") == []
    assert classed(drawing, "f-idle")[-1].get("d").count("M") == len(names)


def declared(block):
    return dict(re.findall(r"--gr-([a-z-]+): (#[0-9a-f]{6});", block))


def test_icons_and_colours_are_those_of_the_live_view():
    icons = (ROOT / "js" / "src" / "icons.ts").read_text()
    for status, (_, mark, solid) in ICONS.items():
        assert re.search(rf'{status}: {{ body: \S+ mark: "{re.escape(mark)}", solid: {str(solid).lower()} }}', icons)
    light, dark = (ROOT / "js" / "src" / "styles" / "tokens.css").read_text().split('.gr[data-theme="dark"]')
    for ours, theirs in ((ink.LIGHT, declared(light)), (ink.DARK, declared(dark))):
        assert {name: ours[name] for name in ours.keys() & theirs.keys()} == {
            name: theirs[name] for name in ours.keys() & theirs.keys()
        }
        assert ours.keys() - theirs.keys() <= {"bg", "line"}


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [ink.LIGHT, ink.DARK], ids=["light", "dark"])
def test_all_text_stands_out_from_what_it_is_on(colours):
    pairs = [(ink_, paper) for ink_ in ("text", "soft", "caution") for paper in ("bg", "card")]
    pairs += [(each, "bg") for each in ("bad", "attention")]
    pairs += [(each, f"{each}-tint") for each in ("active", "attention", "caution", "bad")]
    for ink_, paper in pairs:
        low, high = sorted(luminance(colours[each]) for each in (ink_, paper))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink_, paper)


def test_every_status_has_a_sign_of_its_own():
    assert len({icon.mark for icon in ICONS.values()}) == len(NodeStatus)
