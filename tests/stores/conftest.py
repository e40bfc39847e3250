"""Stores to be tested: one of SQLite, and databases on one server, which starts when the first test needs it."""

import itertools

import pytest

from graphrun_nb import SqliteStore
from tests.stores.here import CALLS
from tests.stores.server import missing, server

_NUMBERS = itertools.count(1)


@pytest.fixture
def path(tmp_path):
    """Give where a new SQLite file may be, with no calls noted yet."""
    CALLS.clear()
    return tmp_path / "runs.db"


@pytest.fixture
def store(path):
    return SqliteStore(path)


@pytest.fixture(scope="session")
def postgres():
    """Give the address of a PostgreSQL database."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with server() as made:
        yield made.url


@pytest.fixture
def database(postgres):
    """Give the address of a new and empty one."""
    import psycopg

    name = f"d{next(_NUMBERS)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return postgres.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def own_server():
    """Give a server that may be stopped."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with server() as made:
        yield made
