"""When a failed node is tried again, and after which pause."""

from __future__ import annotations

import math

import pytest

from graphrun_nb.core.events import ErrorInfo
from graphrun_nb.core.policy import NEVER_RETRIED, RetryPolicy


def error(*kinds):
    """An error as data: the names of an exception's type and its bases."""
    return ErrorInfo(types=tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds))


BAD_VALUE = error(*ValueError.__mro__)


@pytest.mark.parametrize("n", [0, -1, 1.0, True, "3", None])
def test_attempts_are_counted_from_one(n):
    with pytest.raises(ValueError, match="counts all attempts, so at least 1"):
        RetryPolicy(max_attempts=n)


@pytest.mark.parametrize(
    "pauses",
    [
        {"backoff_first_s": -0.1},
        {"backoff_base": 0.9},
        {"backoff_max_s": -1},
        {"backoff_first_s": math.nan},
        {"backoff_base": math.nan},
        {"backoff_max_s": math.nan},
    ],
)
def test_pauses_that_cannot_be_meant_are_refused(pauses):
    with pytest.raises(ValueError, match="pauses are not negative"):
        RetryPolicy(**pauses)


@pytest.mark.parametrize("jitter", [-0.01, 1.01, math.nan])
def test_jitter_is_a_share(jitter):
    with pytest.raises(ValueError, match="is a share between 0 and 1"):
        RetryPolicy(jitter=jitter)


@pytest.mark.parametrize("name", ["retry_on", "give_up_on"])
@pytest.mark.parametrize("kinds", ["ValueError", (ValueError, "KeyError"), (int,), (ValueError("an instance"),)])
def test_only_exception_types_say_what_is_retried(name, kinds):
    with pytest.raises(TypeError, match=rf"RetryPolicy\({name}=...\) takes exception types"):
        RetryPolicy(**{name: kinds})


@pytest.mark.parametrize("name", ["retry_on", "give_up_on"])
def test_one_exception_type_may_stand_alone(name):
    assert getattr(RetryPolicy(**{name: ValueError}), name) == (ValueError,)


def test_the_budget_counts_failures():
    policy = RetryPolicy(max_attempts=3)
    assert [policy.wants_another(BAD_VALUE, n) for n in (1, 2, 3, 4)] == [True, True, False, False]


def test_without_a_policy_nothing_is_tried_again():
    assert not RetryPolicy().wants_another(BAD_VALUE, 1)


@pytest.mark.parametrize(
    ("kinds", "again"),
    [
        ({"retry_on": (ValueError,)}, True),
        ({"retry_on": (Exception,)}, True),
        ({"retry_on": (KeyError,)}, False),
        ({"retry_on": ()}, False),
        ({"give_up_on": (ValueError,)}, False),
        ({"give_up_on": (Exception,)}, False),
        ({"give_up_on": (KeyError,)}, True),
        ({"retry_on": (ValueError,), "give_up_on": (ValueError,)}, False),
    ],
)
def test_the_type_of_the_error_decides_and_giving_up_goes_first(kinds, again):
    assert RetryPolicy(max_attempts=2, **kinds).wants_another(BAD_VALUE, 1) is again


def test_a_base_exception_is_not_retried_unless_it_is_named():
    interrupt = error(*KeyboardInterrupt.__mro__)
    assert not RetryPolicy(max_attempts=2).wants_another(interrupt, 1)
    assert RetryPolicy(max_attempts=2, retry_on=KeyboardInterrupt).wants_another(interrupt, 1)


@pytest.mark.parametrize("name", sorted(NEVER_RETRIED))
def test_what_another_attempt_cannot_mend_is_never_retried(name):
    hopeless = ErrorInfo(types=(name, "builtins.Exception", "builtins.BaseException"))
    assert not RetryPolicy(max_attempts=9, retry_on=BaseException).wants_another(hopeless, 1)


def test_pauses_grow_up_to_the_longest():
    policy = RetryPolicy(backoff_first_s=0.5, backoff_base=3, backoff_max_s=10)
    assert [policy.pause_s("run", "node", n) for n in (1, 2, 3, 4, 5)] == [0.5, 1.5, 4.5, 10, 10]


@pytest.mark.parametrize("base", [1e10, 10**10, math.inf])
@pytest.mark.parametrize(("first", "pause"), [(1.0, 60.0), (0.0, 0.0)])
def test_growth_beyond_all_numbers_is_the_longest_pause(base, first, pause):
    assert RetryPolicy(backoff_first_s=first, backoff_base=base).pause_s("run", "node", 1000) == pause


def test_jitter_is_a_hash_of_run_node_and_failure():
    policy = RetryPolicy(backoff_first_s=8, backoff_base=1, jitter=0.5)
    keys = [(run, node, n) for run in ("r1", "r2") for node in ("a", "b") for n in (1, 2)]
    pauses = [policy.pause_s(*key) for key in keys]
    assert pauses == [policy.pause_s(*key) for key in keys]
    assert len(set(pauses)) == len(keys)


def test_jitter_only_shortens_and_by_its_share_at_most():
    policy = RetryPolicy(backoff_first_s=8, backoff_base=1, jitter=0.25)
    pauses = [policy.pause_s("run", f"node {i}", 1) for i in range(500)]
    assert 6 <= min(pauses) < 6.1
    assert 7.9 < max(pauses) <= 8


def test_a_hash_tells_run_node_and_number_apart():
    policy = RetryPolicy(jitter=1)
    assert policy.pause_s("ab", "c", 1) != policy.pause_s("a", "bc", 1)
