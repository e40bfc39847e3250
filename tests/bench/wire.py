"""What a live view costs the wire: frames and bytes from the kernel's half of it, without a front end.

``python -m tests.bench.wire`` prints both. Bytes are those of a frame's JSON, as it goes into a message.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from graphrun_nb import Inspector, run, tool
from tests.bench import nodes
from tests.bench.engine import build
from tests.bench.shapes import layered, wide

if TYPE_CHECKING:
    from graphrun_nb import RunFuture, TaskGraph

STEP_S = 0.1
PER_S = 1_000
"""Nodes; each is two events."""

BURST = 200_000


@tool(outputs=["x"])
async def step() -> None:
    await asyncio.sleep(STEP_S)


class Sent(NamedTuple):
    """What left the kernel, beside the bytes that a view asked for when it was opened; the most in any one second."""

    n_events: int
    n_frames: int
    asked_bytes: int
    n_bytes: int
    over_s: float
    most_frames: int
    most_bytes: int

    def __str__(self) -> str:
        sustained = max(self.n_bytes - BURST, 0) / self.over_s
        told = f"{self.n_events:,} events in {self.n_frames:,} frames over {self.over_s:.1f} s"
        once = f"{self.asked_bytes / 1e3:,.0f} kB once for definitions and places"
        most = f"at most {self.most_frames} frames and {self.most_bytes / 1e3:,.0f} kB in a second"
        return f"{told}: {once}, then {sustained / 1e3:,.0f} kB/s beyond the burst, {most}"


class Weighed(Inspector):
    """Takes what it would send, and when; `asked` is what it answers a view that is opened with."""

    def __init__(self, future: RunFuture) -> None:
        super().__init__(future)
        self.taken: list[tuple[float, int]] = []
        self.asked = 0
        self.told = 0
        self.all_told = asyncio.Event()
        self._opening = False

    def sync(self, have: int, nodes: int) -> dict[str, Any]:
        self._opening = True
        told = super().sync(have, nodes)
        self._opening = False
        return told

    def send(self, content: Any, buffers: Any = None) -> None:
        del buffers
        size = len(json.dumps(content, separators=(",", ":")))
        if self._opening or content["kind"] == "layout":
            self.asked += size
        else:
            self.taken.append((time.perf_counter(), size))
        if content["kind"] == "events":
            self.told = content["first"] + len(content["events"]) - 1
            if self._run.state.finished is not None and self.told == len(self._run.log):
                self.all_told.set()


async def fast(n: int = 10_000) -> Sent:
    """Run nodes that do nothing, as fast as they can be run; then the view asks for the history."""
    return await _weighed(build(layered(n), tool(outputs=["x"])(nodes.nothing_here)), slots=64)


async def steady(*, for_s: float = 10.0) -> Sent:
    """Run 1,000 nodes a second: 2,000 events."""
    built = build(wide(int(PER_S * for_s)), lambda *_: step())
    return await _weighed(built, slots=int(PER_S * STEP_S))


async def _weighed(built: TaskGraph, *, slots: int) -> Sent:
    future = run(built, max_concurrency=slots)
    view = Weighed(future)
    heard = view.sync(0, 0)["seq"]
    begun = time.perf_counter()
    await future
    view.all_told.clear()
    view.send_history(heard + 1, len(future.events))
    await view.all_told.wait()
    view._keepsake.settle()  # what it makes in a thread ends on this loop
    view.close()
    at = [when for when, _ in view.taken]
    frames, sizes = [0], [0]
    first = 0
    in_window = 0
    for i, (when, size) in enumerate(view.taken):
        in_window += size
        while when - at[first] >= 1.0:
            in_window -= view.taken[first][1]
            first += 1
        frames.append(i - first + 1)
        sizes.append(in_window)
    n_bytes = sum(size for _, size in view.taken)
    return Sent(len(future.events), len(at), view.asked, n_bytes, at[-1] - begun, max(frames), max(sizes))


def main() -> None:
    sys.stdout.write(f"10,000 nodes that do nothing: {asyncio.run(fast())}\n")
    sys.stdout.write(f"1,000 nodes a second for 10 s: {asyncio.run(steady())}\n")


if __name__ == "__main__":
    main()
