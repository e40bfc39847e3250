"""Stop at any moment of a run whose nodes do not behave: the kernel answers, and kernel and run can be used afterwards.

``GRAPHRUN_INTERRUPTS=200 pytest -s tests/notebook/test_interrupts.py`` tries 200, and says how soon it answered.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from tests.notebook.kernels import started

N_MOMENTS = int(os.environ.get("GRAPHRUN_INTERRUPTS", "20"))
LATEST_S = 0.5

SETUP = """
%load_ext graphrun_nb
import asyncio, contextlib, os, random, signal, threading, time
from graphrun_nb import MemoryStore, RetryPolicy, each, graphify, run, tool
from graphrun_nb.tools import ask_text

pauses = random.Random(7)
took = []

@tool(outputs=["x"])
async def blocks(x=0):
    time.sleep(pauses.choice([0.01, 0.1, 0.3]))
    return x

@tool(outputs=["x"])
async def is_deaf(x=0):
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        with contextlib.suppress(BaseException):
            await asyncio.sleep(0.05)
    return x

@tool(outputs=["x"])
def in_a_thread(x=0):
    time.sleep(0.02)
    return x

@tool(outputs=["x"])
async def quick(x=0):
    return x

@tool(outputs=["x"])
async def fails_first(context, x=0):
    if context.attempt < 3:
        raise ValueError("not yet")
    return x

@graphify("rough", outputs=["text"])
def rough():
    for i in range(4):
        x = blocks(x=i).x
        in_a_thread(x=x)
        fails_first(x=quick(x=x).x, _retry=RetryPolicy(max_attempts=3, backoff_first_s=0.01))
    is_deaf()
    quick.map(x=each(list(range(50))))
    return {"text": ask_text(prompt="?", _id="ask").text}

def stop(at):
    at.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

def stopped(moment):
    at, future = [], None
    timer = threading.Timer(moment, stop, [at])
    try:
        timer.start()
        future = run(rough, max_concurrency=5)
        future.result()
    except KeyboardInterrupt:
        took.append(time.monotonic() - at[0])
    return future
"""

GOES_ON = """
if future is not None:
    assert future.status in ("RUNNING", "WAITING"), future.status
    future.resume("ask", "well")
    print(future.result(20))
else:
    print("it had not begun")
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with started(Path(sys.executable), tmp_path_factory.mktemp("kernel")) as kernel:
        assert kernel.run(SETUP).status == "ok"
        yield kernel


def test_stop_at_any_moment_leaves_kernel_and_run_usable(kernel):
    moments = random.Random(12)  # noqa: S311 (moments, no secret)
    for i in range(N_MOMENTS):
        moment = moments.uniform(0.0, LATEST_S)
        told = f"moment {i}, after {moment:.3f} s"
        stopped = kernel.run(f"future = stopped({moment}); len(took)")
        assert (stopped.status, stopped.text) == ("ok", str(i + 1)), f"{told}: {stopped}"
        gone_on = kernel.run(GOES_ON)
        assert gone_on.status == "ok", f"{told}: {gone_on}"
        assert gone_on.stdout in ("{'text': 'well'}\n", "it had not begun\n"), told
    slowest = float(kernel.run("max(took)").text)
    sys.stdout.write(f"{N_MOMENTS} moments: the kernel answered within {slowest:.2f} s\n")
    assert kernel.is_well()
