"""
A real Jupyter server, a real Chromium, and one notebook open in them.

The server answers for JupyterLab and Notebook 7 alike and sees nothing of the user's own Jupyter set-up. Nothing in
here knows graphrun_nb: what a notebook shows is the tests' business.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import nbformat
import psutil
from jupyter_client.asynchronous import AsyncKernelClient
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

PATIENCE_S = 40
"""How long anything may take before a test gives up: generous, since a hang is the only thing it is there to end."""

ORPHAN_S = 900
"""After how long without any use a server whose tests were killed ends itself, and its kernels before it."""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

SERVER_CONFIG: dict[str, dict[str, Any]] = {
    "ServerApp": {
        "ip": "127.0.0.1",
        "port": 0,
        "open_browser": False,
        "allow_root": True,
        "terminals_enabled": False,
        "shutdown_no_activity_timeout": ORPHAN_S,
        "jpserver_extensions": {"notebook": True},
    },
    "MappingKernelManager": {"cull_idle_timeout": ORPHAN_S, "cull_busy": True},
    "LabApp": {"expose_app_in_browser": True, "extension_manager": "readonly"},
    "JupyterNotebookApp": {"expose_app_in_browser": True},
}

SETTING_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    # Otherwise a cell below the fold is not in the DOM, or not laid out.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}

READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  return Boolean(
    panel?.content?.widgets?.length && panel.context.isReady && panel.sessionContext.isReady
    && kernel?.connectionStatus === "connected" && kernel.status === "idle" && !window.pendingRuns
  );
}"""

RUN = """([command, index]) => {
  const { shell, commands } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  window.pendingRuns = (window.pendingRuns ?? 0) + 1;
  const done = () => { window.pendingRuns -= 1; };
  commands.execute(command).then(done, done);
}"""

ADD_CELL = """source => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
  cells.insertCell(cells.cells.length, { cell_type: "code", source });
  return cells.cells.length - 1;
}"""

PANEL = "window.jupyterapp.shell.currentWidget"
KERNEL = f"{PANEL}.sessionContext.session.kernel"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Frontend(StrEnum):
    """The applications that can show a notebook; the value is the address's first part."""

    JUPYTERLAB = "lab/tree"
    DOCUMENT = "doc/tree"
    NOTEBOOK7 = "notebooks"


class KernelError(Exception):
    """Code sent to the kernel by its second client raised; the message is the traceback."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Jupyter server. `root` holds everything it reads and writes."""

    root: Path
    url: str
    token: str

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Call the server's REST API; `path` is what follows `/api/`."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_S)
        try:
            headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
            connection.request(method, f"/api/{path}", json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise OSError(f"{method} /api/{path} answered {response.status}: {content[:500]!r}")
        return json.loads(content) if content else None

    def forget(self) -> None:
        """End all kernels, and drop the settings and the layout that the pages so far have left behind."""
        for session in self.request("GET", "sessions"):
            self.request("DELETE", f"sessions/{session['id']}")
        shutil.rmtree(self.root / "config" / "lab", ignore_errors=True)

    def log(self) -> str:
        return (self.root / "server.log").read_text(errors="replace")


def _environment(root: Path) -> dict[str, str]:
    """Return our environment with every path of Jupyter in `root` and nothing that points to the user's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "GRAPHRUN_"))}
    return ours | {
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_DATA_DIR": str(root / "data"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
        "IPYTHONDIR": str(root / "ipython"),
    }


def processes_of(root: Path) -> list[psutil.Process]:
    """Return every process that inherited the environment of the server in `root`: it, its kernels, their workers."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("JUPYTER_RUNTIME_DIR") == str(root / "runtime"):
                found.append(process)
    return found


def _address(root: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until the server says in its runtime directory where it listens, and until it answers there."""
    announced = root / "runtime" / f"jpserver-{process.pid}.json"
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(OSError, ValueError):
            url: str = json.loads(announced.read_text())["url"]
            Server(root, url, token="").request("GET", "")
            return url
        time.sleep(0.02)
    raise TimeoutError(f"the Jupyter server did not start:\n{(root / 'server.log').read_text(errors='replace')}")


@contextmanager
def serve(root: Path) -> Iterator[Server]:
    """
    Run a Jupyter server on a free loopback port, with all its state in the empty directory `root`.

    Kernels live in sessions of their own, out of reach of the server's process group: at the end whatever is left with
    the server's environment is killed, be it a kernel or a kernel's worker.
    """
    token = secrets.token_urlsafe()
    overrides = root / "config" / "labconfig" / "default_setting_overrides.json"
    for directory in (overrides.parent, root / "work"):
        directory.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTING_OVERRIDES))
    config = SERVER_CONFIG | {"IdentityProvider": {"token": token}}
    config["ServerApp"] = SERVER_CONFIG["ServerApp"] | {"root_dir": str(root / "work")}
    (root / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab"],
            cwd=root / "work",
            env=_environment(root),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(root, _address(root, process), token)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        give_up = time.monotonic() + PATIENCE_S
        while (left := processes_of(root)) and time.monotonic() < give_up:
            for orphan in left:
                with suppress(psutil.Error):
                    orphan.kill()


@contextmanager
def browse(profile: Path, *, scale: float = 1) -> Iterator[BrowserContext]:
    """Run Chromium, the system's if there is one, with the empty directory `profile` as its user's."""
    names = ("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=next(filter(None, map(shutil.which, names)), None),
            args=CHROMIUM_FLAGS,
            viewport={"width": 1280, "height": 900},
            device_scale_factor=scale,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        expect.set_options(timeout=PATIENCE_S * 1000)
        try:
            yield context
        finally:
            context.close()


@dataclass
class NotebookPage:
    """
    One notebook, open in the browser and connected to a kernel of its own. Cells are counted from 0.

    `console` is all that the page has written to its console; `errors` are the errors in it, uncaught ones included,
    since the frontend finished loading.
    """

    server: Server
    page: Page
    path: Path
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._heard(said.type, f"{said.text} ({said.location['url']})"))
        self.page.on("pageerror", lambda error: self._heard("error", error.stack or str(error)))

    def _heard(self, kind: str, text: str) -> None:
        self.console.append(f"{kind}: {text}")
        if kind == "error":
            self.errors.append(text)

    def open(self, frontend: Frontend) -> None:
        """Show the notebook in JupyterLab or Notebook 7, and wait until its kernel is connected and idle."""
        relative = self.path.relative_to(self.server.root / "work").as_posix()
        self.page.goto(f"{self.server.url}{frontend}/{relative}?token={self.server.token}")
        self.wait_idle()
        # Notebook 7.6 raises a TypeError of its own while it loads.
        self.errors.clear()

    def reload(self) -> None:
        """Load the page anew; the kernel lives on."""
        self.page.reload()
        self.wait_idle()
        self.errors.clear()

    def close(self) -> None:
        """Close the page; the kernel lives on."""
        self.page.close()

    def wait_idle(self) -> None:
        """Wait until the kernel is connected and idle and no cell is running or queued."""
        self.page.wait_for_function(READY)

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell as the toolbar's button does; `wait=False` returns while it runs."""
        self.page.evaluate(RUN, ["notebook:run-cell", index])
        if wait:
            self.wait_idle()

    def run_all(self, *, wait: bool = True) -> None:
        self.page.evaluate(RUN, ["notebook:run-all-cells", 0])
        if wait:
            self.wait_idle()

    def add_cell_and_run(self, source: str) -> str:
        """Append a cell, run it to its end and return its output's text."""
        index = self.page.evaluate(ADD_CELL, source)
        self.run_cell(index)
        return self.text(index)

    def cell(self, index: int) -> Locator:
        """Return the output area of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputArea")

    def text(self, index: int) -> str:
        """Return what a cell printed, showed as plain text and raised, as the notebook's model has it."""
        outputs = self.page.evaluate(f"index => {PANEL}.content.model.cells.get(index).outputs.toJSON()", index)
        return "".join(_plain(output) for output in outputs)

    def interrupt(self) -> None:
        self.page.evaluate(f"() => {KERNEL}.interrupt()")

    def is_running(self) -> bool:
        """Tell whether a cell that was run through this page is running or queued."""
        return bool(self.page.evaluate("() => window.pendingRuns > 0"))

    def kernel_status(self) -> str:
        """Return what the kernel last said it was; a request on its control channel says idle while a cell runs."""
        return str(self.page.evaluate(f"() => {KERNEL}.status"))

    def execute(self, source: str, *, timeout_s: float = PATIENCE_S) -> str:
        """
        Run code in this notebook's kernel through a second client, as a console beside the notebook would.

        Returns
        -------
        str
            What the code printed to stdout.

        Raises
        ------
        KernelError
            The code raised.
        TimeoutError
            The kernel did not answer within `timeout_s`; it may be blocked by a cell.
        """
        kernel_id = self.page.evaluate(f"() => {KERNEL}.id")
        connection_file = self.server.root / "runtime" / f"kernel-{kernel_id}.json"
        # Playwright's loop counts as running in this thread, and a thread runs no second one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _execute(connection_file, source, timeout_s)).result()

    def save(self) -> None:
        self.page.evaluate(f"() => {PANEL}.context.save()")

    def saved(self) -> nbformat.NotebookNode:
        """Return the notebook as it stands on the disk."""
        return nbformat.read(self.path, as_version=4)

    def set_theme(self, theme: Literal["light", "dark"]) -> None:
        name = f"JupyterLab {theme.title()}"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def screenshot(self, path: Path, locator: Locator | None = None) -> None:
        """Write a PNG of the window, or of one element."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (locator or self.page).screenshot(path=path, animations="disabled", caret="hide")


def _plain(output: dict[str, Any]) -> str:
    match output["output_type"]:
        case "stream":
            return _joined(output["text"])
        case "error":
            return ANSI.sub("", "\n".join(output["traceback"]))
        case _:
            return _joined(output["data"].get("text/plain", ""))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


async def _execute(connection_file: Path, source: str, timeout_s: float) -> str:
    client = AsyncKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    printed: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    try:
        await client.wait_for_ready(timeout=timeout_s)
        reply = await client.execute_interactive(source, allow_stdin=False, timeout=timeout_s, output_hook=keep)
    except RuntimeError as error:
        raise TimeoutError(str(error)) from error
    finally:
        client.stop_channels()
        client.context.term()
    if reply["content"]["status"] != "ok":
        raise KernelError(ANSI.sub("", "\n".join(reply["content"].get("traceback", [reply["content"]["status"]]))))
    return "".join(printed)


_NUMBERS = count(1)


def new_notebook_page(server: Server, context: BrowserContext, *cells: str) -> NotebookPage:
    """Write a notebook of these cells into a directory of its own and start its kernel; `open` then shows it."""
    relative = f"{next(_NUMBERS)}/notebook.ipynb"
    path = server.root / "work" / relative
    path.parent.mkdir()
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernelspec})
    nbformat.write(notebook, path)
    session = {"path": relative, "name": path.name, "type": "notebook", "kernel": {"name": "python3"}}
    # The frontend finds this session by its path: the kernel starts while the page still loads.
    server.request("POST", "sessions", session)
    return NotebookPage(server, context.new_page(), path)
