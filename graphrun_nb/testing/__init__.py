"""For tests of graphs, and of executors and stores of one's own. Needs no test framework.

Doubles: a clock that stands still, a script instead of functions. Suites: what every executor or store must keep, as
a class to subclass under pytest, or to mix into a TestCase under unittest.
"""

from __future__ import annotations

from graphrun_nb.testing.doubles import ManualClock, ScriptedExecutor, settle
from graphrun_nb.testing.executors import ExecutorConformance
from graphrun_nb.testing.stores import StoreConformance

__all__ = ["ExecutorConformance", "ManualClock", "ScriptedExecutor", "StoreConformance", "settle"]
