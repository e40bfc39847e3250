"""`RunFuture`: the user's grip on a run."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

from graphrun_nb.engine.background import background_loop, running_loop
from graphrun_nb.engine.crossing import call_and_wait
from graphrun_nb.engine.here import CURRENT
from graphrun_nb.engine.opening import Opening
from graphrun_nb.engine.result import result_of
from graphrun_nb.engine.waiters import Waiters
from graphrun_nb.errors import GraphRunFailed, ResultInsideNode
from graphrun_nb.protocols import hooks

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from graphrun_nb.authoring.node_view import NodeView
    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import Envelope
    from graphrun_nb.core.status import RunStatus
    from graphrun_nb.engine.continuation import Continuation, Receipt
    from graphrun_nb.engine.env import OnChanged
    from graphrun_nb.engine.run import Run


def started(run: Run, on_wait: str = "block", *, loop: asyncio.AbstractEventLoop | None = None) -> RunFuture:
    """Start what is prepared of `run`, and return a future of it.

    It lives on the running loop; if there is none, on `loop`, as long as that runs, or else on one in the background.
    """
    __tracebackhide__ = True
    future = RunFuture(run, on_wait)
    if running_loop() is not None:
        run.start()
    elif run.is_prepared:
        call_and_wait(loop if loop is not None and loop.is_running() else background_loop(), run.start)
    return future


def shorten(error: BaseException) -> None:
    """Let a cell show `error` up to the user's line."""
    presenter = hooks.here()
    if presenter is not None:
        presenter.shorten(error)


class _Waiter(asyncio.Future[dict[str, Any]]):
    """What a task awaits: if the task is cancelled, the error that it gets says what that means for the run."""

    def __init__(self, meaning: str, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._meaning = meaning

    def cancel(self, msg: Any = None) -> bool:
        return super().cancel(self._meaning if msg is None else msg)


def _shown_again(run_id: str) -> str:
    presenter = hooks.here()
    hints = presenter.after_failure() if presenter is not None else ()
    return f"future = %graphrun show {run_id}" if hints else f"open_run({run_id!r})"


class RunFuture(concurrent.futures.Future[dict[str, Any]]):
    """The outputs of a run, when it has ended; and everything about it, meanwhile.

    It is a real `concurrent.futures.Future` and can be awaited. As the last expression of a notebook cell it shows the
    live view of the run. Interrupting a cell that waits for it leaves the run alive.
    """

    def __init__(self, run: Run, on_wait: str = "block") -> None:
        super().__init__()
        self._run = run
        self._on_wait = on_wait
        self._waiters = Waiters(self._blocked)
        self._why_cancelled = ""
        self._ended_at = 0
        run.listeners.add(self._settle, blocks=on_wait == "block")

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._run.run_id

    @property
    def parent(self) -> tuple[str, str] | None:
        """The run and node that started this run, if one did."""
        return self._run.parent

    @property
    def forked_from(self) -> tuple[str, int] | None:
        """The run that it began as a copy of, and the event there, if it is a fork or took another run over."""
        return self._run.forked_from

    @property
    def graph(self) -> TaskGraph:
        """The graph that really runs, with live state."""
        return self._run.graph

    @property
    def status(self) -> RunStatus:
        """Where the run stands; INTERRUPTED if no process drives it. O(nodes) while it is under way."""
        return self._run.status

    @property
    def waits(self) -> tuple[Continuation, ...]:
        """The open waits, oldest first."""
        return self._run.waits.open()

    @property
    def events(self) -> tuple[Envelope, ...]:
        """The log so far."""
        return tuple(self._run.log)

    def node(self, node_id: str) -> NodeView:
        """Return one node with its state; raises KeyError for an unknown one."""
        return self._run.graph.node(node_id)

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the outputs, waiting for them if need be.

        On the thread of the run's own loop this keeps the loop turning. An interrupt raises KeyboardInterrupt here and
        leaves the run alive; calling it again goes on waiting.

        Raises
        ------
        GraphRunFailed
            Nodes failed; chained from the first one's own exception.
        concurrent.futures.CancelledError
            The run was cancelled.
        TimeoutError
            The run's own time was up, or `timeout` seconds have passed and the run goes on.
        ResultInsideNode
            It was called inside a node on the same loop.
        """
        __tracebackhide__ = True
        try:
            self._wait(timeout)
            return self._told(timeout)
        except (KeyboardInterrupt, TimeoutError, concurrent.futures.CancelledError) as error:
            if isinstance(error, KeyboardInterrupt) and not error.args:
                error.args = (f"run {self.run_id!r} goes on; result() waits for it again",)
            if isinstance(error, TimeoutError) and not self.done():
                error.args = (f"no result within {timeout} s; run {self.run_id!r} goes on",)
            shorten(error)
            raise

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what `result` would raise, or None; waits as `result` does."""
        self._wait(timeout)
        return super().exception(timeout)

    def running(self) -> bool:
        """Tell whether the run has begun and not ended."""
        return not self.done()

    def cancel(self) -> bool:
        """Ask the run to end, from any thread; return False if it has ended already.

        A run that another process drives is asked there; one that was interrupted ends at once.
        """
        if self._run.is_away:
            return self._run.cancel(by="user")
        if self.done() and not self._run.is_alive:
            return False
        self._run.post(lambda: self._run.cancel(by="user"))
        return True

    def retry(self, from_: str | Sequence[str] | None = None, *, on_changed: OnChanged = "keep") -> RunFuture:
        """Go on with the run: with what failed, was cancelled or never ran, and the graph as it is defined now.

        Nodes that are done stay so, and what runs again has a fresh retry budget. A tool that was mended in a cell is
        used as it is there, also where it made other nodes than the one that failed: those stay done.

        Parameters
        ----------
        from_
            Ids of nodes that are to run again, with all below them, although they may be done.
        on_changed
            What becomes of nodes that are done and defined differently now: ``"keep"`` them, ``"rerun"`` them and all
            below them, or ``"raise"``.

        Returns
        -------
        RunFuture
            Of the same run; this one keeps its outcome.

        Raises
        ------
        GraphBuildError
            Everything is done (code ``resume_no_failed_nodes``), or outputs that are needed were not kept (code
            ``resume_snapshot_policy_violation``).
        SpecChanged
            The graph has changed, and `on_changed` is ``"raise"``.
        UnknownNode
            There is no node `from_`.
        GraphRunError
            The run is under way, or its graph is not defined here.
        """
        from graphrun_nb.engine.preparing import retried  # noqa: PLC0415 (it makes runs, which know futures)

        __tracebackhide__ = True
        chosen = () if from_ is None else from_ if isinstance(from_, (list, tuple, set, frozenset)) else (from_,)
        loop = self._run.loop
        return started(retried(self._run, chosen, on_changed), loop=loop)

    def fork(self, *, at: int | None = None, inputs: Mapping[str, Any] | None = None, **rt_overrides: Any) -> RunFuture:
        """Begin a new run where this one stood after its event `at`; see `graphrun_nb.fork`."""
        from graphrun_nb.engine.forking import fork  # noqa: PLC0415 (it makes runs, which know futures)

        __tracebackhide__ = True
        return fork(self, at=at, inputs=inputs, **rt_overrides)

    async def opened(self, node_id: str) -> Continuation:
        """Return the wait that the node has open, or opens next; awaitable on any loop.

        Raises
        ------
        UnknownNode
            There is no such node, and none can appear.
        GraphRunError
            The run has ended, or nobody goes on with it, before the node asked.
        """
        return await Opening(self._run, node_id).found()

    def resume(self, node_id: str, payload: Any, *, by: str = "cell") -> Receipt:
        """Answer the oldest open wait of a node, from any thread.

        Before the node's first wait, one answer is kept for that. Other answers have to come while their wait is open:
        after the first one, they are taken for competitors of it.

        Raises
        ------
        AlreadyResumed
            Another answer won.
        PayloadRejected
            The answer does not fit; the wait stays open.
        GraphRunError
            There is no such node, or it has no question that can be answered: its deadline passed, or it sleeps.
        """
        return self._run.call(lambda: self._run.answering.answer(node_id, payload, by=by))

    def send_event(self, name: str, payload: Any, key: str | None = None) -> Receipt:
        """Send an event to the run, from any thread; see `graphrun_nb.send_event`."""
        return self._run.call(lambda: self._run.answering.send_event(name, payload, key))

    def inspect(self) -> Any:
        """Return the live view of the run, a widget."""
        return self._run.call(lambda: hooks.inspector(self))

    @property
    def run(self) -> Run:
        """The run itself, for views and stores."""
        return self._run

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        """Wait for the outputs; cancelling the awaiting task does not cancel the run."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(f"the wait for run {self.run_id!r} was interrupted; the run goes on", loop=loop)

        def tell() -> None:
            if waiter.done():
                return
            if self.cancelled():
                waiter.cancel(self._why_cancelled)
            elif (error := self.exception()) is not None:
                waiter.set_exception(self._as_of_now(error).with_traceback(None))
            else:
                waiter.set_result(self.result())

        if self.done():
            tell()
        else:
            self._be_seen()
            self.add_done_callback(lambda _: loop.call_soon_threadsafe(tell))
        return waiter.__await__()  # its errors come out of C: a traceback ends in the line that awaits

    def __repr__(self) -> str:
        return f"<RunFuture of {self._run.spec.name}>"

    def _display_(self) -> Any:
        """Return the live view, for marimo."""
        presenter = hooks.here()
        return repr(self) if presenter is None else presenter.inspector(self)

    def _ipython_display_(self) -> None:
        presenter = hooks.here()
        if presenter is not None:
            presenter.display(self)
        else:
            print(repr(self))  # noqa: T201 (what IPython asks for)

    def _as_of_now(self, error: BaseException) -> BaseException:
        """Return what the run ended with; if it has gone on since, that says so instead of how to go on."""
        run = self._run
        if isinstance(error, GraphRunFailed) and self._ended_at and (run.state.seq > self._ended_at or run.is_alive):
            since = f"it is {run.status.lower()} now: {_shown_again(run.run_id)}"
            error.__notes__ = [f"hint: so it ended before it went on; {since}"]
        return error

    def _settle(self) -> None:
        if self._run.ended:
            self._ended_at = self._run.state.seq
        try:
            outcome = result_of(self._run, self._on_wait)
        except asyncio.CancelledError as cancelled:
            self._why_cancelled = str(cancelled)
            super().cancel()
            self.set_running_or_notify_cancel()
        except BaseException as error:  # noqa: BLE001 (whatever it is belongs to the caller)
            self.set_exception(error.with_traceback(None))
        else:
            self.set_result(outcome)

    def _told(self, timeout: float | None) -> dict[str, Any]:
        """Return or raise the outcome without the frames that the standard library adds each time it is asked."""
        __tracebackhide__ = True
        try:
            error = super().exception(timeout)
        except concurrent.futures.CancelledError:
            raise concurrent.futures.CancelledError(self._why_cancelled) from None
        if error is not None:
            raise self._as_of_now(error).with_traceback(None)
        return super().result(0)

    def _wait(self, timeout: float | None) -> None:
        loop = self._blocked()
        if loop is not None:
            self._be_seen()
            hooks.loop_driver(loop, self, timeout)

    def _be_seen(self) -> None:
        presenter = hooks.here()
        if presenter is not None:
            presenter.awaited(self)

    def _blocked(self) -> asyncio.AbstractEventLoop | None:
        """Return the run's loop, if it would stand still while the calling thread waits for the outcome."""
        loop = self._run.loop
        if self.done() or loop is None or running_loop() is not loop:
            return None
        here = CURRENT.get()
        if here is not None:
            raise ResultInsideNode(
                f"node {here.node_id!r} asked for the result of run {self.run_id!r} on the loop that has to produce it",
                hints=("make the tool async and write: outputs = await future",),
            )
        return loop
