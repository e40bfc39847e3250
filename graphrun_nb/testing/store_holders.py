"""What every store must keep to when several want to write to one run."""

from __future__ import annotations

import os
import signal
from collections import Counter

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import (
    NodeSkipped,
)
from graphrun_nb.errors import RunOwnedElsewhere
from graphrun_nb.testing import store_programs
from graphrun_nb.testing.checks import check
from graphrun_nb.testing.store_checks import LEASE_S, StoreChecks, go, in_threads, refused
from graphrun_nb.testing.store_programs import Child, Watching, Writer, keep, later

N_CLAIMS = int(os.environ.get("GRAPHRUN_CLAIMS", "500"))
"""How often each of two processes claims one run."""


class HolderChecks(StoreChecks):
    """One holder at a time writes to a run, and who lost it writes nothing."""

    def test_one_holder_has_a_run_at_a_time(self) -> None:
        """Another one is refused until it is released, and goes on where the log ends."""
        with self._place() as (place, store):
            lease = self._claim(store, "r")
            keep(lease, Batch(1.0, [NodeSkipped("a")]))
            with refused("a second holder"):
                self._claim(store, "r")
            if self.is_shared:
                with refused("a second holder, through another door"):
                    self._claim(self.open_store(place, LEASE_S), "r")
            self._claim(store, "other")
            lease.release()
            lease.release()
            again = self._claim(store, "r")
            check(again.n_events == 1, "it does not know how long the log is")
            keep(again, Batch(2.0, [NodeSkipped("b")]))
            check([each.seq for each in store.read("r")] == [1, 2], "the numbers have a gap")

    def test_whoever_lost_a_run_writes_nothing(self) -> None:
        """A holder that is not alive any more is replaced, and its lease is worth nothing."""
        with self._place() as (_, store):
            gone = Writer()
            lease = self._claim(store, "r", gone)
            keep(lease, Batch(1.0, [NodeSkipped("a")]))
            gone.is_alive = False
            keep(self._claim(store, "r"), Batch(2.0, [NodeSkipped("b")]))
            with refused("a lease that was lost"):
                keep(lease, Batch(3.0, [NodeSkipped("c")]))
            told = later(lease, Batch(3.0, [NodeSkipped("d")]))
            check(isinstance(told, RunOwnedElsewhere), f"append_later told {told!r}")
            check([each.event.node_id for each in store.read("r")] == ["a", "b"], "it wrote")  # type: ignore[union-attr]

    def test_whoever_watches_a_run_learns_how_it_stands(self) -> None:
        """At once, when it goes on, and when nobody drives it any more; not after that is called off."""
        if not self.is_shared:
            return
        with self._place() as (place, store), Child(store_programs.hold, self._opener(place), "r") as child:
            check(child.line() == "held", "it did not get the run")
            watcher = Watching("r")
            store.watch(watcher)
            self._wait_until(lambda: watcher.told == (1, child.pid), "it is not told how the run stands")
            child.tell()
            self._wait_until(lambda: watcher.told == (2, child.pid), "it is not told that the run goes on")
            child.kill()
            self._wait_until(lambda: watcher.told == (2, None), "it is not told that nobody drives it")
            store.unwatch(watcher)

    def test_of_threads_one_is_granted_a_run(self) -> None:
        """And the others are refused."""
        with self._place() as (place, store):
            doors = [store, self.open_store(place, LEASE_S)] if self.is_shared else [store]

            def claim(i: int) -> str:
                try:
                    keep(self._claim(doors[i % len(doors)], "r"), Batch(1.0, [NodeSkipped(f"n{i}")]))
                except RunOwnedElsewhere:
                    return "refused"
                return "granted"

            check(Counter(in_threads(claim, 8)) == {"granted": 1, "refused": 7}, "it was not granted once")
            check(store.n_events("r") == 1, "others wrote")

    def test_of_processes_one_writes_at_a_time(self) -> None:
        """Two claim one run again and again; the log has one event for each time that it was granted."""
        if not self.is_shared:
            return
        with self._place() as (place, store):
            program = (store_programs.claim_again_and_again, self._opener(place), "r", N_CLAIMS)
            with Child(*program) as one, Child(*program) as two:
                go(one, two)
                granted = [int(each.line() or -1) for each in (one, two)]
            check(min(granted) >= 0 and sum(granted) > 0, f"they were granted {granted}")
            log = store.read("r")
            check(len(log) == sum(granted), f"{sum(granted)} were granted, and {len(log)} events are there")
            by = Counter(each.event.node_id for each in log)  # type: ignore[union-attr]
            check(sorted(by.values()) == sorted(n for n in granted if n), "one wrote as the other")

    def test_a_process_that_was_killed_is_replaced(self) -> None:
        """Before its lease runs out, since it is seen to be gone."""
        if not self.is_shared:
            return
        with self._place() as (place, store), Child(store_programs.hold, self._opener(place), "r") as child:
            check(child.line() == "held", "it did not get the run")
            owner = store.owner("r")
            check(owner is not None and owner.pid == child.pid, f"the owner is {owner}")
            with refused("while another process has the run"):
                self._claim(store, "r")
            child.kill()
            check(store.owner("r") is None, "a process that is gone owns the run")
            check(self._claim(store, "r").n_events == 1, "what it had written is lost")

    def test_a_process_that_was_stopped_and_replaced_writes_nothing(self) -> None:
        """Its lease runs out, somebody else goes on, and what it then writes is refused."""
        if not self.is_shared or not hasattr(signal, "SIGSTOP"):
            return
        with (
            self._place(0.3) as (place, store),
            Child(store_programs.hold, self._opener(place, 0.3), "r") as child,
        ):
            check(child.line() == "held", "it did not get the run")
            os.kill(child.pid, signal.SIGSTOP)
            self._wait_until(lambda: store.owner("r") is None, "its lease does not run out")
            lease = self._claim(store, "r")
            keep(lease, Batch(2.0, [NodeSkipped("second")]))
            os.kill(child.pid, signal.SIGCONT)
            child.tell()
            check(child.line() == "RunOwnedElsewhere", "it was not refused")
            check([each.event.node_id for each in store.read("r")] == ["first", "second"], "it wrote")  # type: ignore[union-attr]
