"""`Inspector`: the live view of a run, the kernel's half: what it sends, how often, and which commands it obeys.

The widget holds no view logic, and its synced state says no more than which run it shows, and which others its cell has
begun that are alive; everything else travels as frames (`view.frames`) when a view asks for it.
"""

from __future__ import annotations

import contextvars
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from graphrun_nb.core.events import CancelRequested, RunFinished, RunResumed
from graphrun_nb.engine.background import running_loop
from graphrun_nb.engine.loop_watch import Pulse, watch_of
from graphrun_nb.errors import GraphRunError
from graphrun_nb.notebook.allowance import Allowance
from graphrun_nb.notebook.commands import Command, Data, carry_out, read_command, refusal, refused
from graphrun_nb.notebook.exports import Exports
from graphrun_nb.notebook.keepsake import Keepsake
from graphrun_nb.notebook.offers import offers
from graphrun_nb.notebook.places import Places
from graphrun_nb.notebook.showing import Texts
from graphrun_nb.view import frames

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from graphrun_nb.core.events import Event
    from graphrun_nb.core.state import NodeState, RunState
    from graphrun_nb.engine.future import RunFuture
    from graphrun_nb.engine.loop_watch import LoopWatch
    from graphrun_nb.engine.run import Run
    from graphrun_nb.protocols import Signal
    from graphrun_nb.view.drawing import Layout

STATIC = Path(__file__).parent / "static"
FRAME_S = 0.05
BYTES_PER_S = 200_000
MAX_EVENTS = 1500
MAX_PIECE = 40_000
MAX_SIGNALS = 200


_TURNS = frozenset({RunFinished, RunResumed, CancelRequested})
"""After these, other actions can be offered."""


class Inspector(anywidget.AnyWidget):
    """The live view of `future`'s run; any number of them agree, and none changes the run.

    Parameters
    ----------
    future
        What `run` returned.

    Notes
    -----
    At most 20 frames a second leave the kernel, and 200 kB after a first burst of as much: the first event of a quiet
    spell at once, the rest gathered, the end of the run without delay. A burst of more than 1,500 events is sent as one
    packed snapshot; its events follow, in pieces, when a view asks for them and nothing else is to be sent. A spell of
    events ends with an empty frame. While the run is under way the pulse of its loop is sent once a second, and from
    beside the loop when something keeps it.
    """

    _esm = STATIC / "widget.js"
    _css = STATIC / "widget.css"
    run_id = traitlets.Unicode().tag(sync=True)
    graph_name = traitlets.Unicode().tag(sync=True)
    others: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    driver = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    replay = traitlets.Unicode().tag(sync=True)
    runs: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    offers: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, future: RunFuture) -> None:
        self.shown: dict[str, RunFuture] = {}
        self.on_turn: Callable[[Run, RunFuture], None] | None = None
        self._allowance = Allowance(BYTES_PER_S, BYTES_PER_S)
        self._free_at = 0.0
        self._watch: LoopWatch | None = None
        self._context = contextvars.copy_context()  # ipykernel 7.0 sends nothing without its own variables
        self._timer: asyncio.TimerHandle | None = None
        self._begin(future)
        super().__init__(run_id=future.run_id, graph_name=self._run.spec.name)
        self.on_msg(self._on_message)
        self._follow()

    def _begin(self, future: RunFuture) -> None:
        """Forget another run, and what was said of it."""
        run = self._run = future.run
        self.future = self.shown[future.run_id] = future
        self._sent = 0
        self._watched = False
        self._history = range(0)
        self._placed: set[str] = set()
        self._told: tuple[dict[str, NodeState] | None, int] = (None, 0)
        self._signals: list[Signal] = []
        self._progress: dict[str, Signal] = {}
        self.places = Places(lambda: run.state, self._show_places, self._context)
        self._keepsake = Keepsake(run, lambda packed: self._tell("replay", packed) if run is self._run else None)
        self._kept = ""
        self.exports = Exports()
        self.texts = Texts()

    def _follow(self) -> None:
        self._run.log.attach(self)
        follower = self._run.follower
        if follower is not None:
            follower.when_driven_by_another(self._show_driver)
        self._show_driver()
        self.renew_offers()
        self._keepsake.renew()

    def turn_to(self, future: RunFuture) -> None:
        """Show another run in the views of this one; they begin anew."""
        before = self._run
        if future.run is before:
            return
        before.log.detach(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._begin(future)
        self._watch_loop()
        self._tell("runs", list(self.shown))
        self._tell("replay", "")
        self._tell("others", [])
        self._tell("run_id", future.run_id)
        self._follow()
        if self.on_turn is not None:
            self.on_turn(before, future)

    def renew_offers(self) -> None:
        """Tell what can be done with the run now: it may have ended, or its graph been defined."""
        self._tell("offers", offers(self._run))

    def _tell(self, trait: str, value: object) -> None:
        self._context.copy().run(self.set_trait, trait, value)

    @property
    def is_watched(self) -> bool:
        """Whether a front end has shown it and asked for the run."""
        return self._watched

    def stands_beside(self, runs: Sequence[Run]) -> None:
        """Tell of other runs that the same cell has begun, as long as they are alive."""
        self.others = [run.run_id for run in runs]
        for run in runs:
            run.listeners.add(partial(self._left_by, run))

    def _left_by(self, run: Run) -> None:
        left = [run_id for run_id in self.others if run_id != run.run_id]
        self._tell("others", left)

    def _show_driver(self) -> None:
        """Tell which other process drives the run: none by an empty text, and None if it is this one."""
        follower = self._run.follower
        driver = None if follower is None else str(follower.driver or "")
        self._tell("driver", driver)

    def on_events(self, batch: Sequence[tuple[float, Event]], state: RunState) -> None:
        """Have new events sent soon."""
        is_end = type(batch[-1][1]) is RunFinished
        self._soon(is_end=is_end)
        if is_end or self._watch is None:
            self._watch_loop()
        loop = running_loop()
        if state.finished is not None and loop is not None:
            loop.call_soon(self._keepsake.renew, context=self._context.copy())
        if loop is not None and not _TURNS.isdisjoint(type(event) for _, event in batch):
            loop.call_soon(self.renew_offers, context=self._context.copy())

    def keep(self) -> None:
        """Let the widget's state hold the run if it has ended, while a cell runs: only then nbclient takes it."""
        if self._watched:
            return
        self._keepsake.settle()
        if self.replay != self._kept:
            self._kept = self.replay
            self.send_state("replay")

    def on_signal(self, signal: Signal) -> None:
        """Have telemetry sent soon; the oldest is dropped when there is too much, and all but the latest progress."""
        if signal.stream == "progress":
            self._progress[signal.node_id] = signal
        else:
            self._signals.append(signal)
            del self._signals[:-MAX_SIGNALS]
        self._soon()

    def sync(self, have: int, nodes: int) -> dict[str, Any]:
        """Send a view what it is missing after event `have`, and where the nodes stand."""
        log = self._run.log
        self._watched = True
        missing = log.since(have) if 0 <= have <= len(log) else None
        if missing is None or len(missing) > MAX_EVENTS:
            self._emit(frames.snapshot_frame(log.state, known_nodes=nodes))
        elif missing:
            self._emit(frames.events_frame(have + 1, missing))
        self._sent = max(self._sent, len(log))
        self._told = (log.state.nodes, len(log.state.nodes))
        self._forgive()
        if self._run.progress:
            self._emit(frames.SignalsFrame(tuple(self._run.progress.values())))
        self.places.show()
        self._watch_loop()
        return {"seq": len(log), "at": self._run.clock.time()}

    def send_history(self, first: int, until: int) -> None:
        """Have the events `first` to `until` sent, in pieces, as soon as there is nothing else to send."""
        self._history = range(first, min(until, len(self._run.log)) + 1)
        self._soon()

    def _show_places(self, container: str, layout: Layout, parts: Sequence[str]) -> None:
        self._emit(frames.layout_frame(layout, parts, inside=container))
        if container not in self._placed:
            self._placed.add(container)
            self._forgive()

    def _forgive(self) -> None:
        """Let what a view needs once, however large the graph is, not keep it from what happens meanwhile."""
        loop = running_loop()
        if loop is not None:
            self._allowance.forgive(loop.time())

    def _watch_loop(self) -> None:
        """Follow the loop's pulse while the run is under way and somebody looks at it."""
        loop = self._run.loop
        wanted = self._watched and self._run.is_alive and self._run.state.finished is None
        if wanted and self._watch is None and loop is not None and loop is running_loop():
            self._watch = watch_of(loop)
            self._watch.attach(self._on_pulse)
        elif not wanted and self._watch is not None:
            self._watch.detach(self._on_pulse)
            self._watch = None

    def _on_pulse(self, pulse: Pulse) -> None:
        # While the loop is kept, this is the watch's thread.
        run_id = "" if pulse.run_id == self._run.run_id else pulse.run_id
        frame = frames.LoopFrame(self._sent, pulse.busy_s, pulse.turns, run_id, pulse.node_id)
        self._context.copy().run(self._emit, frame)
        if pulse.turns:
            self._watch_loop()

    def _soon(self, *, is_end: bool = False) -> None:
        loop = running_loop()
        if not self._watched or loop is None:
            return
        if self._timer is not None and is_end and self._timer.when() > loop.time() + FRAME_S:
            self._timer.cancel()
            self._timer = loop.call_later(FRAME_S, self._flush, context=self._context.copy())
        if self._timer is None:
            wait_s = max(0.0, self._free_at - loop.time())
            self._timer = loop.call_later(wait_s, self._flush, context=self._context.copy())

    def _flush(self) -> None:
        self._timer = None
        log = self._run.log
        pending = log.since(self._sent)
        signals = [*self._signals, *self._progress.values()]
        self._signals = []
        self._progress = {}
        loop = running_loop()
        if not (pending or signals or self._history):
            self._emit(frames.events_frame(self._sent + 1, ()))  # so that a view learns that a last frame was lost
            self._free_at = loop.time() + FRAME_S if loop is not None else 0.0
            return
        if pending or signals:
            self._send_news(pending, signals)
        if self._history and (loop is None or not self._allowance.wait_s(loop.time())):
            self._send_piece()
        if loop is not None:
            wait_s = max(FRAME_S, self._allowance.wait_s(loop.time()))
            self._timer = loop.call_later(wait_s, self._flush, context=self._context.copy())

    def _send_news(self, pending: Sequence[tuple[float, Event]], signals: Sequence[Signal]) -> None:
        log = self._run.log
        if len(pending) > MAX_EVENTS:
            nodes = log.state.nodes
            told, n_told = self._told  # another graph makes another dict, more nodes make this one longer
            self._emit(frames.snapshot_frame(log.state, known_nodes=n_told if told is nodes else 0))
            self._told = (nodes, len(nodes))
        elif pending:
            self._emit(frames.events_frame(self._sent + 1, pending))
        self._sent = len(log)
        if signals:
            self._emit(frames.SignalsFrame(tuple(signals)))
        self.places.follow()

    def _send_piece(self) -> None:
        first = self._history.start
        piece = frames.history_piece(first, self._run.log.since(first - 1, self._history.stop - 1), MAX_PIECE)
        self._history = self._history[len(piece.events) :]
        self._emit(piece)

    def _emit(self, frame: frames.Frame) -> None:
        loop = running_loop()
        if loop is not None:
            self._allowance.spend(len(frames.encode(frame)), loop.time())
        self.send(frames.to_builtins(frame))

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take no state from a front end: what is shown is the kernel's to say, and a view asks by commands."""

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        # ipykernel 7 may deliver this on a subshell's thread.
        self._run.post(lambda: self._obey(content))

    def _obey(self, content: Any) -> None:
        command = read_command(content)
        if not isinstance(command, Command):
            self._emit(command)
            return
        self._answer(command, partial(carry_out, command, self))

    def _answer(self, command: Command, act: Callable[[], Data | Future[Data]]) -> None:
        try:
            data = act()
        except GraphRunError as error:
            self._emit(refused(command, error))
        except Exception as error:  # noqa: BLE001 (a retry builds the graph anew, and its body may raise anything)
            self._emit(refusal(command.id, f"{type(error).__name__}: {error}"))
        else:
            if isinstance(data, Future):
                data.add_done_callback(partial(self._answer_later, running_loop(), command))
            else:
                self._emit(frames.Reply(command.id, data=data))

    def _answer_later(self, loop: asyncio.AbstractEventLoop | None, command: Command, made: Future[Data]) -> None:
        answer = partial(self._answer, command, made.result)
        context = self._context.copy()
        if loop is None or loop.is_closed():
            context.run(answer)
        else:
            loop.call_soon_threadsafe(answer, context=context)

    def __repr__(self) -> str:
        return f"<Inspector of {self._run.spec.name}>"

    def close(self) -> None:
        """Stop following the run."""
        self._run.log.detach(self)
        self._watched = False
        self._watch_loop()
        super().close()
