"""A network that falls silent makes a run wait, and not the loop; nothing is lost or done twice for that."""

import asyncio
import os
from collections import Counter

import pytest
from psycopg import conninfo

from graphrun_nb import PostgresStore, run
from graphrun_nb.core.events import AttemptSucceeded
from tests.stores.programs import stepping_graph
from tests.stores.proxy import proxy

N = 40


@pytest.fixture(autouse=True)
def _a_machine_under_load_is_not_a_slow_server(monkeypatch):
    monkeypatch.setattr("graphrun_nb.stores.postgres._SLOW_S", 60.0)


@pytest.fixture
def silent(database):
    """A proxy before the server, and an address through it where the system notices nothing itself."""
    given = conninfo.conninfo_to_dict(database)
    with proxy(int(given["port"])) as made:
        through = {**given, "host": "127.0.0.1", "port": made.port, "tcp_user_timeout": 0, "keepalives": 0}
        yield made, conninfo.make_conninfo("", **through)


class Holding:
    """Lets the network fall silent as soon as so many events are recorded."""

    def __init__(self, network, after):
        self._network = network
        self._after = after
        self.holds = False

    def on_events(self, batch, state):
        if state.seq - len(batch) < self._after <= state.seq:
            self.holds = True
            self._network.hold()

    def on_signal(self, signal): ...


@pytest.mark.parametrize("after", [10, 25, 60])
async def test_the_loop_goes_on_while_the_server_cannot_be_heard(silent, after):
    network, address = silent
    store, holding = PostgresStore(address), Holding(network, after)
    future = run(
        stepping_graph(N),
        {"effects": os.devnull},
        store=store,
        run_id="r",
        observers=[holding],
        max_concurrency=1,
    )
    while not (holding.holds and future._run.log.is_behind):
        assert not future.done()
        await asyncio.sleep(0.005)
    network.release()
    assert await asyncio.wait_for(future, 60) == {"x": N}
    succeeded = Counter(each.event.node_id for each in store.read("r") if type(each.event) is AttemptSucceeded)
    assert set(succeeded.values()) == {1}
    assert len(succeeded) == N
    store.close()
