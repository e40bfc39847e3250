"""All extension points on one page: what an executor, a store, an observer and a clock must do, and the hooks.

What a lower floor needs from a higher one it asks through `hooks`; nothing here imports upwards.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from graphrun_nb.core.batch import Batch
    from graphrun_nb.core.events import (  # noqa: TC004 (no decoder)
        AnswerKept,
        CancelRequested,
        Envelope,
        Event,
        ValueRef,
        WaitOpened,
    )
    from graphrun_nb.core.outline import Outline
    from graphrun_nb.core.state import RunState


class Value(Struct, frozen=True):
    """An attempt ended well; `value` is what the function returned."""

    value: Any


class Error(Struct, frozen=True):
    """An attempt ended in `exception`."""

    exception: BaseException


class Lost(Struct, frozen=True):
    """The attempt went down with the process or machine that ran it; `reason` says what is known."""

    reason: str


Outcome = Value | Error | Lost


class CallContext(Protocol):
    """What a call's function sees of its run."""

    def detached(self) -> Mapping[str, Any]:
        """Return the plain facts among it, by name, for a function that runs in another process than its run."""
        ...

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Show how far the call is. Callable from any thread."""
        ...


class Call(Struct, frozen=True):
    """One attempt: the function and its arguments by name.

    Attributes
    ----------
    context
        Name of the argument that is a `CallContext`, which lives in this process alone; or empty.
    """

    run_id: str
    node_id: str
    attempt: int
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    context: str = ""


class Executor(Protocol):
    """Runs calls somewhere. It never raises: whatever a function does is an `Outcome`.

    `graphrun_nb.testing.ExecutorConformance` checks one.
    """

    name: str

    async def submit(self, call: Call) -> Outcome:
        """Run `call` to its end. Cancelling this coroutine gives the call up."""
        ...

    def close(self) -> None:
        """Release idle resources; calls under way may end by themselves."""
        ...


class Keeper(Protocol):
    """Keeps the values of one run, beside its log.

    Attributes
    ----------
    only
        The output of each node that is done and has one, by node id, as far as it is here.
    values
        Outputs by name of the other nodes that are done, by node id.
    outputs
        Those of the whole run, once it is done.
    types
        Classes that values may be made of beside the common ones, by qualified name.
    """

    only: dict[str, Any]
    values: dict[str, Mapping[str, Any]]
    outputs: dict[str, Any] | None
    types: Mapping[str, type]

    @property
    def refers(self) -> bool:
        """Whether events refer to the outputs they produced, because the values outlive this process."""
        ...

    def put(self, value: Any, preview: Callable[[], str], *, shown: bool = True) -> ValueRef:
        """Keep a value, and return the reference to it that the log holds.

        Parameters
        ----------
        preview
            Makes a text for people.
        shown
            Whether the reference carries that text even if the value outlives this process.
        """
        ...

    def is_heavy(self, value: Any) -> bool:
        """Tell whether `put` would take so long that `write` should be called first, in another thread."""
        ...

    def write(self, values: Sequence[Any]) -> None:
        """Do the slow part of `put` for these values, each of which is then put once; raises as `Lease.append`."""
        ...

    def known(self, value: Any) -> ValueRef | None:
        """Return the reference to a value that was put before with ``shown=False``, if it is found at once."""
        ...

    def at_hand(self, refs: Iterable[ValueRef]) -> AbstractContextManager[None]:
        """Read these in one go, so that `get` need not ask for each while the block lasts."""
        ...

    def get(self, ref: ValueRef) -> Any:
        """Return what was put; raises LookupError if it was not kept."""
        ...

    def add_line(self, line: Signal) -> None:
        """Keep what a node printed or logged, soon and on a best-effort basis. Called from any thread."""
        ...

    def lines(self, node_id: str) -> Sequence[Signal]:
        """Return what a node printed and logged, in this process and others, as far as it was kept."""
        ...


class Owner(Struct, frozen=True):
    """The process that drives a run.

    Attributes
    ----------
    host, boot, namespace
        The machine, its start, and what numbers its processes.
    pid, born
        The process, and when it began (Unix seconds).
    """

    host: str
    boot: str
    namespace: str
    pid: int
    born: float

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Letter(Struct, frozen=True):
    """An answer, an event or a request to cancel, sent to a run from outside its own loop.

    Attributes
    ----------
    no
        Its number in the store, at least 1.
    key
        What it claims: of several letters with the same key only the first counts.
    at
        Unix seconds (UTC).
    """

    no: int
    key: str
    at: float
    fact: AnswerKept | CancelRequested


class Holder(Protocol):
    """The writer of a run in this process."""

    @property
    def is_alive(self) -> bool:
        """Whether it is still driving the run."""
        ...

    def on_mail(self) -> None:
        """Take note that there are letters. Called from any thread."""
        ...


class Watcher(Protocol):
    """Follows a run that another process drives."""

    run_id: str

    def on_standing(self, n_events: int, owner: Owner | None) -> None:
        """Take note of the log's length and the run's owner. Called from any thread, even if nothing has changed."""
        ...


class Lease(Protocol):
    """The right to write to one run, which one holder has at a time.

    Attributes
    ----------
    is_lost
        Whether another holder was seen to have taken the run over.
    """

    is_lost: bool

    @property
    def n_events(self) -> int:
        """How long the log is."""
        ...

    def append(self, batch: Batch, outline: Outline | None = None) -> None:
        """Keep `batch` as one unit, after all that was kept.

        Parameters
        ----------
        outline
            The summary of the run, if this batch ends it: part of the unit, and void once the run is continued.

        Raises
        ------
        StoreBusy
            That would take a while; nothing is kept: call `append_later`.
        RunOwnedElsewhere
            Another holder has taken the run over; nothing is kept.
        StoreFull
            There is no room; nothing is kept.
        """
        ...

    def append_later(
        self, batch: Batch, done: Callable[[Exception | None], None], outline: Outline | None = None
    ) -> None:
        """Keep `batch` without blocking; call `done` from another thread, with what `append` raises, if anything."""
        ...

    def release(self) -> None:
        """Give the right back."""
        ...


class RunStore(Protocol):
    """Keeps the logs of runs, hands out the keepers of their values, and lets one holder at a time write to each run.

    Two stores are equal if they are the same place. `graphrun_nb.testing.StoreConformance` checks one.
    """

    def claim(self, run_id: str, holder: Holder, *, durability: str = "process") -> Lease:
        """Give `holder` the right to write to a run, which need not exist yet.

        Parameters
        ----------
        durability
            See `RuntimeEnv`.

        Raises
        ------
        RunOwnedElsewhere
            Another holder, here or elsewhere, drives it.
        """
        ...

    def owner(self, run_id: str) -> Owner | None:
        """Return the process that drives the run just now, if one does."""
        ...

    def read(self, run_id: str, after: int = 0) -> Sequence[Envelope]:
        """Return a run's log after event `after`, the last one of a batch; empty if there is none.

        Raises
        ------
        StoreCorrupt
            The log is damaged.
        """
        ...

    def n_events(self, run_id: str) -> int:
        """Return how long a run's log is, 0 if there is none."""
        ...

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` how its run stands, now and after each change, until no other process holds the run.

        A store that other processes cannot reach need not do anything.
        """
        ...

    def unwatch(self, watcher: Watcher) -> None:
        """Stop telling it."""
        ...

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs, in order of their first event."""
        ...

    def outlines(self) -> Mapping[str, Outline | None]:
        """Return the ids of all runs, in order of their first event, with their summaries.

        None stands for a run that has not ended, and for a summary that was not kept or is damaged: read the log then.
        """
        ...

    def run_of_wait(self, token_digest: str) -> str | None:
        """Return the run that opened the wait whose token has this digest, or None."""
        ...

    def plain_wait(self, token_digest: str) -> tuple[str, WaitOpened] | None:
        """Return the run that opened the wait whose token has this digest, and how; without reading the run's log.

        It is given only if the log has nothing else that an answer would have to know: the wait has not ended, is for
        no event, and nothing came for its node since. A store need not know any: then the log is read.
        """
        ...

    def keeper(self, run_id: str, *, lasting: bool) -> Keeper:
        """Return the keeper of the run's values: always the same one, as long as it is in use.

        A run is `lasting` if the user named it, and may ask for it again.
        """
        ...

    def post(self, run_id: str, key: str, fact: AnswerKept | CancelRequested, at: float) -> Letter | None:
        """Put a letter into the run's box and return None; or return the one that is there with this key.

        Values that it refers to were put by the run's keeper.
        """
        ...

    def letter(self, run_id: str, key: str) -> Letter | None:
        """Return the letter that has this key, settled or not."""
        ...

    def letters(self, run_id: str) -> Sequence[Letter]:
        """Return the letters that are not settled, oldest first."""
        ...

    def settle(self, run_id: str, nos: Sequence[int], *, retract: bool = False) -> None:
        """Mark letters as done with: they keep their keys, unless they are retracted."""
        ...


class Timer(Protocol):
    """A call that is made later unless it is cancelled."""

    def cancel(self) -> None:
        """Do not make it."""
        ...


class Clock(Protocol):
    """Where the engine gets the time."""

    def time(self) -> float:
        """Return the current instant in Unix seconds (UTC)."""
        ...

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running loop once `time()` has reached `at`."""
        ...


class Signal(Struct, frozen=True):
    """Telemetry of an attempt: shown, bounded, droppable, never part of the log.

    Attributes
    ----------
    stream
        ``stdout``, ``stderr``, ``log``, ``progress`` or ``note``.
    text
        One line. If it begins with a carriage return it is not finished: the next one of the same attempt and stream
        takes its place.
    """

    node_id: str
    attempt: int
    stream: str
    text: str
    at: float


class Observer(Protocol):
    """Hears of what happened. One that raises or is slow does not hurt the run."""

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Take note of consecutive events; `state` is read-only and includes them: its `seq` is the last one's."""
        ...

    def on_signal(self, signal: Signal) -> None:
        """Take note of telemetry."""
        ...


@runtime_checkable
class Presenter(Protocol):
    """Shows runs and graphs to people; registered by the notebook floor."""

    def display(self, future: Any) -> None:
        """Show the live view of a run as the output of the current cell."""
        ...

    def inspector(self, future: Any) -> Any:
        """Return the live view of a run, a widget."""
        ...

    def awaited(self, future: Any) -> None:
        """Take note that the current cell waits for a run, which no view may be showing."""
        ...

    def after_failure(self, *, goes_on: bool = True) -> tuple[str, ...]:
        """Return hints for a user whose run has failed: how to continue it, or, unless it `goes_on`, begin anew."""
        ...

    def shorten(self, error: BaseException) -> None:
        """Let the traceback of an error of this package end at the user's own line when it is shown."""
        ...

    def file_label(self, filename: str) -> str:
        """Return what a user calls a source file, such as ``In[3]``; `filename` itself if there is no better name."""
        ...


class Illustrator(Protocol):
    """Draws a graph or run."""

    def __call__(self, state: RunState, text: str) -> str:
        """Return `state` as HTML that every front end shows, with `text` for people and programs that see no image."""
        ...


class Callee(Protocol):
    """A tool or graph function, as the calls of a running body see it."""

    name: str
    outputs: tuple[str, ...]
    kind: str
    node_function: Any

    @property
    def code(self) -> str:
        """Fingerprint of what it does."""
        ...


class Runner(Protocol):
    """Runs graph functions, and makes nodes of the calls inside them; registered by the engine."""

    def is_inside(self) -> bool:
        """Tell whether the calling code belongs to a node of some run."""
        ...

    def call(
        self, callee: Callee, arguments: Mapping[str, Any], controls: Mapping[str, Any], *, in_thread: bool
    ) -> Any:
        """Make a call from a running body a node of its run; return `NotImplemented` where no body is running."""
        ...

    def in_thread(self, function: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
        """Call a sync function in a thread of the run that the calling code belongs to."""
        ...

    def run(self, target: Any, inputs: Mapping[str, Any]) -> Coroutine[Any, Any, dict[str, Any]]:
        """Run `target` and return its outputs."""
        ...

    def result(self, target: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Run `target` and block until its outputs are there."""
        ...


class LoopDriver(Protocol):
    """Keeps a loop turning from inside itself."""

    def __call__(
        self,
        loop: asyncio.AbstractEventLoop,
        future: concurrent.futures.Future[Any],
        timeout: float | None = None,
    ) -> None:
        """Return once `future` is done; raise TimeoutError after `timeout` seconds."""
        ...


_KERNELS = frozenset({"ipykernel", "marimo"})


class Hooks:
    """What higher floors offer to lower ones; each may be replaced by assigning another one.

    Attributes
    ----------
    presenter
        None outside a notebook; `here` makes it when it is first needed.
    runner
        None until the engine has been imported.
    default_store
        Makes the store of runs that name none; None means one in memory.
    """

    presenter: Presenter | None = None
    runner: Runner | None = None
    default_store: Callable[[], RunStore] | None = None

    def here(self) -> Presenter | None:
        """Return the presenter, making it now if this process is a notebook's kernel that has none yet."""
        if self.presenter is None and not _KERNELS.isdisjoint(sys.modules):
            self.presenter = _imported("graphrun_nb.notebook.presenter", "in_a_notebook")()
        return self.presenter

    def inspector(self, future: Any) -> Any:
        """Return the live view of a run; outside a notebook it is a widget that nothing shows yet."""
        presenter = self.here()
        if presenter is None:
            return _imported("graphrun_nb.notebook.inspector", "Inspector")(future)
        return presenter.inspector(future)

    @cached_property
    def loop_driver(self) -> LoopDriver:
        """The way to wait on the loop's own thread."""
        driver: LoopDriver = _imported("graphrun_nb.notebook.loop", "drive")
        return driver

    @cached_property
    def illustrator(self) -> Illustrator:
        """What draws graphs and runs."""
        image: Illustrator = _imported("graphrun_nb.view.picture", "image")
        return image


def _imported(module: str, name: str) -> Any:
    """Import a plain default when it is first needed; no import of the module itself goes upwards."""
    return getattr(importlib.import_module(module), name)


hooks = Hooks()
