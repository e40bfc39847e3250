"""Runs on a Dask cluster: real workers, which die."""

import os
import subprocess
import sys
import textwrap

import pytest

from graphrun_nb import GraphRunError, GraphRunFailed, NodeContext, RetryPolicy, graph, run_async, tool
from graphrun_nb.core.events import AttemptLost
from graphrun_nb.executors import make_executor
from tests.executors.conftest import ROOT


@pytest.fixture
def executor(dask_cluster):
    from graphrun_nb.executors.dask import DaskExecutor

    made = DaskExecutor(dask_cluster)
    yield made
    made.close()


def built(function, **arguments):
    """Return a graph of one tool, made where it cannot be imported from."""
    with graph(name="one") as g:
        g.expose("x", tool(outputs=["x"])(function)(**arguments, _id="node").x)
    return g.build()


async def test_a_run_has_its_nodes_made_elsewhere_and_each_part_of_a_map(executor):
    offset = 10

    @tool(outputs=["y"])
    def work(x: int):
        return {"y": (x + offset, os.getpid())}

    with graph(name="many") as g:
        g.expose("ys", work.map(x=list(range(20))).y)
    ys = (await run_async(g.build(), executor=executor, max_concurrency=8))["ys"]
    assert [y for y, _ in ys] == list(range(10, 30))
    assert os.getpid() not in {pid for _, pid in ys}


async def test_a_tool_that_calls_a_tool_is_refused_there_too(executor):
    @tool(outputs=["x"])
    def inner():
        return 1

    def outer():
        return inner()["x"]

    with pytest.raises(GraphRunFailed) as failed:
        await run_async(built(outer), executor=executor)
    assert failed.value.__cause__.code == "tool_nested_tool_call_disallowed"
    assert await run_async(built(lambda: 2), executor=executor) == {"x": 2}


async def test_what_it_prints_and_how_far_it_is_come_back(executor):
    def talks(context: NodeContext):
        print("hello from far away")  # noqa: T201
        context.progress(1, 2, "half")
        return context.attempt

    seen = []

    class Watch:
        def on_events(self, batch, state): ...

        def on_signal(self, signal):
            seen.append((signal.stream, signal.text))

    assert await run_async(built(talks), executor=executor, observers=[Watch()]) == {"x": 1}
    assert ("stdout", "hello from far away") in seen
    assert any(stream == "progress" and "half" in text for stream, text in seen)


async def test_an_attempt_whose_worker_dies_is_lost_once_and_the_node_runs_again(executor, tmp_path):
    def dies_once(marker: str):
        import os
        from pathlib import Path

        if not Path(marker).exists():
            Path(marker).touch()
            os._exit(7)
        return "lived"

    lost = []

    class Watch:
        def on_events(self, batch, state):
            lost.extend(event for _, event in batch if type(event) is AttemptLost)

        def on_signal(self, signal): ...

    graph_ = built(dies_once, marker=str(tmp_path / "marker"))
    assert await run_async(graph_, executor=executor, observers=[Watch()]) == {"x": "lived"}
    assert [each.reason for each in lost] == ["the Dask worker that ran it died"]


async def test_an_exception_comes_back_with_its_type_and_the_users_line(executor):
    def fails():
        raise LookupError("not there")

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(built(fails), executor=executor, retry=RetryPolicy(max_attempts=1))
    assert isinstance(caught.value.__cause__, LookupError)
    trace = caught.value.__cause__.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert trace.tb_frame.f_code.co_name == "fails"


async def test_what_cannot_be_sent_is_said_in_our_words(executor):
    import threading

    lock = threading.Lock()

    def holds():
        return lock

    with pytest.raises(GraphRunFailed) as caught:
        await run_async(built(holds), executor=executor)
    assert "'lock'" in str(caught.value.__cause__)


def test_a_cluster_that_is_not_there_is_refused_with_a_hint(monkeypatch):
    import distributed

    from graphrun_nb.executors.dask import DaskExecutor

    def refuse(*_, **__):
        raise OSError("nobody listens")

    monkeypatch.setattr(distributed, "Client", type("Client", (), {"__new__": refuse}))
    with pytest.raises(GraphRunError, match=r"no Dask cluster at 'tcp://127.0.0.1:1'") as caught:
        DaskExecutor("tcp://127.0.0.1:1")
    assert "DaskExecutor('tcp://host:8786')" in caught.value.hints[0]


def test_its_name_starts_a_cluster_and_a_script_ends(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
            import os
            from graphrun_nb import graph, run, tool

            @tool(outputs=["pid"])
            def where(x: int):
                return os.getpid()

            if __name__ == "__main__":
                with graph(name="g") as g:
                    g.expose("pids", where.map(x=[1, 2, 3]).pid)
                pids = run(g, executor="dask").result()["pids"]
                print("elsewhere" if os.getpid() not in pids else "here")
        """)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout == "elsewhere\n"


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "graphrun_nb.executors.dask", raising=False)
    with pytest.raises(GraphRunError, match="needs Dask") as caught:
        make_executor("dask")
    assert "graphrun-nb[dask]" in caught.value.hints[0]
