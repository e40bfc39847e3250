"""A view of a run that waits."""

from __future__ import annotations

import pytest

import graphrun_nb.view.layout  # noqa: F401 (a view lays out at once only when it is imported)
from graphrun_nb import NodeStatus, run
from tests.engine.conftest import settle

from .views import View, gate


@pytest.fixture
async def view():
    future = run(gate, {"amount": 5})
    await settle()
    assert future.node("approve").status is NodeStatus.WAITING
    yield View(future)
    future.cancel()
    await settle()
