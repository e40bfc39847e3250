"""Running again from a view: the fields of a run's inputs, what they are read as, and what the view shows then."""

from __future__ import annotations

import datetime as dt
import enum

import pytest

from graphrun_nb import NodeStatus, RunStatus, graph, graph_fn, graphify, run, tool
from graphrun_nb.core.secrets import MASK
from graphrun_nb.errors import GraphInputBindError, PayloadRejected
from graphrun_nb.notebook.inputs import MAX_FIELD, Inputs
from graphrun_nb.notebook.offers import offers
from tests.engine.conftest import settle
from tests.notebook.views import View


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Opaque:
    """A value that JSON has nothing for."""


@tool(outputs=["y"])
async def scaled(x: int, factor: float = 1.0):
    return x * factor


@graphify("scales", inputs={"x": 1, "factor": 2.0}, outputs=["y"])
def scales(x, factor):
    return {"y": scaled(x, factor, _id="scaled").y}


@tool(outputs=["z"])
async def hold(**values):
    return len(values)


@graphify("holds", inputs=["value"], outputs=["z"])
def holds(value):
    return {"z": hold(value=value).z}


async def ended(target, inputs):
    future = run(target, inputs)
    await future
    return future


async def told(value):
    return Inputs((await ended(holds, {"value": value})).run)


async def test_the_tools_annotations_are_the_fields_types_where_the_graph_has_none():
    fields = Inputs((await ended(scales, {"x": 3})).run).told()
    assert {name: each["type"] for name, each in fields["schema"]["properties"].items()} == {
        "x": "integer",
        "factor": "number",
    }
    assert fields["initial"] == {"x": 3, "factor": 2.0}
    assert fields["schema"]["required"] == []
    assert fields["kept"] == []


async def test_the_graphs_own_annotations_come_first():
    @graphify("typed", inputs=["x", "colour"], outputs=["y"])
    def typed(x: float, colour: Colour):
        return {"y": scaled(x, _condition={"op": "ne", "left": colour, "right": None}).y}

    future = await ended(typed, {"x": 3.0, "colour": Colour.RED})
    fields = Inputs(future.run).told()
    assert fields["schema"]["properties"]["x"]["type"] == "number"
    assert fields["schema"]["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert fields["initial"] == {"x": 3.0, "colour": "red"}
    assert Inputs(future.run).read({"x": 4, "colour": "blue"}) == {"x": 4.0, "colour": Colour.BLUE}


@pytest.mark.parametrize(
    ("value", "shown", "edited", "read"),
    [
        (3, 3, 4, 4),
        ("a", "a", "b", "b"),
        (True, True, False, False),
        ([1, 2], [1, 2], [3], [3]),
        ((1, 2), [1, 2], [3, 4], (3, 4)),
        ({"a": [1]}, {"a": [1]}, {"b": 2}, {"b": 2}),
        (dt.date(2026, 1, 2), "2026-01-02", "2026-01-03", dt.date(2026, 1, 3)),
        (Colour.RED, "red", "blue", Colour.BLUE),
    ],
)
async def test_without_annotations_a_field_has_the_type_of_its_value(value, shown, edited, read):
    inputs = await told(value)
    assert inputs.told()["initial"] == {"value": shown}
    assert inputs.read({"value": edited}) == {"value": read}
    assert type(inputs.read({"value": edited})["value"]) is type(value)


@pytest.mark.parametrize("value", [Opaque(), b"\xff", float("nan"), lambda: 1, "x" * MAX_FIELD, None, {1: 2}, object])
async def test_what_has_no_field_is_kept_as_it_is_and_said(value):
    inputs = await told(value)
    ((name, kind, text),) = inputs.told()["kept"]
    assert (name, kind) == ("value", type(value).__name__)
    assert len(text) <= 4000
    assert inputs.read({})["value"] is value


async def test_a_value_that_is_not_edited_is_the_very_value_it_was():
    value = [1, 2]
    inputs = await told(value)
    assert inputs.read({"value": [1, 2]})["value"] is value
    assert inputs.read({"value": [1, 2.0]})["value"] == [1, 2]


async def test_a_secret_has_no_field_and_is_not_told():
    @graphify("secretive", inputs=["password", "options"], outputs=["z"])
    def secretive(password, options):
        return {"z": hold(password=password, options=options).z}

    given = {"password": "canary-5f2b8a", "options": {"api_key": "canary-77aa12", "n": 1}}
    inputs = Inputs((await ended(secretive, given)).run)
    assert "canary" not in str(inputs.told())
    assert [each[0] for each in inputs.told()["kept"]] == ["password", "options"]
    assert inputs.told()["kept"][0][2] == MASK
    assert inputs.read({}) == given


async def test_what_does_not_fit_is_refused_by_path_and_nothing_begins():
    view = View(await ended(scales, {"x": 3}))
    reply = view.ask("again", values={"x": "three", "nothing": 1})
    assert [path for path, _ in reply["errors"]] == ["nothing", "x"]
    assert list(view.inspector.shown) == [view.future.run_id]
    with pytest.raises(PayloadRejected, match="do not fit"):
        Inputs(view.future.run).read({"x": [1]})


async def test_a_value_that_was_not_kept_and_has_no_type_is_an_error_that_says_how_to_launch():
    future = await ended(holds, {"value": 3})
    del future.run.inputs["value"]
    with pytest.raises(GraphInputBindError, match="'value' was not kept"):
        Inputs(future.run)


async def test_again_begins_a_run_with_the_other_inputs_and_the_view_shows_that():
    view = View(await ended(scales, {"x": 3}))
    reply = view.ask("again", values={"x": 5})
    begun = view.inspector.future
    assert reply["data"] == {"run_id": begun.run_id}
    assert begun.run_id != view.future.run_id
    assert await begun == {"y": 10.0}
    assert view.inspector.run_id == begun.run_id
    assert view.inspector.runs == [view.future.run_id, begun.run_id]
    frames = view.tell({"kind": "sync", "id": 8, "have": 0})
    assert frames[0]["first"] == 1
    assert view.future.status is RunStatus.DONE


async def test_a_run_is_begun_again_with_the_graph_as_it_is_defined_now():
    view = View(await ended(scales, {"x": 3}))

    @graphify("scales", inputs={"x": 1, "factor": 2.0}, outputs=["y"])
    def redefined(x, factor):
        return {"y": scaled(scaled(x, factor).y, factor).y}

    view.ask("again", values={"x": 5})
    assert await view.inspector.future == {"y": 20.0}
    assert redefined.name == "scales"


async def test_a_view_can_look_back_at_a_run_that_it_showed_and_at_no_other():
    view = View(await ended(scales, {"x": 3}))
    other = await ended(scales, {"x": 4})
    view.ask("again", values={"x": 5})
    assert "error" not in view.ask("show", run_id=view.future.run_id)
    assert view.inspector.run_id == view.future.run_id
    assert "has not begun the run" in view.ask("show", run_id=other.run_id)["error"]


async def test_a_run_is_begun_where_another_one_stood_and_shown_instead_of_it():
    view = View(await ended(scales, {"x": 3}))
    reply = view.ask("fork", at=2)
    begun = view.inspector.future
    assert reply["data"] == {"run_id": begun.run_id}
    assert begun.forked_from == (view.future.run_id, 2)
    assert await begun == await view.future
    assert view.inspector.runs == [view.future.run_id, begun.run_id]


async def test_a_run_cannot_be_begun_where_no_run_stood():
    view = View(await ended(scales, {"x": 3}))
    for at in (1, 10_000):
        assert "cannot be forked" in view.ask("fork", at=at)["error"]
    assert view.inspector.run_id == view.future.run_id


async def test_events_of_a_run_that_is_no_more_shown_are_not_sent():
    view = View(await ended(scales, {"x": 3}))
    view.ask("sync", have=0)
    view.ask("again", values={"x": 5})
    view.sent.clear()
    again = view.future.retry("scaled")
    await again
    await settle()
    assert [each for each in view.sent if each["kind"] == "events"] == []


async def test_what_is_offered_is_what_would_not_be_refused():
    @tool(outputs=["y"])
    async def fail():
        raise ValueError("no")

    with graph(name="failing") as g:
        g.expose("y", fail(_id="fail").y)
    failing = g.build()
    future = run(failing)
    assert offers(future.run) == ["cancel", "fork"]
    await settle()
    assert future.status is RunStatus.FAILED
    assert offers(future.run) == ["retry", "from", "fork", "again"]
    assert offers((await ended(scales, {})).run) == ["from", "fork", "again"]

    @graph_fn("body", outputs=["y"])
    async def body():
        return {"y": 1}

    assert offers((await ended(body, {})).run) == ["again"]


async def test_retry_from_a_node_runs_it_again_though_it_is_done():
    view = View(await ended(scales, {"x": 3}))
    assert "error" not in view.ask("retry", node_id="scaled")
    await view.inspector.future
    assert view.inspector.future.node("scaled").attempts == 2
    assert view.inspector.future.node("scaled").status is NodeStatus.DONE
    assert "has no node" in view.ask("retry", node_id="nowhere")["error"]
