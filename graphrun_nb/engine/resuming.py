"""What becomes of a run that is resumed: which of its nodes keep their outputs, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from graphrun_nb.core.events import NodeReset, NodeSkipped, RunResumed, SpecAccepted
from graphrun_nb.core.resumption import changed_nodes, resumed, with_all_below, with_appeared
from graphrun_nb.core.spec import args, refs
from graphrun_nb.core.status import NodeStatus, RunStatus
from graphrun_nb.engine.binding import bind_inputs
from graphrun_nb.engine.likeness import alike
from graphrun_nb.errors import GraphBuildError, GraphInputBindError, GraphRunError, SpecChanged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphrun_nb.authoring.task_graph import TaskGraph
    from graphrun_nb.core.events import Event, NodeInfo
    from graphrun_nb.core.spec import NodeSpec
    from graphrun_nb.core.state import RunState
    from graphrun_nb.engine.env import RuntimeEnv
    from graphrun_nb.engine.run import Run

_LOST = "the process that ran it ended"


class Past(Protocol):
    """How far a run has come.

    Attributes
    ----------
    inputs
        Those that it began with, as far as they are here.
    """

    run_id: str
    inputs: dict[str, Any]

    @property
    def values(self) -> Mapping[str, Mapping[str, Any]]:
        """Outputs by node id, of the nodes that are done, as far as they are here."""
        ...

    @property
    def state(self) -> RunState:
        """Where its nodes stand."""
        ...

    @property
    def has_outputs(self) -> bool:
        """Whether the outputs of the whole run are here."""
        ...

    def fetch(self, graph: TaskGraph) -> None:
        """Get what was kept and is not here, as far as `graph` knows what it is made of."""
        ...


class Resuming:
    """A run that has a past, and what is to happen now.

    Parameters
    ----------
    past
        Of one that has ended, or was left behind.
    graph, inputs, env
        What is wanted from now on; inputs None are those that it began with.
    from_
        Nodes that run again with all below them.
    changes_inputs
        Whether `inputs` are meant to differ; those that are left out stay as they were.

    Attributes
    ----------
    outdated : tuple of str
        Nodes that stay done, or keep parts that are, although they are defined differently now; known after `events`.
    """

    def __init__(
        self,
        past: Past,
        graph: TaskGraph,
        inputs: Mapping[str, Any] | None,
        env: RuntimeEnv,
        *,
        reason: str,
        from_: Sequence[str] = (),
        changes_inputs: bool = False,
    ) -> None:
        if not graph.is_known:
            raise GraphRunError(
                f"the graph {graph.name!r} of run {past.run_id!r} is not defined in this process",
                hints=(f"run the cell that defines it, and then run({graph.name}, run_id={past.run_id!r})",),
            )
        self.past = past
        self.graph = graph
        self.env = env
        self.reason = reason
        self.from_ = from_
        self.changes_inputs = changes_inputs
        self.nodes = past.state.nodes
        self.infos = with_appeared(self.nodes, graph.infos(env.retry))
        self.is_altered = graph.fingerprint() != past.state.fingerprint
        self._again: set[str] = set()
        self._new_inputs = False
        self.outdated: tuple[str, ...] = ()
        self.inputs = self._inputs(inputs)

    def onto(self, run: Run) -> Run:
        """Return the run whose past it is, prepared to go on from where it stands; as it is, if all of it is done."""
        events = self.events()
        is_kept = not self.is_altered or self.env.on_changed == "keep"
        if run.state.finished is RunStatus.DONE and not events and is_kept and run.has_outputs:
            return run
        self.refuse_bodies()
        new = self.inputs if self._new_inputs else {}
        kept = tuple((name, run.persistence.keep(value, name=name)) for name, value in new.items())
        opening: list[Event] = [RunResumed(self.reason, kept)]
        if self.is_altered or self.infos != tuple(each.info for each in self.nodes.values()):
            plain = self.graph.infos(self.env.retry)
            opening.append(SpecAccepted(self.graph.fingerprint(), plain if self.infos == plain else self.infos))
        run.resume_with(self.graph, self.inputs, self.env, (*opening, *events), outdated=self.outdated)
        return run

    def refuse_bodies(self) -> None:
        """Raise GraphBuildError if the run is of ordinary Python, which has no place to go on from."""
        if self.graph.spec.body:
            raise GraphBuildError(
                f"run {self.past.run_id!r} is of a graph function, which cannot continue where it stopped",
                code="graph_fn_not_resumable",
                stage="resume_guard",
                hints=("begin a new run, without run_id or retry; a @graphify graph can be continued",),
            )

    def events(self) -> list[Event]:
        """Return what lets it go on.

        Raises
        ------
        SpecChanged, GraphBuildError
            See `prepared`.
        """
        roots = {*self.from_, *self._changed()}
        again, opened = with_all_below(self.infos, roots)
        self._again |= again | opened
        while True:
            events = resumed(self.nodes, self.infos, self._again, reason=self.reason, lost=_LOST)
            unsaved = self._unsaved(events)
            if not unsaved:
                return events
            if self.env.on_unsaved == "raise":
                raise GraphBuildError(
                    f"run {self.past.run_id!r} cannot continue: the outputs of {named(unsaved)} were not kept",
                    code="resume_snapshot_policy_violation",
                    stage="resume_guard",
                    hints=("on_unsaved='rerun' runs those nodes again",),
                )
            self._again.update(unsaved, *(self._containers_of(node_id) for node_id in unsaved))

    def _changed(self) -> list[str]:
        """Return the nodes that are defined differently and will run again for it."""
        if not self.is_altered:
            return []
        changed = changed_nodes(self.nodes, self.graph.infos(self.env.retry))
        if self.env.on_changed == "raise":
            what = named(changed) if changed else "its inputs or outputs"
            raise SpecChanged(
                f"graph {self.graph.name!r} differs from the one that run {self.past.run_id!r} began with: {what}",
                changed_nodes=changed,
                hints=("on_changed='rerun' runs what changed and all below it, 'keep' keeps what is done",),
            )
        return changed if self.env.on_changed == "rerun" else self._unfit(changed)

    def _unfit(self, changed: Sequence[str]) -> list[str]:
        """Return those of `changed` that cannot stay done, for they have other outputs now; note those that do."""
        infos = {info.node_id: info for info in self.infos}
        again, _ = with_all_below(self.infos, self.from_)
        kept = {node_id for node_id, node in self.nodes.items() if node.status is NodeStatus.DONE} - again
        unfit = [each for each in changed if each in kept and each in infos and not self._gives(infos[each])]
        kept -= with_all_below(self.infos, unfit)[0]
        holding = {self.nodes[each].info.parent for each in kept}
        self.outdated = tuple(each for each in changed if each in infos and (each in kept or each in holding))
        return unfit

    def _gives(self, info: NodeInfo) -> bool:
        return set(info.outputs) <= set(self.nodes[info.node_id].info.outputs)

    def _inputs(self, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the inputs from now on; nodes that take one that differs will run again, if that is wanted."""
        spec = self.graph.spec
        self.past.fetch(self.graph)
        known = self.past.inputs
        recorded = {each.name: known[each.name] for each in spec.inputs if each.name in known}
        if inputs is None:
            missing = [each.name for each in spec.inputs if each.required and each.name not in recorded]
            if missing:
                raise GraphBuildError(
                    f"the inputs {named(missing)} of run {self.past.run_id!r} were not kept",
                    code="resume_snapshot_policy_violation",
                    stage="resume_guard",
                    hints=("pass them again",),
                )
            return bind_inputs(spec, recorded)
        given = bind_inputs(spec, {**recorded, **inputs} if self.changes_inputs else inputs)
        others = differing(given, recorded)
        if not others or (self.env.on_changed == "keep" and not self.changes_inputs):
            return {**given, **recorded}
        if self.env.on_changed == "raise" and not self.changes_inputs:
            raise GraphInputBindError(
                f"run {self.past.run_id!r} began with another {' and '.join(map(repr, others))}",
                code="resume_inputs_changed",
                hints=(
                    "leave the inputs out to continue with those, or leave run_id out for a new run",
                    "on_changed='rerun' runs what depends on them again",
                ),
            )
        users = [node.node_id for node in spec.nodes if _takes(node, others)]
        again, opened = with_all_below(self.infos, users)
        self._again |= again | opened
        self._new_inputs = True
        return given

    def _unsaved(self, events: Sequence[Event]) -> list[str]:
        """Return the nodes that stay done and whose outputs are needed, but were not kept."""
        reset = {event.node_id for event in events if type(event) is NodeReset}
        skipped = {event.node_id for event in events if type(event) is NodeSkipped}
        values = self.past.values
        done = {
            info.node_id
            for info in self.infos
            if info.node_id in self.nodes
            and self.nodes[info.node_id].status is NodeStatus.DONE
            and info.node_id not in reset
        }
        left = {each for each in done if each not in values}
        if not left:
            return []
        needed = {ref.node_id for _, binding in self.graph.spec.outputs for ref in refs(binding)}
        stays = done | skipped
        stays |= {each for each, node in self.nodes.items() if node.status is NodeStatus.SKIPPED and each not in reset}
        for node in self.graph.spec.nodes:
            if node.node_id not in stays:
                needed |= {ref.node_id for ref in node.refs()}
                needed |= {ref.node_id for _, binding in node.results for ref in refs(binding)}
        needed |= {
            info.node_id for info in self.infos if info.parent and info.parent not in stays and info.node_id in left
        }
        if self.past.state.finished is RunStatus.DONE and not reset and self.past.has_outputs:
            return []
        return [info.node_id for info in self.infos if info.node_id in left & needed]

    def _containers_of(self, node_id: str) -> list[str]:
        parents = {info.node_id: info.parent for info in self.infos}
        found: list[str] = []
        parent = parents[node_id]
        while parent:
            found.append(parent)
            parent = parents[parent]
        return found


def differing(given: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Return the names whose values are not those that are known."""
    return [name for name, value in given.items() if name in known and not alike(value, known[name])]


def named(node_ids: Sequence[str]) -> str:
    """Return a few ids for a message."""
    return ", ".join(map(repr, node_ids[:8])) + (f" and {len(node_ids) - 8} more" if len(node_ids) > 8 else "")


def _takes(node: NodeSpec, names: Sequence[str]) -> bool:
    bound = [binding for _, binding in (*node.inputs, *node.results)]
    if node.condition is not None:
        bound.append(node.condition)  # type: ignore[arg-type]
    return any(each.name in names for binding in bound for each in args(binding))
