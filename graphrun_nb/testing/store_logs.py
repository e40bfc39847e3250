"""What every store must keep of the logs of runs."""

from __future__ import annotations

import contextlib
from queue import SimpleQueue
from typing import TYPE_CHECKING

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import (
    NodeInfo,
    NodeSkipped,
    RunFinished,
    RunStarted,
    SpecAccepted,
    ValueRef,
)
from graphrun_nb.core.outline import Outline
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.errors import GraphRunError, StoreBusy, StoreCorrupt
from graphrun_nb.testing.checks import check
from graphrun_nb.testing.store_programs import keep, later

if TYPE_CHECKING:
    from graphrun_nb.core.events import Event
    from graphrun_nb.protocols import RunStore
from graphrun_nb.testing.store_checks import HOSTILE, LEASE_S, PATIENCE_S, StoreChecks, in_threads


class LogChecks(StoreChecks):
    """Events are read as they were written, whole and in order."""

    def test_a_new_store_is_empty_and_knows_no_run(self) -> None:
        """Asking for what is not there gives nothing, and makes nothing."""
        with self._place() as (_, store):
            check(list(store.run_ids()) == [], "it has runs")
            for run_id in ("unknown", *HOSTILE):
                _check_unknown(store, run_id)
            check(list(store.run_ids()) == [], "it has runs after it was asked for some")

    def test_what_is_appended_is_read(self) -> None:
        """Events in order, numbered without gaps, with their instants."""
        with self._place() as (_, store):
            lease = self._claim(store, "r")
            check(lease.n_events == 0, "a new run has events")
            check(list(store.run_ids()) == [], "a run without events is told of")
            keep(lease, Batch(1.5, [RunStarted("g"), NodeSkipped("a")]))
            keep(lease, Batch(2.25, [NodeSkipped("b", because="a")]))
            check(lease.n_events == store.n_events("r") == 3, "the length is another one")
            expected: list[tuple[int, float, Event]] = [
                (1, 1.5, RunStarted("g")),
                (2, 1.5, NodeSkipped("a")),
                (3, 2.25, NodeSkipped("b", because="a")),
            ]
            log = store.read("r")
            check([(each.seq, each.at, each.event) for each in log] == expected, f"what was read: {log!r}")
            check({each.run_id for each in log} == {"r"}, "it is another run's")

    def test_what_comes_after_an_event_is_read_alone(self) -> None:
        """From the end of any batch on; nothing after the last event."""
        with self._place() as (_, store):
            lease = self._claim(store, "r")
            for n in range(3):
                keep(lease, Batch(float(n), [NodeSkipped(f"{n}a"), NodeSkipped(f"{n}b")]))
            log = list(store.read("r"))
            for after in (0, 2, 4, 6):
                check(list(store.read("r", after)) == log[after:], f"what comes after event {after} is something else")
            check(list(store.read("unknown", 3)) == [], "an unknown run has events")

    def test_a_big_batch_is_one_unit(self) -> None:
        """Thousands of events, of more bytes than a row should have."""
        events: list[Event] = [NodeSkipped(f"n{i}", because="x" * 100) for i in range(5_000)]
        with self._place() as (_, store):
            keep(self._claim(store, "r"), Batch(1.0, events))
            check([each.event for each in store.read("r")] == events, "it was read differently")

    def test_an_event_of_any_size_is_kept(self) -> None:
        """The graph of thousands of nodes is one of them, and whatever comes after it is read without it."""
        with self._place() as (_, store):
            lease = self._claim(store, "r")
            infos = tuple(NodeInfo(f"node {i}", "tool", group="\u00fc" * 50) for i in range(3_000))
            events: list[Event] = [RunStarted("g"), SpecAccepted("f", infos), *map(NodeSkipped, "ab")]
            keep(lease, Batch(1.0, events))
            keep(lease, Batch(2.0, [NodeSkipped("c")]))
            check([each.event for each in store.read("r")] == [*events, NodeSkipped("c")], "it came back otherwise")
            check([each.event for each in store.read("r", 4)] == [NodeSkipped("c")], "what came after is otherwise")

    def test_runs_are_told_in_the_order_in_which_they_began(self) -> None:
        """Whatever their names, and whichever goes on."""
        with self._place() as (_, store):
            leases = {run_id: self._claim(store, run_id) for run_id in ("b", "c", "a")}
            for run_id in ("b", "c", "a", "c", "b"):
                keep(leases[run_id], Batch(1.0, [NodeSkipped("n")]))
            check(list(store.run_ids()) == ["b", "c", "a"], f"the order is {store.run_ids()!r}")

    def test_what_a_run_came_to_is_told_until_it_goes_on(self) -> None:
        """As it was kept with the run's end, at once or later; None for runs that have not ended, or go on again."""
        counts = {NodeStatus.DONE: 2, NodeStatus.SKIPPED: 1}
        outlines = [
            Outline("\u202eg \x00é", RunStatus.FAILED, counts, 1.5, 2.25, "session", ("parent", "node")),
            Outline("g", RunStatus.DONE, {}, 1.0, 2.0),
        ]
        end: list[Event] = [RunFinished(RunStatus.DONE)]
        with self._place() as (place, store):
            under_way, once, twice = (self._claim(store, run_id) for run_id in ("z", "b", "a"))
            check(dict(store.outlines()) == {}, "runs without events are told of")
            for lease in (under_way, once, twice):
                keep(lease, Batch(1.0, [RunStarted("g")]))
            keep(once, Batch(2.0, end), outlines[0])
            check(later(twice, Batch(2.0, end), outlines[1]) is None, "it was not kept")
            doors = [store, self.open_store(place, LEASE_S)] if self.is_shared else [store]
            for door in doors:
                told = list(door.outlines().items())
                check(told == [("z", None), ("b", outlines[0]), ("a", outlines[1])], f"what is told: {told!r}")
            twice.release()
            again = self._claim(store, "a")
            keep(again, Batch(3.0, [NodeSkipped("n")]))
            check(store.outlines()["a"] is None, "a run that goes on is told of as it was")
            keep(again, Batch(4.0, end), outlines[0])
            check(store.outlines()["a"] == outlines[0], "it is not told how it ended again")

    def test_what_takes_a_while_is_kept_later(self) -> None:
        """`append_later` says when it is kept."""
        with self._place() as (_, store):
            lease = self._claim(store, "r")
            check(later(lease, Batch(1.0, [NodeSkipped("a")])) is None, "it was not kept")
            keep(lease, Batch(2.0, [NodeSkipped("b")]))
            check([each.event.node_id for each in store.read("r")] == ["a", "b"], "the order is another")  # type: ignore[union-attr]

    def test_a_busy_store_does_not_keep_its_caller_waiting(self) -> None:
        """`append` refuses, nothing is kept, and `append_later` keeps it when there is time."""
        with self._place() as (place, store):
            lease = self._claim(store, "r")
            keep(lease, Batch(1.0, [NodeSkipped("a")]))
            busy = self.busy(place)
            if busy is None:
                return
            batch = Batch(2.0, [NodeSkipped("b")])
            told: SimpleQueue[Exception | None] = SimpleQueue()
            with busy:
                try:
                    lease.append(batch)
                except StoreBusy:
                    pass
                else:
                    raise AssertionError("a busy store kept something")
                check(store.n_events("r") == 1, "something was kept")
                lease.append_later(batch, told.put)
                check(told.empty(), "it was kept while the store was busy")
            check(told.get(timeout=PATIENCE_S) is None, "it was not kept")
            check(store.n_events("r") == 2, "it is not there")

    def test_what_is_not_what_was_written_is_refused(self) -> None:
        """A single byte is enough; other runs do not notice."""
        with self._place() as (place, store):
            for run_id in ("good", "bad"):
                keep(self._claim(store, run_id), Batch(1.0, [RunStarted("g"), NodeSkipped("a")]))
            if not self.damage(place, "bad"):
                return
            check(len(store.read("good")) == 2, "the other run was lost")
            try:
                log = store.read("bad")
            except StoreCorrupt as error:
                check("'bad'" in str(error), f"it does not say which run: {error}")
            else:
                raise AssertionError(f"it was read: {log!r}")

    def test_threads_write_their_runs_at_the_same_time(self) -> None:
        """Each log is whole."""
        with self._place() as (_, store):

            def write(i: int) -> list[str]:
                lease = self._claim(store, f"r{i}")
                for n in range(20):
                    keep(lease, Batch(float(n), [NodeSkipped(f"{i} {n}")]))
                return [each.event.node_id for each in store.read(f"r{i}")]  # type: ignore[union-attr]

            for i, read in enumerate(in_threads(write, 6)):
                check(read == [f"{i} {n}" for n in range(20)], f"run {i} is {read!r}")


def _check_unknown(store: RunStore, run_id: str) -> None:
    there = (list(store.read(run_id)), store.n_events(run_id), store.owner(run_id), list(store.letters(run_id)))
    check(there == ([], 0, None, []), f"run {run_id!r} gives {there!r}")
    check(store.run_of_wait(run_id) is None, f"{run_id!r} is the digest of a wait")
    check(store.plain_wait(run_id) is None, f"{run_id!r} is the digest of a wait")
    check(store.letter(run_id, run_id) is None, f"run {run_id!r} has a letter")
    store.settle(run_id, [1])
    with contextlib.suppress(LookupError, GraphRunError):
        found = store.keeper(run_id, lasting=False).get(ValueRef("json", "../" * 8 + "etc/passwd", 1))
        raise AssertionError(f"run {run_id!r} has the value {found!r:.100}")
