"""From what a user passes to what can run: targets to graphs, inputs to the names a graph declares."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphrun_nb.authoring.bindings import refuse_strays
from graphrun_nb.authoring.builder import GraphBuilder
from graphrun_nb.authoring.graph_fn import GraphFunction
from graphrun_nb.authoring.graphify import Graphified
from graphrun_nb.authoring.task_graph import TaskGraph
from graphrun_nb.authoring.tool import Tool
from graphrun_nb.core.spec import closest
from graphrun_nb.errors import BadOption, GraphBuildError, GraphInputBindError, GraphMaterializationError
from graphrun_nb.view.text import preview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphrun_nb.core.spec import GraphSpec


def graph_of(target: Any) -> TaskGraph:
    """Return the graph that `target` is or builds: a TaskGraph, a graph function, a builder, or a callable giving one.

    Raises
    ------
    GraphMaterializationError
        It is none and builds none.
    GraphBuildError
        Building it failed.
    """
    __tracebackhide__ = True
    if isinstance(target, TaskGraph):
        return target
    if isinstance(target, (Graphified, GraphFunction, GraphBuilder)):
        return target.build()
    built: Any = None
    if isinstance(target, (type, Tool)):
        pass
    elif callable(getattr(target, "build", None)):
        built = _built(target, target.build)
    elif inspect.isroutine(target) and not inspect.iscoroutinefunction(target) and _takes_nothing(target):
        built = _built(target, target)
    if isinstance(built, TaskGraph):
        return built
    if inspect.iscoroutine(built):
        built.close()
    if built is not None and built is not target:
        return graph_of(built)
    raise GraphMaterializationError(
        f"{_shown(target)} cannot be run",
        code="run_async_invalid_target",
        hints=(_target_hint(target),),
    )


def bind_inputs(spec: GraphSpec, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a value for every input that the graph declares.

    Raises
    ------
    GraphInputBindError
        A required input is missing, or one is unknown; or `inputs` is no dict.
    GraphValidationError
        An input is a handle of some graph.
    """
    __tracebackhide__ = True
    names = [each.name for each in spec.inputs]
    shown = ", ".join(names) or "none"
    if inputs is not None and not isinstance(inputs, Mapping):
        raise GraphInputBindError(
            f"inputs are a dict of values by name, not {preview(inputs)[:80]}",
            code="graph_inputs_no_dict",
            hints=(f"pass {{{', '.join(f'{name!r}: …' for name in names)}}}",),
        )
    given = dict(inputs or {})
    for name in given:
        if name not in names:
            raise GraphInputBindError(
                f"graph {spec.name!r} has no input {name!r}",
                code="graph_inputs_unknown",
                hints=(closest(str(name), names) or f"its inputs are: {shown}",),
            )
    missing = [each.name for each in spec.inputs if each.required and each.name not in given]
    if missing:
        raise GraphInputBindError(
            f"graph {spec.name!r} needs {', '.join(map(repr, missing))}",
            code="graph_inputs_missing_required",
            hints=(f"pass {', '.join(f'{name}=…' for name in missing)}; its inputs are: {shown}",),
        )
    refuse_strays(given.values())
    return {each.name: given.get(each.name, each.default) for each in spec.inputs}


def refuse_inputs(target: Any, options: Iterable[str]) -> None:
    """Raise BadOption if one of the unknown options of a run is an input of its graph, which goes elsewhere."""
    __tracebackhide__ = True
    options = list(options)
    if not options:
        return
    spec = graph_of(target).spec
    given = [each.name for each in spec.inputs if each.name in options]
    if given:
        name = getattr(target, "__name__", "graph")
        raise BadOption(
            f"{given[0]!r} is an input of graph {spec.name!r}, and was given as an option of its run",
            hints=(f"inputs go into a dict: run({name}, {{{', '.join(f'{each!r}: …' for each in given)}}})",),
        )


def _built(target: Any, build: Any) -> Any:
    try:
        return build()
    except GraphBuildError:
        raise
    except Exception as error:
        raise GraphMaterializationError(
            f"{_shown(target)} raised {type(error).__name__} while building its graph: {error}",
            code="run_async_target_raised",
        ) from error


def _takes_nothing(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return all(
        each.default is not each.empty or each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL) for each in parameters
    )


def _shown(target: Any) -> str:
    return f"{type(target).__name__} {getattr(target, '__name__', None) or repr(target)[:80]}"


def _target_hint(target: Any) -> str:
    if isinstance(target, Tool):
        return f"a tool is one node; call it directly, or put it into a @graphify function: {target.name}(...)"
    if callable(target):
        return "decorate it with @graphify(inputs=[...], outputs=[...])"
    return "pass a @graphify function, a TaskGraph, a builder, or something with .build()"
