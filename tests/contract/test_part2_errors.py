"""Part 2 of the contract, *Errors*, a test a sentence and one for each code that must exist.

The codes of resuming and the stages `resume_guard` and `resume_prepare` are in ``test_part2_run_identity.py``.
"""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from graphrun_nb import (
    GraphBuildError,
    GraphInputBindError,
    GraphMaterializationError,
    GraphRunError,
    GraphRunFailed,
    GraphValidationError,
    graph,
    graphify,
    run,
    run_async,
    tool,
)
from tests.contract.conftest import add, sums


def invalid_target():
    return run_async("not a graph")


def missing_input():
    return run_async(sums)


def unknown_input():
    return run_async(sums, {"x": 1, "z": 2})


def cycle():
    with graph(name="circle") as g:
        add(a=1, b=2, _id="one", _after="two")
        add(a=1, b=2, _id="two", _after="one")
    return run_async(g)


def dangling_reference():
    with graph(name="loose") as g:
        add(a=1, b=2, _after="nowhere")
    return run_async(g)


def duplicate_node_id():
    with graph(name="twins"):
        add(a=1, b=2, _id="same")
        add(a=1, b=2, _id="same")


def async_def():
    @graphify("later", outputs=["y"])
    async def later():
        return {}


def control_flow():
    @graphify("branches", inputs=["x"], outputs=["y"])
    def branches(x):
        if add(a=x, b=1).total:
            return {"y": 1}
        return {"y": 2}

    return run_async(branches, {"x": 1})


def condition_expression():
    with graph(name="tests"):
        add(a=1, b=2, _condition={"op": "matches", "left": 1, "right": 2})


def nested_call(executor):
    def outer():
        return add(a=1, b=2)

    async def outer_async():
        return add(a=1, b=2)

    with graph(name="nested") as g:
        tool(outputs=["x"])(outer_async if executor == "async" else outer)()
    return run_async(g, executor="thread" if executor == "async" else executor)


CODES = {
    "run_async_invalid_target": (invalid_target, "materialization", GraphMaterializationError),
    "graph_inputs_missing_required": (missing_input, "input_bind", GraphInputBindError),
    "graph_inputs_unknown": (unknown_input, "input_bind", GraphInputBindError),
    "graph_cycle": (cycle, "validation", GraphValidationError),
    "graph_dangling_reference": (dangling_reference, "validation", GraphValidationError),
    "graph_duplicate_node_id": (duplicate_node_id, "validation", GraphValidationError),
    "graphify_async_def": (async_def, "validation", GraphValidationError),
    "graphify_control_flow_non_deterministic": (control_flow, "validation", GraphValidationError),
    "graphify_unsupported_condition_expr": (condition_expression, "validation", GraphValidationError),
}


@pytest.mark.parametrize("code", CODES)
async def test_every_build_time_error_has_code_stage_hints_and_message_and_the_code_exists(code):
    make, stage, kind = CODES[code]
    with pytest.raises(GraphBuildError) as raised:
        await make()
    error = raised.value
    assert type(error).__mro__.index(kind) >= 0
    assert (error.code, error.stage) == (code, stage)
    assert error.hints
    assert str(error).startswith(f"[build:{stage}:{code}] ")
    assert len(str(error)) > len(f"[build:{stage}:{code}] ")


@pytest.mark.parametrize("executor", ["async", "loop", "thread", "process"])
async def test_the_code_tool_nested_tool_call_disallowed_exists(executor):
    with pytest.raises(GraphRunFailed) as raised:
        await nested_call(executor)
    cause = raised.value.__cause__
    assert isinstance(cause, GraphBuildError)
    assert (cause.code, cause.stage) == ("tool_nested_tool_call_disallowed", "validation")
    assert str(cause).startswith("[build:validation:tool_nested_tool_call_disallowed] ")
    assert cause.hints


def test_the_subclasses_are_build_errors_and_also_type_error_and_value_error():
    for kind in (GraphValidationError, GraphMaterializationError, GraphInputBindError):
        assert issubclass(kind, GraphBuildError)
    assert issubclass(GraphBuildError, GraphRunError)
    assert issubclass(GraphMaterializationError, TypeError)
    assert issubclass(GraphInputBindError, ValueError)


@tool(outputs=["x"])
async def fails():
    raise LookupError("no such row")  # the user's line


async def test_a_node_that_fails_raises_graph_run_failed_chained_from_the_nodes_own_exception(store):
    with graph(name="failing") as g:
        g.expose("x", fails(_id="bad").x)
    with pytest.raises(GraphRunFailed) as raised:
        await run_async(g, run_id="r1", store=store)
    assert type(raised.value.__cause__) is LookupError
    assert str(raised.value.__cause__) == "no such row"
    assert raised.value.failed_nodes == ("bad",)
    assert raised.value.run_id == "r1"


async def test_its_traceback_points_at_the_users_line():
    with graph(name="failing") as g:
        fails()
    with pytest.raises(GraphRunFailed) as raised:
        await run_async(g)
    frames = traceback.extract_tb(raised.value.__cause__.__traceback__)
    assert [(frame.filename, frame.line) for frame in frames] == [
        (__file__, 'raise LookupError("no such row")  # the user\'s line')
    ]


async def test_the_failure_itself_ends_in_the_line_that_awaits_however_often_it_is_asked_for():
    with graph(name="failing") as g:
        fails()
    future = run(g)
    for _ in range(2):
        with pytest.raises(GraphRunFailed) as raised:
            await future
        assert [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)] == [
            "test_the_failure_itself_ends_in_the_line_that_awaits_however_often_it_is_asked_for"
        ]


@pytest.mark.parametrize("executor", ["thread", "loop"])
async def test_it_is_the_nodes_own_exception_even_if_python_makes_another_of_it(executor):
    @tool(outputs=["x"])
    def first(rows):
        return next(iter(rows))

    with graph(name="failing") as g:
        first(rows=[])
    with pytest.raises(GraphRunFailed, match="StopIteration") as raised:
        await run_async(g, executor=executor)
    assert type(raised.value.__cause__) is StopIteration
    frames = traceback.extract_tb(raised.value.__cause__.__traceback__)
    assert [frame.line for frame in frames] == ["return next(iter(rows))"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
async def test_an_error_is_the_same_in_a_copy_and_in_another_process(copied):
    for build in (missing_input, invalid_target):
        with pytest.raises(GraphBuildError) as refused:
            await build()
        again = copied(refused.value)
        assert (type(again), str(again)) == (type(refused.value), str(refused.value))
        assert (again.code, again.stage, again.hints) == (refused.value.code, refused.value.stage, refused.value.hints)
