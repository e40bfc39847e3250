"""What every store must keep."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import (
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    NodeCancelled,
    NodeInfo,
    NodeReset,
    NodeSkipped,
    RunFinished,
    RunStarted,
    SpecAccepted,
    ValueRef,
    WaitExpired,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.outline import Outline
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.errors import GraphRunError, RunOwnedElsewhere, StoreBusy, StoreCorrupt
from graphrun_nb.testing import store_programs
from graphrun_nb.testing.checks import check, wait_until
from graphrun_nb.testing.store_programs import Child, Watching, Writer, keep, later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphrun_nb.core.events import Event
    from graphrun_nb.protocols import Lease, RunStore

PATIENCE_S = 20.0
"""How long a check waits for what must happen, before it fails."""

LEASE_S = 30.0
"""How long a lease lasts, unless a check says otherwise."""

N_CLAIMS = int(os.environ.get("GRAPHRUN_CLAIMS", "500"))
"""How often each of two processes claims one run."""

HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows",
    "a/../../b",
    ".",
    "..",
    "~/.ssh",
    "%2e%2e%2f",
    "file:///etc/passwd",
    "C:\\boot.ini",
    "a\x00b",
    "'; DROP TABLE runs; --",
    '"; DROP TABLE runs; --',
    "1 OR 1=1",
    "' OR '1'='1",
    "%' --",
    "$$; DROP TABLE runs; $$",
    "E'\\047'",
    "\\'; DROP TABLE runs; --",
    "?",
    "%s %(name)s %%",
    ":1 $1 @x",
    "{real}",
    "a\nb\rc\td",
    "\u202egnp.exe",
    "\U0001f389 é é \ufffd",
    "x" * 10_000,
    "",
)
"""Texts that try to leave a folder, or to become SQL."""


class StoreConformance:
    """What every store must keep. Subclass it in a test module, and say how one is opened.

    Attributes
    ----------
    is_shared
        Opening one place twice gives the same store, in other processes as well.

    Examples
    --------
    >>> from graphrun_nb import MemoryStore
    >>> class TestMemory(StoreConformance):
    ...     is_shared = False
    ...
    ...     @classmethod
    ...     def open_store(cls, place, lease_s):
    ...         return MemoryStore()
    >>> TestMemory().test_what_is_appended_is_read()
    """

    is_shared = True

    @classmethod
    def open_store(cls, place: Path, lease_s: float) -> RunStore:
        """Return the store that is meant by the folder `place`, which exists: a new one for a new folder.

        It is called in other processes as well, which import this class.

        Parameters
        ----------
        lease_s
            Seconds for which a process that is not heard of keeps its runs.
        """
        del place, lease_s
        raise NotImplementedError(f"{cls.__name__}.open_store returns the store to be tested")

    def busy(self, place: Path) -> contextlib.AbstractContextManager[object] | None:
        """Return what keeps the store of `place` from being written while it is entered; None if nothing can."""
        del place
        return None

    def damage(self, place: Path, run_id: str) -> bool:
        """Change a byte of an event of the run; return False if nothing can."""
        del place, run_id
        return False

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

    def test_whoever_watches_a_run_learns_how_it_stands(self) -> None:
        """At once, when it goes on, and when nobody drives it any more; not after that is called off."""
        if not self.is_shared:
            return
        with self._place() as (place, store), Child(store_programs.hold, self._opener(place), "r") as child:
            check(child.line() == "held", "it did not get the run")
            watcher = Watching("r")
            store.watch(watcher)
            wait_until(lambda: watcher.told == (1, child.pid), "it is not told how the run stands", PATIENCE_S)
            child.tell()
            wait_until(lambda: watcher.told == (2, child.pid), "it is not told that the run goes on", PATIENCE_S)
            child.kill()
            wait_until(lambda: watcher.told == (2, None), "it is not told that nobody drives it", PATIENCE_S)
            store.unwatch(watcher)

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

    def test_any_text_is_kept_as_it_is(self) -> None:
        """In events, in the keys of letters, and in what they say."""
        with self._place() as (_, store):
            keep(self._claim(store, "r"), Batch(1.0, [NodeSkipped(text, because=text) for text in HOSTILE]))
            check([each.event.node_id for each in store.read("r")] == list(HOSTILE), "events differ")  # type: ignore[union-attr]
            for text in HOSTILE:
                check(store.post("r", f"k{text}", _answer(text), 1.0) is None, f"somebody was first with {text!r}")
            check([each.key for each in store.letters("r")] == [f"k{text}" for text in HOSTILE], "keys differ")
            check([each.fact.by for each in store.letters("r")] == list(HOSTILE), "letters differ")

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

    def test_one_holder_has_a_run_at_a_time(self) -> None:
        """Another one is refused until it is released, and goes on where the log ends."""
        with self._place() as (place, store):
            lease = self._claim(store, "r")
            keep(lease, Batch(1.0, [NodeSkipped("a")]))
            with _refused("a second holder"):
                self._claim(store, "r")
            if self.is_shared:
                with _refused("a second holder, through another door"):
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
            with _refused("a lease that was lost"):
                keep(lease, Batch(3.0, [NodeSkipped("c")]))
            told = later(lease, Batch(3.0, [NodeSkipped("d")]))
            check(isinstance(told, RunOwnedElsewhere), f"append_later told {told!r}")
            check([each.event.node_id for each in store.read("r")] == ["a", "b"], "it wrote")  # type: ignore[union-attr]

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

    def test_of_letters_with_one_key_the_first_counts(self) -> None:
        """The others are given the first one; other runs have keys of their own."""
        with self._place() as (_, store):
            check(store.post("r", "k", _answer("one"), 1.0) is None, "somebody was first")
            there = store.post("r", "k", _answer("two"), 2.0)
            check(there is not None and (there.fact, there.at, there.key) == (_answer("one"), 1.0, "k"), repr(there))
            check(store.post("r", "k2", CancelRequested("me"), 3.0) is None, "another key is taken")
            check(store.post("other", "k", _answer("three"), 4.0) is None, "another run's key is taken")
            letters = store.letters("r")
            check([each.key for each in letters] == ["k", "k2"], "the order is another")
            check(letters[1].fact == CancelRequested("me"), "the fact is another one")
            check(1 <= letters[0].no < letters[1].no, "the numbers do not grow")
            check(list(store.run_ids()) == [], "letters made a run")

    def test_a_settled_letter_keeps_its_key_and_a_retracted_one_does_not(self) -> None:
        """So that a refused answer can be mended, and an accepted one cannot be replaced."""
        with self._place() as (_, store):
            for key in ("settled", "retracted", "left"):
                store.post("r", key, _answer(key), 1.0)
            settled, retracted, left = store.letters("r")
            store.settle("r", [settled.no, 10_000])
            store.settle("r", [retracted.no], retract=True)
            store.settle("r", [])
            check([each.no for each in store.letters("r")] == [left.no], "others are left")
            check(store.post("r", "retracted", _answer("again"), 2.0) is None, "its key was not free")
            again = store.post("r", "settled", _answer("again"), 2.0)
            check(again is not None and again.fact.by == "settled", "its key was free")
            found = [getattr(store.letter("r", key), "at", None) for key in ("settled", "retracted", "left", "none")]
            check(found == [1.0, 2.0, 1.0, None], f"by their keys they are of {found}")

    def test_a_holder_learns_of_letters(self) -> None:
        """Soon, from whichever door they come."""
        with self._place() as (place, store):
            holder, other = Writer(), Writer()
            self._claim(store, "r", holder)
            self._claim(store, "other", other)
            doors = [store, self.open_store(place, LEASE_S)] if self.is_shared else [store]
            for i, door in enumerate(doors):
                n = holder.n_told
                door.post("r", f"k{i}", _answer("me"), 1.0)
                wait_until(lambda n=n: holder.n_told > n, "nobody told the holder", PATIENCE_S)  # type: ignore[misc]
            check(other.n_told == 0, "the holder of another run was told")

    def test_values_are_kept_with_the_turn_that_names_them(self) -> None:
        """They come back as they were, however large; the keeper of a run is one as long as somebody has it."""
        values = [None, True, 5, 2.5, "text\x00é", b"\x00\xff", [1, {"a": (2, 3)}], "x" * 3_000_000]
        with self._place() as (place, store):
            keeper = store.keeper("r", lasting=True)
            check(store.keeper("r", lasting=True) is keeper, "there are two keepers")
            lease = self._claim(store, "r")
            refs = [keeper.put(value, lambda: "preview") for value in values]
            keep(lease, Batch(1.0, [RunStarted("g", inputs=tuple((str(i), ref) for i, ref in enumerate(refs)))]))
            _check_values(keeper, refs, values)
            if self.is_shared:
                with _closing(self.open_store(place, LEASE_S)) as again:
                    check(again == store, "one place is not equal to itself")
                    _check_values(again.keeper("r", lasting=True), refs, values)
                    with contextlib.suppress(LookupError, GraphRunError):
                        found = again.keeper("other", lasting=True).get(refs[-1])
                        raise AssertionError(f"another run has this run's value: {found!r:.100}")

    def test_values_of_letters_are_kept_with_them(self) -> None:
        """Whoever reads the letter finds what it refers to."""
        with self._place() as (place, store):
            for i, value in enumerate(({"text": "yes"}, "x" * 3_000_000)):
                keeper = store.keeper("r", lasting=True)
                store.post("r", f"k{i}", AnswerKept("n", keeper.put(value, lambda: "preview")), 1.0)
                reader = self.open_store(place, LEASE_S) if self.is_shared else store
                fact = reader.letters("r")[-1].fact
                found = reader.keeper("r", lasting=True).get(fact.answer) if isinstance(fact, AnswerKept) else fact
                check(found == value, f"the letter says {found!r:.100}")

    def test_the_run_of_a_wait_is_found(self) -> None:
        """By the digest of its token, as soon as it is open, also after the run has ended."""
        with self._place() as (_, store):
            for i, run_id in enumerate(("a", "b")):
                lease = self._claim(store, run_id)
                keep(lease, Batch(1.0, [RunStarted("g")]))
                check(store.run_of_wait(f"digest{i}") is None, "a wait is known that was not opened")
                keep(lease, Batch(2.0, [WaitOpened("n", 1, WaitInfo(0, "text", token_digest=f"digest{i}"))]))
                keep(lease, Batch(3.0, [RunFinished(RunStatus.CANCELLED)]))
                lease.release()
            check([store.run_of_wait(f"digest{i}") for i in range(3)] == ["a", "b", None], "the run is another one")

    def test_a_wait_is_told_of_as_long_as_nothing_but_its_opening_counts(self) -> None:
        """Whoever answers it then need not read the log; a store need not tell of any."""
        ends: list[Event] = [
            WaitResolved("a", 1, 0, ValueRef(), "t"),
            WaitExpired("a", 1, 0, "dropped"),
            AttemptFailed("a", 1, ErrorInfo(("E",))),
            AttemptSucceeded("a", 1),
            AttemptLost("a", 1, "it died"),
            NodeCancelled("a"),
            NodeReset("a", "again"),
            AnswerKept("a", ValueRef(), by="t"),
        ]
        with self._place() as (place, store):
            for i, end in enumerate(ends):
                for together in (False, True):
                    run_id = f"r{i}{together}"
                    lease = self._claim(store, run_id)
                    opened = [_opened(f"{run_id} {name}", name) for name in ("a", "b")]
                    events: list[Event] = [RunStarted("g"), *opened, _opened(f"{run_id} event", "c", "arrived")]
                    keep(lease, Batch(1.0, [*events, end] if together else events))
                    if not together:
                        told = store.plain_wait(f"{run_id} a")
                        check(told in (None, (run_id, opened[0])), f"it was told as {told!r}")
                        lease.release()
                        keep(self._claim(store, run_id), Batch(2.0, [end]))
                    check(store.plain_wait(f"{run_id} a") is None, f"it was told of after {end!r}")
                    check(store.plain_wait(f"{run_id} event") is None, "one for an event was told of")
                    told = store.plain_wait(f"{run_id} b")
                    check(told in (None, (run_id, opened[1])), f"after {end!r} of another node it is {told!r}")
                    for again in [self.open_store(place, LEASE_S)] if self.is_shared else []:
                        check(again.plain_wait(f"{run_id} b") == told, "elsewhere it is told otherwise")
                        getattr(again, "close", lambda: None)()

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

            check(Counter(_in_threads(claim, 8)) == {"granted": 1, "refused": 7}, "it was not granted once")
            check(store.n_events("r") == 1, "others wrote")

    def test_of_threads_one_is_first_with_a_letter(self) -> None:
        """And the others are given its letter."""
        with self._place() as (place, store):
            doors = [store, self.open_store(place, LEASE_S)] if self.is_shared else [store]
            for n in range(10):

                def post(i: int, key: str = f"k{n}") -> str:
                    there = doors[i % len(doors)].post("r", key, _answer(f"t{i}"), 1.0)
                    return f"t{i}" if there is None else there.fact.by

                check(len(set(_in_threads(post, 8))) == 1, "they were told of several")

    def test_threads_write_their_runs_at_the_same_time(self) -> None:
        """Each log is whole."""
        with self._place() as (_, store):

            def write(i: int) -> list[str]:
                lease = self._claim(store, f"r{i}")
                for n in range(20):
                    keep(lease, Batch(float(n), [NodeSkipped(f"{i} {n}")]))
                return [each.event.node_id for each in store.read(f"r{i}")]  # type: ignore[union-attr]

            for i, read in enumerate(_in_threads(write, 6)):
                check(read == [f"{i} {n}" for n in range(20)], f"run {i} is {read!r}")

    def test_of_processes_one_writes_at_a_time(self) -> None:
        """Two claim one run again and again; the log has one event for each time that it was granted."""
        if not self.is_shared:
            return
        with self._place() as (place, store):
            program = (store_programs.claim_again_and_again, self._opener(place), "r", N_CLAIMS)
            with Child(*program) as one, Child(*program) as two:
                _go(one, two)
                granted = [int(each.line() or -1) for each in (one, two)]
            check(min(granted) >= 0 and sum(granted) > 0, f"they were granted {granted}")
            log = store.read("r")
            check(len(log) == sum(granted), f"{sum(granted)} were granted, and {len(log)} events are there")
            by = Counter(each.event.node_id for each in log)  # type: ignore[union-attr]
            check(sorted(by.values()) == sorted(n for n in granted if n), "one wrote as the other")

    def test_of_processes_one_is_first_with_a_letter(self) -> None:
        """Two post under the same keys; each key has one winner, whom both name."""
        if not self.is_shared:
            return
        with self._place() as (place, store):
            keys = [f"k{i}" for i in range(200)]
            program = (store_programs.post_all, self._opener(place), "r", keys)
            with Child(*program, "one") as one, Child(*program, "two") as two:
                _go(one, two)
                told = [one.lines(), two.lines()]
            check(len(told[0]) == len(keys) and told[0] == told[1], "they were told of different winners")
            check([each.fact.by for each in store.letters("r")] == told[0], "the letters are others")

    def test_a_process_that_was_killed_is_replaced(self) -> None:
        """Before its lease runs out, since it is seen to be gone."""
        if not self.is_shared:
            return
        with self._place() as (place, store), Child(store_programs.hold, self._opener(place), "r") as child:
            check(child.line() == "held", "it did not get the run")
            owner = store.owner("r")
            check(owner is not None and owner.pid == child.pid, f"the owner is {owner}")
            with _refused("while another process has the run"):
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
            wait_until(lambda: store.owner("r") is None, "its lease does not run out", PATIENCE_S)
            lease = self._claim(store, "r")
            keep(lease, Batch(2.0, [NodeSkipped("second")]))
            os.kill(child.pid, signal.SIGCONT)
            child.tell()
            check(child.line() == "RunOwnedElsewhere", "it was not refused")
            check([each.event.node_id for each in store.read("r")] == ["first", "second"], "it wrote")  # type: ignore[union-attr]

    @contextlib.contextmanager
    def _place(self, lease_s: float = LEASE_S) -> Iterator[tuple[Path, RunStore]]:
        """Give a new store with its folder, and close it."""
        with (
            tempfile.TemporaryDirectory() as folder,
            _closing(self.open_store(Path(folder), lease_s)) as store,
        ):
            self._leases: list[Lease] = []
            try:
                yield Path(folder), store
            finally:
                for each in self._leases:
                    each.release()

    def _claim(self, store: RunStore, run_id: str, holder: Writer | None = None) -> Lease:
        """Claim a run, and release it when the store is closed."""
        lease = store.claim(run_id, holder or Writer())
        self._leases.append(lease)
        return lease

    def _opener(self, place: Path, lease_s: float = LEASE_S) -> Callable[[], RunStore]:
        return functools.partial(type(self).open_store, place, lease_s)


@contextlib.contextmanager
def _closing(store: RunStore) -> Iterator[RunStore]:
    try:
        yield store
    finally:
        getattr(store, "close", lambda: None)()


@contextlib.contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except RunOwnedElsewhere:
        return
    raise AssertionError(f"{what} was not refused")


def _answer(by: str) -> AnswerKept:
    return AnswerKept("node", ValueRef(), by=by)


def _opened(digest: str, node_id: str, name: str = "") -> WaitOpened:
    return WaitOpened(node_id, 1, WaitInfo(0, "text", token_digest=digest, name=name))


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


def _check_values(keeper: Any, refs: list[ValueRef], values: list[Any]) -> None:
    for ref, value in zip(refs, values, strict=True):
        found = keeper.get(ref)
        check(found == value and type(found) is type(value), f"{value!r:.100} came back as {found!r:.100}")


def _in_threads(act: Callable[[int], Any], n: int) -> list[Any]:
    ready = threading.Barrier(n)

    def begin(i: int) -> Any:
        ready.wait()
        return act(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(begin, range(n)))


def _go(*children: Child) -> None:
    for each in children:
        check(each.line() == "ready", "a process did not begin")
    for each in children:
        each.tell()
