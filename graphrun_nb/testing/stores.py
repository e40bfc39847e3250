"""What every store must keep, as one suite."""

from __future__ import annotations

from graphrun_nb.testing.store_holders import HolderChecks
from graphrun_nb.testing.store_letters import LetterChecks
from graphrun_nb.testing.store_logs import LogChecks
from graphrun_nb.testing.store_values import ValueChecks


class StoreConformance(LogChecks, HolderChecks, LetterChecks, ValueChecks):
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
