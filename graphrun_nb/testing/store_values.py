"""What every store must keep of the values of runs."""

from __future__ import annotations

import contextlib
from typing import Any

from graphrun_nb.core.batch import Batch
from graphrun_nb.core.events import (
    AnswerKept,
    RunStarted,
    ValueRef,
)
from graphrun_nb.errors import GraphRunError
from graphrun_nb.testing.checks import check
from graphrun_nb.testing.store_checks import LEASE_S, StoreChecks, closing
from graphrun_nb.testing.store_programs import keep


class ValueChecks(StoreChecks):
    """Values come back as they were."""

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
                with closing(self.open_store(place, LEASE_S)) as again:
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


def _check_values(keeper: Any, refs: list[ValueRef], values: list[Any]) -> None:
    for ref, value in zip(refs, values, strict=True):
        found = keeper.get(ref)
        check(found == value and type(found) is type(value), f"{value!r:.100} came back as {found!r:.100}")
