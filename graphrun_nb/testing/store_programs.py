"""What the suite for stores lets other processes do with a store; each tells what it did in lines."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Self

import cloudpickle

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import AnswerKept, NodeSkipped, ValueRef
from graphrun_nb.errors import GraphRunError, RunOwnedElsewhere, StoreBusy
from graphrun_nb.testing.checks import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphrun_nb.core.outline import Outline
    from graphrun_nb.protocols import Lease, Owner, RunStore

_START = "import sys, cloudpickle; program, arguments = cloudpickle.load(sys.stdin.buffer); program(*arguments)"
PATIENCE_S = 60.0


class Writer:
    """Somebody who writes to a run."""

    def __init__(self) -> None:
        self.is_alive = True
        self.n_told = 0

    def on_mail(self) -> None:
        """Count."""
        self.n_told += 1


class Watching:
    """Somebody who watches a run; `told` is how long its log is, and which process drives it."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.told: tuple[int, int | None] | None = None

    def on_standing(self, n_events: int, owner: Owner | None) -> None:
        """Remember."""
        self.told = (n_events, None if owner is None else owner.pid)


class Child:
    """A process that runs `program`, as a context manager; it is killed if it has not ended then."""

    def __init__(self, program: Callable[..., None], *arguments: Any) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (this Python)
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._in.write(cloudpickle.dumps((program, arguments)))
        self._in.flush()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def line(self) -> str:
        """Return the next line that it tells; empty if it has ended."""
        return self._out.readline().decode().strip()

    def lines(self) -> list[str]:
        """Return all that it still tells, once it has ended."""
        return [each.decode().strip() for each in self._out]

    def tell(self) -> None:
        """Let it go on."""
        self._in.write(b"\n")
        self._in.flush()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
        self._in.close()
        self._out.close()

    @property
    def _in(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 (it is a pipe)
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 (it is a pipe)
        return self._process.stdout


def keep(lease: Lease, batch: Batch, outline: Outline | None = None) -> None:
    """Append `batch`, at once or later; raise what `append` raises, except that it takes a while."""
    try:
        lease.append(batch, outline)
    except StoreBusy:
        error = later(lease, batch, outline)
        if error is not None:
            raise error from None


def later(lease: Lease, batch: Batch, outline: Outline | None = None) -> Exception | None:
    """Append `batch` later, wait for that, and return what is told."""
    done = threading.Event()
    told: list[Exception | None] = []

    def tell(error: Exception | None) -> None:
        told.append(error)
        done.set()

    lease.append_later(batch, tell, outline)
    check(done.wait(PATIENCE_S), "append_later says nothing")
    return told[0]


def claim_again_and_again(open_store: Callable[[], RunStore], run_id: str, n: int) -> None:
    """Claim a run `n` times, and append an event each time that it is granted; tell how often that was."""
    store = open_store()
    _say("ready")
    sys.stdin.buffer.readline()
    n_granted = 0
    for _ in range(n):
        try:
            lease = store.claim(run_id, Writer())
        except RunOwnedElsewhere:
            continue
        n_granted += 1
        keep(lease, Batch(1.0, [NodeSkipped(f"by {os.getpid()}")]))
        lease.release()
    _say(n_granted)


def hold(open_store: Callable[[], RunStore], run_id: str) -> None:
    """Claim a run and append an event; when told to go on, append another, and tell how that ended."""
    lease = open_store().claim(run_id, Writer())
    keep(lease, Batch(1.0, [NodeSkipped("first")]))
    _say("held")
    sys.stdin.buffer.readline()
    try:
        keep(lease, Batch(2.0, [NodeSkipped("stale")]))
    except GraphRunError as error:
        _say(type(error).__name__)
    else:
        _say("kept")
    sys.stdin.buffer.readline()


def post_all(open_store: Callable[[], RunStore], run_id: str, keys: list[str], by: str) -> None:
    """Post a letter under each key, when told to; tell for each whose letter is there."""
    store = open_store()
    _say("ready")
    sys.stdin.buffer.readline()
    for key in keys:
        earlier = store.post(run_id, key, AnswerKept("node", ValueRef(), by=by), 1.0)
        _say(by if earlier is None else earlier.fact.by)


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()
