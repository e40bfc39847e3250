"""Children that begin at once: a process that has imported everything, and forks for each request.

A request is a line of JSON, ``{"program": "module:function", "arguments": [...], "failpoint": "", "out": path}``; the
answer is the child's pid. When the child ends, its pid and status follow as a line of their own.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Child:
    """A forked process, and how it ended."""

    def __init__(self, zygote: Zygote, pid: int, out: Path) -> None:
        self.pid = pid
        self._zygote = zygote
        self._out = out

    def wait(self, timeout_s: float = 60.0) -> int:
        """Return its status: negative signal numbers for what was killed."""
        ended = self._zygote.ends.setdefault(self.pid, threading.Event())
        assert ended.wait(timeout_s), f"still running: {self.text()}"
        return self._zygote.statuses[self.pid]

    @property
    def has_ended(self) -> bool:
        return self.pid in self._zygote.statuses

    def kill(self, signal_no: int = 9) -> None:
        """Send a signal, if it is still there."""
        if self.pid not in self._zygote.statuses:
            os.kill(self.pid, signal_no)

    def text(self) -> str:
        """Return what it has printed."""
        return self._out.read_text() if self._out.exists() else ""


class Zygote:
    """The process that forks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pids: list[int] = []
        self._told = threading.Condition()
        self.ends: dict[int, threading.Event] = {}
        self.statuses: dict[int, int] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def start(self, program: str, *arguments: object, failpoint: str = "") -> Child:
        """Run ``module:function`` in a new child."""
        self._n += 1
        out = self._folder / f"child-{self._n}.txt"
        request = {"program": program, "arguments": arguments, "failpoint": failpoint, "out": str(out)}
        with self._told:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            assert self._told.wait_for(lambda: self._pids, 30)
            return Child(self, self._pids.pop(), out)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            words = line.split()
            with self._told:
                if words[0] == "began":
                    self._pids.append(int(words[1]))
                else:
                    pid = int(words[1])
                    self.statuses[pid] = int(words[2])
                    self.ends.setdefault(pid, threading.Event()).set()
                self._told.notify_all()


@contextmanager
def zygote(folder: Path) -> Iterator[Zygote]:
    """Have one for the length of the block."""
    made = Zygote(folder)
    try:
        yield made
    finally:
        made.close()


def _serve() -> None:
    importlib.import_module("tests.stores.programs")
    answers = threading.Lock()
    waiters: list[threading.Thread] = []
    for line in sys.stdin:
        request = json.loads(line)
        with answers:
            pid = os.fork()
            if pid == 0:
                _be_child(request)
            print("began", pid, flush=True)
        waiter = threading.Thread(target=_wait, args=(pid, answers))
        waiter.start()
        waiters.append(waiter)
    for waiter in waiters:
        waiter.join()


def _wait(pid: int, answers: threading.Lock) -> None:
    _, status = os.waitpid(pid, 0)
    with answers:
        print("ended", pid, os.waitstatus_to_exitcode(status), flush=True)


def _be_child(request: dict) -> None:
    handle = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    code = 0
    try:
        from graphrun_nb.stores.failpoint import arm

        arm(request["failpoint"])
        module, _, name = request["program"].partition(":")
        getattr(importlib.import_module(module), name)(*request["arguments"])
    except BaseException:  # noqa: BLE001
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
