"""What every store must keep of letters: answers and events for a run, from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import (
    AnswerKept,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    NodeCancelled,
    NodeReset,
    NodeSkipped,
    RunFinished,
    RunStarted,
    ValueRef,
    WaitExpired,
    WaitInfo,
    WaitOpened,
    WaitResolved,
)
from graphrun_nb.core.status import RunStatus
from graphrun_nb.testing import store_programs
from graphrun_nb.testing.checks import check
from graphrun_nb.testing.store_programs import Child, Writer, keep

if TYPE_CHECKING:
    from graphrun_nb.core.events import Event
from graphrun_nb.testing.store_checks import HOSTILE, LEASE_S, StoreChecks, answer, go, in_threads


class LetterChecks(StoreChecks):
    """Of letters with one key one counts, whoever is told of it."""

    def test_any_text_is_kept_as_it_is(self) -> None:
        """In events, in the keys of letters, and in what they say."""
        with self._place() as (_, store):
            keep(self._claim(store, "r"), Batch(1.0, [NodeSkipped(text, because=text) for text in HOSTILE]))
            check([each.event.node_id for each in store.read("r")] == list(HOSTILE), "events differ")  # type: ignore[union-attr]
            for text in HOSTILE:
                check(store.post("r", f"k{text}", answer(text), 1.0) is None, f"somebody was first with {text!r}")
            check([each.key for each in store.letters("r")] == [f"k{text}" for text in HOSTILE], "keys differ")
            check([each.fact.by for each in store.letters("r")] == list(HOSTILE), "letters differ")

    def test_of_letters_with_one_key_the_first_counts(self) -> None:
        """The others are given the first one; other runs have keys of their own."""
        with self._place() as (_, store):
            check(store.post("r", "k", answer("one"), 1.0) is None, "somebody was first")
            there = store.post("r", "k", answer("two"), 2.0)
            check(there is not None and (there.fact, there.at, there.key) == (answer("one"), 1.0, "k"), repr(there))
            check(store.post("r", "k2", CancelRequested("me"), 3.0) is None, "another key is taken")
            check(store.post("other", "k", answer("three"), 4.0) is None, "another run's key is taken")
            letters = store.letters("r")
            check([each.key for each in letters] == ["k", "k2"], "the order is another")
            check(letters[1].fact == CancelRequested("me"), "the fact is another one")
            check(1 <= letters[0].no < letters[1].no, "the numbers do not grow")
            check(list(store.run_ids()) == [], "letters made a run")

    def test_a_settled_letter_keeps_its_key_and_a_retracted_one_does_not(self) -> None:
        """So that a refused answer can be mended, and an accepted one cannot be replaced."""
        with self._place() as (_, store):
            for key in ("settled", "retracted", "left"):
                store.post("r", key, answer(key), 1.0)
            settled, retracted, left = store.letters("r")
            store.settle("r", [settled.no, 10_000])
            store.settle("r", [retracted.no], retract=True)
            store.settle("r", [])
            check([each.no for each in store.letters("r")] == [left.no], "others are left")
            check(store.post("r", "retracted", answer("again"), 2.0) is None, "its key was not free")
            again = store.post("r", "settled", answer("again"), 2.0)
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
                door.post("r", f"k{i}", answer("me"), 1.0)
                self._wait_until(lambda n=n: holder.n_told > n, "nobody told the holder")  # type: ignore[misc]
            check(other.n_told == 0, "the holder of another run was told")

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

    def test_of_threads_one_is_first_with_a_letter(self) -> None:
        """And the others are given its letter."""
        with self._place() as (place, store):
            doors = [store, self.open_store(place, LEASE_S)] if self.is_shared else [store]
            for n in range(10):

                def post(i: int, key: str = f"k{n}") -> str:
                    there = doors[i % len(doors)].post("r", key, answer(f"t{i}"), 1.0)
                    return f"t{i}" if there is None else there.fact.by

                check(len(set(in_threads(post, 8))) == 1, "they were told of several")

    def test_of_processes_one_is_first_with_a_letter(self) -> None:
        """Two post under the same keys; each key has one winner, whom both name."""
        if not self.is_shared:
            return
        with self._place() as (place, store):
            keys = [f"k{i}" for i in range(200)]
            program = (store_programs.post_all, self._opener(place), "r", keys)
            with Child(*program, "one") as one, Child(*program, "two") as two:
                go(one, two)
                told = [one.lines(), two.lines()]
            check(len(told[0]) == len(keys) and told[0] == told[1], "they were told of different winners")
            check([each.fact.by for each in store.letters("r")] == told[0], "the letters are others")


def _opened(digest: str, node_id: str, name: str = "") -> WaitOpened:
    return WaitOpened(node_id, 1, WaitInfo(0, "text", token_digest=digest, name=name))
