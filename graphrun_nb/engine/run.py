"""`Run`: one run of one graph, from its start to its end, and again when it is resumed."""

from __future__ import annotations

import asyncio
import contextvars
import re
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import structs

from graphrun_nb.authoring.declared import declared_types
from graphrun_nb.core.decide import Rules
from graphrun_nb.core.events import (
    CONTAINERS,
    AttemptSucceeded,
    CancelRequested,
    NodeAdded,
    NodeReset,
    OutputPinned,
    RunForked,
    RunResumed,
    SpecAccepted,
)
from graphrun_nb.core.policy import RetryPolicy
from graphrun_nb.core.resumption import appeared, called_off
from graphrun_nb.core.spec import Arg, Literal, Ref, holds, resolve
from graphrun_nb.core.status import UNDER_WAY, RunStatus
from graphrun_nb.engine.answering import Answering
from graphrun_nb.engine.asking import Asking
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.calls import Calls
from graphrun_nb.engine.capture import CAPTURE
from graphrun_nb.engine.crossing import call_and_wait, call_soon
from graphrun_nb.engine.launch import Launcher
from graphrun_nb.engine.listeners import Listeners
from graphrun_nb.engine.live import RUNS, UNFINISHED
from graphrun_nb.engine.log import RunLog
from graphrun_nb.engine.mail import Mail
from graphrun_nb.engine.output import RunOutput
from graphrun_nb.engine.persistence import Persistence
from graphrun_nb.engine.postbox import ask_to_cancel
from graphrun_nb.engine.recall import Recalled
from graphrun_nb.engine.run_secrets import RunSecrets
from graphrun_nb.engine.scheduler import ForwardScheduler
from graphrun_nb.engine.values import Values
from graphrun_nb.engine.waits import Waits
from graphrun_nb.errors import GraphRunError, RunOwnedElsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphrun_nb.authoring.node_view import LogLine
    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import Envelope, ErrorInfo, Event, RunFinished
    from graphrun_nb.core.spec import Binding
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.env import RuntimeEnv
    from graphrun_nb.engine.following import Follower
    from graphrun_nb.protocols import Clock, Lease, Signal, Timer

T = TypeVar("T")

CALL_TIMEOUT_S = 30.0


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
    keeper : Keeper
        Where its values are kept.
    values : Values
        Outputs by node id, of the nodes that are done.
    secrets : RunSecrets
        Which of them must stay hidden.
    exceptions : dict of str to BaseException
        Those of this process, by id of the node that failed.
    crash : Exception or None
        What kept its log from being written.
    has_past : bool
        Whether other processes, or earlier runs of the same id, had a part in it.
    new_tokens : dict of str to str
        Of questions that are open when it begins, by digest.
    listeners : Listeners
        Who is told when it has ended, or only waits.
    follower : Follower or None
        What lets it grow as another process drives it.
    progress : dict of str to Signal
        How far nodes last said to be, by node id.
    outdated : tuple of str
        Nodes that are done, or have parts that are, and were defined differently when the run was last resumed.
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
        self.listeners = Listeners(self)
        self.crash: Exception | None = None
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
        self.secrets = RunSecrets(graph.secret_places, inputs)
        self.persistence = Persistence(self.keeper, self.log, self.values, self.secrets)
        self.fetch(graph)
        self.clock: Clock = env.clock
        self._remember_appeared()
        for node_id in self.secrets.outputs.keys() & self.values.keys():
            self.secrets.add_outputs(node_id, self.values[node_id])
        self.waits = Waits(self)
        self.asking = Asking(self)
        self.answering = Answering(self)
        self.mail = Mail(self)
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

    def resume_with(
        self,
        graph: TaskGraph,
        inputs: Mapping[str, Any],
        env: RuntimeEnv,
        opening: Sequence[Event],
        *,
        outdated: tuple[str, ...] = (),
    ) -> None:
        """Prepare a run that has ended, or that its loop left behind, to continue with these."""
        self.crash = None
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
        self._record(opening)
        self.loop = loop
        self._forget_reset(opening)
        self.keeper.outputs = None
        self.launcher.base = contextvars.copy_context()
        RUNS[self.run_id] = self
        UNFINISHED.add(self)
        if self.env.timeout is not None:
            self._timer = self.clock.call_at(self.clock.time() + self.env.timeout, self._time_is_up)
        CAPTURE.begin(self)
        self.output.open()
        self._recall()
        is_carried_on = type(opening[0]) is RunResumed or type(opening[1]) is RunForked
        carried = self._under_way() if is_carried_on else ()
        self.scheduler.start(carried)

    def _record(self, opening: Sequence[Event]) -> None:
        """Claim the run and record what it begins with; if that fails, it is followed as before."""
        infos = self.graph.infos(self.env.retry)
        is_plain = any(type(event) is SpecAccepted and event.nodes is infos for event in opening)
        follower, self.follower = self.follower, None
        try:
            lease = self._claimed()
            try:
                topology = self.graph.topology(self.env.retry) if is_plain else None
                self.log.begin(opening, self.clock.time(), topology)
                for observer in self.env.observers:
                    self.log.attach(observer)
                self.log.commit()
            except BaseException:
                self.log.roll_back()
                lease.release()
                raise
        except BaseException:
            self.be_followed(follower)
            raise
        if follower is not None:
            follower.stop()
        if not is_plain:
            self._remember_appeared()

    def set_down(self) -> None:
        """Stop driving it, on its loop's thread, to have it taken up differently; who waits for it goes on waiting.

        Raises
        ------
        GraphRunError
            Something moves; it does not only wait.
        """
        if self._opening or not self.scheduler.only_waits_left():
            raise GraphRunError(
                f"run {self.run_id!r} is under way, with another graph",
                hints=("wait for it, cancel it first, or leave run_id out for a run of its own",),
            )
        self.new_tokens |= self.waits.tokens()
        with self.listeners.kept_waiting():
            self.scheduler.leave()

    def _recall(self) -> None:
        """Go on from what the log says of questions, answers and letters."""
        past = Recalled(self.log.since(0))
        self.asking.recall(past)
        self.waits.recall(past)
        self.mail.open(past)

    def _claimed(self) -> Lease:
        """Claim the right to write to the run; raises RunOwnedElsewhere if another process has continued it."""
        lease = self.store.claim(self.run_id, self, durability=self.env.durability)
        if lease.n_events != len(self.log):
            lease.release()
            raise RunOwnedElsewhere(
                f"run {self.run_id!r} was continued elsewhere in the meantime",
                hints=(f"open_run({self.run_id!r}) shows how it stands now",),
            )
        self.log.lease = lease
        return lease

    def on_mail(self) -> None:
        """Learn that there are letters for the run, or that it was taken over; from any thread."""
        if self.loop is not None:
            call_soon(self.loop, self._read_mail)

    def _read_mail(self) -> None:
        lease = self.log.lease
        if not self.is_alive or lease is None:
            return
        if lease.is_lost:
            self.scheduler.fail(RunOwnedElsewhere(f"run {self.run_id!r} was taken over by another process"))
        else:
            self.mail.read()

    def be_followed(self, follower: Follower | None) -> None:
        """Let `follower` bring what another process records, on its loop, until this process resumes the run."""
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
        self.persistence.fetch_outputs(done)
        if self.follower is not None and self.log.state.finished is not None:
            self.follower.stop()
            self.follower = None
        if not self.is_awaited:
            self.listeners.tell_all()

    def _forget_reset(self, events: Iterable[Event]) -> None:
        for event in events:
            if type(event) is NodeReset:
                self.values.pop(event.node_id, None)
                self.exceptions.pop(event.node_id, None)

    def _under_way(self) -> list[tuple[str, int]]:
        nodes = self.log.state.nodes.items()
        return [(node_id, node.attempt) for node_id, node in nodes if node.status in UNDER_WAY]

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
        return call_and_wait(self.loop, act, CALL_TIMEOUT_S)

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
        return not self._opening and (self.log.state.finished is not None or self.crash is not None)

    @property
    def is_alive(self) -> bool:
        """Whether it is under way here, or about to be: neither ended nor left behind by its loop."""
        return bool(self._opening) or (self.is_reachable and not self.ended and not self._is_left)

    @property
    def is_prepared(self) -> bool:
        """Whether `start` has anything to do."""
        return bool(self._opening)

    @property
    def is_awaited(self) -> bool:
        """Whether it is under way, here or elsewhere, as far as is known."""
        return self.is_alive or (self.follower is not None and self.follower.driver is not None)

    @property
    def is_away(self) -> bool:
        """Whether, as far as is known here, it has not ended and is not under way here."""
        state = self.log.state
        return bool(state.seq) and state.finished is None and not self.is_alive

    @property
    def is_interrupted(self) -> bool:
        """Whether it has not ended, and no process drives it."""
        return self.is_away and self.store.owner(self.run_id) is None

    @property
    def status(self) -> RunStatus:
        """Where it stands; INTERRUPTED if it has not ended and no process drives it. O(nodes) while it is under way."""
        return RunStatus.INTERRUPTED if self.is_interrupted else self.log.state.status

    @property
    def state(self) -> RunState:
        """The run's state, read-only."""
        return self.log.state

    @property
    def has_outputs(self) -> bool:
        """Whether the outputs of the whole run are here."""
        return self.keeper.outputs is not None

    def fetch(self, graph: TaskGraph) -> None:
        """Get inputs and outputs that were kept and are not here, as far as `graph` knows what they are made of."""
        self.keeper.types = declared_types(graph) if self.keeper.refers else {}
        self.inputs.update(self.persistence.inputs(self.inputs))
        self.persistence.fetch_outputs(self.log.state.nodes)

    def tell_progress(self, signal: Signal) -> None:
        """Remember how far an attempt is, as long as that is under way, and tell the observers."""
        node = self.log.state.nodes[signal.node_id]
        if node.attempt == signal.attempt and node.status in UNDER_WAY:
            told = structs.replace(signal, text=self.secrets.scrub(signal.text))
            self.progress[signal.node_id] = told
            self.log.signal(told)

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
            return self.secrets.describe(error)

    def _sealed(self, finished: RunFinished) -> RunFinished:
        if finished.status is not RunStatus.DONE or not self.keeper.refers:
            return finished
        return self.persistence.sealed(finished, self.spec.outputs, self._outputs())

    def _outputs(self) -> dict[str, Any]:
        if self.spec.body:
            return dict(self.values[self.spec.body])
        return {name: resolve(binding, self.values, self.inputs) for name, binding in self.spec.outputs}

    def _on_finish(self, error: Exception | None) -> None:
        self.crash = error
        if error is not None:
            self.log.roll_back()
        elif self.state.finished is RunStatus.DONE:
            self.keeper.outputs = self._outputs()
        self._close()

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
        self.mail.close()
        if self.log.lease is not None:
            self.log.lease.release()
        self.listeners.tell_all()


def _new_run_id(graph: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9]+", "-", graph).strip("-").lower()[:40]
    return f"{slug or 'run'}-{secrets.token_hex(4)}"
