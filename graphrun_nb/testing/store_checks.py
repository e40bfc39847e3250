"""How the checks of stores open a store, claim its runs, and use it from several threads or processes."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.events import (
    AnswerKept,
    ValueRef,
)
from graphrun_nb.errors import RunOwnedElsewhere
from graphrun_nb.testing.checks import check, wait_until
from graphrun_nb.testing.store_programs import Child, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphrun_nb.protocols import Lease, RunStore

PATIENCE_S = 20.0
"""How long a check waits for what must happen, before it fails."""

LEASE_S = 30.0
"""How long a lease lasts, unless a check says otherwise."""

HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows",
    "a/../../b",
    ".",
    "..",
    "~/.ssh",
    "%2e%2e%2f",
    "file:///etc/passwd",
    "C:\\boot.ini",
    "a\x00b",
    "'; DROP TABLE runs; --",
    '"; DROP TABLE runs; --',
    "1 OR 1=1",
    "' OR '1'='1",
    "%' --",
    "$$; DROP TABLE runs; $$",
    "E'\\047'",
    "\\'; DROP TABLE runs; --",
    "?",
    "%s %(name)s %%",
    ":1 $1 @x",
    "{real}",
    "a\nb\rc\td",
    "\u202egnp.exe",
    "\U0001f389 é é \ufffd",
    "x" * 10_000,
    "",
)
"""Texts that try to leave a folder, or to become SQL."""


class StoreChecks:
    """How a store is opened for the checks, and how it is closed after each of them.

    Attributes
    ----------
    is_shared
        Opening one place twice gives the same store, in other processes as well.
    """

    is_shared = True

    @classmethod
    def open_store(cls, place: Path, lease_s: float) -> RunStore:
        """Return the store that is meant by the folder `place`, which exists: a new one for a new folder.

        It is called in other processes as well, which import this class.

        Parameters
        ----------
        lease_s
            Seconds for which a process that is not heard of keeps its runs.
        """
        del place, lease_s
        raise NotImplementedError(f"{cls.__name__}.open_store returns the store to be tested")

    def busy(self, place: Path) -> contextlib.AbstractContextManager[object] | None:
        """Return what keeps the store of `place` from being written while it is entered; None if nothing can."""
        del place
        return None

    def damage(self, place: Path, run_id: str) -> bool:
        """Change a byte of an event of the run; return False if nothing can."""
        del place, run_id
        return False

    @contextlib.contextmanager
    def _place(self, lease_s: float = LEASE_S) -> Iterator[tuple[Path, RunStore]]:
        """Give a new store with its folder, and close it."""
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(self.open_store(Path(folder), lease_s)) as store,
        ):
            self._leases: list[Lease] = []
            try:
                yield Path(folder), store
            finally:
                for each in self._leases:
                    each.release()

    def _claim(self, store: RunStore, run_id: str, holder: Writer | None = None) -> Lease:
        """Claim a run, and release it when the store is closed."""
        lease = store.claim(run_id, holder or Writer())
        self._leases.append(lease)
        return lease

    def _opener(self, place: Path, lease_s: float = LEASE_S) -> Callable[[], RunStore]:
        return functools.partial(type(self).open_store, place, lease_s)

    def _wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Return as soon as it `holds`; fail with the message `otherwise` if that takes too long."""
        wait_until(holds, otherwise, PATIENCE_S)


@contextlib.contextmanager
def closing(store: RunStore) -> Iterator[RunStore]:
    """Close the store afterwards, if it can be closed."""
    try:
        yield store
    finally:
        getattr(store, "close", lambda: None)()


@contextlib.contextmanager
def refused(what: str) -> Iterator[None]:
    """Fail unless the block is refused because somebody else has the run."""
    try:
        yield
    except RunOwnedElsewhere:
        return
    raise AssertionError(f"{what} was not refused")


def answer(by: str) -> AnswerKept:
    """Return a letter by somebody."""
    return AnswerKept("node", ValueRef(), by=by)


def in_threads(act: Callable[[int], Any], n: int) -> list[Any]:
    """Call `act` with 0 to n - 1 in as many threads, all at once, and return what each gave."""
    ready = threading.Barrier(n)

    def begin(i: int) -> Any:
        ready.wait()
        return act(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(begin, range(n)))


def go(*children: Child) -> None:
    """Let processes that are ready begin at the same time."""
    for each in children:
        check(each.line() == "ready", "a process did not begin")
    for each in children:
        each.tell()
