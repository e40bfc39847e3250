"""A run as a file: a drawing, or the data of all of it. Pure: nothing here opens a file.

The data is one JSON object, whose keys stay what they are within a `version`::

    format   "graphrun-run"
    version  1
    spec     the definition: name, inputs, outputs, nodes, … (core/spec.py); plain values as previews, never themselves
    state    where the run stands: run_id, graph, inputs, started_at, finished, nodes by id, … (core/state.py)
    events   the log from its beginning: {run_id, seq, at, event}, as `core.codec` writes each (core/events.py)

Instants are Unix seconds (UTC). Digests of tokens and of plain values are left empty: nothing here helps to
answer a wait, or to guess what is masked.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from graphrun_nb.core.codec import encode
from graphrun_nb.core.events import Envelope
from graphrun_nb.core.ids import qualified_name
from graphrun_nb.core.secrets import is_secret
from graphrun_nb.core.spec import Binding, Condition, GraphSpec, InputSpec, Literal, Many, NodeSpec
from graphrun_nb.core.state import RunState
from graphrun_nb.errors import GraphRunError
from graphrun_nb.view.frames import public_event, public_state
from graphrun_nb.view.scene import scene_of
from graphrun_nb.view.svg import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Shown = Callable[[Any, str], str]

FORMAT, VERSION = "graphrun-run", 1
ZOOM = 2.0
MAX_PIXELS = 50_000_000
"""200 MB while a picture is made; a graph of 1,000 nodes stays below it at full zoom."""


class _File(msgspec.Struct):
    format: str
    version: int
    spec: Any
    state: RunState
    events: list[msgspec.Raw]


def to_json(spec: GraphSpec, state: RunState, events: Iterable[Envelope], shown: Shown) -> bytes:
    """Return all data of a run as compact JSON, of the shape that this module describes. O(events).

    Parameters
    ----------
    shown
        Gives what people may see of a plain value, and of the name that it stands under.
    """
    lines = [msgspec.Raw(encode(Envelope(each.run_id, each.seq, each.at, public_event(each.event)))) for each in events]
    told = msgspec.to_builtins(_told_spec(spec, shown), enc_hook=_name_of_type)
    return msgspec.json.encode(_File(FORMAT, VERSION, told, public_state(state), lines))


def to_svg(state: RunState) -> str:
    """Return the run as an SVG document, with a card a node. The layout of 4,000 nodes takes a second."""
    return draw(state, scene_of(state))


def to_png(drawing: str) -> bytes:
    """Return what `to_svg` gave as a PNG, at twice its size, or smaller if it would have more than 50 million pixels.

    Raises
    ------
    GraphRunError
        The library that does it is not installed.
    """
    try:
        renderer = importlib.import_module("resvg_py")
    except ImportError as error:
        raise GraphRunError(
            "a PNG needs the package resvg-py, which is not installed",
            hints=("%pip install 'graphrun-nb[png]', or write .svg instead",),
        ) from error
    size = re.match(r'<svg [^>]*width="(\d+)" height="(\d+)"', drawing)
    n_pixels = int(size[1]) * int(size[2]) if size is not None else 1
    return bytes(renderer.svg_to_bytes(svg_string=drawing, zoom=min(ZOOM, (MAX_PIXELS / n_pixels) ** 0.5)))


def _told_spec(spec: GraphSpec, shown: Shown) -> GraphSpec:
    return replace(
        spec,
        inputs=tuple(_told_input(each, shown) for each in spec.inputs),
        outputs=_told_pairs(spec.outputs, shown),
        nodes=tuple(_told_node(node, shown) for node in spec.nodes),
    )


def _told_input(each: InputSpec, shown: Shown) -> InputSpec:
    return each if each.required else replace(each, default=shown(each.default, each.name), default_digest="")


def _told_node(node: NodeSpec, shown: Shown) -> NodeSpec:
    condition = None if node.condition is None else _told_condition(node.condition, shown)
    return replace(
        node, inputs=_told_pairs(node.inputs, shown), results=_told_pairs(node.results, shown), condition=condition
    )


def _told_pairs(pairs: tuple[tuple[str, Binding], ...], shown: Shown) -> tuple[tuple[str, Binding], ...]:
    return tuple((name, _told(binding, name, shown)) for name, binding in pairs)


def _told_condition(condition: Condition, shown: Shown) -> Condition:
    args = (
        _told_condition(arg, shown) if isinstance(arg, Condition) else _told(arg, "", shown) for arg in condition.args
    )
    return replace(condition, args=tuple(args))


def _told(binding: Binding, name: str, shown: Shown) -> Binding:
    """Return a binding with previews in place of plain values, which may be anything."""
    match binding:
        case Literal():
            return replace(binding, value=shown(binding.value, name), digest="")
        case Many():
            items = (
                (
                    key if key is None or isinstance(key, str) else shown(key, name),
                    _told(item, key if isinstance(key, str) and is_secret(key) else name, shown),
                )
                for key, item in binding.items
            )
            return replace(binding, items=tuple(items))
    return binding


def _name_of_type(value: Any) -> Any:
    if isinstance(value, type):
        return qualified_name(value)
    raise NotImplementedError(f"{type(value).__name__} has no place in a definition")
