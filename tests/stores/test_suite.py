"""The suite for stores fails where it should."""

from __future__ import annotations

import unittest

import pytest

from graphrun_nb import MemoryStore, SqliteStore
from graphrun_nb.core.events import Envelope
from graphrun_nb.protocols import Letter
from graphrun_nb.stores.memory import MemoryLease
from graphrun_nb.testing import StoreConformance


class UnderUnittest(StoreConformance, unittest.TestCase):
    is_shared = False

    @classmethod
    def open_store(cls, place, lease_s):
        return MemoryStore()


def test_the_suite_runs_under_unittest_as_well():
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(UnderUnittest).run(result)
    assert (result.errors, result.failures) == ([], [])
    assert result.testsRun == len([name for name in dir(StoreConformance) if name.startswith("test_")])


class Generous(MemoryStore):
    def claim(self, run_id, holder, *, durability="process"):
        self.held.pop(run_id, None)
        return super().claim(run_id, holder, durability=durability)


class Unfenced(MemoryStore):
    def claim(self, run_id, holder, *, durability="process"):
        lease = super().claim(run_id, holder, durability=durability)
        lease.append = lambda batch, outline=None: self.log(run_id).append(batch)
        return lease


class Anew(MemoryLease):
    n_events = 0


class Forgetful(MemoryStore):
    def claim(self, run_id, holder, *, durability="process"):
        lease = super().claim(run_id, holder, durability=durability)
        lease.__class__ = Anew
        return lease


class Renumbering(MemoryStore):
    def read(self, run_id):
        return tuple(Envelope(run_id, seq + 1, each.at, each.event) for seq, each in enumerate(super().read(run_id), 1))


class Sorting(MemoryStore):
    def run_ids(self):
        return sorted(super().run_ids())


class Lagging(MemoryStore):
    def _outline(self, run_id):
        return self.outlined.get(run_id, (0, None))[1]


class LastWins(MemoryStore):
    def post(self, run_id, key, fact, at):
        self._boxes.get(run_id, {}).pop(key, None)
        return super().post(run_id, key, fact, at)


class Stripping(MemoryStore):
    def post(self, run_id, key, fact, at):
        return super().post(run_id, key.strip().replace("\0", ""), fact, at)


class Silent(MemoryStore):
    def post(self, run_id, key, fact, at):
        box = self._boxes.setdefault(run_id, {})
        self._n_letters += 1
        return None if box.setdefault(key, Letter(self._n_letters, key, at, fact)).no == self._n_letters else box[key]


class Unsettling(MemoryStore):
    def settle(self, run_id, nos, *, retract=False):
        super().settle(run_id, nos, retract=True)


class Mute(MemoryStore):
    def claim(self, run_id, holder, *, durability="process"):
        lease = super().claim(run_id, holder, durability=durability)
        lease.append_later = lambda batch, done, outline=None: MemoryLease.append(lease, batch)
        return lease


@pytest.mark.parametrize(
    ("store", "check"),
    [
        (Generous, "one_holder_has_a_run_at_a_time"),
        (Generous, "of_threads_one_is_granted_a_run"),
        (Unfenced, "whoever_lost_a_run_writes_nothing"),
        (Forgetful, "one_holder_has_a_run_at_a_time"),
        (Renumbering, "what_is_appended_is_read"),
        (Sorting, "runs_are_told_in_the_order_in_which_they_began"),
        (Lagging, "what_a_run_came_to_is_told_until_it_goes_on"),
        (LastWins, "of_letters_with_one_key_the_first_counts"),
        (Stripping, "any_text_is_kept_as_it_is"),
        (Silent, "a_holder_learns_of_letters"),
        (Unsettling, "a_settled_letter_keeps_its_key_and_a_retracted_one_does_not"),
        (Mute, "what_takes_a_while_is_kept_later"),
    ],
)
def test_a_broken_store_fails_the_check_for_it(store, check, monkeypatch):
    monkeypatch.setattr("graphrun_nb.testing.store_checks.PATIENCE_S", 0.2)
    monkeypatch.setattr("graphrun_nb.testing.store_programs.PATIENCE_S", 0.2)
    suite = StoreConformance()
    suite.is_shared = False
    suite.open_store = lambda place, lease_s: store()
    with pytest.raises(AssertionError):
        getattr(suite, f"test_{check}")()


def test_a_store_that_others_cannot_reach_fails_where_it_says_that_they_can(tmp_path):
    class Apart(StoreConformance):
        n = 0

        @classmethod
        def open_store(cls, place, lease_s):
            cls.n += 1
            return SqliteStore(tmp_path / f"{cls.n}.db")

    with pytest.raises(AssertionError, match="through another door"):
        Apart().test_one_holder_has_a_run_at_a_time()


def test_a_suite_without_a_store_says_what_to_write():
    with pytest.raises(NotImplementedError, match="open_store"):
        StoreConformance().test_what_is_appended_is_read()
