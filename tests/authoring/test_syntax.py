"""The syntax trees of users' sources."""

from __future__ import annotations

import ast
import gc

import pytest

from graphrun_nb.authoring.syntax import parsed

SOURCE = "\n".join(f"def f{n}(x):\n    return [g(x, [{n}, (x, {n})]) for g in h]" for n in range(50))


class Ends:
    """Parses something once the collector finds it, as a future does that nobody asked for its error."""

    def __init__(self):
        self.own = self

    def __del__(self):
        ast.parse("x + 1")


@pytest.fixture
def eager_collector():
    before = gc.get_threshold()
    gc.set_threshold(20)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("eager_collector")
def test_a_source_is_parsed_whatever_the_collector_does_in_the_midst_of_it():
    for _ in range(20):
        Ends()
        assert len(parsed(SOURCE).body) == 50


def test_what_is_no_source_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        parsed("def")
