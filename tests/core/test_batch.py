"""What was recorded at one instant."""

import pytest

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import AttemptStarted, AttemptSucceeded
from graphrun_nb.stores.memory import MemoryStore

STARTED, SUCCEEDED = AttemptStarted("a", 1), AttemptSucceeded("a", 1)


def test_a_batch_reads_as_pairs_of_instant_and_event():
    batch = Batch(7.5, [STARTED, SUCCEEDED])
    assert list(batch) == [(7.5, STARTED), (7.5, SUCCEEDED)]
    assert batch[-1] == (7.5, SUCCEEDED)
    assert list(batch[1:]) == [(7.5, SUCCEEDED)]
    assert (7.5, STARTED) in batch
    with pytest.raises(IndexError):
        batch[2]


def test_a_log_of_several_batches_is_numbered_through_and_keeps_their_instants():
    store = MemoryStore()
    lease = store.claim("run", holder=None)
    lease.append(Batch(1.0, [STARTED]))
    lease.append(Batch(2.0, [SUCCEEDED, STARTED]))
    assert [(each.seq, each.at, each.event) for each in store.read("run")] == [
        (1, 1.0, STARTED),
        (2, 2.0, SUCCEEDED),
        (3, 2.0, STARTED),
    ]
