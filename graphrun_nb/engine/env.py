"""One run's services and settings, from the overrides of its launch; nothing here is global."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from graphrun_nb.core.ids import is_run_id
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.spec import closest
from graphrun_nb.engine.clock import SystemClock
from graphrun_nb.errors import BadOption
from graphrun_nb.executors import EXECUTORS, check_executor
from graphrun_nb.protocols import hooks
from graphrun_nb.stores import as_store, check_store, opened
from graphrun_nb.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.protocols import Clock, Executor, Observer, RunStore

OnWait = Literal["block", "raise", "return"]
OnChanged = Literal["raise", "rerun", "keep"]
OnUnsaved = Literal["raise", "rerun"]
Durability = Literal["process", "power", "off"]
ResumeMode = Literal["failed_nodes"]
_CHOICES: dict[str, tuple[str, ...]] = {
    "on_wait": get_args(OnWait),
    "on_changed": get_args(OnChanged),
    "on_unsaved": get_args(OnUnsaved),
    "durability": get_args(Durability),
    "resume_mode": get_args(ResumeMode),
}
_DEFAULT_STORE = MemoryStore()


def default_store() -> RunStore:
    """Return the store of runs that name none: that of ``GRAPHRUN_STORE``, or the notebook's, or one in memory."""
    named = os.environ.get("GRAPHRUN_STORE")
    if named:
        return opened(named)
    return hooks.default_store() if hooks.default_store else _DEFAULT_STORE


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeEnv:
    """What a run runs with. Every field is an override of `run` and `run_async`.

    Attributes
    ----------
    run_id
        1 to 64 of ``A-Z a-z 0-9 _ -``; made up if empty.
    session_id, agent_id, app_id
        Provenance; `session_id` groups runs.
    retry
        For nodes that have no policy of their own.
    max_concurrency
        How many nodes may run at the same time, at least 1.
    executor
        Where sync tools run: ``thread``, ``process``, ``dask`` or ``loop``; or an executor of the caller, who closes
        it. Async ones run on the loop, unless a node's own ``_executor`` says otherwise.
    on_wait
        When only waits are left: ``block`` keeps the run alive, ``raise`` and ``return`` hand the waits out.
    timeout
        Seconds for the whole run, or None.
    fail_fast
        The first failed node cancels the rest.
    store, clock, observers
        Where the log is kept, where the time comes from, who is told. A store may be named as in ``GRAPHRUN_STORE``:
        by a path, ``postgresql://…`` or ``memory``.
    on_changed
        If the graph or its inputs are not those that the run `run_id` began with: ``raise`` refuses, ``rerun`` runs
        what changed and all below it, ``keep`` keeps what is done.
    on_unsaved
        If outputs are needed that could not be kept: ``raise`` refuses, ``rerun`` runs those nodes again.
    durability
        What recorded events survive in a store on disk: ``process`` a killed kernel, ``power`` a power cut, ``off``
        neither.
    resume_from_run_id
        A run whose finished nodes this new run takes over, with their outputs.
    resume_mode
        What then runs again: ``failed_nodes``, which are those that failed, were cancelled or never ran.
    """

    run_id: str = ""
    session_id: str = ""
    agent_id: str = ""
    app_id: str = ""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_concurrency: int = 4
    executor: str | Executor = "thread"
    on_wait: OnWait = "block"
    timeout: float | None = None
    fail_fast: bool = False
    store: RunStore = field(default_factory=default_store)
    clock: Clock = field(default_factory=SystemClock)
    observers: Sequence[Observer] = ()
    on_changed: OnChanged = "raise"
    on_unsaved: OnUnsaved = "raise"
    durability: Durability = "process"
    resume_from_run_id: str = ""
    resume_mode: ResumeMode = "failed_nodes"

    @classmethod
    def from_overrides(cls, overrides: Mapping[str, Any]) -> Self:
        """Return the environment for one run.

        Raises
        ------
        BadOption
            An override is unknown, of the wrong type, or makes no sense; hints name the closest, and what is known.
        """
        known = [each.name for each in fields(cls)]
        for name in cls.unknown(overrides):
            guess = closest(name, known)
            hints = (*([guess] if guess else []), f"the options are: {', '.join(known)}")
            raise BadOption(f"a run has no option {name!r}", hints=hints)
        given = {name: value for name, value in overrides.items() if value is not None}
        for name in ("run_id", "resume_from_run_id"):
            if name in given and not is_run_id(given[name]):
                raise BadOption(f"{name}={given[name]!r}: 1 to 64 letters, digits, _ and -")
        if type(given.get("retry")) is int:
            given["retry"] = RetryPolicy(max_attempts=given["retry"])
        if "store" in given:
            given["store"] = as_store(given["store"])
        env = cls(**given)
        env.check()
        return env

    @classmethod
    def unknown(cls, overrides: Mapping[str, Any]) -> list[str]:
        """Return the names of overrides that there are not."""
        known = {each.name for each in fields(cls)}
        return [name for name in overrides if name not in known]

    def check(self) -> None:
        """Refuse settings that make no sense; raises as `from_overrides`."""
        if not isinstance(self.retry, RetryPolicy):
            raise BadOption(f"retry=... takes a RetryPolicy or a number of attempts, not {self.retry!r}")
        if type(self.max_concurrency) is not int or self.max_concurrency < 1:
            raise BadOption(f"max_concurrency counts nodes, so at least 1: {self.max_concurrency!r}")
        if type(self.fail_fast) is not bool:
            raise BadOption(f"fail_fast is True or False, not {self.fail_fast!r}")
        for option, known in _CHOICES.items():
            if getattr(self, option) not in known:
                raise _no_such(option, getattr(self, option), known)
        if not isinstance(self.executor, str):
            check_executor(self.executor)
        elif self.executor not in EXECUTORS:
            raise _no_such("executor", self.executor, tuple(EXECUTORS))
        self._check_services()

    def _check_services(self) -> None:
        timeout: Any = self.timeout
        if isinstance(timeout, bool) or not (timeout is None or isinstance(timeout, Real)):
            raise BadOption(f"timeout takes seconds, not {timeout!r}")
        if timeout is not None and not float(timeout) > 0:
            raise BadOption(f"timeout takes seconds > 0, not {timeout!r}")
        for option in ("session_id", "agent_id", "app_id"):
            if not isinstance(getattr(self, option), str):
                raise BadOption(f"{option} takes a text, not {getattr(self, option)!r}")
        check_store(self.store)
        _check("clock", self.clock, "a clock", ("time", "call_at"))
        for observer in self.observers if isinstance(self.observers, (list, tuple)) else (self.observers,):
            _check("observers", observer, "a list of observers", ("on_events", "on_signal"))
            _check_told(observer)


def _check(option: str, given: object, wanted: str, methods: tuple[str, ...]) -> None:
    lacks = [name for name in methods if not callable(getattr(given, name, None))]
    if isinstance(given, type) or lacks:
        hint = f"{option}={given.__name__}()" if isinstance(given, type) else f"it lacks {lacks[0]}()"
        raise BadOption(f"{option}=... takes {wanted}, not {given!r}", hints=(hint,))


def _check_told(observer: Observer) -> None:
    """Refuse an observer that could not be called: what it raises later hurts no run, and is seen by nobody."""
    for name, told in (("on_events", ("batch", "state")), ("on_signal", ("signal",))):
        shape = f"{name}({', '.join(told)})"
        try:
            inspect.signature(getattr(observer, name)).bind(*told)
        except ValueError:  # nobody knows its parameters
            continue
        except TypeError as error:
            raise BadOption(f"observers=... are told by {shape}: {error}", hints=(f"write def {shape}",)) from None


def _no_such(option: str, value: object, known: tuple[str, ...]) -> BadOption:
    meant = closest(str(value), known)
    return BadOption(f"{option} is one of {', '.join(known)}, not {value!r}", hints=(meant,) if meant else ())
