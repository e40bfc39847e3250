"""`Persistence`: how the values of one run are kept in its store, and fetched when it is resumed."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.spec import Ref
from graphrun_nb.core.status import NodeStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphrun_nb.core.events import RunFinished, ValueRef
    from graphrun_nb.core.spec import Binding
    from graphrun_nb.core.state import NodeState
    from graphrun_nb.engine.log import RunLog
    from graphrun_nb.engine.run_secrets import RunSecrets
    from graphrun_nb.engine.values import Values
    from graphrun_nb.protocols import Keeper


class Persistence:
    """Hands values to the run's keeper, with previews that hold no secrets, and fetches what is not in memory."""

    def __init__(self, keeper: Keeper, log: RunLog, values: Values, secrets: RunSecrets) -> None:
        self._keeper = keeper
        self._log = log
        self._values = values
        self._secrets = secrets

    def keep(self, value: Any, shown: Any = ..., *, name: str = "") -> ValueRef:
        """Keep an input or an answer, and return what the log says of it: a preview of it, or of what is `shown`."""
        self._secrets.find(value)
        return self._keeper.put(value, lambda: self._secrets.preview(value if shown is ... else shown, name))

    def keep_outputs(self, node_id: str, outputs: Sequence[str], values: Mapping[str, Any]) -> tuple[ValueRef, ...]:
        """Keep what a node gave, and return what the log says of it: nothing, if the store is in memory.

        Parameters
        ----------
        outputs
            Names of its declared outputs; a node that declares none keeps `values` as one value.
        """
        keeper, secrets = self._keeper, self._secrets
        if not keeper.refers:
            return ()
        if not outputs:
            return (keeper.put(values, partial(secrets.preview, values), shown=False),) if values else ()
        refs = []
        for name in outputs:
            value = values[name]
            ref = keeper.known(value)
            refs.append(ref or keeper.put(value, partial(secrets.preview_output, node_id, name, value), shown=False))
        return tuple(refs)

    def sealed(
        self, finished: RunFinished, bindings: Sequence[tuple[str, Binding]], outputs: Mapping[str, Any]
    ) -> RunFinished:
        """Keep the outputs of the whole run, and return its last event with references to them.

        Parameters
        ----------
        bindings
            Where outputs come from: one that is the output of a node is not kept twice.
        """
        origin = dict(bindings)
        refs = []
        for name, value in outputs.items():
            ref = self._ref_of(origin.get(name))
            if ref is None:
                ref = self._keeper.put(value, partial(self._secrets.preview, value, name))
            else:
                ref = structs.replace(ref, preview=self._secrets.preview(value, name))
            refs.append((name, ref))
        return structs.replace(finished, outputs=tuple(refs))

    def inputs(self, known: Iterable[str] = ()) -> dict[str, Any]:
        """Return the inputs that the run began with, without those that are `known` and those that were not kept."""
        found = {}
        for name, ref in self._log.state.inputs:
            if name not in known:
                with contextlib.suppress(LookupError):
                    found[name] = self._keeper.get(ref)
        return found

    def fetch_outputs(self, node_ids: Iterable[str]) -> None:
        """Get what these nodes gave, and the outputs of the whole run, as far as they were kept and are not here."""
        keeper, values, state = self._keeper, self._values, self._log.state
        absent = [(each, state.nodes[each]) for each in node_ids if each not in values]
        absent = [(each, node) for each, node in absent if node.status is NodeStatus.DONE and node.values]
        with keeper.at_hand(ref for _, node in absent for ref in node.values):
            for node_id, node in absent:
                with contextlib.suppress(LookupError):
                    values[node_id] = kept_outputs(node, keeper)
        if state.finished is RunStatus.DONE and keeper.outputs is None and keeper.refers:
            with contextlib.suppress(LookupError):
                keeper.outputs = {name: keeper.get(ref) for name, ref in state.outputs}

    def _ref_of(self, binding: Binding | None) -> ValueRef | None:
        """Return where the output of a node is kept that is one of the run as it is."""
        if not isinstance(binding, Ref):
            return None
        node = self._log.state.nodes[binding.node_id]
        known = dict(zip(node.info.outputs, node.values, strict=False))
        return known.get(binding.output)


def kept_outputs(node: NodeState, keeper: Keeper) -> Mapping[str, Any]:
    """Return what a node gave that is done; raises LookupError if some of it was not kept."""
    values = [keeper.get(ref) for ref in node.values]
    names = node.info.outputs
    outputs: Mapping[str, Any] = dict(zip(names, values, strict=True)) if names else values[0]
    return outputs
