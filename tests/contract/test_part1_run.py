"""Part 1 of the contract, ``run(target, inputs, identity, **rt_overrides)``, a test a sentence."""

from __future__ import annotations

import concurrent.futures
import inspect
import threading

import pytest

from graphrun_nb import graph, run, tool
from tests.contract.conftest import add, sums


@pytest.fixture
def my_node():
    """A graph of one node, with an optional input."""
    with graph(name="my_node") as g:
        g.declare_inputs(optional={"x": 1})
        g.expose("total", add(a=g.arg("x"), b=1).total)
    return g.build()


def test_it_takes_what_run_async_takes():
    assert list(inspect.signature(run).parameters) == ["target", "inputs", "identity", "rt_overrides"]


def test_it_submits_the_execution_and_returns_a_concurrent_future():
    go_on = threading.Event()

    @tool(outputs=["x"])
    def held():
        return go_on.wait(10)

    with graph(name="held") as g:
        g.expose("x", held().x)
    future = run(g)
    assert isinstance(future, concurrent.futures.Future)
    assert not future.done()
    go_on.set()
    assert future.result(10) == {"x": True}


def test_the_first_example(my_node):
    future = run(my_node)
    assert future.result() == {"total": 2}


def test_the_second_example(my_node):
    future = run(my_node, inputs={"x": 42}, timeout=10)
    output = future.result()
    assert output == {"total": 43}


def test_it_is_suitable_for_synchronous_contexts():
    outputs = []

    def in_a_thread():
        outputs.append(run(sums, {"x": 1}).result(10))

    threads = [threading.Thread(target=in_a_thread) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert outputs == [{"y": 12}] * 4
