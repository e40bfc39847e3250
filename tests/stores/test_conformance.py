"""What holds for every store of this package."""

import contextlib
import sqlite3

from graphrun_nb import MemoryStore, SqliteStore
from graphrun_nb.testing import StoreConformance


class TestMemory(StoreConformance):
    is_shared = False

    @classmethod
    def open_store(cls, place, lease_s):
        return MemoryStore()


class TestSqlite(StoreConformance):
    @classmethod
    def open_store(cls, place, lease_s):
        return SqliteStore(place / "runs.db", lease_s=lease_s)

    @contextlib.contextmanager
    def busy(self, place):
        with contextlib.closing(sqlite3.connect(place / "runs.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()

    def damage(self, place, run_id):
        with contextlib.closing(sqlite3.connect(place / "runs.db", isolation_level=None)) as other:
            other.execute(
                "UPDATE turns SET body = replace(body, 'NodeSkipped', 'NodeSkippeD') WHERE run_id = ?", (run_id,)
            )
        return True
