"""A graph that is not the one that a stored run began with is noticed, by nodes; what only looks different is not."""

# ruff: noqa: T201 (it prints its figures)

import pytest

from graphrun_nb import GraphRunFailed, RetryPolicy, SpecChanged, SqliteStore, graph, run_async, tool
from graphrun_nb.engine.live import RUNS

CALLS: list[str] = []


def one(a):
    CALLS.append("one")
    return a + 1


def two(a, fails=False):
    CALLS.append("two")
    if fails:
        raise ValueError("two fails")
    return a * 2


def other_two(a, fails=False):
    CALLS.append("two")
    return a * 3


other_two.__name__ = "two"


def chain(two=two, first="one", second="two", between=False, **controls):
    """Build a chain of two nodes, or of three."""
    with graph(name="chain") as g:
        g.declare_inputs(required=["fails"])
        last = tool(outputs=["x"])(one)(1, _id=first).x
        if between:
            last = tool(outputs=["x"])(one)(last, _id="between").x
        g.expose("x", tool(outputs=["x"])(two)(last, g.arg("fails"), _id=second, **controls).x)
    return g.build()


CHANGES = {
    "code": (chain(two=other_two), {"two"}),
    "topology": (chain(between=True), {"between", "two"}),
    "rename": (chain(first="begin"), {"begin", "one", "two"}),
}
COSMETIC = {
    "retry": chain(_retry=RetryPolicy(max_attempts=3, backoff_first_s=0.0)),
    "timeout": chain(_timeout=60),
    "label": chain(_labels=["daily"]),
    "group": chain(_group="sums"),
}


@pytest.fixture(params=["done", "failed"])
async def begun(request, tmp_path):
    """A store with a run of the chain that has ended, in a process that knows nothing of it."""
    CALLS.clear()
    store = SqliteStore(tmp_path / "runs.db")
    fails = request.param == "failed"
    try:
        await run_async(chain(), {"fails": fails}, store=store, run_id="r")
    except GraphRunFailed:
        assert fails
    RUNS.clear()
    CALLS.clear()
    return store, fails


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_that_counts_is_refused_with_the_nodes_named_and_nothing_is_written(begun, what):
    store, fails = begun
    graph, changed = CHANGES[what]
    n_events = store.n_events("r")
    with pytest.raises(SpecChanged) as caught:
        await run_async(graph, {"fails": fails}, store=store, run_id="r")
    print(f"{what}: refused, {', '.join(caught.value.changed_nodes)}")
    assert set(caught.value.changed_nodes) == changed
    assert all(repr(each) in str(caught.value) for each in changed)
    assert (store.n_events("r"), CALLS) == (n_events, [])


@pytest.mark.parametrize("what", COSMETIC)
async def test_a_change_that_does_not_count_is_accepted_and_nothing_is_done_twice(begun, what):
    store, fails = begun
    if fails:
        with pytest.raises(GraphRunFailed):
            await run_async(COSMETIC[what], store=store, run_id="r")
    else:
        assert await run_async(COSMETIC[what], {"fails": False}, store=store, run_id="r") == {"x": 4}
    print(f"{what}: accepted, {len(CALLS)} ran")
    assert set(CALLS) == ({"two"} if fails else set())
