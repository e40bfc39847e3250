"""A PostgreSQL server of the tests' own: in a new folder, on loopback, as a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 60.0


def binary(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, the newest that there is, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda each: float(each.parts[4]))
    return shutil.which(name) or (str(found[-1]) if found else None)


def missing() -> str:
    """Say why no server can be started here; empty if one can."""
    if binary("initdb") is None or binary("postgres") is None:
        return "there is no PostgreSQL here: apt-get install postgresql"
    if os.getuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user 'postgres'"
    return ""


class Server:
    """A server that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        made = [binary("initdb"), "-D", folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        self._start([*made, "--locale=C"]).wait(PATIENCE_S)

    def start(self) -> None:
        """Start it, and return once it answers."""
        # what is written need not survive a power cut of the machine that tests
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "fsync": "off",
            "max_connections": "60",
            "shared_buffers": "16MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = self._start([binary("postgres"), "-D", self._folder / "data", "-p", str(self.port), *options])
        import psycopg

        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline, "the server does not begin to answer"
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all sessions, SIGQUIT lets it crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def _start(self, command: list[object]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                list(map(str, command)),
                cwd=self._folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=_user(),
                group=_user(),
                extra_groups=[] if os.getuid() == 0 else None,
                start_new_session=True,
            )


@contextmanager
def server() -> Iterator[Server]:
    """Have one for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="graphrun-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
        made = Server(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop(signal.SIGQUIT)


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    return next((each.pw_name for each in pwd.getpwall() if each.pw_name == "postgres"), None)
