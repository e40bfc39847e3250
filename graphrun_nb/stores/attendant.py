"""A thread beside the loop, since nodes can block that: it renews leases, looks for letters, and writes lines."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING

from graphrun_nb.errors import StoreBusy
from graphrun_nb.stores.failpoint import failpoint

if TYPE_CHECKING:
    from graphrun_nb.protocols import Watcher
    from graphrun_nb.stores.durable import DurableStore
    from graphrun_nb.stores.lease import StoredLease
    from graphrun_nb.stores.line_shelf import LineShelf

LOOK_S = 0.1
WATCH_S = 0.25
"""How often is looked after runs that are watched, where nothing tells of them."""
OWNER_S = 1.0
"""How often is looked whether who drives them is still there, of which nothing tells."""
_WAIT_S = 1.0
_RENEWALS_A_LEASE = 3
_LOG = logging.getLogger(__name__)


class Attendant:
    """Attends to the runs that a store's process holds, as long as there are any."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._to_free: list[StoredLease] = []
        self._to_write: list[LineShelf] = []
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
        self._is_told_of_trouble = False

    def begin(self) -> None:
        """Attend, unless it is done already."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._attend, name="graphrun attendant", daemon=True)
                self._thread.start()

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` how its run stands, as long as anybody holds it."""
        with self._lock:
            self._watchers.add(watcher)
        self.begin()

    def unwatch(self, watcher: Watcher) -> None:
        """Tell it no more."""
        with self._lock:
            self._watchers.discard(watcher)

    def free_later(self, lease: StoredLease) -> None:
        """Say in the store that nobody has `lease`, as soon as that can be written."""
        self._to_free.append(lease)
        self.begin()

    def write_later(self, shelf: LineShelf) -> None:
        """Write the lines of a run that has ended, as soon as that can be done."""
        self._to_write.append(shelf)
        self.begin()

    def _attend(self) -> None:
        store = self._store
        every_s = min(LOOK_S, store.lease_s / _RENEWALS_A_LEASE)
        renewed_at = time.monotonic()
        watched_at = 0.0
        watch_s = OWNER_S if store.database.hears_of_turns else WATCH_S
        while True:
            time.sleep(every_s)
            with self._lock:
                if not (store.held or self._to_free or self._to_write or self._watchers):
                    self._thread = None
                    return
            try:
                if store.held and time.monotonic() - renewed_at >= store.lease_s / _RENEWALS_A_LEASE:
                    self._renew()
                    renewed_at = time.monotonic()
                while self._to_free:
                    self._to_free[-1].free(role="attendant", wait_s=_WAIT_S)
                    self._to_free.pop()
                self._write()
                changed = store.database.changed()
                if changed:
                    self._look()
                    store.database.tend()
                if changed or time.monotonic() - watched_at >= watch_s:
                    watched_at = time.monotonic()
                    self._tell_watchers()
            except StoreBusy:
                continue
            except Exception:  # noqa: BLE001 (leases run out when nobody attends to them)
                if not self._is_told_of_trouble:
                    self._is_told_of_trouble = True
                    _LOG.warning("the store %s cannot be attended to; it is tried again", store, exc_info=True)

    def _tell_watchers(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher.on_standing(*self._store.standing(watcher.run_id))

    def _renew(self) -> None:
        store = self._store
        lost = []
        failpoint("renew.before")
        with store.database.writing(role="attendant", wait_s=_WAIT_S) as cursor:
            until = store.database.now() + store.lease_s
            for lease in list(store.held.values()):
                cursor.execute(
                    "UPDATE runs SET expires_at = ? WHERE run_id = ? AND epoch = ?", (until, lease.run_id, lease.epoch)
                )
                if cursor.rowcount != 1:
                    lost.append(lease)
            failpoint("renew.rows")
        failpoint("renew.committed")
        for lease in lost:
            if store.held.get(lease.run_id) is lease:
                lease.is_lost = True
                lease.holder.on_mail()

    def _write(self) -> None:
        store = self._store
        for lease in list(store.held.values()):
            if lease.shelf:
                store.write_lines(lease.shelf, role="attendant", wait_s=_WAIT_S)
        while self._to_write:
            store.write_lines(self._to_write[-1], role="attendant", wait_s=_WAIT_S)
            self._to_write.pop()

    def _look(self) -> None:
        store = self._store
        with store.database.reading() as cursor:
            cursor.execute("SELECT DISTINCT run_id FROM letters WHERE settled = 0")
            found = [run_id for (run_id,) in cursor.fetchall()]
        for run_id in found:
            lease = store.held.get(run_id)
            if lease is not None:
                lease.holder.on_mail()
