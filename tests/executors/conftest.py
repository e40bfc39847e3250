"""One pool of worker processes for all tests that need no fresh ones, and what to look for in the system."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from graphrun_nb.executors.process import ProcessExecutor
from graphrun_nb.protocols import Call, Error, Value

PATIENCE_S = 20.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def pool():
    """Give workers that other tests have used, and will use."""
    executor = ProcessExecutor()
    yield executor
    executor.close()


_CLUSTER = """
import sys, distributed

if __name__ == "__main__":
    options = {"n_workers": 2, "threads_per_worker": 8, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory):
    """Give the address of a cluster of processes on loopback, which are no children of this one."""
    program = tmp_path_factory.mktemp("cluster") / "cluster.py"
    program.write_text(_CLUSTER)
    process = subprocess.Popen(
        [sys.executable, program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        address = process.stdout.readline().decode().strip()
        _let_dask_start_its_callback_thread(address)
        yield address
    finally:
        process.stdin.close()
        process.wait(PATIENCE_S)
        process.stdout.close()


def _let_dask_start_its_callback_thread(address):
    """Use a client: that thread is one for the process, and stays."""
    import distributed

    called = threading.Event()
    with distributed.Client(address, set_as_default=False) as client:
        made = client.submit(abs, -1)
        made.add_done_callback(lambda _: called.set())
        assert called.wait(PATIENCE_S)
        made.release()


def call(function, **arguments):
    return Call("run", "node", 1, function, arguments, "context" if "context" in arguments else "")


async def value(executor, function, **arguments):
    outcome = await executor.submit(call(function, **arguments))
    assert isinstance(outcome, Value), outcome
    return outcome.value


async def error(executor, function, **arguments):
    outcome = await executor.submit(call(function, **arguments))
    assert isinstance(outcome, Error), outcome
    return outcome.exception


async def until(holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)


def is_running(pid):
    """Tell whether a process is there and has not ended, with all its threads."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" or int(fields[17]) > 1


def children():
    """Return the ids of this process's own children that have not ended."""
    stats = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            stats[int(stat.parent.name)] = state
    return set(stats)
