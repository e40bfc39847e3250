"""What holds for every store of this package."""

import contextlib
import hashlib
import os
import sqlite3

import pytest

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
            (tail,) = other.execute("SELECT tail FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            damaged = tail.replace(b"NodeSkipped", b"NodeSkippeD")
            assert damaged != tail
            other.execute("UPDATE runs SET tail = ? WHERE run_id = ?", (damaged, run_id))
        return True


class TestPostgres(StoreConformance):
    """Each place is a schema of its own."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres, monkeypatch):
        monkeypatch.setenv("GRAPHRUN_TEST_POSTGRES", postgres)

    @classmethod
    def open_store(cls, place, lease_s):
        from graphrun_nb import PostgresStore

        return PostgresStore(os.environ["GRAPHRUN_TEST_POSTGRES"], lease_s=lease_s, schema=cls.schema(place))

    @staticmethod
    def schema(place):
        return "t_" + hashlib.sha256(str(place).encode()).hexdigest()[:20]

    @contextlib.contextmanager
    def busy(self, place):
        with self._connected(place) as other, other.transaction():
            other.execute("LOCK TABLE runs IN ROW EXCLUSIVE MODE")
            other.execute("SELECT 1 FROM runs FOR UPDATE")
            yield

    def damage(self, place, run_id):
        with self._connected(place) as other:
            changed = other.execute(
                "UPDATE runs SET tail = overlay(tail PLACING '\"b\"' FROM position('\"a\"'::bytea IN tail)) "
                "WHERE run_id = %s",
                [run_id],
            )
            assert changed.rowcount == 1
        return True

    def _connected(self, place):
        import psycopg

        return psycopg.connect(
            os.environ["GRAPHRUN_TEST_POSTGRES"], autocommit=True, options=f"-c search_path={self.schema(place)}"
        )
