"""A widget's share of the wire, in a time of the test's own."""

from __future__ import annotations

from graphrun_nb.notebook.allowance import Allowance


def test_a_burst_may_leave_at_once_and_what_it_was_too_much_is_waited_for():
    allowance = Allowance(rate=100, burst=300)
    allowance.spend(300, now=10.0)
    assert allowance.wait_s(10.0) == 0
    allowance.spend(50, now=10.0)
    assert allowance.wait_s(10.0) == 0.5
    assert allowance.wait_s(10.25) == 0.25
    assert allowance.wait_s(10.5) == 0


def test_silence_fills_it_up_to_the_burst_and_no_further():
    allowance = Allowance(rate=100, burst=300)
    allowance.spend(300, now=0.0)
    allowance.spend(400, now=1000.0)
    assert allowance.wait_s(1000.0) == 1


def test_over_a_long_time_no_more_than_the_rate_gets_through():
    allowance = Allowance(rate=1000, burst=500)
    now, n_sent = 0.0, 0
    while now < 100:
        allowance.spend(150, now)
        n_sent += 150
        now += max(0.05, allowance.wait_s(now))
    assert n_sent <= 100 * 1000 + 500 + 150


def test_what_was_too_much_can_be_forgiven_and_gives_nothing_more():
    allowance = Allowance(rate=100, burst=300)
    allowance.spend(1000, now=10.0)
    allowance.forgive(10.0)
    assert allowance.wait_s(10.0) == 0
    allowance.spend(50, now=10.0)
    assert allowance.wait_s(10.0) == 0.5
