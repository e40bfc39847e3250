"""Children that begin at once: a process that has imported everything, and forks for each request.

A request is a line of JSON, ``{"program": "module:function", "arguments": [...], "failpoint": "", "out": path}``; the
answer is the child's pid and that path. When the child ends, its status and the path follow as a line of their own.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SHOWN_AFTER_S = 50.0
"""A child that takes so long says where it stands."""


class Child:
    """A forked process, and how it ended."""

    def __init__(self, zygote: Zygote, pid: int, out: str) -> None:
        self.pid = pid
        self._zygote = zygote
        self._out = out

    def wait(self, timeout_s: float = 60.0) -> int:
        """Return its status: negative signal numbers for what was killed."""
        ended = self._zygote.ends.setdefault(self._out, threading.Event())
        assert ended.wait(timeout_s), f"still running: {self.text()}"
        return self._zygote.statuses[self._out]

    @property
    def has_ended(self) -> bool:
        return self._out in self._zygote.statuses

    def kill(self, signal_no: int = 9) -> None:
        """Send a signal, if it is still there."""
        with suppress(ProcessLookupError):
            if not self.has_ended:
                os.kill(self.pid, signal_no)

    def text(self) -> str:
        """Return what it has printed."""
        out = Path(self._out)
        return out.read_text() if out.exists() else ""


class Zygote:
    """The process that forks."""

    def __init__(self, folder: Path, programs: str) -> None:
        self._folder = folder
        self._n = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.zygote", programs],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pids: dict[str, int] = {}
        self._told = threading.Condition()
        self.ends: dict[str, threading.Event] = {}
        self.statuses: dict[str, int] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def start(self, program: str, *arguments: object, failpoint: str = "") -> Child:
        """Run ``module:function`` in a new child."""
        with self._told:
            self._n += 1
            out = str(self._folder / f"child-{self._n}.txt")
            request = {"program": program, "arguments": arguments, "failpoint": failpoint, "out": out}
            print(json.dumps(request), file=self._process.stdin, flush=True)
            assert self._told.wait_for(lambda: out in self._pids, 30)
            return Child(self, self._pids.pop(out), out)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            what, number, out = line.rstrip("\n").split(" ", 2)
            with self._told:
                if what == "began":
                    self._pids[out] = int(number)
                else:
                    self.statuses[out] = int(number)
                    self.ends.setdefault(out, threading.Event()).set()
                self._told.notify_all()


@contextmanager
def zygote(folder: Path, programs: str = "tests.stores.programs") -> Iterator[Zygote]:
    """Have one that has imported the module `programs`, for the length of the block."""
    made = Zygote(folder, programs)
    try:
        yield made
    finally:
        made.close()


def _serve(programs: str) -> None:
    importlib.import_module(programs)
    answers = threading.Lock()
    waiters: list[threading.Thread] = []
    for line in sys.stdin:
        request = json.loads(line)
        with answers:
            pid = os.fork()
            if pid == 0:
                _be_child(request)
            print("began", pid, request["out"], flush=True)
        waiter = threading.Thread(target=_wait, args=(pid, request["out"], answers))
        waiter.start()
        waiters.append(waiter)
    for waiter in waiters:
        waiter.join()


def _wait(pid: int, out: str, answers: threading.Lock) -> None:
    _, status = os.waitpid(pid, 0)
    with answers:
        print("ended", os.waitstatus_to_exitcode(status), out, flush=True)


def _be_child(request: dict) -> None:
    handle = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    sys.stdout.reconfigure(line_buffering=True)  # what was said is there, however it ends
    faulthandler.dump_traceback_later(SHOWN_AFTER_S, file=handle)
    code = 1
    try:
        from graphrun_nb.stores.failpoint import arm

        arm(request["failpoint"])
        module, _, name = request["program"].partition(":")
        getattr(importlib.import_module(module), name)(*request["arguments"])
        code = 0
    except BaseException:  # noqa: BLE001
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
