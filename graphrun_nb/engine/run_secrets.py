"""`RunSecrets`: the secrets of one run, and what people may see of its values and errors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrun_nb.core.secrets import MASK, Secrets, is_secret
from graphrun_nb.engine.failure import describe
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphrun_nb.authoring.secret_places import SecretPlaces
    from graphrun_nb.core.events import ErrorInfo


class RunSecrets(Secrets):
    """Secrets found in a graph, in the inputs of its run and in the environment; nodes add theirs as they end.

    Attributes
    ----------
    outputs : dict of str to set of str
        Names of secret outputs, by node id.
    """

    def __init__(self, places: SecretPlaces, inputs: Mapping[str, Any]) -> None:
        super().__init__()
        self.outputs = dict(places.nodes)
        for value in (*places.values, *(inputs[name] for name in places.inputs if name in inputs)):
            self.add(value)
        for value in (*places.holders, *inputs.values(), os.environ):
            self.find(value)

    def add_outputs(self, node_id: str, values: Mapping[str, Any]) -> None:
        """Hide the secret ones among the outputs of a node."""
        for output in self.outputs.get(node_id, ()):
            self.add(values.get(output))

    def preview(self, value: Any, name: str = "") -> str:
        """Return a preview of the value called `name`, without secrets."""
        if is_secret(name):
            return MASK
        # Scrubbed before as well: a secret that the preview cuts in two would not be found afterwards.
        return self.scrub(preview(self.scrub(value) if isinstance(value, str) else value))

    def preview_output(self, node_id: str, output: str, value: Any) -> str:
        """Return a preview of an output of a node, without secrets."""
        return MASK if output in self.outputs.get(node_id, ()) else self.preview(value, output)

    def describe(self, error: BaseException) -> ErrorInfo:
        """Return an exception as data, without secrets."""
        info = describe(error)
        return structs.replace(
            info,
            message=self.scrub(info.message),
            frames=tuple(structs.replace(frame, source=self.scrub(frame.source)) for frame in info.frames),
            notes=self.scrub_all(info.notes),
            cause=self.scrub(info.cause),
        )
