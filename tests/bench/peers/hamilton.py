"""Hamilton: a module of functions, whose parameters name the functions they need."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING

from hamilton import ad_hoc_utils, base, driver

from tests.bench.nodes import nothing_here

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.bench.shapes import Shape

BODIES = {
    0: lambda: nothing_here(),  # noqa: PLW0108 (its code is copied)
    1: lambda a: nothing_here(a),  # noqa: PLW0108 (its code is copied)
    2: lambda a, b: nothing_here(a, b),  # noqa: PLW0108 (its code is copied)
}


def function(i: int, needs: tuple[int, ...]) -> FunctionType:
    """Make the function of node `i`, with its parameters named after those it needs."""
    names = tuple(f"n{each}" for each in needs)
    code = BODIES[len(needs)].__code__.replace(co_varnames=names, co_name=f"n{i}")
    made = FunctionType(code, globals(), f"n{i}")
    made.__annotations__ = dict.fromkeys((*names, "return"), int)
    return made


class Hamilton:
    """Its driver, with results in a dict."""

    name = "Hamilton"
    package = "sf-hamilton"
    how = "`driver.execute` with `DictResult`; sync nodes, one after the other"
    lacks = "concurrency, events, contexts, observers without adapters, async nodes in this driver, waits"

    def prepare(self, shape: Shape, runner: asyncio.Runner) -> Callable[[], object]:
        functions = [function(i, needs) for i, needs in enumerate(shape.needs)]
        module = ad_hoc_utils.create_temporary_module(*functions)
        built = driver.Builder().with_modules(module).with_adapters(base.DictResult()).build()
        ends = [f"n{i}" for i in shape.ends]
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 20 * shape.n))  # it goes down a chain by calling itself
        return lambda: built.execute(ends)


CONTENDERS = (Hamilton(),)
