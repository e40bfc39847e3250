"""Real kernels for tests: started with jupyter_client, driven over one shell channel as VS Code does it."""

from __future__ import annotations

import json
import os
import textwrap
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.notebook.matrix import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_client.blocking import BlockingKernelClient

PATIENCE_S = 90.0
"""How long a kernel that lives may say nothing; on a busy machine its first import alone can take half a minute."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """How a cell ended: with a result, or an exception of the type `error` and what a notebook shows of it."""

    status: str
    error: str
    text: str
    stdout: str
    traceback: str = ""


@contextmanager
def started(python: Path, home: Path) -> Iterator[Kernel]:
    """Start a kernel of an interpreter; `home` is an empty folder for its kernelspec."""
    spec = home / "kernels" / "tested"
    spec.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"]
    environment = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(home / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "tested", "language": "python", "env": environment})
    )
    manager = KernelManager(
        kernel_name="tested", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(home / "kernels")])
    )
    manager.start_kernel(cwd=str(home), env=dict(os.environ))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


class Kernel:
    """A kernel and its only client."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.published: list[Message] = []
        self._replies: dict[str, Message] = {}
        self._reply_order: list[str] = []

    def submit(self, code: str) -> str:
        """Send a cell, dedented, and do not wait for it."""
        return self.client.execute(textwrap.dedent(code))

    def run(self, code: str) -> Reply:
        """Run a cell to its end."""
        return self.reply(self.submit(code))

    def reply(self, cell: str) -> Reply:
        """Wait for the end of a cell: its reply and its idle status."""
        content = self._reply(cell)["content"]
        self.wait(lambda message: of(message, cell) and message["content"].get("execution_state") == "idle", "idle")
        mine = [message for message in self.published if of(message, cell)]
        results = [m["content"]["data"]["text/plain"] for m in mine if m["msg_type"] == "execute_result"]
        stdout = "".join(m["content"]["text"] for m in mine if m["msg_type"] == "stream")
        traceback = "\n".join(content.get("traceback", ()))
        return Reply(content["status"], content.get("ename", ""), "".join(results), stdout, traceback)

    def replied(self) -> list[str]:
        """Give the cells replied to so far, in order."""
        return list(self._reply_order)

    def wait_for_text(self, text: str) -> Message:
        """Wait until something was printed, and give the message that it came with."""
        return self.wait(lambda m: m["msg_type"] == "stream" and text in m["content"]["text"], text)

    def wait(self, is_wanted: Callable[[Message], bool], what: str) -> Message:
        """Wait for a published message; those already seen count."""
        for message in self.published:
            if is_wanted(message):
                return message
        while True:
            message = self._next(self.client.get_iopub_msg, what)
            self.published.append(message)
            if is_wanted(message):
                return message

    def comm_open(self, target: str) -> str:
        """Open a comm from the client's side."""
        comm = uuid.uuid4().hex
        self._send("comm_open", {"comm_id": comm, "target_name": target, "data": {}})
        return comm

    def comm_send(self, comm: str, data: Any, *, subshell: str | None = None) -> str:
        """Send a message on a comm, over the shell channel; give its id."""
        return self._send("comm_msg", {"comm_id": comm, "data": data}, subshell)

    def comm_close(self, comm: str) -> str:
        """Close a comm from the client's side."""
        return self._send("comm_close", {"comm_id": comm, "data": {}})

    def interrupt(self) -> None:
        """Press Stop."""
        self.manager.interrupt_kernel()

    def create_subshell(self) -> str | None:
        """Make a subshell; None where the kernel has none."""
        if "kernel subshells" not in self._kernel_info().get("supported_features", []):
            return None
        message = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(message)
        reply = self._next(self.client.get_control_msg, "the subshell")
        return str(reply["content"]["subshell_id"])

    def is_well(self) -> bool:
        """Say whether the kernel lives and answers."""
        try:
            return self.manager.is_alive() and self.run("'well'").text == "'well'"
        except AssertionError:
            return False

    def wait_for_exit(self) -> None:
        """Wait until the kernel's process has ended by itself."""
        until = time.monotonic() + PATIENCE_S
        while self.manager.is_alive():
            assert time.monotonic() < until, "the kernel did not end"
            time.sleep(0.01)

    def _kernel_info(self) -> dict[str, Any]:
        return dict(self._reply(self.client.kernel_info())["content"])

    def _send(self, kind: str, content: dict[str, Any], subshell: str | None = None) -> str:
        message = self.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def _next(self, receive: Callable[..., Message], what: str) -> Message:
        """Wait for a message of a channel, as long as the kernel lives and is not silent for too long."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return receive(timeout=1)
            except Empty:
                assert self.manager.is_alive(), f"{what!r} was not seen, and the kernel has ended"
                assert time.monotonic() < until, f"{what!r} was not seen, and the kernel says nothing"

    def _reply(self, request: str) -> Message:
        while request not in self._replies:
            message = self._next(self.client.get_shell_msg, "the reply")
            self._replies[message["parent_header"]["msg_id"]] = message
            self._reply_order.append(message["parent_header"]["msg_id"])
        return self._replies[request]


def of(message: Message, request: str) -> bool:
    """Say whether a message was published on behalf of a request."""
    return bool(message["parent_header"].get("msg_id") == request)
