"""One server for all tests that need one, which is started when the first of them runs."""

import pytest

from tests.stores.server import missing, server


@pytest.fixture(scope="session")
def postgres():
    """Give the address of a PostgreSQL database."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with server() as made:
        yield made.url
