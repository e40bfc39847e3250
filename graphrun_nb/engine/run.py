"""`Run`: one run of one graph: its log, its values and what they are made from."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import os
import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import structs

from graphrun_nb.authoring.declared import declared_types
from graphrun_nb.authoring.frames import without_our_frames
from graphrun_nb.core.decide import Rules
from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptSucceeded,
    CancelRequested,
    ErrorInfo,
    NodeAdded,
    NodeReset,
    OutputPinned,
    RunForked,
    RunResumed,
    SpecAccepted,
)
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.resumption import appeared, called_off
from graphrun_nb.core.secrets import MASK, Secrets, is_secret
from graphrun_nb.core.spec import Arg, Binding, Literal, Ref, holds, resolve
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.calls import Calls
from graphrun_nb.engine.capture import CAPTURE
from graphrun_nb.engine.failure import describe
from graphrun_nb.engine.launch import Launcher
from graphrun_nb.engine.live import RUNS, UNFINISHED
from graphrun_nb.engine.log import RunLog
from graphrun_nb.engine.output import RunOutput
from graphrun_nb.engine.postbox import ask_to_cancel
from graphrun_nb.engine.quiet import Quiet
from graphrun_nb.engine.scheduler import ForwardScheduler
from graphrun_nb.engine.values import Values
from graphrun_nb.engine.waits import Waits
from graphrun_nb.errors import GraphBuildError, GraphHasPendingWaits, GraphRunError, GraphRunFailed, RunOwnedElsewhere
from graphrun_nb.protocols import hooks
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphrun_nb.authoring.node_view import LogLine
    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import Envelope, Event, NodeInfo, RunFinished, ValueRef
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.env import RuntimeEnv
    from graphrun_nb.engine.following import Follower
    from graphrun_nb.protocols import Clock, Lease, Signal, Timer

T = TypeVar("T")

CALL_TIMEOUT_S = 30.0
_UNDER_WAY = (NodeStatus.RUNNING, NodeStatus.WAITING)


class Run:
    """A run under way, or ended. `start` begins it on the running loop; everything happens on that loop's thread.

    Attributes
    ----------
    graph : TaskGraph
        With this run's live state.
    source : TaskGraph
        The same without it, as it was built.
    parent : (str, str) or None
        The run and node that started it.
    log : RunLog
    values : Values
        Outputs by node id, of the nodes that are done.
    has_past : bool
        Whether other processes, or earlier runs of the same id, had a part in it.
    new_tokens : dict of str to str
        Of questions that are open when it begins, by digest.
    follower : Follower or None
        What lets it grow as another process drives it.
    progress : dict of str to Signal
        How far nodes last said to be, by node id.
    outdated : tuple of str
        Nodes that are done, or have parts that are, and were defined differently when the run was last taken up.
    """

    def __init__(
        self,
        graph: TaskGraph,
        inputs: Mapping[str, Any],
        env: RuntimeEnv,
        *,
        parent: tuple[str, str] | None = None,
        log: RunLog | None = None,
    ) -> None:
        self.run_id = env.run_id or _new_run_id(graph.spec.name)
        self.keeper = env.store.keeper(self.run_id, lasting=bool(env.run_id))
        self.exceptions: dict[str, BaseException] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.log = log or RunLog(self.run_id)
        self.has_past = log is not None
        self.parent = parent or self.log.state.parent
        self.output = RunOutput(self)
        self.new_tokens: dict[str, str] = {}
        self.progress: dict[str, Signal] = {}
        self._listeners: dict[Callable[[], None], bool] = {}
        self.quiet = Quiet(self)
        self._crash: Exception | None = None
        self._is_left = False
        self._opening: Sequence[Event] = ()
        self.follower: Follower | None = None
        self.outdated: tuple[str, ...] = ()
        self._timer: Timer | None = None
        self._equip(graph, inputs, env)

    def _equip(self, graph: TaskGraph, inputs: Mapping[str, Any], env: RuntimeEnv) -> None:
        self.env = env
        self.store = env.store
        self.spec = graph.spec
        self.source = graph
        self.inputs = dict(inputs)
        self.graph: TaskGraph = graph.watching(self)
        self.values = Values(self.keeper, self.graph)
        self.fetch(graph)
        self.clock: Clock = env.clock
        self._remember_appeared()
        self.secrets = Secrets()
        places = graph.secret_places
        self.secret_outputs = dict(places.nodes)
        for value in (*places.values, *(inputs[name] for name in places.inputs if name in inputs)):
            self.secrets.add(value)
        for value in (*places.holders, *inputs.values(), os.environ):
            self.secrets.find(value)
        for node_id in self.secret_outputs.keys() & self.values.keys():
            self.hide_outputs(node_id)
        self.waits = Waits(self)
        self.launcher = Launcher(self)
        self.calls = Calls(self)
        self.scheduler = ForwardScheduler(
            self,
            self.log,
            launch=self.launcher.launch,
            settle=self.launcher.settle,
            rules=Rules(retry=self._retry_of, holds=self._holds, fail_fast=env.fail_fast),
            max_concurrency=env.max_concurrency,
            clock=env.clock,
            on_events=self.waits.on_events,
            on_finish=self._on_finish,
            on_left=self._on_left,
            seal=self._sealed,
            write=self.launcher.writing if self.keeper.refers else None,
        )
        self.log.on_kept = self.scheduler.go_on

    def _remember_appeared(self) -> None:
        """Let nodes be looked at that appeared when the run, or the one that it takes over from, went on earlier."""
        nodes = self.log.state.nodes
        for node in nodes.values():
            if node.info.parent and appeared(nodes, node.info):
                self.graph.remember(node.info)

    def prepare(self, opening: Sequence[Event]) -> None:
        """Say what `start` is going to record; nothing is recorded before."""
        self._opening = opening

    def take_up(
        self,
        graph: TaskGraph,
        inputs: Mapping[str, Any],
        env: RuntimeEnv,
        opening: Sequence[Event],
        *,
        outdated: tuple[str, ...] = (),
    ) -> None:
        """Prepare a run that has ended, or was left behind, to go on with these."""
        self._crash = None
        self.outdated = outdated
        self._is_left = False
        self.loop = None
        self._equip(graph, inputs, env)
        self._opening = opening

    def start(self) -> None:
        """Record what was prepared, and let the run go on the running loop. Without anything prepared, do nothing.

        Raises
        ------
        RunOwnedElsewhere
            Somebody else has recorded something of this run in the meantime.
        """
        opening, self._opening = self._opening, ()
        if not opening:
            return
        loop = asyncio.get_running_loop()
        now = self.clock.time()
        infos = self.graph.infos(self.env.retry)
        is_plain = any(type(event) is SpecAccepted and event.nodes is infos for event in opening)
        follower, self.follower = self.follower, None
        try:
            lease = self._claimed()
        except BaseException:
            self.be_followed(follower)
            raise
        try:
            self.log.begin(opening, now, self.graph.topology(self.env.retry) if is_plain else None)
            for observer in self.env.observers:
                self.log.attach(observer)
            self.log.commit()
        except BaseException:
            self.log.roll_back()
            lease.release()
            self.be_followed(follower)
            raise
        if follower is not None:
            follower.stop()
        self.loop = loop
        if not is_plain:
            self._remember_appeared()
        self._forget_reset(opening)
        self.keeper.outputs = None
        self.launcher.base = contextvars.copy_context()
        RUNS[self.run_id] = self
        UNFINISHED.add(self)
        if self.env.timeout is not None:
            self._timer = self.clock.call_at(now + self.env.timeout, self._time_is_up)
        CAPTURE.begin(self)
        self.output.open()
        self.waits.recall()
        is_carried_on = type(opening[0]) is RunResumed or type(opening[1]) is RunForked
        carried = self._under_way() if is_carried_on else ()
        self.scheduler.start(carried)

    def _claimed(self) -> Lease:
        """Claim the right to write to the run; raises RunOwnedElsewhere if somebody else has gone on with it."""
        lease = self.store.claim(self.run_id, self, durability=self.env.durability)
        if lease.n_events != len(self.log):
            lease.release()
            raise RunOwnedElsewhere(
                f"run {self.run_id!r} has gone on elsewhere in the meantime",
                hints=(f"open_run({self.run_id!r}) shows how it stands now",),
            )
        self.log.lease = lease
        return lease

    def on_mail(self) -> None:
        """Learn that there are letters for the run, or that it was taken over; from any thread."""
        loop = self.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._read_mail)

    def _read_mail(self) -> None:
        lease = self.log.lease
        if not self.is_alive or lease is None:
            return
        if lease.is_lost:
            self.scheduler.fail(RunOwnedElsewhere(f"run {self.run_id!r} was taken over by another process"))
        else:
            self.waits.mail.read()

    def be_followed(self, follower: Follower | None) -> None:
        """Let `follower` bring what another process records, on its loop, until this process goes on with the run."""
        self.follower = follower
        if follower is not None:
            self.loop = follower.loop
            self._is_left = True

    def catch_up(self, later: Sequence[Envelope]) -> None:
        """Take over what another process has recorded, on the loop's thread; tell who waits when the run has ended."""
        self.log.catch_up(later)
        self._forget_reset(each.event for each in later)
        done = [each.event.node_id for each in later if isinstance(each.event, (AttemptSucceeded, OutputPinned))]
        if any(isinstance(each.event, (NodeAdded, SpecAccepted)) for each in later):
            self._remember_appeared()
        self._fetch_outputs(done)
        if self.follower is not None and self.log.state.finished is not None:
            self.follower.stop()
            self.follower = None
        if not self._is_awaited:
            self._announce(list(self._listeners))

    @property
    def _is_awaited(self) -> bool:
        """Whether somebody goes on with it, here or elsewhere, as far as is known."""
        return self.is_alive or (self.follower is not None and self.follower.driver is not None)

    def _forget_reset(self, events: Iterable[Event]) -> None:
        for event in events:
            if type(event) is NodeReset:
                self.values.pop(event.node_id, None)
                self.exceptions.pop(event.node_id, None)

    def _under_way(self) -> list[tuple[str, int]]:
        nodes = self.log.state.nodes.items()
        return [(node_id, node.attempt) for node_id, node in nodes if node.status in _UNDER_WAY]

    def cancel(self, *, by: str) -> bool:
        """Ask the run to end; on the loop's thread. Return False if it has already ended or been asked.

        One that another process drives is asked there; one that nobody drives ends at once.
        """
        if self.is_away:
            return self._call_off(by)
        if self.ended or self.log.state.cancelled_by:
            return False
        self.scheduler.tell(CancelRequested(by))
        return True

    def _call_off(self, by: str) -> bool:
        if self.store.owner(self.run_id) is not None:
            ask_to_cancel(self, by=by)
            return True
        lease = self._claimed()
        try:
            now = self.clock.time()
            for event in called_off(self.log.state.nodes, by):
                self.log.stage(event, now)
            self.log.commit()
        except BaseException:
            self.log.roll_back()
            raise
        finally:
            lease.release()
        return True

    def _time_is_up(self) -> None:
        self.cancel(by="timeout")

    def post(self, act: Callable[[], object]) -> None:
        """Call `act` on the run's loop: at once on its thread, soon from any other."""
        if self.loop is None or running_loop() is self.loop:
            act()
        else:
            self.loop.call_soon_threadsafe(act)

    def call(self, act: Callable[[], T]) -> T:
        """Call `act` on the run's loop, from any thread, and return or raise what it does."""
        if self.loop is None or self.loop.is_closed() or running_loop() is self.loop:
            return act()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.loop.call_soon_threadsafe(lambda: _fulfil(done, act))
        return done.result(CALL_TIMEOUT_S)

    def when_settled(self, listener: Callable[[], None], *, blocks: bool = True) -> None:
        """Call `listener` once: when the run has ended, or, unless it `blocks`, when only waits are left."""
        self._listeners[listener] = blocks
        if not self._is_awaited:
            self._announce(list(self._listeners))
        elif not blocks:
            self.log.attach(self.quiet)
            if self.loop is not None:
                self.post(self.announce_if_waiting)

    @property
    def forked_from(self) -> tuple[str, int] | None:
        """The run that it began as a copy of, and the event there."""
        for _, event in self.log.since(0, 2):
            if type(event) is RunForked:
                return (event.source_run_id, event.at_seq)
        return None

    @property
    def is_reachable(self) -> bool:
        """Whether the run's loop is there to be asked."""
        return self.loop is not None and not self.loop.is_closed()

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more."""
        return not self._opening and (self.log.state.finished is not None or self._crash is not None)

    @property
    def is_alive(self) -> bool:
        """Whether it is under way here, or about to be: neither ended nor left behind by its loop."""
        return bool(self._opening) or (self.is_reachable and not self.ended and not self._is_left)

    @property
    def is_prepared(self) -> bool:
        """Whether `start` has anything to do."""
        return bool(self._opening)

    @property
    def status(self) -> RunStatus:
        """Where it stands; INTERRUPTED if it did not end and nobody goes on with it. O(nodes) while it is under way."""
        return RunStatus.INTERRUPTED if self.is_interrupted else self.log.state.status

    @property
    def is_interrupted(self) -> bool:
        """Whether it did not end, and nobody goes on with it."""
        return self.is_away and self.store.owner(self.run_id) is None

    @property
    def is_away(self) -> bool:
        """Whether it did not end, as far as it is known here, and is not under way here."""
        state = self.log.state
        return bool(state.seq) and state.finished is None and not self.is_alive

    @property
    def has_outputs(self) -> bool:
        """Whether the outputs of the whole run are here."""
        return self.keeper.outputs is not None

    def keep(self, value: Any, shown: Any = ..., *, name: str = "") -> ValueRef:
        """Keep an input or an answer, and return what the log says of it: a preview of it, or of what is `shown`."""
        self.secrets.find(value)
        return self.keeper.put(value, lambda: self.shown(value if shown is ... else shown, name))

    def fetch(self, graph: TaskGraph) -> None:
        """Get inputs and outputs that were kept and are not here, as far as `graph` knows what they are made of."""
        keeper, state = self.keeper, self.log.state
        keeper.types = declared_types(graph) if keeper.refers else {}
        for name, ref in state.inputs:
            if name not in self.inputs:
                with contextlib.suppress(LookupError):
                    self.inputs[name] = keeper.get(ref)
        self._fetch_outputs(state.nodes)

    def _fetch_outputs(self, node_ids: Iterable[str]) -> None:
        keeper, state = self.keeper, self.log.state
        done = [(each, state.nodes[each]) for each in node_ids if each not in self.values]
        away = [(each, node) for each, node in done if node.status is NodeStatus.DONE and node.values]
        with keeper.at_hand(ref for _, node in away for ref in node.values):
            for node_id, node in away:
                with contextlib.suppress(LookupError):
                    values = [keeper.get(ref) for ref in node.values]
                    names = node.info.outputs
                    self.values[node_id] = dict(zip(names, values, strict=True)) if names else values[0]
        if state.finished is RunStatus.DONE and keeper.outputs is None and keeper.refers:
            with contextlib.suppress(LookupError):
                keeper.outputs = {name: keeper.get(ref) for name, ref in state.outputs}

    def keep_outputs(self, node_id: str, outputs: Sequence[str], values: Mapping[str, Any]) -> tuple[ValueRef, ...]:
        """Keep what a node gave, and return what the log says of it: nothing, where that ends with this process."""
        keeper = self.keeper
        if not keeper.refers:
            return ()
        if not outputs:
            return (keeper.put(values, lambda: self.shown(values), shown=False),) if values else ()
        refs = []
        for name in outputs:
            value = values[name]
            refs.append(keeper.known(value) or keeper.put(value, partial(self._shown_of, node_id, name), shown=False))
        return tuple(refs)

    def _shown_of(self, node_id: str, output: str) -> str:
        is_hidden = output in self.secret_outputs.get(node_id, ())
        return MASK if is_hidden else self.shown(self.values[node_id][output], output)

    def shown(self, value: Any, name: str = "") -> str:
        """Return a preview of the value called `name` that people may see."""
        if is_secret(name):
            return MASK
        # Before as well: what is cut off in its middle is not found.
        return self.secrets.scrub(preview(self.secrets.scrub(value) if isinstance(value, str) else value))

    def tell_progress(self, signal: Signal) -> None:
        """Remember how far an attempt is, as long as that is under way, and tell the observers."""
        node = self.log.state.nodes[signal.node_id]
        if node.attempt == signal.attempt and node.status in _UNDER_WAY:
            told = structs.replace(signal, text=self.secrets.scrub(signal.text))
            self.progress[signal.node_id] = told
            self.log.signal(told)

    def hide_outputs(self, node_id: str) -> None:
        """Let nobody see those outputs of a node that are secret."""
        for output in self.secret_outputs[node_id]:
            self.secrets.add(self.values[node_id].get(output))

    def describe(self, error: BaseException) -> ErrorInfo:
        """Return an exception as data that people may see."""
        info = describe(error)
        scrub = self.secrets.scrub
        return structs.replace(
            info,
            message=scrub(info.message),
            frames=tuple(structs.replace(frame, source=scrub(frame.source)) for frame in info.frames),
            notes=self.secrets.scrub_all(info.notes),
            cause=scrub(info.cause),
        )

    def outcome(self, on_wait: str = "block") -> dict[str, Any]:
        """Return the graph's outputs, or the status dict of a run that only waits, if that is wanted.

        Raises
        ------
        GraphRunFailed
            Nodes failed; chained from the first one's own exception.
        GraphHasPendingWaits
            The run only waits, and was told to raise then.
        TimeoutError
            Its time was up.
        asyncio.CancelledError
            It was cancelled.
        """
        state = self.log.state
        if self._crash is not None:
            raise self._crash
        match state.finished:
            case RunStatus.DONE if self.keeper.outputs is not None:
                return dict(self.keeper.outputs)
            case RunStatus.DONE:
                raise GraphBuildError(
                    f"the outputs of run {self.run_id!r} were not kept",
                    code="resume_snapshot_policy_violation",
                    stage="resume_guard",
                    hints=("run it again by its run_id, with on_unsaved='rerun'",),
                )
            case RunStatus.FAILED:
                raise self._failure()
            case RunStatus.CANCELLED if state.cancelled_by == "timeout":
                raise TimeoutError(f"run {self.run_id!r} did not end within {self.env.timeout:g} s")
            case RunStatus.CANCELLED:
                raise asyncio.CancelledError(f"run {self.run_id!r} was cancelled by {state.cancelled_by}")
        if not self.is_alive:
            raise GraphRunError(
                f"run {self.run_id!r} was interrupted, and nobody goes on with it",
                hints=(f"future.retry() goes on with it, and so does run(graph, run_id={self.run_id!r})",),
            )
        open_waits = self.waits.open()
        waiting = list(dict.fromkeys(each.node_id for each in open_waits))
        if on_wait == "raise":
            raise GraphHasPendingWaits(
                f"run {self.run_id!r} waits for {', '.join(map(repr, waiting))}",
                waiting_nodes=waiting,
                continuations=open_waits,
            )
        return {
            "status": "waiting",
            "run_id": self.run_id,
            "waiting_nodes": waiting,
            "continuations": list(open_waits),
        }

    @property
    def state(self) -> RunState:
        """The run's state, read-only."""
        return self.log.state

    def inputs_of(self, node_id: str) -> Mapping[str, Any]:
        """Return a node's arguments, as far as they are known."""
        known: dict[str, Any] = {}
        for name, binding in self.graph.spec_of(node_id).inputs:
            if self._is_known(binding):
                known[name] = resolve(binding, self.values, self.inputs)
        return known

    def outputs_of(self, node_id: str) -> Mapping[str, Any]:
        """Return a node's outputs, empty before it is done."""
        return self.values.get(node_id, {})

    def logs_of(self, node_id: str) -> tuple[LogLine, ...]:
        """Return what a node printed and logged, with the lines it has begun."""
        return self.output.lines(node_id) + self.output.unfinished(node_id)

    def now(self) -> float:
        """Return the current instant in Unix seconds."""
        return self.clock.time()

    def _is_known(self, binding: Binding) -> bool:
        match binding:
            case Ref():
                return binding.node_id in self.values
            case Arg() | Literal():
                return True
        return all(self._is_known(item) for _, item in binding.items)

    def _retry_of(self, node_id: str) -> RetryPolicy:
        spec = self.graph.spec_of(node_id)
        return RetryPolicy() if spec.kind in CONTAINERS else spec.retry or self.env.retry

    def _holds(self, node_id: str) -> bool | ErrorInfo:
        condition = self.graph.spec_of(node_id).condition
        try:
            return condition is None or holds(condition, self.values, self.inputs)
        except BaseException as error:  # noqa: BLE001 (comparing users' values may raise anything)
            self.exceptions[node_id] = error
            return self.describe(error)

    def announce_if_waiting(self) -> None:
        """Say that the run only waits, if so, to those who do not block on that."""
        if self.ended or not self.scheduler.only_waits_left():
            return
        if self.state.status is RunStatus.WAITING and self.waits.open():
            self._announce([each for each, blocks in self._listeners.items() if not blocks])

    def _on_finish(self, error: Exception | None) -> None:
        self._crash = error
        if error is not None:
            self.log.roll_back()
        elif self.state.finished is RunStatus.DONE:
            self.keeper.outputs = self._outputs()
        self._close()

    def _sealed(self, finished: RunFinished) -> RunFinished:
        if finished.status is not RunStatus.DONE or not self.keeper.refers:
            return finished
        refs = []
        bindings = dict(self.spec.outputs)
        for name, value in self._outputs().items():
            ref = self._ref_of(bindings.get(name))
            if ref is not None:
                ref = structs.replace(ref, preview=self.shown(value, name))
            refs.append((name, ref or self.keeper.put(value, partial(self.shown, value, name))))
        return structs.replace(finished, outputs=tuple(refs))

    def _ref_of(self, binding: Binding | None) -> ValueRef | None:
        """Return where the output of a node is kept that is one of the run as it is."""
        if not isinstance(binding, Ref):
            return None
        node = self.log.state.nodes[binding.node_id]
        known = dict(zip(node.info.outputs, node.values, strict=False))
        return known.get(binding.output)

    def _on_left(self) -> None:
        self._is_left = True
        self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        UNFINISHED.discard(self)
        CAPTURE.end(self)
        self.launcher.close()
        self.waits.close()
        if self.log.lease is not None:
            self.log.lease.release()
        self._announce(list(self._listeners))

    def _outputs(self) -> dict[str, Any]:
        if self.spec.body:
            return dict(self.values[self.spec.body])
        return {name: resolve(binding, self.values, self.inputs) for name, binding in self.spec.outputs}

    def _announce(self, listeners: Sequence[Callable[[], None]]) -> None:
        for listener in listeners:
            if self._listeners.pop(listener, None) is not None:
                listener()

    def _failure(self) -> GraphRunFailed:
        nodes = self.log.state.nodes
        failed = [
            node_id
            for node_id, node in nodes.items()
            if node.status is NodeStatus.FAILED and not self._was_caught(node.info)
        ]
        own = [node_id for node_id in failed if nodes[node_id].info.kind not in CONTAINERS] or failed
        first = nodes[own[0]].error
        also = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
        reason = f"{first.type_name}: {first.message}" if first is not None else "unknown"
        error = GraphRunFailed(
            f"node {own[0]!r}{also} of run {self.run_id!r} failed: {reason}",
            run_id=self.run_id,
            failed_nodes=failed,
            hints=presenter.after_failure() if (presenter := hooks.here()) is not None else (),
        )
        cause = self.exceptions.get(own[0])
        if cause is not None:
            error.__cause__ = cause.with_traceback(without_our_frames(cause.__traceback__))
        return error

    def _was_caught(self, info: NodeInfo) -> bool:
        """Tell whether the failure stayed inside some container."""
        nodes = self.log.state.nodes
        while info.parent:
            node = nodes[info.parent]
            if node.status is not NodeStatus.FAILED:
                return True
            info = node.info
        return False


def _fulfil(done: concurrent.futures.Future[T], act: Callable[[], T]) -> None:
    try:
        done.set_result(act())
    except Exception as error:  # noqa: BLE001 (it is raised where the call came from)
        done.set_exception(error)


def _new_run_id(graph: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9]+", "-", graph).strip("-").lower()[:40]
    return f"{slug or 'run'}-{secrets.token_hex(4)}"
